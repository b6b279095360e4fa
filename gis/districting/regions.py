"""Every feasible grid of a small graph: connected sets of units within the bounds, each once, with its cost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.districting.kernels import Float, Int, Terms, UnitArrays, grid_cost, root


class Regions(NamedTuple):
    """Feasible regions: units of region j are ``unit[start[j]:start[j + 1]]``; ``complete``: none is missing."""

    unit: NDArray[np.int32]
    start: Int
    cost: Float
    complete: bool


class _Walk(NamedTuple):
    """The set that the enumeration stands at, and how it got there. Frames are one a unit taken."""

    taken: NDArray[np.bool_]
    listed: NDArray[np.bool_]  # taken, on the rim, or passed over
    inside: Int  # units taken, in order
    rim: Int  # units beside the set, in the order they were found
    turn: Int  # of every frame: next place on the rim to try
    end: Int  # of every frame: end of its rim
    total: Float  # counted, load, area, perimeter, priced border


@njit(cache=True, nogil=True)
def _add(units: UnitArrays, walk: _Walk, v: int, sign: float) -> None:
    """Add unit v to the totals of the units taken (sign 1), or take it out of them (sign -1)."""
    total = walk.total
    total[0] += sign * units.counted[v]
    total[1] += sign * units.load[v]
    total[2] += sign * units.area[v]
    total[3] += sign * units.perimeter[v]
    for e in range(units.start[v], units.start[v + 1]):
        if walk.taken[units.neighbour[e]]:
            total[4] -= sign * units.price[e]
            total[3] -= sign * 2.0 * units.metres[e]
        else:
            total[4] += sign * units.price[e]


@njit(cache=True, nogil=True)
def _take(units: UnitArrays, walk: _Walk, v: int, size: int) -> None:
    """Take unit v as number ``size`` (from 0); its new neighbours go to the end of the rim."""
    _add(units, walk, v, 1.0)
    walk.taken[v] = True
    walk.inside[size] = v
    end = walk.end[size - 1] if size > 0 else 0
    for e in range(units.start[v], units.start[v + 1]):
        b = units.neighbour[e]
        if not walk.listed[b]:
            walk.listed[b] = True
            walk.rim[end] = b
            end += 1
    walk.turn[size] = walk.turn[size - 1] if size > 0 else 0
    walk.end[size] = end


@njit(cache=True, nogil=True)
def _give_back(units: UnitArrays, walk: _Walk, size: int) -> None:
    """Undo the taking of the last of ``size`` units."""
    v = walk.inside[size - 1]
    begin = walk.end[size - 2] if size > 1 else 0
    for i in range(begin, walk.end[size - 1]):
        walk.listed[walk.rim[i]] = False
    walk.taken[v] = False
    _add(units, walk, v, -1.0)


@njit(cache=True, nogil=True)
def _next_fit(units: UnitArrays, walk: _Walk, size: int, maximum: float) -> int:
    """The next unit on the rim of the last frame that still fits, or -1; passes over those that do not."""
    f = size - 1
    while walk.turn[f] < walk.end[f]:
        v = walk.rim[walk.turn[f]]
        walk.turn[f] += 1
        if walk.total[0] + units.counted[v] <= maximum:
            return int(v)
    return -1


@njit(cache=True, nogil=True)
def regions(units: UnitArrays, terms: Terms, most: int, visits: int, limit: int) -> Regions:
    """Enumerate connected regions within the bounds, at most ``most`` of them, looking at ``visits`` sets.

    Each set is grown from its lowest unit; a unit of its rim is taken, and those passed over before it stay out, so
    that no set is met twice. The cost of a region is half its priced border inside the graph and the terms of one
    grid. Regions of more than ``limit`` units are left out, and then the list is not complete.
    """
    n = len(units.counted)
    flags = np.zeros(n, np.bool_)
    places = np.zeros(n + 1, np.int64)
    walk = _Walk(flags, flags.copy(), places, places.copy(), places.copy(), places.copy(), np.zeros(5))
    out = np.empty(64 * 1024, np.int32)
    start = np.zeros(most + 1, np.int64)
    cost = np.empty(most)
    found = 0
    seen = 0
    complete = True
    for r in range(n):
        if units.counted[r] > terms.maximum:
            continue
        walk.listed[:] = False
        walk.listed[: r + 1] = True
        walk.total[:] = 0.0
        _take(units, walk, r, 0)
        size = 1
        fresh = True
        while size > 0:
            t = walk.total
            at = start[found]
            if fresh:
                seen += 1
                if found == most or seen > visits:
                    return Regions(out[:at], start[: found + 1], cost[:found], False)
            if fresh and t[0] >= terms.minimum:
                if at + size > len(out):
                    wider = np.empty(2 * len(out) + size, np.int32)
                    wider[:at] = out[:at]
                    out = wider
                out[at : at + size] = walk.inside[:size]
                cost[found] = 0.5 * t[4] + grid_cost(int(t[0]), t[1], t[2], t[3], terms, 0.0)
                found += 1
                start[found] = at + size
            v = _next_fit(units, walk, size, terms.maximum)
            if v >= 0 and size < limit:
                _take(units, walk, v, size)
                size += 1
                fresh = True
                continue
            complete &= v < 0
            _give_back(units, walk, size)
            size -= 1
            fresh = False
    return Regions(out[: start[found]], start[: found + 1], cost[:found], complete)


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
