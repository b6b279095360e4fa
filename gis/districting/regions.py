"""Every feasible grid of a small graph: connected sets of units within the bounds, each once, with its cost."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.districting.kernels import Float, Int, Terms, UnitArrays, grid_cost, root


class Regions(NamedTuple):
    """Feasible regions: units of region j are ``unit[start[j]:start[j + 1]]``; ``complete``: none is missing."""

    unit: NDArray[np.int32]
    start: Int
    cost: Float
    complete: bool


def regions(
    units: UnitArrays,
    terms: Terms,
    most: int,
    visits: int,
    limit: int,
    *,
    roots: int | None = None,
    slack: float = 0.0,
    outside: float = 0.0,
) -> Regions:
    """Enumerate connected regions within the bounds, at most ``most`` of them, looking at ``visits`` sets.

    The cost of a region is half its priced border inside the graph and the terms of one grid. Regions of more than
    ``limit`` units are left out, and then the list is not complete. ``roots``: only regions that hold one of the
    first so many units (all when left out). ``slack``: households that a region may be out of the bounds, each at
    the price ``outside``.
    """
    count = len(units.counted) if roots is None else roots
    return Regions(*_regions(units, terms, most, visits, limit, count, float(slack), float(outside)))


@njit(cache=True, nogil=True)
def _regions(  # noqa: PLR0912, PLR0915 - one loop: calls would cost as much as the work
    units: UnitArrays, terms: Terms, most: int, visits: int, limit: int, roots: int, slack: float, outside: float
) -> tuple[NDArray[np.int32], Int, Float, bool]:
    """Grow each set from its lowest unit; those of its rim passed over stay out, so that no set is met twice."""
    n = len(units.counted)
    taken = np.zeros(n, np.bool_)
    listed = np.zeros(n, np.bool_)  # taken, on the rim, passed over, or below the root
    inside = np.zeros(n + 1, np.int32)  # units taken, in order
    rim = np.zeros(n + 1, np.int64)  # units beside the set, in the order they were found
    turn = np.zeros(n + 1, np.int64)  # by size of the set: next place on the rim to try
    end = np.zeros(n + 1, np.int64)  # by size: end of the rim
    total = np.zeros((n + 1, 5))  # by size: counted, load, area, perimeter, priced border
    out = np.empty(16 * 1024, np.int32)
    start = np.zeros(2049, np.int64)
    cost = np.empty(2048)
    maximum = terms.maximum + slack
    minimum = terms.minimum - slack
    found = 0
    seen = 0
    complete = True
    for r in range(roots):
        if units.counted[r] > maximum:
            continue
        listed[:] = False
        listed[: r + 1] = True
        size = 0
        v = r
        while True:
            if v >= 0:
                seen += 1
                if seen > visits:
                    return out[: start[found]], start[: found + 1], cost[:found], False
                last = end[size]
                perimeter = units.perimeter[v]
                border = 0.0
                for e in range(units.start[v], units.start[v + 1]):
                    b = units.neighbour[e]
                    if taken[b]:
                        border -= units.price[e]
                        perimeter -= 2.0 * units.metres[e]
                    else:
                        border += units.price[e]
                        if not listed[b]:
                            listed[b] = True
                            rim[last] = b
                            last += 1
                taken[v] = True
                inside[size] = v
                now = total[size + 1]
                before = total[size]
                now[0] = before[0] + units.counted[v]
                now[1] = before[1] + units.load[v]
                now[2] = before[2] + units.area[v]
                now[3] = before[3] + perimeter
                now[4] = before[4] + border
                turn[size + 1] = turn[size]
                end[size + 1] = last
                size += 1
                if now[0] >= minimum:
                    if found == most:
                        return out[: start[found]], start[: found + 1], cost[:found], False
                    at = start[found]
                    if at + size > len(out):
                        out = _longer(out, at + size)
                    if found == len(cost):
                        cost = _longer(cost, found + 1)
                        start = _longer(start, len(cost) + 1)
                    out[at : at + size] = inside[:size]
                    cost[found] = 0.5 * now[4] + grid_cost(int(now[0]), now[1], now[2], now[3], terms, outside)
                    found += 1
                    start[found] = at + size
            else:
                size -= 1
                for i in range(end[size], end[size + 1]):
                    listed[rim[i]] = False
                taken[inside[size]] = False
                if size == 0:
                    break
            v = -1
            room = maximum - total[size, 0]
            while turn[size] < end[size]:
                u = rim[turn[size]]
                turn[size] += 1
                if units.counted[u] <= room:
                    v = u
                    break
            if v >= 0 and size == limit:
                complete = False
                v = -1
    return out[: start[found]], start[: found + 1], cost[:found], complete


@njit(cache=True, nogil=True)
def _longer(array: Any, wanted: int) -> Any:
    """A longer copy of an array."""
    longer = np.zeros(2 * len(array) + wanted, array.dtype)
    longer[: len(array)] = array
    return longer


@njit(cache=True, nogil=True)
def crowd(  # noqa: PLR0912, PLR0915 - one loop, as above
    units: UnitArrays, minimum: float, maximum: float, most: int, visits: int, a_root: int
) -> tuple[int, Int]:
    """How many regions there are within the bounds, and roots that begin more than ``a_root`` sets.

    Counts without listing, several times faster; stops where there are more than ``most`` regions or after
    ``visits`` sets, and then says ``most + 1``. A crowded root is left after ``a_root`` sets.
    """
    n = len(units.counted)
    listed = np.zeros(n, np.bool_)
    rim = np.zeros(n + 1, np.int64)
    turn = np.zeros(n + 1, np.int64)
    end = np.zeros(n + 2, np.int64)
    inside = np.zeros(n + 1, np.int64)
    crowded = np.zeros(n, np.bool_)
    found = 0
    seen = 0
    for r in range(n):
        if units.counted[r] > maximum:
            continue
        listed[:] = False
        listed[: r + 1] = True
        begun = 0
        size = 0
        total = 0
        v = r
        while True:
            if v >= 0:  # take it
                begun += 1
                total += units.counted[v]
                if total >= minimum:
                    found += 1
                if begun > a_root:
                    crowded[r] = True
                    break
                if found > most or seen + begun > visits:
                    return most + 1, np.flatnonzero(crowded)
                inside[size] = v
                last = end[size]
                for e in range(units.start[v], units.start[v + 1]):
                    b = units.neighbour[e]
                    if not listed[b]:
                        listed[b] = True
                        rim[last] = b
                        last += 1
                turn[size + 1] = turn[size] if size > 0 else 0
                end[size + 1] = last
                size += 1
            else:  # give the last one back
                for i in range(end[size - 1], end[size]):
                    listed[rim[i]] = False
                total -= units.counted[inside[size - 1]]
                size -= 1
                if size == 0:
                    break
            v = -1
            while turn[size] < end[size]:
                u = rim[turn[size]]
                turn[size] += 1
                if total + units.counted[u] <= maximum:
                    v = u
                    break
        seen += begun
    return found, np.flatnonzero(crowded)


@njit(cache=True, nogil=True)
def _suitors(
    units: UnitArrays, group: Int, parent: Int, total: Int, bar: float, maximum: float, jitter: Float
) -> Int:
    """For every root below ``bar``, the neighbour that shares the dearest border for the size of both; else -1."""
    best = np.full(len(parent), -1, np.int64)
    pull = np.zeros(len(parent))
    for v in range(len(parent)):
        p = root(parent, v)
        if total[p] >= bar:
            continue
        for e in range(units.start[v], units.start[v + 1]):
            u = units.neighbour[e]
            r = root(parent, u)
            if r == p or group[u] != group[v] or total[p] + total[r] > maximum:
                continue
            force = (units.price[e] + 0.05 * units.metres[e]) / (total[p] + total[r] + 20.0) * jitter[r]
            if force > pull[p]:
                pull[p] = force
                best[p] = r
    return best


@njit(cache=True, nogil=True)
def gather(units: UnitArrays, group: Int, least: float, most: int, maximum: float, jitter: Float) -> Int:
    """Join small units to neighbours of their group until none is below ``least`` and no more than ``most`` are left.

    A unit joins the neighbour with which it shares the dearest border for its size; ``jitter`` (one factor a
    unit) varies the choice. No joined unit exceeds ``maximum``. Returns labels 0 .. n-1.
    """
    n = len(units.counted)
    parent = np.arange(n)
    total = units.counted.copy()
    left = n
    bar = max(least, 1.0)
    while bar <= maximum:
        best = _suitors(units, group, parent, total, bar, maximum, jitter)
        changed = False
        for p in np.argsort(total):
            if parent[p] != p or best[p] < 0 or total[p] >= bar or (bar > least and left <= most):
                continue
            r = root(parent, best[p])
            if r != p and total[p] + total[r] <= maximum:
                parent[p] = r
                total[r] += total[p]
                left -= 1
                changed = True
        if not changed:
            if left <= most:
                break
            bar *= 1.5
    return numbered(parent)


@njit(cache=True, nogil=True)
def numbered(parent: Int) -> Int:
    """Labels 0 .. n-1 of a union-find forest, by first member."""
    label = np.full(len(parent), -1, np.int64)
    out = np.empty(len(parent), np.int64)
    count = 0
    for v in range(len(parent)):
        r = root(parent, v)
        if label[r] < 0:
            label[r] = count
            count += 1
        out[v] = label[r]
    return out
