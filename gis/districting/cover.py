"""Exact cover on small sets: the cheapest regions that hold every unit once, by depth-first search under a bound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.districting.kernels import Float, Int

Masks = NDArray[np.uint64]

#: Units that fit a mask.
MOST_UNITS = 64
#: Regions looked at for one that is taken, on average, before the search is given up.
LOOKS = 10


@njit(cache=True, nogil=True)
def masks_of(unit: NDArray[np.int32], start: Int, which: Int) -> Masks:
    """Units of some regions as bits."""
    out = np.zeros(len(which), np.uint64)
    for i in range(len(which)):
        j = which[i]
        for e in range(start[j], start[j + 1]):
            out[i] |= np.uint64(1) << np.uint64(unit[e])
    return out


@njit(cache=True, nogil=True)
def _holders(masks: Masks, n: int) -> tuple[Int, Int, Int]:
    """Units from the rarest to the commonest, and the regions that hold each (CSR: begin, holding)."""
    amount = np.zeros(n, np.int64)
    for j in range(len(masks)):
        for u in range(n):
            if masks[j] >> np.uint64(u) & np.uint64(1):
                amount[u] += 1
    begin = np.zeros(n + 1, np.int64)
    for u in range(n):
        begin[u + 1] = begin[u] + amount[u]
    holding = np.empty(begin[n], np.int64)
    fill = begin[:n].copy()
    for j in range(len(masks)):
        for u in range(n):
            if masks[j] >> np.uint64(u) & np.uint64(1):
                holding[fill[u]] = j
                fill[u] += 1
    return np.argsort(amount), begin, holding


@njit(cache=True, nogil=True)
def _first_open(order: Int, covered: np.uint64) -> int:
    """The first unit in ``order`` that is not covered, or -1."""
    for i in range(len(order)):
        if not covered >> np.uint64(order[i]) & np.uint64(1):
            return int(order[i])
    return -1


@njit(cache=True, nogil=True)
def cover(masks: Masks, reduced: Float, n: int, room: float, nodes: int) -> tuple[Int, float, bool]:
    """Regions that hold each of ``n`` units once, whose reduced costs sum to the least, and to less than ``room``.

    Reduced costs come from the linear program's dual prices and are not negative, so the sum so far is a bound for
    every way to go on. Regions must be sorted by reduced cost. Returns the regions chosen (none: empty), their sum
    and whether the search ended within ``nodes``, which proves the choice.
    """
    order, begin, holding = _holders(masks, n)
    best = np.empty(0, np.int64)
    at = np.zeros(n + 1, np.int64)
    turn = np.zeros(n + 1, np.int64)
    chosen = np.zeros(n + 1, np.int64)
    covered = np.zeros(n + 1, np.uint64)
    spent = np.zeros(n + 1)
    depth = 0
    at[0] = order[0]
    turn[0] = begin[order[0]]
    seen = 0
    looks = 0
    while depth >= 0:
        u = at[depth]
        e = turn[depth]
        if e == begin[u + 1] or spent[depth] + reduced[holding[e]] >= room:
            depth -= 1
            continue
        turn[depth] = e + 1
        j = holding[e]
        looks += 1
        if looks > LOOKS * nodes:
            return best, room, False
        if masks[j] & covered[depth]:
            continue
        seen += 1
        if seen > nodes:
            return best, room, False
        chosen[depth] = j
        spent[depth + 1] = spent[depth] + reduced[j]
        covered[depth + 1] = covered[depth] | masks[j]
        depth += 1
        following = _first_open(order, covered[depth])
        if following < 0:
            room = spent[depth]
            best = chosen[:depth].copy()
            depth -= 1
            continue
        at[depth] = following
        turn[depth] = begin[following]
    return best, room, True
