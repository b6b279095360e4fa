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
    """The set that the enumeration stands at, and the decisions that led there."""

    state: NDArray[np.int8]  # of every unit: 0 free, 1 taken, 2 barred
    inside: Int  # units taken, in order
    decided: Int
    barred: NDArray[np.bool_]
    total: Float  # counted, load, area, perimeter, priced border


@njit(cache=True, nogil=True)
def _rim(units: UnitArrays, walk: _Walk, size: int, maximum: float) -> int:
    """A free unit beside the set that still fits, or -1."""
    for i in range(size - 1, -1, -1):
        v = walk.inside[i]
        for e in range(units.start[v], units.start[v + 1]):
            b = units.neighbour[e]
            if walk.state[b] == 0 and walk.total[0] + units.counted[b] <= maximum:
                return int(b)
    return -1


@njit(cache=True, nogil=True)
def _add(units: UnitArrays, walk: _Walk, v: int, sign: float) -> None:
    """Add unit v to the totals of the units taken (sign 1), or take it out of them (sign -1)."""
    total = walk.total
    total[0] += sign * units.counted[v]
    total[1] += sign * units.load[v]
    total[2] += sign * units.area[v]
    total[3] += sign * units.perimeter[v]
    for e in range(units.start[v], units.start[v + 1]):
        if walk.state[units.neighbour[e]] == 1:
            total[4] -= sign * units.price[e]
            total[3] -= sign * 2.0 * units.metres[e]
        else:
            total[4] += sign * units.price[e]


@njit(cache=True, nogil=True)
def _begin(units: UnitArrays, walk: _Walk, r: int) -> None:
    """Stand at the set of r alone; units before r are barred."""
    walk.state[:r] = 2
    walk.state[r:] = 0
    walk.total[:] = 0.0
    _add(units, walk, r, 1.0)
    walk.state[r] = 1
    walk.inside[0] = r


@njit(cache=True, nogil=True)
def _step_back(units: UnitArrays, walk: _Walk, depth: int) -> int:
    """Bar the unit taken last that is not barred yet; returns the depth reached, 0 when there is none."""
    while depth > 0 and walk.barred[depth - 1]:
        depth -= 1
        walk.state[walk.decided[depth]] = 0
    if depth > 0:
        v = walk.decided[depth - 1]
        walk.state[v] = 2
        walk.barred[depth - 1] = True
        _add(units, walk, v, -1.0)
    return depth


@njit(cache=True, nogil=True)
def regions(units: UnitArrays, terms: Terms, most: int, visits: int, limit: int) -> Regions:
    """Enumerate connected regions within the bounds, at most ``most`` of them, looking at ``visits`` sets.

    Each region is found from its lowest unit: a unit on its rim is taken or barred, in turn. The cost of a region
    is half its priced border inside the graph and the terms of one grid. Regions of more than ``limit`` units are
    left out, and then the list is not complete.
    """
    n = len(units.counted)
    walk = _Walk(
        np.zeros(n, np.int8), np.empty(n, np.int64), np.empty(n + 1, np.int64), np.zeros(n + 1, np.bool_), np.zeros(5)
    )
    out = np.empty(64 * 1024, np.int32)
    start = np.zeros(most + 1, np.int64)
    cost = np.empty(most)
    found = 0
    seen = 0
    complete = True
    for r in range(n):
        if units.counted[r] > terms.maximum:
            continue
        _begin(units, walk, r)
        size = 1
        depth = 0
        while True:
            v = _rim(units, walk, size, terms.maximum)
            if v >= 0 and size < limit:
                _add(units, walk, v, 1.0)
                walk.state[v] = 1
                walk.decided[depth] = v
                walk.barred[depth] = False
                walk.inside[size] = v
                depth += 1
                size += 1
                continue
            complete &= v < 0
            seen += 1
            if seen > visits:
                return Regions(out[: start[found]], start[: found + 1], cost[:found], False)
            t = walk.total
            if t[0] >= terms.minimum:
                if found == most:
                    return Regions(out[: start[found]], start[: found + 1], cost[:found], False)
                at = start[found]
                if at + size > len(out):
                    wider = np.empty(2 * len(out) + size, np.int32)
                    wider[:at] = out[:at]
                    out = wider
                out[at : at + size] = walk.inside[:size]
                cost[found] = 0.5 * t[4] + grid_cost(int(t[0]), t[1], t[2], t[3], terms, 0.0)
                found += 1
                start[found] = at + size
            depth = _step_back(units, walk, depth)
            if depth == 0:
                break
            size -= 1
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
