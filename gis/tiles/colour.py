"""Fill tones of a map: areas that share a border get different numbers, at most six of them."""

from __future__ import annotations

import heapq

import numpy as np
import shapely

from gis.territory.model import Geometries, Ints


def tones(areas: Geometries) -> Ints:
    """A number 0-5 for every area, different for every pair that shares a border (a map is planar).

    Areas are taken smallest-degree-last (Matula and Beck, 1983), which needs no more than six.
    """
    near: list[set[int]] = [set() for _ in areas]
    heads, tails = shapely.STRtree(areas).query(areas, predicate="intersects")
    pairs = heads < tails
    heads, tails = heads[pairs], tails[pairs]
    shared = shapely.length(shapely.intersection(areas[heads], areas[tails])) > 0
    for a, b in zip(heads[shared].tolist(), tails[shared].tolist(), strict=True):
        near[a].add(b)
        near[b].add(a)
    return _colour(near)


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
