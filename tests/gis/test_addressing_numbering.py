"""Door numbers on drawn streets, and what may never be broken whatever the street looks like."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addressing import doornumbers
from gis.addressing.numbering import MISMATCH, NO_NUMBER, SEVERAL, SHARED, Rule, number

RULE = Rule()


def on_one_street(places, rule=RULE):
    """``places``: (station, side, existing number), side R or L of the counting direction."""
    n = len(places)
    return number(
        np.zeros(n, dtype=np.int64),
        np.array([float(p[0]) for p in places]),
        np.array([p[1] == "R" for p in places], dtype=bool),
        np.array([p[2] for p in places], dtype=object),
        rule,
    )


def reasons(found):
    return [(b.item, b.kind, b.reason) for b in found.breaks]


def test_a_new_street_counts_odd_on_the_right_even_on_the_left():
    found = on_one_street([(10, "R", ""), (10, "L", ""), (20, "R", ""), (30, "L", ""), (40, "R", "")])
    assert list(found.text) == ["1", "2", "3", "4", "5"]
    assert not found.kept.any()
    assert found.breaks == ()


def test_four_and_thirteen_are_not_skipped_unless_the_place_says_so():
    street = [(k, "L", "") for k in range(3)]
    assert list(on_one_street(street).text) == ["2", "4", "6"]
    assert list(on_one_street(street, Rule(skip=frozenset({4}))).text) == ["2", "6", "8"]


def test_new_houses_take_free_numbers_between_old_ones():
    found = on_one_street([(0, "R", "1号"), (10, "R", ""), (20, "R", "5号")])
    assert list(found.text) == ["1", "3", "5"]
    assert list(found.kept) == [True, False, True]


def test_infill_without_room_is_attached_to_the_number_before():
    found = on_one_street([(0, "R", "1"), (10, "R", ""), (15, "R", ""), (20, "R", "3")])
    assert list(found.text) == ["1", "1附1", "1附2", "3"]


def test_infill_between_attached_numbers_goes_one_level_deeper():
    found = on_one_street([(0, "L", "12附1"), (5, "L", ""), (9, "L", "12附2")])
    assert list(found.text) == ["12附1", "12附1-1", "12附2"]
    assert found.key[1] == (12, 1, 1)


def test_letters_where_letters_are_the_custom():
    found = on_one_street([(0, "L", "12"), (5, "L", ""), (9, "L", "14")], Rule(infill="letter"))
    assert found.text[1] == "12A"


def test_one_free_number_for_three_houses():
    found = on_one_street([(0, "L", "12"), (5, "L", ""), (6, "L", ""), (7, "L", ""), (9, "L", "16")])
    assert list(found.text) == ["12", "14", "14附1", "14附2", "16"]


def test_no_number_before_number_one():
    found = on_one_street([(0, "R", ""), (10, "R", "1")])
    assert found.text[0] == ""
    assert reasons(found) == [(0, NO_NUMBER, "no_room")]


def test_a_street_that_counts_the_other_way_goes_on_so():
    found = on_one_street([(0, "R", ""), (10, "R", "5"), (20, "R", "3"), (30, "R", "1")])
    assert found.text[0] == "7"


def test_sides_are_judged_each_by_itself():
    # low even numbers far out, high odd ones at the start: both rise, though together they seem to fall
    odd = [(100 + k, "R", str(2 * k + 1)) for k in range(4)]
    even = [(k, "L", str(2 * k + 20)) for k in range(8)]
    found = on_one_street([*odd, *even, (104, "R", "")])
    assert found.text[-1] == "9"
    assert found.breaks == ()


def test_a_street_with_even_numbers_on_the_right_goes_on_so():
    found = on_one_street([(0, "R", "2"), (10, "R", "4"), (0, "L", "1"), (20, "R", ""), (20, "L", "")])
    assert list(found.text[3:]) == ["6", "3"]


def test_every_kind_of_mess_is_listed():
    street = [
        (0, "R", "1"), (10, "R", "5"), (20, "R", "3"), (30, "R", "7"), (40, "R", "9"), (50, "R", "8"),
        (60, "R", "11"), (61, "R", "11"), (70, "R", "13,15"), (80, "R", "??"), (90, "L", "12345"), (5, "L", "2"),
    ]  # fmt: skip
    found = on_one_street(street)
    assert list(found.text[:8]) == ["1", "5", "3", "7", "9", "8", "11", "11"], "existing numbers stay"
    listed = set(reasons(found))
    assert {(5, MISMATCH, "parity"), (8, SEVERAL, "several"), (9, MISMATCH, "unreadable")} <= listed
    assert {(6, SHARED, "duplicate"), (7, SHARED, "duplicate"), (10, MISMATCH, "too_large")} <= listed
    assert len([b for b in found.breaks if b.reason == "order"]) == 1


def test_block_and_house_numbers_go_on_in_their_own_way():
    found = on_one_street([(0, "R", "89-15"), (10, "R", ""), (20, "R", "89-21A"), (30, "R", ""), (0, "L", "89-10")])
    assert list(found.text) == ["89-15", "89-17", "89-21A", "89-23", "89-10"]


def test_a_text_that_was_read_otherwise_is_not_issued_again():
    found = on_one_street([(0, "R", "1"), (5, "R", "1-3"), (9, "R", ""), (10, "R", "5")], Rule(infill="letter"))
    assert len(set(found.text)) == 4


def test_an_attached_number_that_would_read_as_a_range_is_passed_over():
    found = on_one_street(
        [(k, "R", "1" if k == 0 else "3" if k == 9 else "") for k in range(10)], Rule(infill="dash")
    )
    assert list(found.text) == ["1", "1-1", "1-2", "1-4", "1-6", "1-8", "1-10", "1-12", "1-14", "3"]


def test_numbers_of_other_streets_do_not_matter():
    found = number(
        np.array([0, 1, -1]), np.zeros(3), np.array([True, True, True]), np.array(["", "", ""], dtype=object), RULE
    )
    assert list(found.text) == ["1", "1", ""]


READ = {
    "12": (12,), "12号": (12,), "１２號": (12,), "12附3号": (12, 3), "12号附3号": (12, 3), "12-3": (12, 3),
    "12A": (12, 1), "12 b": (12, 2), "12甲": (12, 1), "乙12号": (12, 2), "12bis": (12, 1), "12之5": (12, 5),
    "12/A": (12, 1), "26号院": (26,), "5号院3号楼": (5, 3), "126弄": (126,), "三号": (3,), "二十三号": (23,),
    "一百零五": (105,),
}  # fmt: skip


@pytest.mark.parametrize(("text", "key"), READ.items())
def test_reading(text, key):
    assert [d.low for d in doornumbers.read(text)] == [key]


def test_ranges_and_hyphenated_blocks():
    assert [(d.low, d.high) for d in doornumbers.read("64-70")] == [((64,), (70,))]
    assert [(d.low, d.high) for d in doornumbers.read("31-91")] == [((31,), (91,))]
    assert [(d.low, d.high) for d in doornumbers.read("4~7号")] == [((4,), (7,))]
    assert [(d.low, d.high) for d in doornumbers.read("12A-C")] == [((12, 1), (12, 3))]
    assert [(d.low, d.high) for d in doornumbers.read("628弄4-7号")] == [((628, 4), (628, 7))]
    assert [d.low for d in doornumbers.read("89-15", block=100)] == [(8915,)]
    assert doornumbers.write((8915,), block=100) == "89-15"
    assert [d.low for d in doornumbers.read("89-15A", block=100)] == [(8915, 1)]
    assert doornumbers.block_of(["89-15", "89-17", "89-19"]) == 100
    assert doornumbers.block_of(["8-98", "8-100", "8-02"]) == 1000
    assert doornumbers.block_of(["1", "2", "89-15"]) == 0
    assert [d.low for d in doornumbers.read("1;3；5")] == [(1,), (3,), (5,)]


@pytest.mark.parametrize(
    "text", ["", "号", "x" * 10_000, "一二三", "'; DROP TABLE", "<b>1</b>", "1" * 50, "-5", "12--3"]
)
def test_what_is_no_number_is_not_read(text):
    assert doornumbers.read(text) == []


EXISTING = st.sampled_from(["", "", "", *map(str, range(1, 40)), "7附1", "8A"])
PLACES = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("RL"), EXISTING), min_size=1, max_size=30)


def check(places, found):
    """Independent of the code that numbers: what was issued is unique, of one parity a side, and in order."""
    issued = [k for k in range(len(places)) if found.text[k] and not found.kept[k]]
    for k, place in enumerate(places):
        if place[2]:
            assert found.text[k] == place[2]
    times = defaultdict(int)
    for k in range(len(places)):
        if found.key[k]:
            times[found.key[k]] += 1
    assert all(times[found.key[k]] == 1 for k in issued)
    assert len({found.text[k] for k in issued}) == len(issued)
    parities = {side: {found.key[k][0] % 2 for k in issued if places[k][1] == side} for side in "RL"}
    assert all(len(p) <= 1 for p in parities.values())
    assert not parities["R"] & parities["L"]
    directions = set()
    for side in "RL":
        run = sorted((places[k][0], found.key[k]) for k in issued if places[k][1] == side)
        for (a, key), (b, other) in pairwise(run):
            if a != b:
                directions.add(other > key)
    assert len(directions) <= 1, "numbers grow one way along both sides"


@given(PLACES)
@settings(deadline=None, max_examples=300)
def test_what_is_issued_is_never_broken(places):
    check(places, on_one_street(places))


@given(PLACES, PLACES)
@settings(deadline=None, max_examples=200)
def test_infill_never_renumbers(places, more):
    first = on_one_street(places)
    numbered = [(p[0], p[1], t) for p, t in zip(places, first.text, strict=True)]
    again = on_one_street(numbered)
    assert list(again.text) == list(first.text)
    later = [*numbered, *((p[0] + 0.5, p[1], "") for p in more)]
    both = on_one_street(later)
    assert list(both.text[: len(places)]) == list(first.text)
    check(later, both)
