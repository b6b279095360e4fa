"""Local search on one connected piece: a start of its own, annealing with exact contiguity, keep the best.

Works in rounds. Round 0 builds a plan; every further round tries to better it and never returns a worse one, so a
search may stop after any round and a run of n rounds repeats exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gis.districting import kernels, quarters, windows
from gis.districting.clusters import cut_by
from gis.districting.kernels import Int, Sums, Terms
from gis.districting.proof import SOLVED_GRIDS, Proof, prove, within
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import Units, pieces

#: Visits of every unit in round 0 (fewer where there are many units), and in each round after it.
FIRST_SWEEPS: Final = 3000
FEWEST_SWEEPS: Final = 500
FIRST_VISITS: Final = 6_000_000
NEXT_SWEEPS: Final = 300

#: Visits of every atom when small units are traded at the end of a round, and the heat of it.
TRADE_SWEEPS: Final = 50
TRADE_HEAT: Final = (20.0, 1.0)
#: Atoms that are cooled together then: neighbours along a curve, few enough for the processor's cache.
TRADE_STRETCH: Final = 3_000
#: Share of moves that take a whole fragment of a block.
FRAGMENTS: Final = 0.35

#: Price of a household out of range while annealing: a steep wall would keep grids from trading blocks.
GENTLE: Final = 50.0


@dataclass(frozen=True)
class Search:
    """A plan of one piece while it is worked on: grid of every unit, and its cost."""

    part: Int
    cost: float
    rounds: int
    proof: Proof | None = None
    sought: bool = False  # a plan within the bounds was looked for among all regions, in vain


class Halted(KeyboardInterrupt):
    """Ctrl-C in the middle of a round: the best plan of the piece at that moment (``piece``: whose it is)."""

    def __init__(self, found: Search) -> None:
        super().__init__()
        self.found = found
        self.piece: object = None


def terms_of(ruleset: Ruleset, bounds: Bounds) -> Terms:
    """The objective's prices under some bounds."""
    return Terms(
        minimum=float(bounds.minimum),
        maximum=float(bounds.maximum),
        target=float(bounds.target),
        half=max(1.0, (bounds.maximum - bounds.minimum) / 2.0),
        balance=ruleset.balance,
        compactness=ruleset.compactness,
    )


def sums_of(units: Units, part: Int) -> Sums:
    """Totals of every grid."""
    k = int(part.max()) + 1
    sums = Sums(np.zeros(k, np.int64), np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k, np.int64))
    kernels.sum_up(units.arrays, part, sums)
    return sums


def cost_of(units: Units, part: Int, terms: Terms, outside: float) -> float:
    """The objective of a plan, in priced metres."""
    return float(kernels.total_cost(units.arrays, part, sums_of(units, part), terms, outside))


def renumbered(part: Int) -> Int:
    """Grids numbered 0, 1, 2 ... by their first unit."""
    _, first, inverse = np.unique(part, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], np.int64)


def possible_numbers(total: int, bounds: Bounds) -> tuple[int, int]:
    """Fewest and most grids that ``total`` households allow; fewest > most means that no number fits."""
    fewest = -(-total // bounds.maximum)
    most = total // bounds.minimum if bounds.minimum else total
    return max(1, fewest), most


def least_amiss(total: int, bounds: Bounds) -> int:
    """Households out of range in any plan of ``total`` households, whatever the number of grids."""
    fewest, most = possible_numbers(total, bounds)
    numbers = {max(1, k) for k in (fewest - 1, fewest, most, most + 1)}
    return min(_amiss(total, k, bounds) for k in numbers)


def _amiss(total: int, k: int, bounds: Bounds) -> int:
    return max(0, total - k * bounds.maximum) + max(0, k * bounds.minimum - total)


def coarse(units: Units, maximum: int) -> Int:
    """Label of every unit: connected blocks of no more than the maximum become one, larger ones stay open."""
    label = pieces(units.arrays, units.arrays.block)
    heavy = np.bincount(label, units.arrays.counted) > maximum
    opened = heavy[label]
    label = np.where(opened, label.max() + 1 + np.arange(len(label)), label)
    return renumbered(label)


def first_plan(units: Units, bounds: Bounds) -> Int:
    """Grow grids along a Hilbert curve, then dissolve those far too small."""
    counted = int(units.arrays.counted.sum())
    fewest, most = possible_numbers(counted, bounds)
    if fewest > most:
        wanted = min({max(1, most), fewest}, key=lambda k: _amiss(counted, k, bounds))
    else:
        wanted = min(max(round(counted / bounds.target), fewest), most)
    if wanted <= 1:
        return np.zeros(len(units), np.int64)
    part = kernels.grow(units.arrays, units.hilbert(), counted / wanted * 0.96, float(bounds.maximum))
    kernels.dissolve(units.arrays, part, bounds.minimum * 0.66)
    return renumbered(part)


def quick(units: Units, bounds: Bounds, terms: Terms, outside: float) -> Search:
    """A plan grown in a moment, for those who cannot wait for round 0."""
    label = coarse(units, bounds.maximum)
    part = renumbered(first_plan(units.contract(label), bounds)[label])
    return Search(part, cost_of(units, part, terms, outside), 0)


def start(units: Units, bounds: Bounds, terms: Terms, outside: float, seed: int) -> Search:
    """Round 0: quarters divided nearly at their best (or grown and annealed); what is out of range is mended.

    Then small units are traded. A small piece that is still out of range is settled at once. Raises ``Halted`` on
    Ctrl-C.
    """
    label = coarse(units, bounds.maximum)
    blocks = units.contract(label)
    standing: list[Int] = [np.full(len(blocks), -1, np.int64)]
    try:
        if _listable(blocks, terms):
            part = renumbered(quarters.divide(blocks, terms, outside, seed, lambda p: standing.__setitem__(0, p)))
        else:
            part = _annealed(blocks, bounds, terms, seed)
        standing[0] = part
        return _mended(units, part[label], bounds, terms, outside, seed)
    except KeyboardInterrupt as stop:
        part = _completed(blocks, standing[0], bounds)[label]
        raise Halted(Search(part, cost_of(units, part, terms, outside), 0)) from stop


def _completed(blocks: Units, part: Int, bounds: Bounds) -> Int:
    """A plan that is not whole yet (-1), with grids grown where there are none."""
    part = part.copy()
    missing = pieces(blocks.arrays, np.where(part < 0, -1, 0))
    for which in quarters.groups(np.where(part < 0, missing, -1)):
        if part[which[0]] < 0:
            part[which] = int(part.max()) + 1 + first_plan(blocks.subset(which), bounds)
    return renumbered(part)


def _mended(units: Units, part: Int, bounds: Bounds, terms: Terms, outside: float, seed: int) -> Search:
    """The end of round 0: grids brought into range, small units traded."""
    part = _in_range(units, part, terms, outside, seed + 1)
    if part.max() < SOLVED_GRIDS and _amiss_at_all(units, part, terms):  # only listing everything finds a way out
        found = within(units, part, coarse(units, bounds.maximum), terms, outside)
        if found is not None:
            part = renumbered(found[0])
            return Search(part, cost_of(units, part, terms, outside), 0, found[1])
        best = Search(part, cost_of(units, part, terms, outside), 0, None, sought=True)
        return settled(units, bounds, terms, outside, best)
    best = Search(part, cost_of(units, part, terms, outside), 0)
    return traded(units, best, terms, outside, seed + 2) if part.max() > 0 else best


def better(units: Units, bounds: Bounds, terms: Terms, outside: float, search: Search, seed: int) -> Search:
    """One more round: every grid in a window divided anew, then small units traded. Never worse."""
    rounds = search.rounds + 1
    if search.part.max() == 0 or finished(search):
        return replace(search, rounds=rounds)
    label = cut_by(units, coarse(units, bounds.maximum), search.part)
    fragments = units.contract(label)
    part = np.zeros(len(fragments), np.int64)
    part[label] = search.part
    standing: list[Int] = [part]
    try:
        part = quarters.improve(fragments, part, terms, outside, seed, lambda p: standing.__setitem__(0, p))[label]
    except KeyboardInterrupt as stop:
        part = renumbered(standing[0][label])
        found = Search(part, cost_of(units, part, terms, outside), rounds)
        raise Halted(min(search, found, key=lambda s: s.cost)) from stop
    part = _in_range(units, renumbered(part), terms, outside, seed + 1)
    cost = cost_of(units, part, terms, outside)
    best = search if cost >= search.cost - 1e-6 else Search(part, cost, rounds, None, search.sought)
    return replace(traded(units, best, terms, outside, seed + 2), rounds=rounds)


def _listable(blocks: Units, terms: Terms) -> bool:
    """Whether grids consist of so few units that all of them can be listed."""
    heavy = int((blocks.arrays.counted >= quarters.FEW).sum())
    return bool(heavy <= quarters.UNITS_A_GRID * max(1.0, blocks.arrays.counted.sum() / terms.target))


def _annealed(blocks: Units, bounds: Bounds, terms: Terms, seed: int) -> Int:
    """A plan grown along a curve, annealed on whole blocks and mended."""
    part = first_plan(blocks, bounds)
    if part.max() == 0:
        return part
    sweeps = max(FEWEST_SWEEPS, min(FIRST_SWEEPS, FIRST_VISITS // len(blocks)))
    part = _anneal(blocks, part, terms, sweeps, (300.0, 5.0), (0.5, GENTLE), seed)
    mended = mend(blocks, part, bounds)
    if mended is not None:
        part = _anneal(blocks, mended, terms, NEXT_SWEEPS, (60.0, 5.0), (5.0, GENTLE), seed)
    return part


def _in_range(units: Units, part: Int, terms: Terms, outside: float, seed: int) -> Int:
    """The plan with its grids brought into range as far as possible: units traded, then windows of opened blocks."""
    if not _amiss_at_all(units, part, terms):
        return part
    part = _anneal(units, part, terms, 10, (0.01, 0.01), (outside, outside), seed)
    return renumbered(windows.repair(units, part, terms, outside, np.random.default_rng(seed)))


def _amiss_at_all(units: Units, part: Int, terms: Terms) -> bool:
    """Whether some grid is out of range."""
    held = np.bincount(part, units.arrays.counted)
    return bool(held.min() < terms.minimum or held.max() > terms.maximum)


def traded(units: Units, search: Search, terms: Terms, outside: float, seed: int) -> Search:
    """Atoms and fragments of blocks traded between grids, warm and then cold; the better of before and after."""
    part = _anneal(units, search.part, terms, TRADE_SWEEPS, TRADE_HEAT, (outside, outside), seed, TRADE_STRETCH)
    cost = cost_of(units, part, terms, outside)
    if cost >= search.cost - 1e-6:
        return search
    return Search(renumbered(part), cost, search.rounds, None, search.sought)


def settled(units: Units, bounds: Bounds, terms: Terms, outside: float, search: Search) -> Search:
    """The plan with what can be proven of it; the proof may find a better one."""
    if search.proof is not None:
        return search
    label = coarse(units, bounds.maximum)
    part, proof = prove(units, search.part, label, terms, outside, sought=search.sought)
    part = renumbered(part)
    return Search(part, cost_of(units, part, terms, outside), search.rounds, proof, search.sought)


def finished(search: Search) -> bool:
    """Proven the best there is over the finest units: more rounds cannot better it."""
    return search.proof is not None and search.proof.optimal and search.proof.fine


def mend(units: Units, part: Int, bounds: Bounds) -> Int | None:
    """Dissolve grids far too small and grow those too large anew; None when there are neither.

    Annealing keeps the number of grids; this changes it where the first guess was wrong.
    """
    held = np.bincount(part, units.arrays.counted)
    if held.min() >= bounds.minimum * 0.66 and held.max() <= bounds.maximum * 1.2:
        return None
    part = part.copy()
    count = int(kernels.dissolve(units.arrays, part, bounds.minimum * 0.66))
    held = np.bincount(part, units.arrays.counted)
    for g in np.flatnonzero(held > max(bounds.maximum, 2 * bounds.minimum)):
        members = np.flatnonzero(part == g)
        fresh = first_plan(units.subset(members), bounds)
        part[members] = np.where(fresh == 0, g, count + fresh - 1)
        count += int(fresh.max())
    return renumbered(part)


def _anneal(
    units: Units,
    part: Int,
    terms: Terms,
    sweeps: int,
    heat: tuple[float, float],
    outside: tuple[float, float],
    seed: int,
    stretch: int = 1 << 62,
) -> Int:
    part = part.copy()
    sums = sums_of(units, part)
    order = units.hilbert()
    kernels.anneal(
        units.arrays,
        part,
        sums,
        terms,
        sweeps,
        *heat,
        *outside,
        FRAGMENTS,
        order,
        stretch,
        seed & 0x7FFFFFFF,
    )
    return part
