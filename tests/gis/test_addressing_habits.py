"""Other cities count otherwise: what a street's own numbers show goes on, however many of them are known."""

from itertools import pairwise

import numpy as np
import pytest

from gis.addressing import gates, habits
from gis.addressing.assign import assign
from gis.addressing.numbering import Rule, number
from tests.gis.drawn_streets import NONE, buildings, house, streets

LETTER = Rule(infill="letter")


def numbered(*sides, rule=LETTER):
    """One street; ``sides`` left then right: numbers 10 m apart, "?" for a house that has none yet."""
    rows = [(10.0 * k, right, n) for right, side in enumerate(sides) for k, n in enumerate(side.split())]
    found = number(
        np.zeros(len(rows), dtype=np.int64),
        np.array([r[0] for r in rows]),
        np.array([bool(r[1]) for r in rows]),
        np.array([r[2].replace("?", "") for r in rows], dtype=object),
        rule,
    )
    issued = [t for t, (_, _, n) in zip(found.text, rows, strict=True) if n == "?"]
    return " ".join(issued), {b.reason for b in found.breaks}, found


@pytest.mark.parametrize(
    ("left", "right", "missing"),
    [
        ("1 3 ? 7 9 11", "2 ? 6 8 10 12", "5 4"),
        ("11 9 ? 5 3 1", "12 ? 8 6 4 2", "7 10"),  # the numbers fall along the line
        ("1 2 3 ? 5 6 7 ?", "", "4 8"),  # one side, one after the other: 中山东一路
        ("9 8 7 ? 5 4 3 2 ?", "", "6 1"),
        ("1 2 ? 4 5 6", "12 11 10 ? 8 7", "3 9"),  # up the left and back down the right 马蹄形
        ("12 11 10 ? 8 7", "1 2 ? 4 5 6", "9 3"),
        ("1 2 3 ? 5 6", "21 22 ? 24 25 26", "4 23"),  # each side for itself
        ("1 5 9 ? 17 21 25 29 33", "2 4 6 8", "13"),  # every fourth number: lots of 20 feet
        ("1 1a 3 5 ? 7 7b", "2 4 6", "5a"),  # letters as the town writes them
    ],
)
def test_the_habit_of_a_street_goes_on(left, right, missing):
    found, reasons, _ = numbered(left, right)
    assert (found, reasons) == (missing, set())


def test_a_few_numbers_on_the_wrong_side_are_mistakes_and_no_habit():
    found, reasons, _ = numbered("1 3 5 8 9 11 13 ?", "2 4 6 7 10 12 14 ?")
    assert found == "15 16"
    assert reasons == {"parity"}


def test_too_few_numbers_show_no_habit():
    assert habits.layout_of([True] * 4, [1, 2, 3, 4]) == "sides"
    assert habits.layout_of([True] * 5, [1, 2, 3, 4, 5]) == "one"
    assert habits.layout_of([True] * 6, [1, 8, 3, 2, 6, 5]) == "sides", "mixed, and in no order"


def test_a_block_of_houses_has_its_hundred():
    """Numbers jump to the next hundred at each crossing; doors at a block's end count on, not half-way to it."""
    side = [(block * 120.0 + 10.0 * k, 100 * (block + 1) + 4 * k + 1) for block in range(5) for k in range(8)]
    hidden = {(1, 7), (2, 0), (3, 4)}
    rows = [(at, "" if (k // 8, k % 8) in hidden else str(n)) for k, (at, n) in enumerate(side)]
    found = number(
        np.zeros(40, dtype=np.int64), np.array([r[0] for r in rows]), np.ones(40, dtype=bool),
        np.array([r[1] for r in rows], dtype=object), LETTER,
    )  # fmt: skip
    assert [found.text[8 * b + k] for b, k in sorted(hidden)] == ["229", "301", "417"]


def test_metres_are_no_hundreds():
    along = np.arange(0.0, 900.0, 15.0)
    within, across = habits.paces(along.tolist(), along.tolist())
    assert not habits.in_hundreds(within, across)


def city(kind, rng):
    """Sixty houses on both sides of a street of some convention: metre, side, number."""
    at = np.cumsum(rng.uniform(8, 22, 60))
    right = rng.random(60) < 0.5
    low = np.arange(60) + 1
    if kind == "sides":
        for side in (True, False):
            low[right == side] = 2 * np.arange((right == side).sum()) + 1 + side
    elif kind == "metric":
        low = 2 * (at // 2).astype(np.int64) + right
    elif kind == "round":
        up, down = np.flatnonzero(~right), np.flatnonzero(right)[::-1]
        low[np.concatenate([up, down])] = np.arange(60) + 1
    return at + rng.normal(0, 0.7, 60), right, low


@pytest.mark.parametrize(
    ("kind", "exact", "near"), [("sides", 0.9, 0.99), ("one", 0.75, 0.95), ("round", 0.9, 0.99), ("metric", 0.4, 0.9)]
)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_hidden_numbers_of_other_cities_are_found_again(kind, exact, near, share):
    rng = np.random.default_rng(5)
    streets_ = [city(kind, rng) for _ in range(12)]
    at, right, low = (np.concatenate(column) for column in zip(*streets_, strict=True))
    hidden = rng.random(len(at)) < share
    wrong = ~hidden & (rng.random(len(at)) < 0.02)  # a wrong number on one house of fifty
    said = np.where(wrong, rng.integers(1, 120, len(at)), low).astype(str).astype(object)
    said[hidden] = ""
    found = number(np.repeat(np.arange(12), 60), at, right, said, LETTER)
    base = np.array([key[0] if key else -99 for key in found.key])
    assert (found.text[hidden] == low[hidden].astype(str)).mean() >= exact - share / 5
    assert (np.abs(base - low)[hidden] <= 2).mean() >= near - share / 5
    assert all(found.text[k] == said[k] for k in np.flatnonzero(~hidden))


@pytest.mark.parametrize("numbers", ["1 2 3 ? 5 6 ? 8", "8 7 ? 5 4 3 ? 1"])
def test_addresses_of_a_street_that_counts_through_pass_the_gates(numbers):
    rows = [house(20.0 * k, housenumber=n.replace("?", "")) for k, n in enumerate(numbers.split(), start=1)]
    found = assign(streets(("江滨路", [(0, 0), (400, 0)])), buildings(*rows), NONE, NONE, NONE)
    assert found.through.tolist() == [True]
    assert sorted(int(n) for n in found.number) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not gates.check(found)
    assert all(a != b for a, b in pairwise(found.text))
