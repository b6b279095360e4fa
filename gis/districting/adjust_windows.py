"""Mend the grids that no longer meet their bounds, in windows that grow until the fewest households move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gis.districting.adjust_effort import BETTERING, KEPT, MENDING, Effort
from gis.districting.adjust_kernels import reach
from gis.districting.adjust_program import Window, fewest_moved, judged
from gis.districting.kernels import Int
from gis.districting.units import Units, connected, edges, pieces
from gis.progress import Progress, silent
from gis.territory.model import Bools, Floats

#: Rings of neighbours around a grid at fault, and households on one way to a grid, tried one after another.
WINDOWS: Final = ((1, 250.0), (2, 250.0), (3, 250.0), (2, 700.0), (4, 700.0), (6, 1500.0))
#: Of these, tried for every grid at fault before larger ones are for any.
NEAR: Final = 2
#: Units of a window above which it grows no further.
MOST_UNITS: Final = 1500
#: Rings around the grids of a chain within which a cheaper one is looked for, and how often.
WIDER: Final = 2
PASSES: Final = 3
#: Households of a chain above which one ring is enough: programs over long ways are large.
LONG_CHAIN: Final = 120.0
#: Households on one way to a grid: the first guess.
FIRST_WAY: Final = 100.0
#: Ways are counted this finely, so that what they carry for every unit is no household.
FINE: Final = 4096.0
#: Share of the minimum below which a grid may end: to empty it moves fewer households than to fill it.
ENDING: Final = 0.5


@dataclass(frozen=True)
class Standing:
    """What an adjustment starts from, over one graph of units.

    ``home``: grid of every unit before (-1: none). ``weight``: households that move with a unit. ``still``: grids
    that may neither give nor take; ``free``: grids without bounds (dedicated ones); both by label.
    """

    units: Units
    home: Int
    weight: Floats
    minimum: float
    maximum: float
    still: Bools
    free: Bools


def at_fault(standing: Standing, part: Int) -> Int:
    """Labels in use whose grid is out of range or of several pieces, the worst first; not those that stay still."""
    held, used, loose = figures(standing, part)
    k = len(held)
    still, free = padded(standing.still, k), padded(standing.free, k)
    amiss = np.maximum(standing.minimum - held, 0) + np.maximum(held - standing.maximum, 0)
    amiss = np.where(free, 0, amiss)
    bad = used & ~still & ((amiss > 0) | (loose > 1))
    order = np.lexsort((np.arange(k), -amiss))
    return np.asarray(order[bad[order]], np.int64)


def figures(standing: Standing, part: Int) -> tuple[Int, Bools, Int]:
    """Counted households of every label, whether it is in use, and in how many pieces."""
    k = max(len(standing.still), int(part.max()) + 1)
    held = np.bincount(part, standing.units.arrays.counted, minlength=k).astype(np.int64)
    piece = pieces(standing.units.arrays, part)
    owner = part[np.unique(piece, return_index=True)[1]]
    loose = np.bincount(owner, minlength=k)
    return held, loose > 0, loose


def padded(flags: Bools, k: int) -> Bools:
    """Flags of old grids, False for new ones."""
    return np.concatenate([flags, np.zeros(max(0, k - len(flags)), bool)])


def mend(standing: Standing, part: Int, effort: Effort, progress: Progress = silent) -> Int:
    """Every grid at fault mended with the fewest households moved, as far as windows can tell; ``part`` is kept.

    Windows share what work there is: a part of it is kept for looking at the chains again.
    """
    part = part.copy()
    place = np.full(len(part), -1, np.int64)
    first = at_fault(standing, part)
    kept, effort.left = KEPT * effort.left, (1 - KEPT) * effort.left
    for last, windows in enumerate((WINDOWS[:NEAR], WINDOWS)):
        for i, g in enumerate(first):
            progress("adjust", 0.3 * (last + i / len(first)))
            if g in at_fault(standing, part):
                _mend_one(standing, part, int(g), place, windows, effort, elastic=bool(last))
    effort.left += kept
    for round_ in range(PASSES):
        progress("adjust", 0.6 + 0.4 * round_ / PASSES)
        if not _cheaper(standing, part, place, effort):
            break
    _undo_needless(standing, part)
    progress("adjust", 1.0)
    return part


def _undo_needless(standing: Standing, part: Int) -> None:
    """Chains that nothing needs go home: a later window may have mended what they were made for."""
    for labels in chains_of(standing, part):
        gone = (part != standing.home) & (standing.home >= 0) & np.isin(part, labels)
        back = np.where(gone, standing.home, part)
        if _amiss(standing, back) <= _amiss(standing, part):
            part[:] = back


def _amiss(standing: Standing, part: Int) -> tuple[int, float]:
    """Grids of several pieces, and households out of range."""
    held, used, loose = figures(standing, part)
    bounded = used & ~padded(standing.free, len(held))
    amiss = np.maximum(standing.minimum - held, 0) + np.maximum(held - standing.maximum, 0)
    return int(np.maximum(loose - 1, 0).sum()), float(amiss[bounded].sum())


def _mend_one(
    standing: Standing,
    part: Int,
    g: int,
    place: Int,
    windows: tuple[tuple[int, float], ...],
    effort: Effort,
    *,
    elastic: bool,
) -> None:
    """Windows round one grid until it meets its bounds; where none does, if ``elastic``, the least out of range."""
    target = np.array([g])
    labels, tried = target, (target, 0.0)
    for rings, way in windows:
        labels = around(standing, part, target, rings)
        if np.array_equal(labels, tried[0]) and way <= tried[1]:
            continue
        tried = (labels, way)
        if len(labels) > 1:
            effort.begin(MENDING)
            if _redraw(standing, part, labels, place, way, target, effort)[0]:
                return
    if elastic and len(labels) > 1:
        effort.begin(MENDING)
        near = around(standing, part, target, 2)
        _redraw(standing, part, near, place, WINDOWS[0][1], labels[:0], effort, elastic=True)


def _cheaper(standing: Standing, part: Int, place: Int, effort: Effort) -> bool:
    """Look at every chain again with more grids around it; whether fewer households move afterwards."""
    better = False
    for labels in chains_of(standing, part):
        if not _cannot_be_fewer(standing, part, labels):
            effort.begin(BETTERING)
            near = _near(standing, part, labels)
            before = moved(standing, part)
            _redraw(standing, part, near, place, WINDOWS[-1][1], near[:0], effort)
            better |= moved(standing, part) < before
    return better


def _near(standing: Standing, part: Int, labels: Int) -> Int:
    """The grids among which a cheaper chain is looked for."""
    gone = (part != standing.home) & (standing.home >= 0) & np.isin(part, labels)
    long = float(standing.weight[gone].sum()) > LONG_CHAIN
    return around(standing, part, labels, 1 if long else WIDER)


def is_least(standing: Standing, part: Int, labels: Int, effort: Effort) -> bool:
    """Whether a chain is proven: no plan that changes only grids around it moves fewer households."""
    if _cannot_be_fewer(standing, part, labels):
        return True
    near = _near(standing, part, labels)
    known = effort.seen.get(_key(part, near, near[:0], WINDOWS[-1][1], elastic=False))
    return known is not None and known[1]


def _cannot_be_fewer(standing: Standing, part: Int, labels: Int) -> bool:
    """Whether a chain moves no more than whole units make of what its grids at fault must lose, or gain."""
    home = standing.home
    old = labels[labels < len(standing.still)]
    least = least_of_units(standing, home, old) if len(old) else 0
    gone = (part != home) & (home >= 0) & np.isin(part, labels)
    return float(standing.weight[gone].sum()) <= least


def must_lose(standing: Standing, part: Int, g: int) -> int:
    """Counted households that a grid above the maximum must lose at least, made up of whole units.

    A unit leaves with all that lies between it and the other grids, so one deep inside counts for large losses only.
    """
    inside = part == g
    total = int(standing.units.arrays.counted[inside].sum())
    excess = max(0, total - int(standing.maximum))
    way = _ways(standing, ~inside, ~inside)
    return _whole_units(standing.units.arrays.counted[inside], way[inside], excess, total)


def must_gain(standing: Standing, part: Int, g: int) -> int:
    """As ``must_lose``, for what a grid below the minimum must gain: units come with the way that joins them."""
    own = part == g
    held = int(standing.units.arrays.counted[own].sum())
    shortage = int(standing.minimum) - held
    way = _ways(standing, own, own)
    near = ~own & (way <= standing.minimum)
    return min(held, _whole_units(standing.units.arrays.counted[near], way[near], shortage, int(standing.minimum)))


def least_of_units(standing: Standing, part: Int, labels: Int) -> int:
    """Households that must move at least to mend some grids, where only whole units do.

    What small grids gain may be what large ones lose, but only over the units that lie between the two.
    """
    held = np.bincount(part[part >= 0], standing.units.arrays.counted[part >= 0], minlength=int(labels.max()) + 1)
    large, small = labels[held[labels] > standing.maximum], labels[held[labels] < standing.minimum]
    lost = sum(must_lose(standing, part, int(g)) for g in large)
    gains = [must_gain(standing, part, int(g)) for g in small]
    giving = np.isin(part, large)
    between = [_ways(standing, part == g, (part == g) | giving)[giving].min(initial=np.inf) for g in small]
    beside = sum(min(float(gain), float(far)) for gain, far in zip(gains, between, strict=True))
    return int(max(lost + beside if len(large) else 0, sum(gains)))


def _ways(standing: Standing, begin: Bools, free: Bools) -> Floats:
    """Counted households on the cheapest way from some units to each; ``free`` ones count nothing. Never too many."""
    cost = np.where(free, 0.0, FINE * standing.units.arrays.counted)
    way = reach(standing.units.arrays, np.where(begin, 0, -1).astype(np.int64), 0, cost, np.inf) / FINE
    return np.asarray(np.floor(way) if begin.any() else np.zeros(len(begin)), np.float64)


def _whole_units(counts: Int, way: Floats, least: int, most: int) -> int:
    """The smallest sum from ``least`` up of units whose way is no more than it; ``least`` where none is found."""
    if least <= 0:
        return 0
    sums = np.zeros(most + 1, bool)
    sums[0] = True
    order = np.argsort(way, kind="stable")
    order = order[counts[order] > 0]
    way, counted, i = way[order], counts[order].tolist(), 0
    for total in range(least, most + 1):
        while i < len(counted) and way[i] <= total:
            if counted[i] <= most:
                sums[counted[i] :] |= sums[: -counted[i]].copy()
            i += 1
        if sums[total]:
            return total
    return least


def chains_of(standing: Standing, part: Int) -> list[Int]:
    """Grids that gave or took units, in groups joined by what they gave each other; largest first."""
    gone = np.flatnonzero((part != standing.home) & (standing.home >= 0))
    k = max(len(standing.still), int(part.max()) + 1)
    if not len(gone):
        return []
    group = connected(standing.home[gone], part[gone], k)
    touched = np.union1d(standing.home[gone], part[gone])
    found = [touched[group[touched] == c] for c in np.unique(group[touched])]
    return sorted(found, key=lambda labels: (-len(labels), int(labels[0])))


def moved(standing: Standing, part: Int) -> float:
    """Households whose grid is another than before."""
    return float(standing.weight[(part != standing.home) & (standing.home >= 0)].sum())


def around(standing: Standing, part: Int, labels: Int, rings: int) -> Int:
    """Some grids and those around them, ring by ring, while the window is not too large; none that stays still."""
    heads, tails = edges(standing.units.arrays)
    a, b = part[heads], part[tails]
    k = max(len(standing.still), int(part.max()) + 1)
    still = padded(standing.still, k)
    size = np.bincount(part, minlength=k)
    inside = np.zeros(k, bool)
    inside[labels] = True
    for _ in range(rings):
        ring = np.unique(b[inside[a] & ~inside[b] & ~still[b]])
        if size[inside].sum() + size[ring].sum() > MOST_UNITS:
            break
        inside[ring] = True
    return np.flatnonzero(inside)


def _redraw(
    standing: Standing,
    part: Int,
    labels: Int,
    place: Int,
    way: float,
    target: Int,
    effort: Effort,
    *,
    elastic: bool = False,
) -> tuple[bool, bool]:
    """Solve one window; ``part`` changes where the answer is better. Whether it did, and whether that is proven.

    ``target`` must meet its bounds, and so must all others but those that hold a unit heavier than the maximum,
    unless ``elastic``. A window met before is not solved again.
    """
    window, atoms = window_of(standing, part, labels, place, ending=1.0 if elastic else ENDING)
    before = judged(window, window.now)
    key = _key(part, labels, target, way, elastic=elastic)
    if key not in effort.seen:
        held = np.bincount(window.now, window.units.arrays.counted, window.labels)
        amiss = np.maximum(window.low - held, 0) + np.maximum(held - window.high, 0)
        heaviest = np.zeros(window.labels)
        np.maximum.at(heaviest, window.now, window.units.arrays.counted)
        slack = np.where((heaviest > window.high) & ~np.isin(labels, target), amiss, 0.0)
        window = replace(window, slack=np.full(len(labels), np.inf) if elastic else slack)
        answer = fewest_moved(window, first_way(window), way, effort)
        effort.seen[key] = (answer.part, answer.proven)
        if answer.order < before.order:
            now = part.copy()
            now[atoms] = labels[answer.part]
            # The answer's own window is known too: nothing in it is better than the answer.
            again = _key(now, labels, target, way, elastic=elastic)
            effort.seen[again] = (answer.part, answer.proven)
    found, proven = effort.seen[key]
    if judged(window, found).order < before.order:
        part[atoms] = labels[found]
        return True, proven
    return False, proven


def _key(part: Int, labels: Int, target: Int, way: float, *, elastic: bool) -> bytes:
    """What tells one window from another: its grids, those left without units too, their units, what is asked."""
    atoms = np.flatnonzero(np.isin(part, labels))
    arrays = (labels, atoms, part[atoms], target)
    return b"|".join((*(a.tobytes() for a in arrays), repr((way, elastic)).encode()))


def first_way(window: Window) -> float:
    """Households of one way to begin with: twice what is amiss in the worst grid."""
    held = np.bincount(window.home[window.home >= 0], window.units.arrays.counted[window.home >= 0], window.labels)
    amiss = np.maximum(window.low - held, 0) + np.maximum(held - window.high, 0)
    return float(max(FIRST_WAY, 2 * amiss.max()))


def window_of(standing: Standing, part: Int, labels: Int, place: Int, ending: float) -> tuple[Window, Int]:
    """The window of some grids, and its units. Grids below ``ending`` times the minimum may be left without units."""
    k = max(len(standing.still), int(part.max()) + 1)
    number = np.full(k + 1, -1, np.int64)
    number[labels] = np.arange(len(labels))
    atoms = np.flatnonzero(number[part] >= 0)
    free = padded(standing.free, k)[labels]
    old = np.arange(k)[labels] < len(standing.still)
    held = np.bincount(part, standing.units.arrays.counted, minlength=k)[labels]
    return (
        Window(
            units=standing.units.window(atoms, place),
            home=number[standing.home[atoms]],
            now=number[part[atoms]],
            weight=standing.weight[atoms],
            low=np.where(free, 0.0, standing.minimum),
            high=np.where(free, np.inf, standing.maximum),
            may_end=~free & ((held < ending * standing.minimum) | ~old),
            slack=np.zeros(len(labels)),
        ),
        atoms,
    )
