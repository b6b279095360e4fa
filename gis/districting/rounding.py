"""From the linear relaxation of set partitioning to a plan: regions taken whole stay, the rest is chosen exactly.

The relaxation of a quarter is nearly whole: nine in ten of its regions are taken entirely or not at all. What is
split lies in a few clusters of units. Each cluster, and then the cluster with the grids around it, is covered anew by
depth-first search over the regions' reduced costs, which bound every way to go on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.districting.kernels import Float, Int

Unit32 = NDArray[np.int32]

#: Sets looked at in one depth-first search, and rings of grids around a cluster that are freed with it.
NODES: Final = 10_000
RINGS: Final = 3
#: A cluster covered at no more than this above the bound (priced metres) is not searched further.
NEAR: Final = 2.0
#: Rooms tried one after another: most cost above the bound that a cover of a window may have.
ROOMS: Final = np.array([40.0, 120.0, 300.0, 700.0, 1500.0])


class _Window(NamedTuple):
    """Units to cover (``place``: number in the window or -1) and the regions inside, by rising reduced cost."""

    unit: Int
    place: Int
    region: Int
    begin: Int  # of every unit: its first holder
    holder: Int  # number in ``region``


@njit(cache=True, nogil=True)
def round_up(
    unit: Unit32, start: Int, reduced: Float, value: Float, order: Int, graph: Int, neighbour: Int, nodes: int
) -> Int:
    """Region that holds every unit; -1 where none was found.

    ``order``: regions worth considering, by rising reduced cost; ``graph``, ``neighbour``: contiguity in CSR form.
    """
    n = len(graph) - 1
    owner = np.full(n, -1, np.int64)
    for i in range(len(order)):
        j = order[i]
        if value[j] > 1.0 - 1e-6:
            for e in range(start[j], start[j + 1]):
                owner[unit[e]] = j
    tried = np.zeros(n, np.bool_)
    for seed in range(n):
        if owner[seed] >= 0 or tried[seed]:
            continue
        members = _cluster(seed, owner, graph, neighbour)
        tried[members] = True
        best = np.inf
        for ring in range(RINGS):
            if ring > 0:
                members = _with_ring(members, owner, unit, start, graph, neighbour)
            found = _covered(_window(members, unit, start, order, n), unit, start, reduced, best, nodes)
            if len(found) > 0:
                best = 0.0
                for i in range(len(found)):
                    j = found[i]
                    best += max(reduced[j], 0.0)
                    for e in range(start[j], start[j + 1]):
                        owner[unit[e]] = j
            if best <= NEAR:
                break
    return owner


@njit(cache=True, nogil=True)
def _cluster(seed: int, owner: Int, graph: Int, neighbour: Int) -> Int:
    """Units without an owner that hang together with ``seed``."""
    n = len(owner)
    seen = np.zeros(n, np.bool_)
    out = np.empty(n, np.int64)
    out[0] = seed
    seen[seed] = True
    head = 0
    tail = 1
    while head < tail:
        v = out[head]
        head += 1
        for e in range(graph[v], graph[v + 1]):
            b = neighbour[e]
            if owner[b] < 0 and not seen[b]:
                seen[b] = True
                out[tail] = b
                tail += 1
    return out[:tail].copy()


@njit(cache=True, nogil=True)
def _with_ring(members: Int, owner: Int, unit: Unit32, start: Int, graph: Int, neighbour: Int) -> Int:
    """The units and those of every region beside them."""
    n = len(owner)
    inside = np.zeros(n, np.bool_)
    inside[members] = True
    out = np.empty(n, np.int64)
    tail = 0
    for i in range(len(members)):
        out[tail] = members[i]
        tail += 1
    for i in range(len(members)):
        v = members[i]
        for e in range(graph[v], graph[v + 1]):
            b = neighbour[e]
            if inside[b]:
                continue
            if owner[b] < 0:
                inside[b] = True
                out[tail] = b
                tail += 1
                continue
            j = owner[b]
            for f in range(start[j], start[j + 1]):
                u = unit[f]
                if not inside[u]:
                    inside[u] = True
                    out[tail] = u
                    tail += 1
    return out[:tail].copy()


@njit(cache=True, nogil=True)
def _window(members: Int, unit: Unit32, start: Int, order: Int, n: int) -> _Window:
    place = np.full(n, -1, np.int64)
    m = len(members)
    for i in range(m):
        place[members[i]] = i
    inside = np.empty(len(order), np.int64)
    amount = np.zeros(m, np.int64)
    count = 0
    for i in range(len(order)):
        j = order[i]
        whole = True
        for e in range(start[j], start[j + 1]):
            if place[unit[e]] < 0:
                whole = False
                break
        if whole:
            inside[count] = j
            count += 1
            for e in range(start[j], start[j + 1]):
                amount[place[unit[e]]] += 1
    # the unit with the fewest holders is covered first: renumber by rarity
    rarity = np.argsort(amount)
    rank = np.empty(m, np.int64)
    for i in range(m):
        rank[rarity[i]] = i
    for i in range(m):
        place[members[i]] = rank[i]
    begin = np.zeros(m + 1, np.int64)
    for i in range(m):
        begin[i + 1] = begin[i] + amount[rarity[i]]
    holder = np.empty(begin[m], np.int64)
    fill = begin[:m].copy()
    for i in range(count):
        j = inside[i]
        for e in range(start[j], start[j + 1]):
            u = place[unit[e]]
            holder[fill[u]] = i
            fill[u] += 1
    return _Window(members, place, inside[:count].copy(), begin, holder)


@njit(cache=True, nogil=True)
def _covered(window: _Window, unit: Unit32, start: Int, reduced: Float, least: float, nodes: int) -> Int:
    """Regions that cover the window at the least sum of reduced costs, below ``least``; empty: none found."""
    for i in range(len(ROOMS)):
        room = min(ROOMS[i], least)
        found, ended = _search(window, unit, start, reduced, room, nodes)
        if len(found) > 0 or not ended or room == least:
            return found
    return np.empty(0, np.int64)


@njit(cache=True, nogil=True)
def _search(window: _Window, unit: Unit32, start: Int, reduced: Float, room: float, nodes: int) -> tuple[Int, bool]:
    """Depth-first search for the cheapest cover below ``room``; whether it came to its end."""
    m = len(window.unit)
    best = np.empty(0, np.int64)
    covered = np.zeros(m, np.bool_)
    at = np.zeros(m + 1, np.int64)
    turn = np.zeros(m + 1, np.int64)
    chosen = np.zeros(m + 1, np.int64)
    spent = np.zeros(m + 1)
    depth = 0
    turn[0] = window.begin[0]
    seen = 0
    while depth >= 0:
        u = at[depth]
        e = turn[depth]
        if e == window.begin[u + 1] or spent[depth] + reduced[window.region[window.holder[e]]] >= room - 1e-7:
            depth -= 1
            if depth >= 0:
                j = chosen[depth]
                for f in range(start[j], start[j + 1]):
                    covered[window.place[unit[f]]] = False
            continue
        turn[depth] = e + 1
        j = window.region[window.holder[e]]
        clash = False
        for f in range(start[j], start[j + 1]):
            if covered[window.place[unit[f]]]:
                clash = True
                break
        if clash:
            continue
        seen += 1
        if seen > nodes:
            return best, False
        for f in range(start[j], start[j + 1]):
            covered[window.place[unit[f]]] = True
        chosen[depth] = j
        spent[depth + 1] = spent[depth] + max(reduced[j], 0.0)
        following = u + 1
        while following < m and covered[following]:
            following += 1
        if following == m:
            room = spent[depth + 1]
            best = chosen[: depth + 1].copy()
            for f in range(start[j], start[j + 1]):
                covered[window.place[unit[f]]] = False
            continue
        depth += 1
        at[depth] = following
        turn[depth] = window.begin[following]
    return best, True
