"""Inner loops of dynamic adjustment 动态调整: how far a grid can reach, a search that pays for moves."""

from __future__ import annotations

import math

import numpy as np

from gis.compiling import njit
from gis.districting.kernels import Float, Int, Scratch, Sums, Terms, UnitArrays, draw, take_fragment, try_move

#: Added for every unit on a way, so that of two ways with equal households the shorter is taken.
STEP = 0.25


@njit(cache=True, nogil=True)
def reach(units: UnitArrays, label: Int, g: int, weight: Float, limit: float) -> Float:
    """Least households that must move to grid g so that a unit can: the cheapest way to it from the grid.

    ``weight`` is what a unit costs when it moves to g; ways of more than ``limit`` are left infinite.
    """
    n = len(label)
    far = np.full(n, np.inf)
    queue = np.empty(n, np.int64)
    waiting = np.zeros(n, np.bool_)
    head = 0
    held = 0
    for v in range(n):
        if label[v] == g:
            far[v] = 0.0
            queue[held] = v
            waiting[v] = True
            held += 1
    while held > 0:
        v = queue[head]
        head = (head + 1) % n
        held -= 1
        waiting[v] = False
        for e in range(units.start[v], units.start[v + 1]):
            b = units.neighbour[e]
            now = far[v] + weight[b] + STEP
            if now < far[b] and now <= limit:
                far[b] = now
                if not waiting[b]:
                    waiting[b] = True
                    queue[(head + held) % n] = b
                    held += 1
    return far


@njit(cache=True, nogil=True)
def paid_moves(
    units: UnitArrays,
    part: Int,
    home: Int,
    weight: Float,
    still: Int,
    sums: Sums,
    terms: Terms,
    price: float,
    sweeps: int,
    hot: float,
    cold: float,
    outside: float,
    seed: int,
) -> int:
    """As ``kernels.anneal``, with ``price`` for every household away from its home grid.

    ``still[g]`` is 1 for grids that may neither give nor take. Households whose home is -1 move free of charge.
    Changes ``part`` and ``sums`` in place; returns the number of moves made.
    """
    n = len(part)
    zeros = np.zeros(n, np.int64)
    scratch = Scratch(zeros, zeros.copy(), zeros.copy(), zeros.copy(), np.zeros(len(units.neighbour) + 1, np.int64))
    lots = np.empty(1, np.uint64)
    lots[0] = np.uint64(seed)
    made = 0
    total = sweeps * n
    temperature = hot
    for step in range(total):
        if step % 64 == 0:
            temperature = hot * (cold / hot) ** (step / total)
        v = int(draw(lots) * n)
        degree = units.start[v + 1] - units.start[v]
        if degree == 0 or still[part[v]]:
            continue
        p = part[v]
        r = part[units.neighbour[units.start[v] + int(draw(lots) * degree)]]
        if r == p or still[r]:
            continue
        size = take_fragment(units, part, v, draw(lots) < 0.35, step + 1, scratch)
        if size == sums.members[p]:
            continue
        toll = 0.0
        for i in range(size):
            a = scratch.fragment[i]
            if home[a] >= 0:
                toll += weight[a] * ((r != home[a]) - (p != home[a]))
        bar = -temperature * math.log(1.0 - draw(lots)) - price * toll
        if try_move(units, part, sums, terms, p, r, size, step + 1, outside, bar, scratch):
            made += 1
    return made
