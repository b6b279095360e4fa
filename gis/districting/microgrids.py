"""Micro-grids 微网格: the households of a grid in groups of 10-15 neighbours, each with a steward of its own.

The floors of a grid are put into one line: blocks, yards (compounds 小区) within them, buildings within those, each
level along a short path from neighbour to neighbour; within a building stair after stair (see ``slices``).
Micro-grids are runs of that line, and the cheapest way to cut it is found exactly (dynamic programming). Four lines,
one from each corner of the grid, are tried. So a micro-grid always holds floors that lie one above the other,
adjoining stairs, neighbouring buildings. Its cost, without unit, is the sum of

- ``outside`` x households above the maximum or below the minimum;
- ``spans[level]`` x households / target, ``level`` being the widest border inside the micro-grid: between stairs,
  buildings, yards or blocks (same stair before same building before same yard before same block);
- ``metre`` x metres walked from building to building;
- ((households - target) / half the range) squared: micro-grids of like size;

and of every cut: ``cut_stair`` through a stair, ``cut_building`` between the stairs of one building.

Every household of a residential building is in exactly one micro-grid; no micro-grid reaches over a grid's border.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gis.compiling import njit
from gis.districting.codes import ordinal
from gis.districting.kernels import Float, Int
from gis.districting.rulesets import Bounds
from gis.districting.slices import Cells, Structure, cells_of
from gis.progress import Progress, silent
from gis.territory.model import Floats, Ints

#: Bounds of a micro-grid where a ruleset says nothing: 10-15 households, as 西湖街道 has them.
USUAL: Final = Bounds(10, 12, 15)

#: Why a micro-grid is out of its bounds; words stand in the ``micro`` catalogue as ``micro.<reason>``.
REASONS: Final = (
    "small_grid",  # the grid holds fewer households than one micro-grid needs
    "large_floor",  # one floor of one stair holds more than the maximum
    "no_number_fits",  # the grid's households fit no whole number of micro-grids
    "whole_floors",  # no floors of this grid add up to a number within the bounds
    "neighbours",  # floors that would fit lie elsewhere in the grid
)

SAME_STAIR, STAIRS, BUILDINGS, YARDS, BLOCKS = range(5)


@dataclass(frozen=True)
class Prices:
    """Weights of the cost above; ``spans`` by the widest border inside: none, stair, building, yard, block."""

    outside: float = 1000.0
    spans: tuple[float, float, float, float, float] = (0.0, 2.0, 4.0, 8.0, 16.0)
    metre: float = 0.005
    cut_stair: float = 8.0
    cut_building: float = 1.0


@dataclass(frozen=True)
class Homes:
    """The buildings of a plan, one row each: households, those that are bounded, and where they lie.

    ``x``/``y``: metres; ``grid`` and ``block`` count from 0; ``yard`` is a compound or -1.
    """

    households: Ints
    counted: Ints
    structure: Structure
    x: Floats
    y: Floats
    grid: Ints
    block: Ints
    yard: Ints


@dataclass(frozen=True)
class Slices:
    """Parts of buildings: consecutive floors of one stair, in one micro-grid. Rows are ordered by micro-grid."""

    building: Ints
    unit: Ints
    floor_from: Ints
    floor_to: Ints
    households: Ints
    counted: Ints
    micro: Ints

    def __len__(self) -> int:
        return len(self.building)


@dataclass(frozen=True)
class MicroException:
    """A micro-grid out of its bounds. ``proven``: no way to cut this grid avoids one like it."""

    micro: int
    reason: str
    households: int
    proven: bool


@dataclass(frozen=True)
class MicroGrids:
    """The micro-grids of a plan, grid by grid. ``number`` counts from 1 within the grid."""

    bounds: Bounds
    slices: Slices
    grid: Ints
    number: Ints
    households: Ints
    counted: Ints
    exceptions: tuple[MicroException, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.grid)


def micro_grids(
    homes: Homes, bounds: Bounds = USUAL, *, prices: Prices | None = None, progress: Progress = silent
) -> MicroGrids:
    """Cut every grid's households into micro-grids; the same input gives the same micro-grids."""
    prices = prices or Prices()
    cells = cells_of(homes.structure, homes.households, homes.counted)
    first = np.searchsorted(cells.building, np.arange(len(homes.grid) + 1))
    lived = np.flatnonzero(np.diff(first) > 0)
    order = lived[np.argsort(homes.grid[lived], kind="stable")]
    grids, starts = np.unique(homes.grid[order], return_index=True)
    found: list[tuple[Int, Int]] = []
    total = 0
    for k, members in enumerate(np.split(order, starts[1:]) if len(grids) else []):
        rows, run = _best_line(homes, cells, first, members, bounds, prices)
        found.append((rows, run + total))
        total += int(run[-1]) + 1
        if k % 64 == 0:
            progress("micro", k / max(len(grids), 1))
    progress("micro", 1.0)
    rows = np.concatenate([r for r, _ in found]) if found else np.zeros(0, np.int64)
    micro = np.concatenate([m for _, m in found]) if found else np.zeros(0, np.int64)
    return _described(homes, cells, rows, micro, bounds)


def _best_line(
    homes: Homes, cells: Cells, first: Int, members: Int, bounds: Bounds, prices: Prices
) -> tuple[Int, Int]:
    """Cells of one grid in the best of its lines, and the run of each."""
    best: tuple[float, Int, Int] | None = None
    for corner in ((-1.0, 1.0), (1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)):
        line = walk(homes, members, corner)
        rows = np.concatenate([np.arange(first[b], first[b + 1]) for b in line])
        run, cost = cut(*_junctions(homes, cells, rows), cells.counted[rows], bounds, prices)
        if best is None or cost < best[0] - 1e-9:
            best = (cost, rows, run)
        if len(line) == 1:
            break
    assert best is not None
    return best[1], best[2]


def walk(homes: Homes, members: Int, corner: tuple[float, float]) -> Int:
    """Buildings along a short path that leaves a yard, and a block, only when it has seen all of it."""
    x, y = homes.x[members], homes.y[members]
    yard, block = homes.yard[members], homes.block[members]
    own = np.where(yard >= 0, yard, yard.max() + 1 + block)  # outside the compounds a block is a yard
    _, own = np.unique(own, return_inverse=True)
    seat = np.zeros(int(own.max()) + 1, np.int64)
    seat[own[::-1]] = block[::-1]  # a compound over several blocks counts with the first of them
    outer = np.unique(seat[own], return_inverse=True)[1]
    far = (np.ptp(x) + np.ptp(y) + 1.0) * 10
    at = (float(x.mean() + corner[0] * far), float(y.mean() + corner[1] * far))
    out: list[Int] = []
    for a in _walked(x, y, outer, at):
        within = np.flatnonzero(outer == a)
        for b in _walked(x[within], y[within], own[within], at):
            inner = within[own[within] == b]
            path = inner[short_path(x[inner], y[inner], at[0], at[1])]
            at = (float(x[path[-1]]), float(y[path[-1]]))
            out.append(members[path])
    return np.concatenate(out)


def _walked(x: Floats, y: Floats, label: Int, at: tuple[float, float]) -> Int:
    """Labels along a short path through their middles, from ``at`` on."""
    labels, place = np.unique(label, return_inverse=True)
    if len(labels) == 1:
        return labels
    size = np.bincount(place)
    return np.asarray(labels[short_path(np.bincount(place, x) / size, np.bincount(place, y) / size, *at)], np.int64)


@njit(cache=True, nogil=True)
def short_path(x: Float, y: Float, at_x: float, at_y: float) -> Int:
    """A short open path through all points, from the one nearest to ``at``: nearest neighbour, then 2-opt."""
    n = len(x)
    path = np.empty(n, np.int64)
    left = np.ones(n, np.bool_)
    for k in range(n):
        best, chosen = np.inf, -1
        for i in range(n):
            if left[i]:
                d = (x[i] - at_x) ** 2 + (y[i] - at_y) ** 2
                if d < best:
                    best, chosen = d, i
        path[k] = chosen
        left[chosen] = False
        at_x, at_y = x[chosen], y[chosen]
    for _ in range(20 if n <= 1000 else 0):
        changed = False
        for i in range(n - 2):
            for j in range(i + 2, n):
                a, b, c = path[i], path[i + 1], path[j]
                gain = np.hypot(x[a] - x[b], y[a] - y[b]) - np.hypot(x[a] - x[c], y[a] - y[c])
                if j + 1 < n:
                    d = path[j + 1]
                    gain += np.hypot(x[c] - x[d], y[c] - y[d]) - np.hypot(x[b] - x[d], y[b] - y[d])
                if gain > 1e-6:
                    path[i + 1 : j + 1] = path[i + 1 : j + 1][::-1].copy()
                    changed = True
        if not changed:
            break
    return path


def _junctions(homes: Homes, cells: Cells, rows: Int) -> tuple[Int, Floats]:
    """What lies between each cell of a line and the one before: the level of border, and metres."""
    level = np.zeros(len(rows), np.int64)
    metres = np.zeros(len(rows))
    building = cells.building[rows]
    a, b = building[:-1], building[1:]
    other = a != b
    level[1:] = np.where(cells.unit[rows[1:]] != cells.unit[rows[:-1]], STAIRS, SAME_STAIR)
    level[1:][other] = BUILDINGS
    level[1:][other & (homes.yard[a] != homes.yard[b])] = YARDS
    outside = (homes.block[a] != homes.block[b]) & ((homes.yard[a] != homes.yard[b]) | (homes.yard[a] < 0))
    level[1:][other & outside] = BLOCKS
    metres[1:] = np.hypot(homes.x[a] - homes.x[b], homes.y[a] - homes.y[b])
    return level, metres


def cut(level: Int, metres: Floats, counted: Int, bounds: Bounds, prices: Prices) -> tuple[Int, float]:
    """The cheapest way to cut a line of cells into runs: the run of every cell, and the cost."""
    half = max((bounds.maximum - bounds.minimum) / 2.0, 0.5)
    spans = np.array(prices.spans)
    cuts = np.array([prices.cut_stair + prices.cut_building, prices.cut_building, 0.0, 0.0, 0.0])
    low, aim, high = float(bounds.minimum), float(bounds.target), float(bounds.maximum)
    run, cost = _cut(level, metres, counted, low, aim, high, half, spans, cuts, prices.metre, prices.outside)
    return run, float(cost)


@njit(cache=True, nogil=True)
def _cut(
    level: Int,
    metres: Float,
    counted: Int,
    low: float,
    aim: float,
    high: float,
    half: float,
    spans: Float,
    cuts: Float,
    metre: float,
    outside: float,
) -> tuple[Int, float]:
    n = len(counted)
    best = np.full(n + 1, np.inf)
    came = np.zeros(n + 1, np.int64)
    best[0] = 0.0
    for j in range(1, n + 1):
        held = 0
        widest = 0
        walked = 0.0
        for i in range(j - 1, -1, -1):  # the run of cells i .. j - 1
            held += counted[i]
            if held > high + low and i < j - 1:
                break  # cut in two it is no further out
            amiss = max(low - held, held - high, 0.0)
            z = (held - aim) / half
            cost = best[i] + outside * amiss + spans[widest] * held / max(aim, 1.0) + metre * walked + z * z
            if i > 0:
                cost += cuts[level[i]]
            if cost < best[j] - 1e-12:
                best[j] = cost
                came[j] = i
            widest = max(widest, level[i])
            walked += metres[i]
    run = np.zeros(n, np.int64)
    j = n
    while j > 0:
        run[came[j]] = 1
        j = came[j]
    return np.cumsum(run) - 1, best[n]


def _described(homes: Homes, cells: Cells, rows: Int, micro: Int, bounds: Bounds) -> MicroGrids:
    building, unit, floor = cells.building[rows], cells.unit[rows], cells.floor[rows]
    n = int(micro[-1]) + 1 if len(micro) else 0
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (micro[1:] != micro[:-1]) | (building[1:] != building[:-1]) | (unit[1:] != unit[:-1])
    start = np.flatnonzero(fresh)
    held = cells.counted[rows]
    lived = cells.households[rows]

    def per_slice(ufunc: np.ufunc, values: Int) -> Ints:
        return np.asarray(ufunc.reduceat(values, start), np.int64) if len(start) else np.zeros(0, np.int64)

    slices = Slices(
        building=building[start],
        unit=unit[start],
        floor_from=per_slice(np.minimum, floor),
        floor_to=per_slice(np.maximum, floor),
        households=per_slice(np.add, lived),
        counted=per_slice(np.add, held),
        micro=micro[start],
    )
    begins = np.flatnonzero(np.diff(micro, prepend=-1)) if n else np.zeros(0, np.int64)
    grid = homes.grid[building[begins]].astype(np.int64)
    number = np.arange(n) - np.searchsorted(grid, grid) + 1
    counted = np.bincount(micro, held, minlength=n).astype(np.int64)
    return MicroGrids(
        bounds=bounds,
        slices=slices,
        grid=grid,
        number=number.astype(np.int64),
        households=np.bincount(micro, lived, minlength=n).astype(np.int64),
        counted=counted,
        exceptions=_exceptions(grid, counted, micro, held, bounds),
    )


def _exceptions(grid: Ints, counted: Ints, micro: Int, cell: Int, bounds: Bounds) -> tuple[MicroException, ...]:
    out: list[MicroException] = []
    amiss = np.flatnonzero((counted < bounds.minimum) | (counted > bounds.maximum))
    for g in np.unique(grid[amiss]):
        own = cell[np.isin(micro, np.flatnonzero(grid == g))]
        total = int(own.sum())
        fits = -(-total // bounds.maximum) * bounds.minimum <= total
        for m in amiss[grid[amiss] == g]:
            sizes = cell[micro == m]
            reason, proven = "neighbours", False
            if total < bounds.minimum:
                reason, proven = "small_grid", True
            elif sizes.max() > bounds.maximum:
                reason, proven = "large_floor", True
            elif any(not _can_be_held(int(c), own, bounds) for c in np.unique(sizes)):
                reason, proven = "whole_floors", True
            elif not fits:
                reason, proven = "no_number_fits", True
            out.append(MicroException(int(m), reason, int(counted[m]), proven))
    return tuple(out)


def _can_be_held(size: int, sizes: Int, bounds: Bounds) -> bool:
    """Whether floors of the grid, wherever they lie, make a micro-grid within the bounds with one of ``size``."""
    reach = 1 << size
    values, amounts = np.unique(sizes[sizes > 0], return_counts=True)
    for value, amount in zip(values.tolist(), amounts.tolist(), strict=True):
        if value > bounds.maximum:
            continue
        for _ in range(min(amount - (value == size), bounds.maximum // value)):
            reach |= reach << value
    wanted = ((1 << (bounds.maximum + 1)) - 1) ^ ((1 << bounds.minimum) - 1)
    return bool(reach & wanted)


def micro_code(grid: str, number: int, most: int) -> str:
    """Code of a micro-grid: its grid's, and two digits (more where a grid of the plan holds over 99)."""
    return f"{grid}{number:0{max(2, len(str(most)))}d}"


def micro_name(number: int) -> str:
    """Name of a micro-grid within its grid, such as 第三微网格."""
    return f"第{ordinal(number)}微网格"


def warm() -> None:
    """Compile the kernels, with the types that plans use."""
    ones = np.ones(3, np.int64)
    one = Structure(ones, ones, np.ones(3, bool))
    micro_grids(Homes(ones * 5, ones * 5, one, np.arange(3.0), np.zeros(3), ones * 0, ones * 0, ones * -1))
