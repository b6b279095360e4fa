"""The fast inner loops against slow, plain ones on small drawn boards."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import rulesets
from gis.districting import kernels, partition, search
from gis.districting.checker import board
from gis.districting.codes import community_codes, grid_code, ordinal, reading_order
from gis.districting.cover import cover
from gis.districting.plan import make_plan
from gis.districting.regions import gather, regions
from gis.districting.rural import fill, groups_of_atoms
from gis.districting.units import atom_units, pieces
from gis.territory.model import Areas

ROOT = Path(__file__).parents[2]
RULES = rulesets.load("default")
TERMS = search.terms_of(RULES, RULES.residential)


def units_of(picture, counted):
    atom_set, graph = board(picture)
    counted = np.asarray(counted, np.int64)
    return atom_units(atom_set, graph, RULES.class_prices(), counted, counted.astype(float))


def joined(units, members):
    """Whether units hang together, by walking."""
    a = units.arrays
    todo, seen = [members[0]], {members[0]}
    while todo:
        v = todo.pop()
        for u in a.neighbour[a.start[v] : a.start[v + 1]]:
            if u in members and u not in seen:
                seen.add(u)
                todo.append(u)
    return len(seen) == len(members)


def plain_cost(units, members):
    """Half the priced border and the terms of one grid, from the definitions."""
    a = units.arrays
    inside = set(members)
    border = inner = 0.0
    for v in members:
        for e in range(a.start[v], a.start[v + 1]):
            if a.neighbour[e] in inside:
                inner += a.metres[e]
            else:
                border += a.price[e]
    perimeter = sum(a.perimeter[v] for v in members) - inner
    area = sum(a.area[v] for v in members)
    z = (sum(a.load[v] for v in members) - 450) / 150
    return 0.5 * border + RULES.balance * z * z + RULES.compactness * (1 - 4 * np.pi * area / perimeter**2)


def plain_regions(units):
    n = len(units)
    out = {}
    for size in range(1, n + 1):
        for members in itertools.combinations(range(n), size):
            if 300 <= units.arrays.counted[list(members)].sum() <= 600 and joined(units, members):
                out[members] = plain_cost(units, members)
    return out


def plain_best(units):
    """Cost of the best plan, by trying every way; infinite when there is none."""
    found = plain_regions(units)

    def best(left):
        if not left:
            return 0.0
        first = min(left)
        options = (c + best(left - set(m)) for m, c in found.items() if first in m and set(m) <= left)
        return min(options, default=np.inf)

    return best(frozenset(range(len(units))))


COUNTED = st.lists(st.sampled_from([0, 60, 110, 150, 220, 310, 450]), min_size=9, max_size=9)


@settings(max_examples=15, deadline=None)
@given(COUNTED)
def test_regions_are_all_there_is(counted):
    units = units_of(["aab", "acc", "ddd"], counted)
    found = regions(units.arrays, TERMS, 10_000, 1_000_000, 40)
    assert found.complete
    listed = {
        tuple(sorted(int(u) for u in found.unit[found.start[j] : found.start[j + 1]])): found.cost[j]
        for j in range(len(found.cost))
    }
    assert len(listed) == len(found.cost)
    plain = plain_regions(units)
    assert set(listed) == set(plain)
    for members, cost in plain.items():
        assert listed[members] == pytest.approx(cost)


@settings(max_examples=10, deadline=None)
@given(COUNTED)
def test_the_plan_of_a_small_community_is_the_best_there_is(counted):
    picture = ["abc", "def", "ghi"]  # every atom its own block: nothing is joined but empty and tiny ones
    units = units_of(picture, counted)
    best = plain_best(units)
    found = regions(units.arrays, TERMS, 10_000, 1_000_000, 40)
    choice = partition.choose(found, 9, np.inf)
    if np.isinf(best):
        assert choice.chosen is None
        assert choice.proven
    else:
        assert choice.cost == pytest.approx(best)
        assert choice.bound == pytest.approx(best)
        assert choice.proven
    if np.isfinite(best) and min(counted) >= 60:
        atom_set, graph = board(picture)
        held = np.asarray(counted)
        plan = make_plan(atom_set, graph, held, held, held.astype(float), None, RULES, iterations=2)
        assert plan.communities[0].certificate.status == "optimal"
        assert plan.communities[0].objective.total == pytest.approx(best)


def test_a_list_cut_short_says_so():
    units = units_of(["abc", "def", "ghi"], [110] * 9)
    assert not regions(units.arrays, TERMS, 3, 1_000_000, 40).complete
    assert not regions(units.arrays, TERMS, 10_000, 5, 40).complete
    assert not regions(units.arrays, TERMS, 10_000, 1_000_000, 4).complete


def test_cover_by_hand():
    masks = np.array([0b0011, 0b1100, 0b0110, 0b1001, 0b1111], np.uint64)
    reduced = np.array([1.0, 1.0, 0.4, 0.5, 2.0])
    order = np.argsort(reduced, kind="stable")
    chosen, cost, ended = cover(masks[order], reduced[order], 4, 100.0, 1000)
    assert ended
    assert cost == pytest.approx(0.9)
    assert sorted(int(m) for m in masks[order][chosen]) == [0b0110, 0b1001]
    none, _, ended = cover(masks[order], reduced[order], 4, 0.9, 1000)
    assert ended
    assert not len(none)


def test_annealing_keeps_its_books():
    rng = np.random.default_rng(3)
    picture = ["".join(chr(97 + (c // 3) + 3 * (r // 3)) for c in range(9)) for r in range(9)]
    units = units_of(picture, rng.integers(10, 90, 81))
    part = search.first_plan(units, RULES.residential)
    before = search.cost_of(units, part, TERMS, 50.0)
    sums = search.sums_of(units, part)
    kernels.anneal(units.arrays, part, sums, TERMS, 200, 30.0, 1.0, 5.0, 50.0, 0.3, units.hilbert(), len(units), 7)
    fresh = search.sums_of(units, part)
    for kept, counted in zip(sums, fresh, strict=True):
        assert kept == pytest.approx(counted)
    assert len(np.unique(pieces(units.arrays, part))) == len(np.unique(part))
    assert search.cost_of(units, part, TERMS, 50.0) < before
    plain = sum(plain_cost(units, list(np.flatnonzero(part == g))) for g in np.unique(part))
    held = np.bincount(part, units.arrays.counted)
    plain += 50.0 * (np.maximum(300 - held, 0) + np.maximum(held - 600, 0)).sum()
    assert search.cost_of(units, part, TERMS, 50.0) == pytest.approx(plain)


def test_more_rounds_are_never_worse():
    rng = np.random.default_rng(5)
    picture = ["".join(chr(97 + (c // 2) + 6 * (r // 3)) for c in range(12)) for r in range(12)]
    units = units_of(picture, rng.integers(20, 120, 144))
    found = search.start(units, RULES.residential, TERMS, RULES.outside, 1)
    for lots in range(3):
        after = search.better(units, RULES.residential, TERMS, RULES.outside, found, lots)
        assert after.cost <= found.cost + 1e-6
        found = after
    ended = search.settled(units, RULES.residential, TERMS, RULES.outside, found)
    assert ended.cost <= found.cost + 1e-6
    if ended.proof is not None:
        assert ended.proof.bound <= ended.cost + 1e-6


def test_gathering_joins_the_small_and_stays_in_its_group():
    units = units_of(["aaaa", "bbbb"], [5, 5, 5, 5, 200, 5, 0, 0])
    group = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    label = gather(units.arrays, group, 10.0, 100, 600.0, np.ones(8))
    assert not set(label[:4]) & set(label[4:])
    held = np.bincount(label, units.arrays.counted)
    assert held.min() >= 10
    assert gather(units.arrays, group, 0.0, 2, 600.0, np.ones(8)).max() == 1


def test_ordinals_and_codes():
    assert [ordinal(i) for i in (1, 5, 10, 12, 20, 21, 100, 105, 110, 999, 1001, 1010)] == [
        *("一", "五", "十", "十二", "二十", "二十一", "一百", "一百零五", "一百一十", "九百九十九"),
        *("一千零一", "一千零一十"),
    ]
    assert community_codes(["340223100001", "", "340223100001", "A1"]) == [
        *("340223100001", "000000000001", "000000000002", "000000000003"),
    ]
    template, short = "{county:6}{street:3}{community:3}{number:3}", "{division:12}{number:2}"
    assert grid_code(replace(RULES, code=template), "340223100001", 7, 9) == "340223100001007"
    assert grid_code(replace(RULES, code=short), "340223100001", 7, 9) == "34022310000107"
    assert grid_code(replace(RULES, code=short), "340223100001", 7, 120) == "340223100001007"
    order = reading_order(np.array([10.0, 0.0, 5.0]), np.array([100.0, 99.0, 0.0]), 50.0)
    assert list(order) == [1, 0, 2]


def villages(*boxes):
    n = len(boxes)
    return Areas(
        geometry=np.array([shapely.box(*b) for b in boxes]),
        source_id=np.array([f"g{i}" for i in range(n)], object),
        code=np.full(n, "", object),
        name=np.array([f"第{ordinal(i + 1)}村民小组" for i in range(n)], object),
    )


def test_villager_groups_are_never_parted_or_mixed():
    # two groups of two columns each; the last column belongs to none and joins its neighbour
    atom_set, graph = board(["abcde", "abcde"])
    groups = villages((0, -200, 200, 0), (200, -200, 400, 0))
    assert list(groups_of_atoms(atom_set.geometry, groups)) == [0, 0, 1, 1, -1] * 2
    counted = np.array([40, 40, 60, 60, 5] * 2)
    units = atom_units(atom_set, graph, RULES.class_prices(), counted, counted.astype(float))
    assert list(fill(units, groups_of_atoms(atom_set.geometry, groups))) == [0, 0, 1, 1, 1] * 2

    def assigned(**rules):
        plan = make_plan(
            atom_set, graph, counted, counted, counted.astype(float), None,
            replace(RULES, **rules), villager_groups=groups, iterations=1,
        )  # fmt: skip
        assert set(plan.grids.kind) == {"rural"}
        assert plan.exceptions == ()
        return list(plan.assignment)

    small = replace(RULES.rural, minimum=100, target=200, maximum=300)
    assert assigned(rural=small, rural_rule="join_groups") == [0, 0, 1, 1, 1] * 2
    wide = replace(RULES.rural, minimum=100, target=400, maximum=500)
    assert assigned(rural=wide, rural_rule="join_groups") == [0] * 10
    cut = replace(RULES.rural, minimum=1, target=100, maximum=200)
    parts = assigned(rural=cut, rural_rule="split_groups")
    mixed = {parts[i] for i in (0, 1, 5, 6)} & {parts[i] for i in (2, 3, 4, 7, 8, 9)}
    assert not mixed
    assert len(set(parts)) == 3


def test_warming_compiles_every_kernel_that_python_calls():
    """In a process of its own: what warm() left out would compile in the middle of somebody's work."""
    script = """
import importlib, pkgutil
from numba.core.dispatcher import Dispatcher
import gis.districting as districting
districting.warm()
from gis.districting import search
from gis.districting.checker import board
from gis.districting.plan import make_plan
from gis.districting.warming import _rules
import numpy as np
def signatures():
    names = [m.name for m in pkgutil.iter_modules(districting.__path__)]
    modules = [importlib.import_module(f"gis.districting.{name}") for name in names]
    return {v.__qualname__: len(v.signatures) for m in modules for v in vars(m).values() if isinstance(v, Dispatcher)}
before = signatures()
rows = ["".join(chr(97 + c // 2 + 8 * (r // 2)) for c in range(16)) for r in range(6)]
counted = np.random.default_rng(1).integers(0, 160, 96)
make_plan(*board(rows), counted, counted, counted.astype(float), None, _rules(), iterations=2)
assert signatures() == before, (before, signatures())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
