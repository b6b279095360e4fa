"""Quarters: a large piece is cut into quarters of about a hundred grids, each divided nearly at its best.

Over the units of a quarter (whole blocks, opened where they are above the maximum; small ones joined, see
``clusters``) every feasible grid is listed, the linear relaxation of set partitioning is solved, and what it leaves
split is chosen by search (``rounding``). Later passes lay windows across the seams between quarters, where grids of
two quarters could not trade units; there the present grids are among the choices, so that a pass never makes a plan
worse. Cost is linear in the number of units.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.districting import kernels
from gis.districting.clusters import clusters
from gis.districting.kernels import Int, Terms, UnitArrays
from gis.districting.regions import Regions, regions
from gis.districting.relaxation import relax
from gis.districting.rounding import NODES, round_up
from gis.districting.units import Units, connected, edges
from gis.districting.windows import joined_regions, present_regions

#: Grids of a quarter. The linear program grows a little faster than its quarter; seams grow as quarters shrink.
GRIDS: Final = 100
#: Grids of a window, and the fewest that a window is worth laying for.
WINDOW: Final = 70
FEWEST: Final = 6
#: A piece, or a plan, of no more than this many times the size of a quarter, or window, is not parted.
UNPARTED: Final = 1.6
#: Passes over the seams of the first quarters.
PASSES: Final = 2
#: Units of fewer households are joined to a neighbour; more units a grid than this are too many to list grids of.
FEW: Final = 30.0
UNITS_A_GRID: Final = 5.0
#: Most regions listed for a unit of a quarter (on average), and most sets that begin at one unit.
REGIONS: Final = 250
SETS: Final = 2_000
#: Reduced cost (priced metres) above which a region is not considered in rounding, and most regions a unit.
ROOM: Final = 700.0
CONSIDERED: Final = 40
#: A gain of a window below this share of its cost is not taken.
WORTH: Final = 1e-6
#: How much more strongly windows grow across a seam than elsewhere.
SEAM: Final = 10.0

#: Called after every quarter or window with the plan as it stands (grids in any numbers, -1: not yet in one).
Watch = Callable[[Int], None]


def divide(units: Units, terms: Terms, outside: float, seed: int, watch: Watch | None = None) -> Int:
    """A plan of connected units from nothing: quarters, then windows across their seams. Some grids may be amiss."""
    rng = np.random.default_rng(seed)
    quarter = _quarters(units, GRIDS * terms.target, rng)
    part = np.full(len(units), -1, np.int64)
    place = np.full(len(units), -1, np.int64)
    count = 0
    for which in groups(quarter):
        fresh = _solved(units.window(which, place), None, terms, outside, rng)
        part[which] = count + fresh
        count += int(fresh.max()) + 1
        if watch is not None:
            watch(part)
    if not quarter.any():
        return part
    return _across(units, part, [quarter], terms, outside, rng, PASSES, watch)


def improve(units: Units, part: Int, terms: Terms, outside: float, seed: int, watch: Watch | None = None) -> Int:
    """Every grid in a window of many, divided anew over ``units`` (which the plan must not cut). Never worse."""
    rng = np.random.default_rng(seed)
    if int(part.max()) + 1 > UNPARTED * WINDOW:
        return _across(units, part, [], terms, outside, rng, 1, watch)
    fresh = _solved(units, part, terms, outside, rng)
    if watch is not None:
        watch(fresh)
    return fresh


def _across(
    units: Units,
    part: Int,
    seen: list[Int],
    terms: Terms,
    outside: float,
    rng: np.random.Generator,
    passes: int,
    watch: Watch | None,
) -> Int:
    """Windows across the seams: borders of grids that none of ``seen`` (labels of quarters) held on both sides."""
    place = np.full(len(units), -1, np.int64)
    for _ in range(passes):
        part = renumbered(part)
        window = _windows(units, part, seen, terms, rng)[part]
        if window.max() < 0:
            break
        some = np.flatnonzero(window >= 0)
        count = int(part.max()) + 1
        for found in groups(window[some]):
            which = some[found]
            now = renumbered(part[which])
            fresh = _solved(units.window(which, place), now, terms, outside, rng)
            if fresh is not now:
                part[which] = count + fresh
                count += int(fresh.max()) + 1
            if watch is not None:
                watch(part)
        outer = seen[0] if seen else np.zeros(len(units), np.int64)
        seen = [*seen, np.where(window >= 0, window, -1 - outer)]
    return renumbered(part)


def _solved(sub: Units, now: Int | None, terms: Terms, outside: float, rng: np.random.Generator) -> Int:
    """A division of a quarter near its best. With a present one (``now``): a better one, or ``now`` itself."""
    label, small, found = _listed(sub, now, terms, rng)
    first: Int | None = None
    known = np.inf
    if now is not None:
        now_of = np.zeros(len(small), np.int64)
        now_of[label] = now
        present, known = present_regions(small, now_of, terms, outside)
        first = len(found.cost) + np.arange(len(present.cost))
        found = joined_regions(found, present)
    if not len(found.cost):
        return np.zeros(len(sub), np.int64)
    relaxed = relax(found, len(small), 0, np.inf, first, weight=small.arrays.counted)
    if now is not None and known - relaxed.bound < WORTH * known:
        return now
    keep = np.flatnonzero(relaxed.reduced <= ROOM)
    order = keep[np.argsort(relaxed.reduced[keep], kind="stable")][: CONSIDERED * len(small)]
    graph = small.arrays
    owner = round_up(
        found.unit, found.start, relaxed.reduced, relaxed.value, order, graph.start, graph.neighbour, NODES
    )
    if now is not None and (owner.min() < 0 or found.cost[np.unique(owner)].sum() >= known * (1 - WORTH)):
        return now
    return _grids(owner, graph)[label]


def _grids(owner: Int, graph: UnitArrays) -> Int:
    """Grid of every unit from the region that holds it; what no region holds hangs together as it lies."""
    heads = np.repeat(np.arange(len(owner), dtype=np.int64), np.diff(graph.start))
    same = owner[heads] == owner[graph.neighbour]
    return connected(heads[same], graph.neighbour[same], len(owner))


def _listed(sub: Units, now: Int | None, terms: Terms, rng: np.random.Generator) -> tuple[Int, Units, Regions]:
    """Units of a quarter, as fine as their feasible grids can be listed, and these."""
    each = np.arange(len(sub), dtype=np.int64)
    made = clusters(sub, each, terms, FEW, REGIONS * len(sub), a_root=SETS, part=now, lots=rng)
    if made is None:
        return each, sub, Regions(np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0), False)
    small = sub.contract(made.label)
    return made.label, small, regions(small.arrays, terms, made.regions, 1 << 62, len(small))


def _quarters(units: Units, households: float, rng: np.random.Generator) -> Int:
    """Connected groups of units of about so many households."""
    if units.arrays.counted.sum() <= UNPARTED * households:
        return np.zeros(len(units), np.int64)
    order = np.roll(units.hilbert(), int(rng.integers(len(units))))
    quarter = kernels.grow(units.arrays, order, households, 1.3 * households)
    kernels.dissolve(units.arrays, quarter, 0.4 * households)
    return renumbered(quarter)


def _windows(units: Units, part: Int, seen: list[Int], terms: Terms, rng: np.random.Generator) -> Int:
    """Window of every grid along the seams and beside them, -1 of the others. Windows grow across seams."""
    heads, tails = edges(units.arrays)
    crossing = part[heads] != part[tails]
    heads, tails = heads[crossing], tails[crossing]
    held = np.bincount(part, units.arrays.counted)
    amiss = (held < terms.minimum) | (held > terms.maximum)
    apart: NDArray[np.bool_] = np.ones(len(heads), np.bool_)
    for label in seen:
        apart &= label[heads] != label[tails]
    apart |= amiss[part[heads]] | amiss[part[tails]]
    window = np.full(len(held), -1, np.int64)
    near = np.zeros(len(held), np.bool_)
    near[part[heads[apart]]] = True
    near[part[tails[near[part[heads]]]]] = True
    some = np.flatnonzero(near)
    if not len(some):
        return window
    grids = units.contract(part)
    pairs, edge = np.unique(part[heads] * len(held) + part[tails], return_inverse=True)
    pull = np.ones(len(pairs))
    np.maximum.at(pull, edge, np.where(apart, SEAM, 1.0))
    arrays = grids.arrays._replace(price=grids.arrays.metres * pull, counted=np.ones(len(held), np.int64))
    inner = Units(arrays, grids.x, grids.y).subset(some)
    order = np.roll(inner.hilbert(), int(rng.integers(len(some))))
    group = kernels.grow(inner.arrays, order, float(WINDOW), 1.3 * WINDOW)
    kernels.dissolve(inner.arrays, group, float(FEWEST))
    window[some] = group
    return window


def groups(label: Int) -> list[Int]:
    """Positions of every label that occurs, lowest label first."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def renumbered(part: Int) -> Int:
    """Labels 0 .. n-1 in the order of the labels."""
    return np.asarray(np.unique(part, return_inverse=True)[1], np.int64)
