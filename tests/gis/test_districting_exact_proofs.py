"""Certificates against slow, independent code: every partition tried, every region listed again, other solvers."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_matrix

from data import rulesets
from gis.districting import districts, infeasible, proof, search
from gis.districting.checker import board
from gis.districting.clusters import clusters, opened
from gis.districting.kernels import UnitArrays
from gis.districting.plan import make_plan
from gis.districting.regions import crowd, regions
from gis.districting.relaxation import relax
from gis.districting.report import report_of
from gis.districting.units import Units, atom_units, pieces
from gis.districting.windows import present_regions
from gis.territory.model import Areas

RULES = rulesets.load("default")
BOUNDS = RULES.residential
TERMS = search.terms_of(RULES, BOUNDS)
GENERATOR = Path(__file__).parents[3] / "shared" / "sketches" / "partition" / "gen.py"
PRICES = np.array([4.0, 1.0, 0.5, 0.25])  # inside a block, residential, secondary, primary


def units_of(picture, counted):
    atom_set, graph = board(picture)
    counted = np.asarray(counted, np.int64)
    return atom_units(atom_set, graph, RULES.class_prices(), counted, counted.astype(float))


def letters(rows, columns):
    """A board on which every square is a block of its own."""
    return ["".join(chr(0x4E00 + r * columns + c) for c in range(columns)) for r in range(rows)]


# ---------------------------------------------------------------- a second opinion, written plainly


def masks_of_neighbours(units):
    a = units.arrays
    return [
        functools.reduce(lambda m, u: m | 1 << int(u), a.neighbour[a.start[v] : a.start[v + 1]], 0)
        for v in range(len(units))
    ]


def connected_sets(units, most):
    """Every connected set of no more than ``most`` households, by growing sets of bits one unit at a time."""
    near = masks_of_neighbours(units)
    held = [int(h) for h in units.arrays.counted]
    found = {1 << v: held[v] for v in range(len(units)) if held[v] <= most}
    todo = list(found)
    while todo:
        mask = todo.pop()
        rim = functools.reduce(lambda m, v: m | near[v], members(mask), 0) & ~mask
        for v in members(rim):
            wider = mask | 1 << v
            if wider not in found and found[mask] + held[v] <= most:
                found[wider] = found[mask] + held[v]
                todo.append(wider)
    return found


def members(mask):
    while mask:
        yield (mask & -mask).bit_length() - 1
        mask &= mask - 1


def plain_cost(units, which, outside=0.0):
    """Half the priced border and the terms of one grid, from the definitions."""
    a, inside = units.arrays, set(which)
    border = inner = 0.0
    for v in inside:
        for e in range(a.start[v], a.start[v + 1]):
            if int(a.neighbour[e]) in inside:
                inner += a.metres[e]
            else:
                border += a.price[e]
    perimeter = sum(a.perimeter[v] for v in inside) - inner
    area = sum(a.area[v] for v in inside)
    z = (sum(a.load[v] for v in inside) - TERMS.target) / TERMS.half
    held = sum(int(a.counted[v]) for v in inside)
    amiss = max(TERMS.minimum - held, held - TERMS.maximum, 0)
    return (
        0.5 * border
        + RULES.balance * z * z
        + RULES.compactness * (1 - 4 * np.pi * area / perimeter**2)
        + outside * amiss
    )


def plain_best(units, outside=0.0):
    """Cost of the best division, every one tried; with ``outside`` grids may be out of range at that price."""
    most = int(units.arrays.counted.sum()) if outside else TERMS.maximum
    sets = {m: h for m, h in connected_sets(units, most).items() if outside or h >= TERMS.minimum}
    cost = {m: plain_cost(units, list(members(m)), outside) for m in sets}
    by_first = {}
    for m in sets:
        by_first.setdefault(m & -m, []).append(m)

    @functools.cache
    def best(left):
        if not left:
            return 0.0
        options = (m for m in by_first.get(left & -left, ()) if m & left == m)
        return min((cost[m] + best(left & ~m) for m in options), default=np.inf)

    return best((1 << len(units)) - 1)


def by_scipy(units, label):
    """The optimum over joined units by scipy: regions listed again, linear and integer program of its own."""
    small = units.contract(label)
    sets = [list(members(m)) for m, h in connected_sets(small, TERMS.maximum).items() if h >= TERMS.minimum]
    cost = np.array([plain_cost(small, s) for s in sets])
    rows = np.concatenate([np.array(s) for s in sets])
    start = np.concatenate([[0], np.cumsum([len(s) for s in sets])])
    covers = csc_matrix((np.ones(len(rows)), rows, start), shape=(len(small), len(sets)))
    whole = milp(cost, integrality=1, bounds=Bounds(0, 1), constraints=LinearConstraint(covers, 1, 1))
    relaxed = linprog(cost, A_eq=covers, b_eq=np.ones(len(small)), method="highs")
    return len(sets), whole.fun if whole.success else np.inf, relaxed.fun if relaxed.success else np.inf


def settle(units, seed=1):
    found = search.start(units, BOUNDS, TERMS, RULES.outside, seed)
    return search.settled(units, BOUNDS, TERMS, RULES.outside, found)


def one_community(atom_set):
    name = np.array(["a"], object)
    return Areas(np.array([shapely.union_all(atom_set.geometry)]), name, name, name)


def is_whole(units, part):
    return len(np.unique(pieces(units.arrays, part))) == len(np.unique(part))


# ---------------------------------------------------------------- small: optimal, always

COUNTED = st.lists(st.sampled_from([0, 3, 60, 110, 150, 220, 290, 310, 450, 550]), min_size=9, max_size=9)
BOARDS = st.sampled_from([["abc", "def", "ghi"], ["aab", "acc", "ddd"], ["abcdefghi"], ["ab.", "cde", ".fg", "hi."]])


@settings(max_examples=25, deadline=None)
@given(BOARDS, COUNTED)
def test_what_is_called_optimal_or_infeasible_is_so(picture, counted):
    units = units_of(picture, counted)
    total = sum(counted)
    if total < 2 * BOUNDS.minimum:
        return
    n = sum(c != "." for row in picture for c in row)
    units = units_of(picture, counted[:n])
    best = plain_best(units)  # over atoms: what joined units can reach is no less
    found = settle(units)
    assert is_whole(units, found.part)
    assert found.proof is not None
    assert found.proof.bound <= found.cost + 1e-6
    assert found.cost == pytest.approx(
        sum(plain_cost(units, np.flatnonzero(found.part == g), RULES.outside) for g in np.unique(found.part))
    )
    if np.isfinite(best):
        assert found.proof.optimal
        assert not found.proof.faults
        held = np.bincount(found.part, units.arrays.counted)
        assert held.min() >= BOUNDS.minimum
        assert held.max() <= BOUNDS.maximum
        assert best <= found.cost + 1e-6
        small = clusters(units, opened(units, BOUNDS.maximum), TERMS, 0.0, 1_000_000)
        if small.label.max() + 1 == n:
            assert found.cost == pytest.approx(best)
    else:
        assert found.proof.faults  # proven, and somebody named
        assert found.cost >= plain_best(units, RULES.outside) - 1e-6
        if found.proof.optimal and found.proof.units == "atoms" and "or_cut_here" not in found.proof.restrictions:
            assert found.cost == pytest.approx(plain_best(units, RULES.outside))


@settings(max_examples=12, deadline=None)
@given(st.integers(3, 5), st.integers(3, 6), st.integers(0, 2**31))
def test_small_communities_are_solved_to_the_optimum_of_scipy(rows, columns, lots):
    rng = np.random.default_rng(lots)
    units = units_of(letters(rows, columns), rng.choice([0, 1, 2, 40, 90, 150, 260], rows * columns))
    if not 600 <= units.arrays.counted.sum() <= 8 * 600:
        return
    made = clusters(units, opened(units, BOUNDS.maximum), TERMS, 0.0, 1_000_000)
    assert made.fine
    count, optimum, _ = by_scipy(units, made.label)
    assert count == made.regions
    found = settle(units)
    if np.isfinite(optimum):
        assert found.proof.optimal
        assert found.proof.fine
        assert found.proof.bound == pytest.approx(found.cost)
        assert found.cost <= optimum + 1e-3


def test_many_regions_are_no_excuse():
    """Sixty-thousand regions, every square alike: nothing to prune, and still the optimum."""
    units = units_of(letters(7, 7), [75] * 49)
    made = clusters(units, opened(units, BOUNDS.maximum), TERMS, 0.0, 1_000_000)
    assert 50_000 < made.regions < 100_000
    found = settle(units)
    assert found.proof.optimal
    assert found.proof.fine


def test_clusters_do_not_hang_on_the_plan():
    rng = np.random.default_rng(2)
    units = units_of(letters(5, 6), rng.choice([0, 1, 2, 60, 120], 30))
    made = clusters(units, opened(units, BOUNDS.maximum), TERMS, 0.0, 1_000_000)
    plan = settle(units).part
    cut = clusters(units, opened(units, BOUNDS.maximum), TERMS, 0.0, 1_000_000, part=plan)
    assert len(np.unique(np.stack([made.label, plan]), axis=1).T) == cut.label.max() + 1
    held = np.bincount(made.label, units.arrays.counted)
    assert held.min() >= 3
    assert is_whole(units, made.label)


def test_blocks_are_opened_only_where_they_must_be():
    # 200 on either side of a block of 500: together too many, and each too few; two halves of the block serve both
    units = units_of(["abbc"], [200, 250, 250, 200])
    found = settle(units)
    assert found.proof.optimal
    assert sorted(np.bincount(found.part, units.arrays.counted)) == [450, 450]
    assert "blocks_whole" not in found.proof.restrictions or "or_cut_here" in found.proof.restrictions
    # 300 on either side: the block stays whole, though cutting it would balance the grids better
    units = units_of(["abbc"], [300, 250, 250, 300])
    found = settle(units)
    assert sorted(np.bincount(found.part, units.arrays.counted)) == [300, 300, 500]
    assert "blocks_whole" in found.proof.restrictions
    assert "or_cut_here" not in found.proof.restrictions


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**31))
def test_counting_regions_is_listing_them(lots):
    rng = np.random.default_rng(lots)
    units = units_of(letters(4, 5), rng.choice([0, 30, 80, 140, 310], 20))
    count, crowded = crowd(units.arrays, 300.0, 600.0, 10**6, 10**9, 10**9)
    listed = regions(units.arrays, TERMS, 10**6, 10**9, 20)
    assert listed.complete
    assert count == len(listed.cost) == sum(h >= 300 for h in connected_sets(units, 600).values())
    assert not len(crowded)
    half = regions(units.arrays, TERMS, 10**6, 10**9, 20, roots=10)
    assert len(half.cost) == sum(
        (listed.unit[listed.start[j] : listed.start[j + 1]] < 10).any() for j in range(count)
    )


# ---------------------------------------------------------------- infeasible: proven, and the one at fault


@settings(max_examples=60, deadline=None)
@given(BOARDS, COUNTED)
def test_faults_are_found_where_there_is_no_division_and_nowhere_else(picture, counted):
    n = sum(c != "." for row in picture for c in row)
    units = units_of(picture, counted[:n])
    if not sum(counted[:n]) >= 300:
        return
    found = infeasible.faults(units, TERMS, np.arange(n))
    assert bool(found) == np.isinf(plain_best(units))
    for fault in found:
        assert fault.households == units.arrays.counted[list(fault.units)].sum()
        assert fault.centre < 0 or fault.centre in fault.units


@pytest.mark.parametrize(
    ("picture", "counted", "reason", "at_fault"),
    [
        (["abc"], [200, 500, 300], "bottleneck", (0, 1)),  # 200 must join 500
        ([".a.", "bcd", ".e."], [290, 290, 100, 290, 290], "bottleneck", (0, 1, 2, 3, 4)),  # four arms on 100
        (["ab", "cd"], [250, 510, 510, 250], "enclosed", (0,)),
        (["abc", "def", "ghi"], [550, 550, 550, 550, 100, 550, 550, 550, 550], "enclosed", (4,)),
        (["ab"], [700, 450], "large_building", (0,)),
        (["abc"], [200, 200, 180], "", ()),
    ],
)
def test_the_one_at_fault_is_named(picture, counted, reason, at_fault):
    found = infeasible.faults(units_of(picture, counted), TERMS, np.arange(len(counted)))
    if not reason:
        assert not found
        return
    assert found[0].reason == reason
    assert found[0].units == at_fault


def test_a_pocket_in_a_large_piece_is_proven_around_it():
    """Twelve by twelve blocks that divide well, but for a corner of 120 behind two towers of 500."""
    counted = np.full(144, 110)
    counted[0], counted[1], counted[12] = 120, 500, 500
    units = units_of(letters(12, 12), counted)
    found = settle(units)
    held = np.bincount(found.part, counted)
    assert sorted(held[(held < 300) | (held > 600)]) == [620]  # 20 too many is the least
    assert [f.reason for f in found.proof.faults] == ["enclosed"]
    assert found.proof.faults[0].units == (0,)
    assert 0.9 * found.cost <= found.proof.bound <= found.cost + 1e-6  # priced: the exception is in the bound
    drawn = board(letters(12, 12))
    plan = make_plan(*drawn, counted, counted, counted.astype(float), one_community(drawn[0]), RULES, iterations=1)
    assert plan.communities[0].certificate.status == "infeasible"
    assert plan.exit_status == 0
    assert plan.exceptions[0].at_fault == (0,)


# ---------------------------------------------------------------- larger: bounds that hold


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_the_bound_lies_between_the_full_relaxation_and_the_best_plan(lots):
    rng = np.random.default_rng(lots)
    units = units_of(letters(4, 6), rng.choice([60, 90, 150, 260, 310], 24))
    each = np.arange(24, dtype=np.int64)
    _, optimum, relaxed = by_scipy(units, each)
    found = regions(units.arrays, TERMS, 10**6, 10**9, 24)
    if not np.isfinite(relaxed):
        assert not len(found.cost) or relax(found, 24, 0, np.inf).uncovered
        return
    plain = relax(found, 24, 0, np.inf)
    tight = relax(found, 24, 20, np.inf)
    assert plain.bound == pytest.approx(relaxed, abs=1e-3)
    assert relaxed - 1e-3 <= tight.bound <= optimum + 1e-3
    assert tight.reduced.min() >= -1e-5
    two = (np.arange(24) % 6 >= 3).astype(np.int64)
    estimate = rng.uniform(0.0, 2.0) * units.arrays.counted
    bound, _ = districts.bound_by_districts(found, two, estimate, 5)
    assert bound <= optimum + 1e-3  # whatever the estimate
    fair = districts.bound_by_districts(found, two, plain.dual, 0)[0]
    assert fair == pytest.approx(relaxed, rel=0.02)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**31))
def test_no_plan_drawn_by_lot_beats_a_bound(lots):
    """Also not one with grids out of range, where the delivered plan has such grids."""
    rng = np.random.default_rng(lots)
    counted = rng.choice([60, 90, 150, 260, 400], 48)
    counted[:2] = (520, 150)
    units = units_of(letters(6, 8), counted)
    drawn = search.renumbered(random_plan(units, rng))
    label = opened(units, BOUNDS.maximum)
    part, told = proof._bound(units, drawn, label, TERMS, RULES.outside)
    if told is None:
        return
    priced = "range_priced" in told.restrictions
    for _ in range(30):
        other = random_plan(units, rng)
        held = np.bincount(other, counted)
        if priced or (held.min() >= 300 and held.max() <= 600):
            assert present_regions(units, other, TERMS, RULES.outside)[1] >= told.bound - 1e-6
    assert present_regions(units, part, TERMS, RULES.outside)[1] >= told.bound - 1e-6
    best = settle(units)
    assert best.cost >= told.bound - 1e-6 or not priced


def random_plan(units, rng):
    """Grids grown from a unit drawn by lot, about as large as they should be."""
    a = units.arrays
    part = np.full(len(units), -1, np.int64)
    for g, seed in enumerate(rng.permutation(len(units))):
        if part[seed] >= 0:
            continue
        part[seed], rim, total = g, [int(seed)], a.counted[seed]
        while rim and total < 330:
            v = rim[rng.integers(len(rim))]
            free = [int(u) for u in a.neighbour[a.start[v] : a.start[v + 1]] if part[u] < 0]
            if not free:
                rim.remove(v)
                continue
            u = free[rng.integers(len(free))]
            part[u] = g
            total += a.counted[u]
            rim.append(u)
    part = np.unique(part, return_inverse=True)[1]
    held = np.bincount(part, a.counted)
    for v in range(len(units)):  # grids far too small join a neighbour
        if held[part[v]] < 200:
            beside = [part[u] for u in a.neighbour[a.start[v] : a.start[v + 1]] if part[u] != part[v]]
            if beside:
                old, new = part[v], beside[0]
                held[new] += held[old]
                held[old] = 0
                part[part == old] = new
    return np.unique(part, return_inverse=True)[1].astype(np.int64)


def test_what_lies_further_out_of_range_is_bounded():
    """The least that a region beyond the slack can cost, against every region there is."""
    rng = np.random.default_rng(8)
    units = units_of(letters(3, 4), rng.choice([0, 60, 150, 260], 12))
    dual = rng.uniform(-50, 400, 12)
    least = proof.beyond(units.arrays.counted, dual, TERMS, 10.0, RULES.outside)
    for mask, held in connected_sets(units, 10**6).items():
        if max(300 - held, held - 600) > 10:
            which = list(members(mask))
            assert plain_cost(units, which, RULES.outside) - dual[which].sum() >= least - 1e-6


def test_report_pools_objective_bound_and_gap():
    picture = letters(4, 8)
    counted = np.random.default_rng(4).choice([80, 120, 160], 32)
    drawn = board(picture, ["xxxxyyyy"] * 4)
    plan = make_plan(*drawn, counted, counted, counted.astype(float), None, RULES, iterations=1)
    told = report_of(drawn[0], plan)
    parts = told["communities"]
    assert told["objective"] == pytest.approx(sum(p["objective"] for p in parts))
    assert told["lower_bound"] == pytest.approx(sum(p["lower_bound"] for p in parts))
    for p in [told, *parts]:
        assert p["gap"] == pytest.approx((p["objective"] - p["lower_bound"]) / p["objective"], abs=1e-9)
        assert p["objective"] == pytest.approx(sum(v for v in p["objective_terms"].values() if v != "priced metres"))
    assert told["certificate"]["status"] == "optimal"


# ---------------------------------------------------------------- a city


def city(atoms, seed):
    """The generator's arrays as units."""
    spec = importlib.util.spec_from_file_location("city_generator", GENERATOR)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with np.errstate(all="ignore"):
        d, _, _ = module.gen(atoms, seed)
    n = len(d["hh"])
    heads, tails = np.r_[d["eu"], d["ev"]], np.r_[d["ev"], d["eu"]]
    order = np.lexsort((tails, heads))
    start = np.concatenate([[0], np.cumsum(np.bincount(heads, minlength=n))]).astype(np.int64)
    metres, price = d["el"].sum(1), d["el"] @ PRICES
    arrays = UnitArrays(
        start, tails[order].astype(np.int64), np.r_[price, price][order], np.r_[metres, metres][order],
        d["hh"].astype(np.int64), d["hh"].astype(float), d["area"], d["perim"], d["block"].astype(np.int64),
    )  # fmt: skip
    return Units(arrays, d["x"], d["y"])


@pytest.mark.slow
@pytest.mark.skipif(not GENERATOR.is_file(), reason=f"the city's generator is not there: {GENERATOR.name}")
@pytest.mark.parametrize("seed", [11, 15, 23])
def test_a_thousand_atoms_within_one_per_cent_of_the_bound(seed):
    units = city(1000, seed)
    found = settle(units)
    held = np.bincount(found.part, units.arrays.counted)
    assert held.min() >= 300
    assert held.max() <= 600
    assert 0 <= 1 - found.proof.bound / found.cost <= 0.01
    made = clusters(units, opened(units, 600), TERMS, 30.0, 10**6, part=found.part)
    small = units.contract(made.label)
    listed = regions(small.arrays, TERMS, 10**6, 10**9, len(small))
    covers = csc_matrix((np.ones(len(listed.unit)), listed.unit, listed.start), shape=(len(small), len(listed.cost)))
    relaxed = linprog(listed.cost, A_eq=covers, b_eq=np.ones(len(small)), method="highs").fun
    assert relaxed <= found.cost + 1e-3
    if made.bar == 30.0 and "units_below_30_joined" in found.proof.restrictions:
        assert found.proof.bound >= relaxed - 1.0  # cuts only raise it
