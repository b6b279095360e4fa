"""A given number of grids: where the community itself says how many grids it wants (and has workers for).

A charge on every grid (or a reward) moves the best number of grids down or up; it is found by halving. What is then
still missing or too many is added or taken away in single windows, where the number of grids is a row of the
integer program.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final

import highspy
import numpy as np

from gis.districting import search
from gis.districting.clusters import clusters, cut_by, opened
from gis.districting.kernels import Int, Terms
from gis.districting.piece import Piece
from gis.districting.regions import Regions, regions
from gis.districting.relaxation import new_solver, relax
from gis.districting.rulesets import Bounds
from gis.districting.units import Units, edges
from gis.districting.windows import joined_regions, present_regions
from gis.errors import InputError

#: First charge on a grid (priced metres), how often it is doubled, and how often the span is then halved.
CHARGE: Final = 50.0
DOUBLED: Final = 7
HALVED: Final = 6
#: Grids of a window in which one is added or taken away: tried one size after another, around so many grids.
WINDOWS: Final = (4, 8)
TRIED: Final = 3
#: Shares of the maximum above which blocks are opened when no plan keeps them whole.
OPENED: Final = (1.0, 0.4, 0.15, 0.0)
REGIONS: Final = 20_000
COLUMNS: Final = 1_500
NODES: Final = 20


def allot(pieces: list[Piece], wanted: dict[int, int]) -> list[Piece]:
    """Pieces with the number of grids each is to have, so that communities (positions) have those ``wanted``.

    A community of several pieces shares its number out by households, each piece within what its bounds allow.
    Raises ``InputError`` where no plan within the bounds can have so many grids.
    """
    out = list(pieces)
    for community, number in wanted.items():
        mine = [i for i, p in enumerate(out) if p.community == community]
        spans = [_span(out[i]) for i in mine]
        fewest, most = sum(low for low, _ in spans), sum(high for _, high in spans)
        if not fewest <= number <= most:
            raise InputError("plan_grids", community=community + 1, given=number, fewest=fewest, most=most)
        shares = [low for low, _ in spans]
        while sum(shares) < number:
            free = [n for n, (_, high) in enumerate(spans) if shares[n] < high]
            shares[max(free, key=lambda n: out[mine[n]].counted / (shares[n] + 0.5))] += 1
        for i, share in zip(mine, shares, strict=True):
            out[i] = out[i].with_number(share)
    return out


def check(pieces: list[Piece], found: list[search.Search], wanted: dict[int, int]) -> None:
    """Raise ``InputError`` where a community has not the number of grids that is wanted: no plan was found."""
    for community, number in wanted.items():
        made = sum(int(s.part.max()) + 1 for p, s in zip(pieces, found, strict=True) if p.community == community)
        if made != number:
            raise InputError("plan_grids_not_found", community=community + 1, given=number, found=made)


def _span(piece: Piece) -> tuple[int, int]:
    if piece.fixed:
        return 1, 1
    fewest, most = search.possible_numbers(piece.counted, piece.bounds)
    return (fewest, most) if fewest <= most else (1, max(fewest, most))


def start(units: Units, bounds: Bounds, terms: Terms, outside: float, seed: int, number: int) -> search.Search:
    """Round 0 with so many grids; the nearest number where no such plan is found."""

    def tried(charge: float) -> search.Search:
        found = search.start(units, bounds, terms._replace(charge=charge), outside, seed)
        return search.Search(found.part, search.cost_of(units, found.part, terms, outside), 0)

    best = tried(0.0)
    low = high = 0.0
    sign = 1.0 if _count(best) > number else -1.0
    for step in range(DOUBLED):
        if _count(best) == number:
            return best
        low, high = high, sign * CHARGE * 2**step
        found = tried(high)
        best = min(best, found, key=lambda s: (abs(_count(s) - number), s.cost))
        if sign * (_count(found) - number) <= 0:
            break
    for _ in range(HALVED):
        if _count(best) == number:
            return best
        middle = (low + high) / 2
        found = tried(middle)
        best = min(best, found, key=lambda s: (abs(_count(s) - number), s.cost))
        low, high = (middle, high) if sign * (_count(found) - number) > 0 else (low, middle)
    return _forced(units, best, terms, outside, number)


def kept(before: search.Search, after: search.Search, number: int) -> search.Search:
    """What a round or a proof made of a plan, unless it has another number of grids: then only its bound counts."""
    if _count(after) == number or _count(before) != number:
        return after
    proof = after.proof
    if proof is not None:  # plans of any number of grids were compared, so the bound holds for these as well
        proof = replace(proof, optimal=False, bound=min(proof.bound, before.cost))
    return replace(before, rounds=after.rounds, proof=proof)


def _count(found: search.Search) -> int:
    return int(found.part.max()) + 1


def _forced(units: Units, found: search.Search, terms: Terms, outside: float, number: int) -> search.Search:
    """Grids added or taken away one at a time, in the window where that costs least of those tried."""
    part = found.part
    while (count := int(part.max()) + 1) != number:
        step = 1 if count < number else -1
        load = np.bincount(part, units.arrays.counted)
        better: Int | None = None
        for share, size in product(OPENED, WINDOWS):
            for centre in np.argsort(-step * load, kind="stable")[:TRIED]:
                chosen = _around(units, part, int(centre), size)
                better = _recounted(units, part, chosen, terms, outside, len(chosen) + step, share * terms.maximum)
                if better is not None:
                    break
            if better is not None:
                break
        if better is None:
            break
        part = search.renumbered(better)
    return search.Search(part, search.cost_of(units, part, terms, outside), found.rounds)


def _around(units: Units, part: Int, centre: int, size: int) -> Int:
    """A grid and those nearest to it in steps over borders."""
    heads, tails = edges(units.arrays)
    pairs = np.unique(np.stack([part[heads], part[tails]], axis=1), axis=0)
    out = [centre]
    for g in out:
        out += [int(b) for a, b in pairs if a == g and int(b) not in out]
        if len(out) >= size:
            break
    return np.array(out[:size], np.int64)


def _recounted(
    units: Units, part: Int, chosen: Int, terms: Terms, outside: float, number: int, above: float
) -> Int | None:
    """Some grids divided anew into ``number`` of them, within the bounds; None where that is not found.

    Blocks of more than ``above`` households are opened.
    """
    which = np.flatnonzero(np.isin(part, chosen))
    sub = units.subset(which)
    now = np.searchsorted(np.sort(chosen), part[which])
    made = clusters(sub, cut_by(sub, opened(sub, above), now), terms, 30.0, REGIONS)
    if made is None:
        return None
    small = sub.contract(made.label)
    found = regions(small.arrays, terms, made.regions, 1 << 62, len(small))
    present, _ = present_regions(small, np.asarray(_of_units(made.label, now), np.int64), terms, outside)
    relaxed = relax(joined_regions(found, present), len(small), 0, np.inf)
    some = np.argsort(relaxed.reduced[: len(found.cost)], kind="stable")[:COLUMNS]
    picked = _counted_cover(found, some, len(small), number)
    if picked is None:
        return None
    grid = np.empty(len(small), np.int64)
    for i, j in enumerate(picked):
        grid[found.unit[found.start[j] : found.start[j + 1]]] = i
    out = part.copy()
    out[which] = int(part.max()) + 1 + grid[made.label]
    return out


def _of_units(label: Int, now: Int) -> Int:
    out = np.zeros(int(label.max()) + 1, np.int64)
    out[label] = now
    return out


def _counted_cover(found: Regions, some: Int, n: int, number: int) -> Int | None:
    """The cheapest ``number`` regions that hold every unit once, among some regions."""
    size = np.diff(found.start)[some]
    if not len(some):
        return None
    start = np.concatenate([[0], np.cumsum(size + 1)])
    index = np.concatenate([np.append(found.unit[found.start[j] : found.start[j + 1]], n) for j in some])
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(some), n + 1
    lp.col_cost_ = found.cost[some]
    lp.col_lower_, lp.col_upper_ = np.zeros(len(some)), np.ones(len(some))
    lp.row_lower_ = lp.row_upper_ = np.append(np.ones(n), float(number))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = start.astype(np.int32)
    lp.a_matrix_.index_ = index.astype(np.int32)
    lp.a_matrix_.value_ = np.ones(len(index))
    lp.integrality_ = [highspy.HighsVarType.kInteger] * len(some)
    solver = new_solver()
    solver.setOptionValue("mip_max_nodes", NODES)
    solver.passModel(lp)
    solver.run()
    value = np.array(solver.getSolution().col_value)
    if len(value) != len(some):
        return None
    chosen = some[value > 0.5]
    if len(chosen) != number:
        return None
    held = np.concatenate([found.unit[found.start[j] : found.start[j + 1]] for j in chosen])
    return chosen if len(held) == n == len(np.unique(held)) else None
