"""Rows of a table find their building, or say why not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.territory.matching import Clue, Register, fold, fold_address, match


@pytest.fixture
def register():
    made = Register()
    made.add(0, "b0", ["兴业街21号"], ["1栋", "翠湖公馆一期1栋"])
    made.add(1, "b1", ["兴业街21号附3"], ["2栋", "翠湖公馆一期2栋"])
    made.add(2, "b2", [], ["1栋", "天鹅小区1栋"])
    return made


@pytest.mark.parametrize(
    ("clue", "outcome", "building"),
    [
        (Clue(source_id="b1"), "id", 1),
        (Clue(source_id=" b1 "), "id", 1),
        (Clue(address="兴业街21号"), "address", 0),
        (Clue(address="兴业街 \uff12\uff11"), "address", 0),
        (Clue(address="兴业街21号附3"), "address", 1),
        (Clue(address="兴业街21-3"), "unknown", -1),
        (Clue(address="兴业街21\u20143"), "unknown", -1),
        (Clue(name="翠湖公馆\uff08一期\uff092栋"), "name", 1),
        (Clue(name="1栋"), "ambiguous", -1),
        (Clue(name="1栋", address="兴业街21号"), "address", 0),
        (Clue(name="2栋", address="兴业街21号"), "contradiction", -1),
        (Clue(source_id="b2", name="1栋"), "id", 2),
        (Clue(source_id="b9", name="天鹅小区1栋"), "unknown", -1),
        (Clue(), "unknown", -1),
    ],
)
def test_one_row(register, clue, outcome, building):
    (found,) = match([clue], register)
    assert (found.outcome, found.building) == (outcome, building)


def test_two_rows_for_one_building_are_given_to_neither(register):
    found = match([Clue(source_id="b0"), Clue(address="兴业街21号"), Clue(source_id="b1")], register)
    assert [m.outcome for m in found] == ["twice", "twice", "id"]
    assert found[0].candidates == (0,)


def test_a_suffix_is_never_dropped():
    assert len({fold_address(a) for a in ("兴业街12号", "兴业街12附3号", "兴业街12-3号", "兴业街123号")}) == 4


@given(st.text())
def test_folding_twice_changes_nothing_more(said):
    assert fold(fold(said)) == fold(said)
