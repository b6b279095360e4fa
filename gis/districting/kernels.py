"""Inner loops of the planner, compiled by numba on first use and kept in its cache.

All work on one connected contiguity graph in CSR form. ``part[v]`` is the grid of unit v. A random generator is
seeded inside each kernel that draws lots, so that the same seed gives the same plan.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit

Int = NDArray[np.int64]
Float = NDArray[np.float64]
Lots = NDArray[np.uint64]


class UnitArrays(NamedTuple):
    """A weighted contiguity graph. Neighbours of v are ``neighbour[start[v]:start[v + 1]]``."""

    start: Int
    neighbour: Int
    price: Float  # priced metres shared with that neighbour
    metres: Float  # metres shared with that neighbour
    counted: Int
    load: Float  # what is balanced, scaled to households
    area: Float  # square metres
    perimeter: Float  # metres, the outside of the territory included
    block: Int


class Terms(NamedTuple):
    """Prices of the objective's terms (see ``Ruleset``)."""

    minimum: float
    maximum: float
    target: float
    half: float
    balance: float
    compactness: float
    charge: float = 0.0  # on every grid: moves the best number of grids


class Sums(NamedTuple):
    """Totals of every grid, kept up to date by the moves."""

    counted: Int
    load: Float
    area: Float
    perimeter: Float
    members: Int


class Scratch(NamedTuple):
    """Working memory of the moves, one entry a unit."""

    seen: Int
    moved: Int
    queue: Int
    fragment: Int
    seeds: Int


@njit(cache=True, nogil=True)
def grid_cost(counted: int, load: float, area: float, perimeter: float, terms: Terms, outside: float) -> float:
    """Balance, compactness and range terms of one grid."""
    z = (load - terms.target) / terms.half
    cost = terms.charge + terms.balance * z * z
    if counted < terms.minimum:
        cost += outside * (terms.minimum - counted)
    elif counted > terms.maximum:
        cost += outside * (counted - terms.maximum)
    if perimeter > 0.0:
        cost += terms.compactness * (1.0 - 4.0 * math.pi * area / (perimeter * perimeter))
    return float(cost)


@njit(cache=True, nogil=True)
def total_cost(units: UnitArrays, part: Int, sums: Sums, terms: Terms, outside: float) -> float:
    """The objective: border between grids, each metre once, and the terms of every grid."""
    cost = 0.0
    for v in range(len(part)):
        for e in range(units.start[v], units.start[v + 1]):
            if part[units.neighbour[e]] != part[v]:
                cost += 0.5 * units.price[e]
    for g in range(len(sums.members)):
        if sums.members[g] > 0:
            cost += grid_cost(sums.counted[g], sums.load[g], sums.area[g], sums.perimeter[g], terms, outside)
    return cost


@njit(cache=True, nogil=True)
def sum_up(units: UnitArrays, part: Int, sums: Sums) -> None:
    """Fill the totals of every grid from the assignment."""
    sums.counted[:] = 0
    sums.load[:] = 0.0
    sums.area[:] = 0.0
    sums.perimeter[:] = 0.0
    sums.members[:] = 0
    for v in range(len(part)):
        g = part[v]
        sums.counted[g] += units.counted[v]
        sums.load[g] += units.load[v]
        sums.area[g] += units.area[v]
        sums.perimeter[g] += units.perimeter[v]
        sums.members[g] += 1
        for e in range(units.start[v], units.start[v + 1]):
            if part[units.neighbour[e]] == g:
                sums.perimeter[g] -= units.metres[e]


@njit(cache=True, nogil=True)
def induced(
    units: UnitArrays, which: Int, place: Int
) -> tuple[Int, Int, Float, Float, Int, Float, Float, Float, Int]:
    """The graph of some units, renumbered in the order given; ``place`` is -1 everywhere before and after.

    The fields of ``UnitArrays`` in their order.
    """
    n = len(which)
    start = np.zeros(n + 1, np.int64)
    for i in range(n):
        place[which[i]] = i
    for i in range(n):
        v = which[i]
        inside = 0
        for e in range(units.start[v], units.start[v + 1]):
            if place[units.neighbour[e]] >= 0:
                inside += 1
        start[i + 1] = start[i] + inside
    neighbour = np.empty(start[n], np.int64)
    price = np.empty(start[n])
    metres = np.empty(start[n])
    for i in range(n):
        v = which[i]
        at = start[i]
        for e in range(units.start[v], units.start[v + 1]):
            j = place[units.neighbour[e]]
            if j >= 0:
                neighbour[at] = j
                price[at] = units.price[e]
                metres[at] = units.metres[e]
                at += 1
    for i in range(n):
        place[which[i]] = -1
    return (
        start,
        neighbour,
        price,
        metres,
        units.counted[which],
        units.load[which],
        units.area[which],
        units.perimeter[which],
        units.block[which],
    )


@njit(cache=True, nogil=True)
def grow(units: UnitArrays, order: Int, target: float, maximum: float) -> Int:
    """A first plan: from each free unit in ``order``, grow by the strongest shared border to the target."""
    n = len(order)
    part = np.full(n, -1, np.int64)
    pull = np.zeros(n)
    front = np.zeros(n, np.int64)
    in_front = np.full(n, -1, np.int64)
    k = 0
    for z in range(n):
        seed = order[z]
        if part[seed] >= 0:
            continue
        size = 1
        front[0] = seed
        in_front[seed] = k
        pull[seed] = 1.0
        total = 0
        while size > 0:
            best = -1
            strongest = -1.0
            for i in range(size):
                v = front[i]
                w = units.counted[v]
                fits = total + w <= target * 1.1 or (total < target * 0.85 and total + w <= maximum) or total == 0
                if fits and pull[v] > strongest:
                    strongest = pull[v]
                    best = i
            if best < 0 or total >= target:
                break
            v = front[best]
            size -= 1
            front[best] = front[size]
            part[v] = k
            total += units.counted[v]
            for e in range(units.start[v], units.start[v + 1]):
                u = units.neighbour[e]
                if part[u] >= 0:
                    continue
                if in_front[u] != k:
                    in_front[u] = k
                    pull[u] = 0.0
                    front[size] = u
                    size += 1
                pull[u] += units.price[e] + 1e-3 * units.metres[e]
        k += 1
    return part


@njit(cache=True, nogil=True)
def root(parent: Int, a: int) -> int:
    """Representative of a in a union-find forest."""
    while parent[a] != a:
        parent[a] = parent[parent[a]]
        a = parent[a]
    return a


@njit(cache=True, nogil=True)
def dissolve(units: UnitArrays, part: Int, limit: float) -> int:
    """Merge grids below ``limit`` into their smallest neighbour, renumber from 0; returns how many are left."""
    n = len(part)
    k = part.max() + 1
    total = np.zeros(k, np.int64)
    for v in range(n):
        total[part[v]] += units.counted[v]
    parent = np.arange(k)
    for _ in range(64):
        changed = False
        best = np.full(k, -1, np.int64)
        for v in range(n):
            p = root(parent, part[v])
            if total[p] >= limit:
                continue
            for e in range(units.start[v], units.start[v + 1]):
                r = root(parent, part[units.neighbour[e]])
                if r != p and (best[p] < 0 or total[r] < total[best[p]]):
                    best[p] = r
        for p in range(k):
            if best[p] >= 0 and parent[p] == p and total[p] < limit:
                r = root(parent, best[p])
                if r != p:
                    parent[p] = r
                    total[r] += total[p]
                    changed = True
        if not changed:
            break
    label = np.full(k, -1, np.int64)
    left = 0
    for v in range(n):
        r = root(parent, part[v])
        if label[r] < 0:
            label[r] = left
            left += 1
        part[v] = label[r]
    return left


@njit(cache=True, nogil=True)
def joined_without(units: UnitArrays, part: Int, g: int, stamp: int, n_seeds: int, scratch: Scratch) -> bool:
    """Whether the first ``n_seeds`` seeds lie in one piece of grid g once the units moved at ``stamp`` have left."""
    seen = scratch.seen
    queue = scratch.queue
    seeds = scratch.seeds
    head = 0
    tail = 1
    queue[0] = seeds[0]
    seen[seeds[0]] = stamp
    checked = 1
    while head < tail:
        u = queue[head]
        head += 1
        for e in range(units.start[u], units.start[u + 1]):
            w = units.neighbour[e]
            if part[w] == g and seen[w] != stamp and scratch.moved[w] != stamp:
                seen[w] = stamp
                queue[tail] = w
                tail += 1
        while checked < n_seeds and seen[seeds[checked]] == stamp:
            checked += 1
        if checked == n_seeds:
            return True
    return False


@njit(cache=True, nogil=True)
def draw(state: Lots) -> float:
    """A random number in [0, 1): splitmix64, so that plans do not change with a library's generator."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return float(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True)
def take_fragment(units: UnitArrays, part: Int, v: int, whole: bool, stamp: int, scratch: Scratch) -> int:
    """Mark v, or the connected fragment of v's block inside its grid, as leaving; returns how many units leave."""
    scratch.fragment[0] = v
    scratch.moved[v] = stamp
    size = 1
    head = 0
    while whole and head < size:
        a = scratch.fragment[head]
        head += 1
        for e in range(units.start[a], units.start[a + 1]):
            b = units.neighbour[e]
            if part[b] == part[v] and units.block[b] == units.block[v] and scratch.moved[b] != stamp:
                scratch.moved[b] = stamp
                scratch.fragment[size] = b
                size += 1
    return size


@njit(cache=True, nogil=True)
def borders_of_move(
    units: UnitArrays, part: Int, p: int, r: int, size: int, stamp: int, scratch: Scratch
) -> tuple[float, float, float, float, int]:
    """Change of the priced border, metres around, shared with p and with r, and the units of p beside it."""
    delta = 0.0
    around = 0.0
    to_p = 0.0
    to_r = 0.0
    beside = 0
    for i in range(size):
        a = scratch.fragment[i]
        around += units.perimeter[a]
        for e in range(units.start[a], units.start[a + 1]):
            b = units.neighbour[e]
            if scratch.moved[b] == stamp:
                around -= units.metres[e]
            elif part[b] == p:
                delta += units.price[e]
                to_p += units.metres[e]
                scratch.seeds[beside] = b
                beside += 1
            elif part[b] == r:
                delta -= units.price[e]
                to_r += units.metres[e]
    return delta, around, to_p, to_r, beside


@njit(cache=True, nogil=True)
def try_move(
    units: UnitArrays,
    part: Int,
    sums: Sums,
    terms: Terms,
    p: int,
    r: int,
    size: int,
    stamp: int,
    outside: float,
    bar: float,
    scratch: Scratch,
) -> bool:
    """Move the marked fragment from grid p to r when the cost rises by no more than ``bar`` and p stays whole."""
    counted = 0
    load = 0.0
    area = 0.0
    for i in range(size):
        a = scratch.fragment[i]
        counted += units.counted[a]
        load += units.load[a]
        area += units.area[a]
    delta, around, to_p, to_r, beside = borders_of_move(units, part, p, r, size, stamp, scratch)
    if beside == 0:
        return False
    edge_p = sums.perimeter[p] - around + 2.0 * to_p
    edge_r = sums.perimeter[r] + around - 2.0 * to_r
    delta += grid_cost(sums.counted[p] - counted, sums.load[p] - load, sums.area[p] - area, edge_p, terms, outside)
    delta += grid_cost(sums.counted[r] + counted, sums.load[r] + load, sums.area[r] + area, edge_r, terms, outside)
    delta -= grid_cost(sums.counted[p], sums.load[p], sums.area[p], sums.perimeter[p], terms, outside)
    delta -= grid_cost(sums.counted[r], sums.load[r], sums.area[r], sums.perimeter[r], terms, outside)
    if delta > bar:
        return False
    if beside > 1 and not joined_without(units, part, p, stamp, beside, scratch):
        return False
    for i in range(size):
        part[scratch.fragment[i]] = r
    sums.counted[p] -= counted
    sums.counted[r] += counted
    sums.load[p] -= load
    sums.load[r] += load
    sums.area[p] -= area
    sums.area[r] += area
    sums.perimeter[p] = edge_p
    sums.perimeter[r] = edge_r
    sums.members[p] -= size
    sums.members[r] += size
    return True


@njit(cache=True, nogil=True)
def anneal(
    units: UnitArrays,
    part: Int,
    sums: Sums,
    terms: Terms,
    sweeps: int,
    hot: float,
    cold: float,
    outside_from: float,
    outside_to: float,
    fragment_chance: float,
    order: Int,
    stretch: int,
    seed: int,
) -> int:
    """Move units, or connected fragments of one block, across borders at falling temperature.

    ``order``: the units along a curve; each ``stretch`` of it is cooled from hot to cold before the next, so that
    what is looked at stays in the processor's cache.

    A move that would leave a grid in two pieces, or empty, is never made. Changes ``part`` and ``sums`` in place;
    returns the number of moves made.
    """
    n = len(part)
    zeros = np.zeros(n, np.int64)
    scratch = Scratch(zeros, zeros.copy(), zeros.copy(), zeros.copy(), np.zeros(len(units.neighbour) + 1, np.int64))
    lots = np.empty(1, np.uint64)
    lots[0] = np.uint64(seed)
    made = 0
    temperature = hot
    outside = outside_from
    begin = 0
    here = min(stretch, n)
    done = 0  # steps of this stretch
    for step in range(sweeps * n):
        if done == sweeps * here:
            begin += here
            here = min(stretch, n - begin)
            done = 0
        if done % 64 == 0:
            f = done / (sweeps * here)
            temperature = hot * (cold / hot) ** f
            outside = outside_from * (outside_to / outside_from) ** f
        done += 1
        v = order[begin + int(draw(lots) * here)]
        degree = units.start[v + 1] - units.start[v]
        if degree == 0:
            continue
        p = part[v]
        r = part[units.neighbour[units.start[v] + int(draw(lots) * degree)]]
        if r == p:
            continue
        size = take_fragment(units, part, v, draw(lots) < fragment_chance, step + 1, scratch)
        if size == sums.members[p]:
            continue
        bar = -temperature * math.log(1.0 - draw(lots))
        if try_move(units, part, sums, terms, p, r, size, step + 1, outside, bar, scratch):
            made += 1
    return made


@njit(cache=True, nogil=True)
def hilbert_order(x: Int, y: Int, bits: int) -> Int:
    """Position along a Hilbert curve of points on a 2**bits square."""
    out = np.zeros(len(x), np.int64)
    for i in range(len(x)):
        a = x[i]
        b = y[i]
        d = 0
        s = 1 << (bits - 1)
        while s > 0:
            rx = 1 if (a & s) > 0 else 0
            ry = 1 if (b & s) > 0 else 0
            d += s * s * ((3 * rx) ^ ry)
            if ry == 0:
                if rx == 1:
                    a = (1 << bits) - 1 - a
                    b = (1 << bits) - 1 - b
                a, b = b, a
            s >>= 1
        out[i] = d
    return out
