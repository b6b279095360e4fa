"""The gates see what is broken; what we issue never is, whatever the streets, the numbers and the ruleset."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addressing import gates
from gis.addressing.assign import assign
from gis.addressing.rules import Rule
from tests.gis.drawn_streets import NONE, buildings, house, streets, texts

ROAD = streets(("人民路", [(0, 0), (400, 0)]), ("后街", [(0, 120), (400, 120)]), ("巷", [(200, 0), (200, 60)]))


def assigned(*rows):
    found = assign(ROAD, buildings(*rows), NONE, NONE, NONE)
    assert not gates.check(found, texts(r[1].get("housenumber", "") for r in rows))
    return found


def kinds(found, stated=None):
    blank = np.array([""] * len(found.text), dtype=object)
    return [v.gate for v in gates.check(found, blank if stated is None else texts(stated))]


def test_each_gate_sees_its_break():
    found = assigned(house(350), house(300), house(250), house(250, -8))
    assert list(found.number) == ["1", "3", "5", "2"]
    assert kinds(replace(found, number=texts(["1", "3", "3", "2"]))) == ["unique", "unique"]
    assert "parity" in kinds(replace(found, number=texts(["1", "3", "6", "2"])))
    assert kinds(replace(found, number=texts(["1", "3", "5", "7"]))).count("parity") == 3
    assert "order" in kinds(replace(found, number=texts(["1", "9", "5", "2"])))
    assert kinds(found, ["", "", "7", ""]) == ["changed"]


def test_old_numbers_may_be_wrong_new_ones_not():
    rows = [
        house(350, housenumber="5"),
        house(300, housenumber="1"),
        house(250, housenumber="4"),
        house(150, housenumber="9"),
    ]
    found = assigned(*rows, house(200))
    assert list(found.number) == ["5", "1", "4", "9", "7"]


HOUSES = st.lists(
    st.tuples(
        st.integers(0, 39), st.sampled_from([8.0, -8.0, 90.0, 30.0]),
        st.sampled_from(["", "", "", "1", "2", "7号", "12", "12附1", "9-3", "３８", "三号", "10001"]),
    ),
    min_size=1, max_size=25, unique_by=lambda h: h[:2],
)  # fmt: skip
RULES = st.builds(
    Rule,
    start=st.sampled_from(["east_north", "west_south"]),
    odd=st.sampled_from(["right", "compass"]),
    mode=st.sampled_from(["sequential", "gaps", "metric"]),
    frontage_m=st.just(12.0),
    unit_m=st.sampled_from([1.0, 7.5]),
    infill=st.sampled_from(["attached", "dash", "letter", "stem"]),
    one_sided=st.sampled_from(["parity", "consecutive"]),
    skip=st.sampled_from([frozenset(), frozenset({4, 13, 14})]),
    dead_end=st.sampled_from(["same", "entrance"]),
    dead_end_odd=st.sampled_from(["same", "left"]),
)


@given(HOUSES, HOUSES, RULES)
@settings(deadline=None, max_examples=40)
def test_nothing_we_issue_breaks_a_gate_and_infill_changes_nothing(first, more, rule):
    consecutive = rule.one_sided == "consecutive"
    rows = [house(10.0 * x, y, housenumber=n) for x, y, n in first]
    stated = [n for _, _, n in first]
    found = assign(ROAD, buildings(*rows), NONE, NONE, NONE, rule=rule)
    assert not gates.check(found, texts(stated), consecutive=consecutive)
    roads = [*found.thoroughfares.name, ""]
    old = [
        (shape, {"housenumber": number, "street": roads[t] if number else ""})
        for (shape, _), number, t in zip(rows, found.number, found.thoroughfare, strict=True)
    ]
    taken = {h[:2] for h in first}
    new = [house(10.0 * x, y) for x, y, _ in more if (x, y) not in taken]
    again = assign(ROAD, buildings(*old, *new), NONE, NONE, NONE, rule=rule)
    kept = [str(n) for n in found.number]
    # a place for which there was no room may get a number later
    assert [n for n, k in zip(again.number, kept, strict=False) if k] == [k for k in kept if k]
    assert not gates.check(again, texts([*kept, *[""] * len(new)]), consecutive=consecutive)
