"""Bounds that hardly any plan meets: the search ends after a counted effort, and says what it does not know."""

from __future__ import annotations

import numpy as np
import pytest

from gis.districting import partition, proof, search
from gis.districting.clusters import FEWEST_VISITS, VISITS, visits_for
from gis.districting.kernels import UnitArrays
from gis.districting.regions import Regions
from gis.districting.rulesets import Bounds
from gis.districting.units import Units


def lattice(counted):
    """Square units of 50 m, each a block of its own."""
    rows, columns = counted.shape
    n = rows * columns
    at = np.arange(n).reshape(rows, columns)
    beside = np.concatenate(
        [
            np.stack([at[:, :-1].ravel(), at[:, 1:].ravel()], axis=1),
            np.stack([at[:-1].ravel(), at[1:].ravel()], axis=1),
        ]
    )
    heads, tails = np.r_[beside[:, 0], beside[:, 1]], np.r_[beside[:, 1], beside[:, 0]]
    order = np.lexsort((tails, heads))
    start = np.concatenate([[0], np.cumsum(np.bincount(heads, minlength=n))]).astype(np.int64)
    fifty = np.full(len(heads), 50.0)
    held = counted.ravel().astype(np.int64)
    arrays = UnitArrays(
        start,
        tails[order].astype(np.int64),
        fifty,
        fifty.copy(),
        held,
        held.astype(float),
        np.full(n, 2500.0),
        np.full(n, 200.0),
        np.arange(n, dtype=np.int64),
    )
    y, x = np.divmod(np.arange(n), columns)
    return Units(arrays, x * 50.0, y * 50.0)


def terms_for(bounds):
    return search.Terms(float(bounds.minimum), float(bounds.maximum), float(bounds.target), 10.0, 100.0, 10.0)


def counted_work(monkeypatch):
    """How often the integer programs asked whether to go on, and the effort each was given."""
    asked = []
    run = partition._run

    def counting(solver, checks):
        asked.append(checks)
        run(solver, checks)

    monkeypatch.setattr(partition, "_run", counting)
    return asked


@pytest.mark.parametrize("seed", [1, 2])
def test_narrow_bounds_end_within_the_effort(seed, monkeypatch):
    asked = counted_work(monkeypatch)
    units = lattice(np.random.default_rng(seed).integers(20, 90, (8, 8)))
    total = int(units.arrays.counted.sum())
    bounds = Bounds(total // 7 - 4, total // 7 + 1, total // 7 + 4)
    terms = terms_for(bounds)
    found = search.start(units, bounds, terms, 1000.0, 1)
    found = search.better(units, bounds, terms, 1000.0, found, 2)
    found = search.settled(units, bounds, terms, 1000.0, found)
    assert len(asked) <= 300
    limited = [checks for checks in asked if checks != partition.THOROUGH.checks]
    assert sum(limited) <= 10_000
    held = np.bincount(found.part, units.arrays.counted)
    if found.proof is not None and found.proof.optimal:
        assert found.proof.bound == pytest.approx(found.cost, abs=0.01)
    elif held.min() >= bounds.minimum and held.max() <= bounds.maximum:
        assert found.proof is None or found.proof.bound <= found.cost


def test_an_integer_program_stopped_early_proves_nothing():
    """Sets of four out of forty units, at costs drawn at random."""
    rng = np.random.default_rng(5)
    sets = [np.sort(rng.choice(40, 4, replace=False)) for _ in range(900)]
    sets += [np.arange(i, i + 4) for i in range(0, 40, 4)]
    unit = np.concatenate(sets).astype(np.int32)
    start = (4 * np.arange(len(sets) + 1)).astype(np.int64)
    found = Regions(unit, start, rng.uniform(1.0, 2.0, len(sets)), True)
    effort = partition.Effort(nodes=-1, columns=-1, gap=0.0, cover_nodes=0, checks=0)
    stopped = partition.choose(found, 40, 30.0, effort)
    best = partition.choose(found, 40, 30.0, partition.THOROUGH)
    assert best.proven
    assert not stopped.proven
    assert stopped.bound <= best.cost + 1e-6
    again = partition.choose(found, 40, 30.0, effort)
    assert (again.cost, again.bound) == (stopped.cost, stopped.bound)


def test_an_integer_program_is_told_to_stop_after_its_checks():
    class Solver:
        def setCallback(self, ask, data):
            self.ask = ask

        def startCallback(self, kind):
            pass

        def run(self):
            reply = type("Reply", (), {"user_interrupt": False})()
            self.ask(None, "", None, reply, None)
            assert not reply.user_interrupt
            self.ask(None, "", None, reply, None)
            assert reply.user_interrupt

    partition._run(Solver(), 1)


def test_an_in_range_plan_is_found_where_the_cheap_regions_hold_none(monkeypatch):
    """Only pairs of 40 + 60 side by side: found by asking whether any choice holds every unit."""
    units = lattice(np.tile([[40, 60], [60, 40]], (2, 3)))
    bounds = Bounds(100, 100, 100)
    terms = terms_for(bounds)
    real = partition.choose

    def failing(found, n, known, effort=partition.THOROUGH, first=None):
        if effort is partition.SEARCHING:
            return partition.Choice(None, known, 0.0, False)
        return real(found, n, known, effort, first)

    monkeypatch.setattr(partition, "choose", failing)
    part = np.repeat(np.arange(8), 3)  # 8 grids of three: none in range
    made = proof.within(units, part, np.arange(24), terms, 1000.0)
    assert made is not None
    assert set(np.bincount(made[0], units.arrays.counted)) == {100}


def test_the_sets_looked_at_are_a_multiple_of_the_regions_listed():
    assert visits_for(10) == FEWEST_VISITS
    assert visits_for(1_000_000) == VISITS * 1_000_000


def test_nothing_is_listed_where_the_households_fit_no_number_of_grids(monkeypatch):
    units = lattice(np.full((4, 4), 100))  # 1,600: of two and three grids none lies within 500 to 520
    bounds = Bounds(500, 510, 520)
    terms = terms_for(bounds)
    called = []
    solve = proof._solve
    monkeypatch.setattr(proof, "_solve", lambda *a, **k: called.append(1) or solve(*a, **k))
    found = search.start(units, bounds, terms, 1000.0, 1)
    search.settled(units, bounds, terms, 1000.0, found)
    assert not called
