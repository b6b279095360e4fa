"""The last touches: boards where a block lies on the wrong side of a border, and moves that may not be made."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data import rulesets
from gis.districting.checker import board
from gis.districting.polish import polished, settled
from gis.districting.search import Search, cost_of, terms_of
from gis.districting.units import atom_units, pieces

RULES = rulesets.load("default")
TERMS = terms_of(RULES, RULES.residential)


def units_of(rows, counted):
    atom_set, graph = board(rows)
    held = np.array(counted, np.int64)
    return atom_units(atom_set, graph, RULES.class_prices(), held, held.astype(float))


def cost(units, part):
    return cost_of(units, part, TERMS, RULES.outside)


def test_an_empty_block_on_the_wrong_side_of_a_border_changes_it():
    # two grids of three by two; the empty square e sits in the corner of the left one and juts into the right one
    units = units_of(["abecd", "fghij"], [150, 150, 0, 150, 150, 75, 75, 75, 40, 35])
    jutting = np.array([0, 0, 0, 1, 1, 0, 0, 1, 1, 1])
    found = polished(units, jutting, TERMS, RULES.outside)
    assert cost(units, found) < cost(units, jutting)
    assert found[2] == 1
    assert (np.delete(found, 2) == np.delete(jutting, 2)).all()


def test_what_would_leave_the_bounds_stays():
    units = units_of(["abc"], [300, 300, 10])
    part = np.array([0, 1, 1])
    assert (polished(units, part, TERMS, RULES.outside) == part).all()


def test_one_grid_stays_as_it_is():
    units = units_of(["ab"], [200, 200])
    assert (polished(units, np.zeros(2, np.int64), TERMS, RULES.outside) == 0).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 150), min_size=24, max_size=24),
    st.lists(st.integers(0, 3), min_size=24, max_size=24),
    st.lists(st.sampled_from("abcdefgh"), min_size=24, max_size=24),
)
def test_no_touch_makes_a_plan_worse_or_breaks_a_grid(counted, seeds, letters):
    units = units_of(["".join(letters[i : i + 6]) for i in (0, 6, 12, 18)], counted)
    part = pieces(units.arrays, np.array(seeds))  # connected grids, however small
    found = polished(units, part, TERMS, RULES.outside)
    k = int(part.max()) + 1
    assert set(found.tolist()) == set(range(k))  # none is emptied
    assert pieces(units.arrays, found).max() + 1 == k  # none falls apart
    assert cost(units, found) <= cost(units, part) + 1e-6

    def amiss(p):
        held = np.bincount(p, counted)
        return (np.maximum(300 - held, 0) + np.maximum(held - 600, 0)).sum()

    assert amiss(found) <= amiss(part)
    assert (polished(units, found, TERMS, RULES.outside) == found).all()
    for v, g in ((v, g) for v in range(24) for g in range(k) if g != found[v]):  # every single move by brute force
        after = found.copy()
        after[v] = g
        if pieces(units.arrays, after).max() + 1 == k and len(set(after)) == k and amiss(after) <= amiss(found):
            assert cost(units, after) >= cost(units, found) - 0.011


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=30, max_size=30), st.integers(0, 5))
def test_the_bound_of_a_settled_plan_holds_for_the_plan_delivered(counted, emptied):
    counted[emptied::5] = [0] * len(counted[emptied::5])
    assume(sum(counted) >= 620)
    units = units_of(["aabbcc", "aabbcc", "ddeeff", "ddeeff", "gghhii"], counted)
    start = np.repeat(np.arange(2), 15)
    found = settled(units, RULES.residential, TERMS, RULES.outside, Search(start, cost(units, start), 0))
    assert found.cost == pytest.approx(cost(units, found.part))
    assert found.cost <= cost(units, start) + 1e-6
    if found.proof is not None:
        assert found.proof.bound <= found.cost + 0.01
        if found.proof.optimal and found.proof.bound:
            assert found.proof.bound == pytest.approx(found.cost, abs=0.1)
