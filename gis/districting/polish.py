"""The last touches: single units and fragments of blocks that lower the objective by changing sides.

A proof may take a plan whose units were joined for it (single houses, empty blocks): what belongs to such a cluster
then lies on the wrong side of a border now and then. Every move a planner would try first is tried here until none
helps: a unit, or a connected fragment of a block, into the grid beside it. No grid falls apart, none is emptied,
and no household more is out of range.

What was proven of the plan before says nothing of the one after: its proof is made anew, over units parted where
this plan cuts them, so that a bound holds for the plan delivered.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from gis.compiling import njit
from gis.districting import search
from gis.districting.kernels import (
    Int,
    Scratch,
    Sums,
    Terms,
    UnitArrays,
    sum_up,
    take_fragment,
    try_move,
)
from gis.districting.rulesets import Bounds
from gis.districting.search import Search
from gis.districting.units import Units

#: Priced metres that a move must save, and passes over all units at most (each lowers the objective or is the last).
LEAST: Final = 0.01
PASSES: Final = 50
#: Proofs at most of one plan: a proof finds a better one, the last touches better that, and so on.
PROOFS: Final = 3


def settled(units: Units, bounds: Bounds, terms: Terms, outside: float, found: Search) -> Search:
    """The plan with what can be proven of it, as ``search.settled``, and with the last touches before and after."""
    if found.proof is None:
        found = _touched(units, found, terms, outside)
    best = found = search.settled(units, bounds, terms, outside, found)
    for _ in range(PROOFS - 1):
        better = _touched(units, found, terms, outside)
        if better is found:
            break
        found = search.settled(units, bounds, terms, outside, better)
        best = found if found.cost < best.cost - LEAST else best
    return best


def _touched(units: Units, found: Search, terms: Terms, outside: float) -> Search:
    """The better plan, of which nothing is proven; the same object where there is none."""
    part = search.renumbered(polished(units, found.part, terms, outside))
    cost = search.cost_of(units, part, terms, outside)
    return replace(found, part=part, cost=cost, proof=None) if cost < found.cost - LEAST / 2 else found


def polished(units: Units, part: Int, terms: Terms, outside: float) -> Int:
    """The plan after every move that lowers the objective; the same plan where there is none."""
    part = part.copy()
    k = int(part.max()) + 1
    if k < 2:
        return part
    sums = Sums(np.zeros(k, np.int64), np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k, np.int64))
    sum_up(units.arrays, part, sums)
    _descend(units.arrays, part, sums, terms, outside, LEAST, PASSES)
    return part


@njit(cache=True, nogil=True)
def _amiss(counted: int, terms: Terms) -> float:
    """Households out of range."""
    return float(max(terms.minimum - counted, 0.0) + max(counted - terms.maximum, 0.0))


@njit(cache=True, nogil=True)
def _keeps_range(units: UnitArrays, sums: Sums, terms: Terms, p: int, r: int, size: int, scratch: Scratch) -> bool:
    """Whether no household more is out of range once the marked fragment has gone from grid p to r."""
    moved = 0
    for i in range(size):
        moved += units.counted[scratch.fragment[i]]
    if moved == 0:
        return True
    now = _amiss(sums.counted[p], terms) + _amiss(sums.counted[r], terms)
    after = _amiss(sums.counted[p] - moved, terms) + _amiss(sums.counted[r] + moved, terms)
    return after <= now


@njit(cache=True, nogil=True)
def _descend(
    units: UnitArrays, part: Int, sums: Sums, terms: Terms, outside: float, least: float, passes: int
) -> int:
    """Changes ``part`` and ``sums`` in place, units in their order; returns the number of moves made."""
    n = len(part)
    zeros = np.zeros(n, np.int64)
    scratch = Scratch(zeros, zeros.copy(), zeros.copy(), zeros.copy(), np.zeros(len(units.neighbour) + 1, np.int64))
    stamp = 0
    made = 0
    for _ in range(passes):
        before = made
        for v in range(n):
            for e in range(units.start[v], units.start[v + 1]):
                p = part[v]
                r = part[units.neighbour[e]]
                if r == p:
                    continue
                for whole in (True, False):
                    stamp += 1
                    size = take_fragment(units, part, v, whole, stamp, scratch)
                    if size == sums.members[p] or not _keeps_range(units, sums, terms, p, r, size, scratch):
                        continue
                    if try_move(units, part, sums, terms, p, r, size, stamp, outside, -least, scratch):
                        made += 1
                        break
        if made == before:
            break
    return made
