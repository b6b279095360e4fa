"""Fill tones of a map: areas that share a border get different numbers, at most six of them."""

from __future__ import annotations

import heapq

import numpy as np
import shapely

from gis.territory.model import Geometries, Ints


def tones(areas: Geometries, before: Ints | None = None) -> Ints:
    """A number 0-5 for every area, different for every pair that shares a border (a map is planar).

    Areas are taken smallest-degree-last (Matula and Beck, 1983), which needs no more than six. What areas had
    ``before`` (-1: nothing) they keep where they can, so that a map looks the same far from where it changed.
    """
    near = _neighbours(areas)
    if before is None or (before < 0).all():
        return _colour(near)
    return _mended(near, before)


def _neighbours(areas: Geometries) -> list[set[int]]:
    near: list[set[int]] = [set() for _ in areas]
    heads, tails = shapely.STRtree(areas).query(areas, predicate="intersects")
    pairs = heads < tails
    heads, tails = heads[pairs], tails[pairs]
    shared = shapely.length(shapely.intersection(areas[heads], areas[tails])) > 0
    for a, b in zip(heads[shared].tolist(), tails[shared].tolist(), strict=True):
        near[a].add(b)
        near[b].add(a)
    return near


def _mended(near: list[set[int]], before: Ints) -> Ints:
    """Give tones to areas without one and to those that now have a neighbour's, changing as few others as it can."""
    colour = before.copy()
    clashing = {k for k, others in enumerate(near) if colour[k] >= 0 and any(colour[i] == colour[k] for i in others)}
    for k in sorted(clashing, key=lambda k: (-len(near[k]), k)):
        if any(colour[i] == colour[k] for i in near[k]):
            colour[k] = -1
    for k in sorted(np.flatnonzero(colour < 0).tolist(), key=lambda k: (-len(near[k]), k)):
        taken = {int(colour[i]) for i in near[k]}
        free = [c for c in range(6) if c not in taken]
        if not free:  # all six are around it: begin anew, which always works
            return _colour(near)
        colour[k] = min(free, key=lambda c: (sum(int(colour[i]) == c for j in near[k] for i in near[j]), c))
    return colour


def _colour(near: list[set[int]]) -> Ints:
    degree = [len(n) for n in near]
    queue = [(d, k) for k, d in enumerate(degree)]
    heapq.heapify(queue)
    order: list[int] = []
    taken_out = [False] * len(near)
    while queue:
        d, k = heapq.heappop(queue)
        if taken_out[k] or d != degree[k]:
            continue
        taken_out[k] = True
        order.append(k)
        for other in near[k]:
            if not taken_out[other]:
                degree[other] -= 1
                heapq.heappush(queue, (degree[other], other))
    colour = np.full(len(near), -1, dtype=np.int64)
    uses = np.zeros(6, dtype=np.int64)
    for k in reversed(order):
        taken = {int(colour[i]) for i in near[k]}
        free = [c for c in range(6) if c not in taken] or [k % 6]
        colour[k] = min(free, key=lambda c: (uses[c], c))  # spread the tones evenly
        uses[colour[k]] += 1
    return colour
