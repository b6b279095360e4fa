"""Why every border between two grids is where it is: what it follows, and what breaks or what it costs to move it.

For every pair of neighbouring grids of one community each *block part* along their border (a connected part of a
block within one grid) is moved over in thought, one at a time, from either side. What then breaks is said: the taker
above its maximum, the giver below its minimum, the giver in two pieces. Where nothing breaks, the difference of the
objective is given, term by term. Where the part is all there is of the giver, the two grids become one.

A move of one block part is what a planner would try first; that none of them helps does not prove that no larger
change does. What is proven is in the plan's certificate.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gis.districting import search
from gis.districting.kernels import Int, Sums, grid_cost
from gis.districting.model import Objective
from gis.districting.rulesets import Bounds, Ruleset
from gis.districting.units import Units, edges, inside_one, pieces
from gis.territory.classes import BASES, BORDER_CLASSES
from gis.territory.model import Floats, Ints, Texts

#: What a move would break, in the order in which it is said; "" where it breaks nothing.
Breaks = Literal["above", "below", "apart", ""]


@dataclass(frozen=True)
class Carrier:
    """What a border follows: ``kind`` of ``BORDER_CLASSES``, ``basis`` of ``BASES``, name, metres of it."""

    kind: str
    basis: str
    name: str
    metres: float


@dataclass(frozen=True)
class Difference:
    """What a move adds to each term of the objective, in priced metres; less than 0: it would be cheaper."""

    border: float
    balance: float
    compactness: float
    range: float
    compound: float = 0.0  # beside the price of the border, inside compounds 小区

    @property
    def total(self) -> float:
        """The difference of the sum."""
        return self.border + self.balance + self.compactness + self.range + self.compound


@dataclass(frozen=True)
class Move:
    """One block part handed from ``giver`` to ``taker`` (grids). Counts are of counted households afterwards.

    ``carriers``: what the border would follow instead. ``bound``: the bound that is broken, 0 where none is.
    ``parts``: pieces that the giver would fall into; 0: it would be gone, the two grids one. ``whole``: the block
    part is the whole block.
    """

    giver: int
    taker: int
    block: int
    households: int
    breaks: Breaks
    bound: int
    giver_after: int
    taker_after: int
    parts: int
    difference: Difference
    carriers: tuple[Carrier, ...]
    whole: bool = True


@dataclass(frozen=True)
class CutBlock:
    """A block that the border divides: its counted households, and whether they are more than one grid may hold."""

    block: int
    households: int
    above: bool
    metres: float


@dataclass(frozen=True)
class Border:
    """The border between two grids, ``left`` < ``right``, and why it is there.

    ``between_communities``: it is the communities' border, and no grid may cross it. ``moves``: the most telling
    move of each side (from left to right, from right to left; None where nothing can be moved); ``tried``: how many
    there were, ``possible``: how many would break nothing, ``cheaper``: how many of those would lower the objective.
    """

    left: int
    right: int
    metres: float
    carriers: tuple[Carrier, ...]
    between_communities: bool
    cut_blocks: tuple[CutBlock, ...]
    moves: tuple[Move | None, Move | None]
    tried: int
    possible: int
    cheaper: int


@dataclass(frozen=True)
class Situation:
    """A plan over atoms as the explainer needs it. ``kind`` of each grid; edges as pairs of atoms by class and basis.

    ``edge_*`` have one row for each pair of atoms, class and basis (see ``data.plan_inside.Edges``). ``compound``:
    the compound 小区 of each atom (-1: none), where the plan was made with compounds.
    """

    units: Units
    grid: Int
    community: Int
    kind: Texts
    ruleset: Ruleset
    edge_head: Ints
    edge_tail: Ints
    edge_kind: Ints
    edge_basis: Ints
    edge_metres: Floats
    edge_names: Texts
    compound: Int | None = None

    def surcharges(self, rows: Int) -> float:
        """What some edges cost beside their price, as borders inside compounds."""
        if self.compound is None:
            return 0.0
        inside = inside_one(self.compound, self.edge_head[rows], self.edge_tail[rows])
        return self.ruleset.compound * float(self.edge_metres[rows][inside].sum())


def explain(s: Situation) -> list[Border]:
    """Every border between two grids, by their numbers."""
    part = _block_parts(s)
    members = _groups(part)
    of_grid = _groups(s.grid)
    owner = s.community[[int(m[0]) for m in of_grid]]
    sums = search.sums_of(s.units, s.grid)
    counted_of_block = np.bincount(s.units.arrays.block, s.units.arrays.counted).astype(np.int64)
    touching = _touching(s, part)
    near = _edges_by_atom(s)
    out = []
    for (left, right), rows in sorted(_pairs(s).items()):
        apart = bool(owner[left] != owner[right])
        found: list[list[Move]] = [[], []]
        if not apart:
            for side, (giver, taker) in enumerate(((left, right), (right, left))):
                for p in sorted(touching[giver, taker]):
                    found[side].append(_move(s, sums, near, members[p], of_grid[giver], giver, taker))
        every = found[0] + found[1]
        out.append(
            Border(
                left=left,
                right=right,
                metres=float(s.edge_metres[rows].sum()),
                carriers=_carriers(s, rows),
                between_communities=apart,
                cut_blocks=_cut_blocks(s, rows, counted_of_block),
                moves=(_telling(found[0]), _telling(found[1])),
                tried=len(every),
                possible=sum(m.breaks == "" for m in every),
                cheaper=sum(m.breaks == "" and m.difference.total < -0.5 for m in every),
            )
        )
    return out


def _block_parts(s: Situation) -> Int:
    """Connected parts of a block within one grid."""
    both = s.units.arrays.block * (int(s.grid.max()) + 1) + s.grid
    return pieces(s.units.arrays, np.unique(both, return_inverse=True)[1])


def _groups(label: Int) -> list[Int]:
    order = np.argsort(label, kind="stable")
    return [np.asarray(g, np.int64) for g in np.split(order, np.cumsum(np.bincount(label))[:-1])]


def _pairs(s: Situation) -> dict[tuple[int, int], Int]:
    """Rows of the edges between each pair of grids."""
    a, b = s.grid[s.edge_head], s.grid[s.edge_tail]
    between = np.flatnonzero((a != b) & (s.edge_metres > 0))
    low, high = np.minimum(a, b)[between], np.maximum(a, b)[between]
    keys, member = np.unique(np.stack([low, high], axis=1), axis=0, return_inverse=True)
    groups = _groups(np.asarray(member.ravel(), np.int64)) if len(keys) else []
    return {(int(k[0]), int(k[1])): between[g] for k, g in zip(keys, groups, strict=True)}


def _touching(s: Situation, part: Int) -> dict[tuple[int, int], set[int]]:
    """Block parts of a grid that share an edge with another grid."""
    heads, tails = edges(s.units.arrays)
    a, b = s.grid[heads], s.grid[tails]
    out: dict[tuple[int, int], set[int]] = defaultdict(set)
    for k in np.flatnonzero(a != b):
        out[int(a[k]), int(b[k])].add(int(part[heads[k]]))
    return out


def _carriers(s: Situation, rows: Int) -> tuple[Carrier, ...]:
    """What some edges follow, the longest first."""
    metres: dict[tuple[str, str, str], float] = defaultdict(float)
    for k in rows:
        metres[BORDER_CLASSES[s.edge_kind[k]], BASES[s.edge_basis[k]], str(s.edge_names[k])] += float(
            s.edge_metres[k]
        )
    found = sorted(metres.items(), key=lambda c: (-c[1], c[0]))
    return tuple(Carrier(kind, basis, name, float(length)) for (kind, basis, name), length in found)


def _cut_blocks(s: Situation, rows: Int, counted: Ints) -> tuple[CutBlock, ...]:
    block = s.units.arrays.block
    inside = rows[block[s.edge_head[rows]] == block[s.edge_tail[rows]]]
    metres = np.bincount(block[s.edge_head[inside]], s.edge_metres[inside]) if len(inside) else np.zeros(0)
    most = s.ruleset.residential.maximum
    return tuple(
        CutBlock(int(b), int(counted[b]), bool(counted[b] > most), float(metres[b])) for b in np.flatnonzero(metres)
    )


def bounds_of(s: Situation, grid: int) -> Bounds:
    """The bounds a grid is held to."""
    return s.ruleset.rural if s.kind[grid] == "rural" else s.ruleset.residential


def _move(s: Situation, sums: Sums, near: list[Int], moved: Int, giver_atoms: Int, giver: int, taker: int) -> Move:
    arrays = s.units.arrays
    households = int(arrays.counted[moved].sum())
    rest = np.setdiff1d(giver_atoms, moved)
    giver_after = int(sums.counted[giver]) - households
    taker_after = int(sums.counted[taker]) + households
    parts = int(pieces(s.units.subset(rest).arrays, np.zeros(len(rest), np.int64)).max()) + 1 if len(rest) else 0
    breaks, bound = _broken(s, giver, taker, giver_after, taker_after, parts)
    rows = np.unique(np.concatenate([near[a] for a in moved]))
    head, tail = np.isin(s.edge_head[rows], moved), np.isin(s.edge_tail[rows], moved)
    out = rows[head != tail]
    beyond = s.grid[np.where(head, s.edge_tail[rows], s.edge_head[rows])][head != tail]
    to_rest, to_taker = out[beyond == giver], out[beyond == taker]
    within = rows[head & tail]
    outline = float(arrays.perimeter[moved].sum() - 2 * s.edge_metres[within].sum())
    return Move(
        giver=giver,
        taker=taker,
        block=int(arrays.block[moved[0]]),
        households=households,
        breaks=breaks,
        bound=bound,
        giver_after=giver_after,
        taker_after=taker_after,
        parts=parts,
        difference=_difference(s, sums, moved, outline, (giver, taker), to_rest, to_taker),
        carriers=_carriers(s, to_rest),
        whole=bool(len(moved) == np.count_nonzero(arrays.block == arrays.block[moved[0]])),
    )


def _broken(
    s: Situation, giver: int, taker: int, giver_after: int, taker_after: int, parts: int
) -> tuple[Breaks, int]:
    """What the rules forbid about a move, and the bound that is missed."""
    of_taker, of_giver = bounds_of(s, taker), bounds_of(s, giver)
    if taker_after > of_taker.maximum:
        return "above", of_taker.maximum
    if parts and giver_after < of_giver.minimum and s.kind[giver] != "dedicated":
        return "below", of_giver.minimum
    return ("apart", 0) if parts > 1 else ("", 0)


def _difference(
    s: Situation, sums: Sums, moved: Int, outline: float, pair: tuple[int, int], to_rest: Int, to_taker: Int
) -> Difference:
    arrays = s.units.arrays
    prices = s.ruleset.class_prices()
    border = float((s.edge_metres[to_rest] * prices[s.edge_kind[to_rest]]).sum())
    border -= float((s.edge_metres[to_taker] * prices[s.edge_kind[to_taker]]).sum())
    gained = np.array([arrays.counted[moved].sum(), arrays.load[moved].sum(), arrays.area[moved].sum()], np.float64)
    terms = np.zeros(3)
    for grid, sign, shared in zip(pair, (-1, 1), (to_rest, to_taker), strict=True):
        held = np.array([sums.counted[grid], sums.load[grid], sums.area[grid]], np.float64)
        perimeter = float(sums.perimeter[grid])
        # what the giver is left with gains the new border twice; the taker loses the old one twice
        after = perimeter + sign * (outline - 2 * float(s.edge_metres[shared].sum()))
        terms += grid_terms(s, grid, held + sign * gained, after) - grid_terms(s, grid, held, perimeter)
    balance, compactness, outside = terms.tolist()
    return Difference(border, balance, compactness, outside, s.surcharges(to_rest) - s.surcharges(to_taker))


def grid_terms(s: Situation, grid: int, held: Floats, perimeter: float) -> Floats:
    """Balance, compactness and range of one grid, each by itself; ``held``: counted households, load, area."""
    if held[2] <= 1e-6:
        return np.zeros(3)
    t = search.terms_of(s.ruleset, bounds_of(s, grid))
    nothing = t._replace(balance=0.0, compactness=0.0)
    each = ((nothing._replace(balance=t.balance), 0.0), (nothing._replace(compactness=t.compactness), 0.0),
            (nothing, s.ruleset.outside))  # fmt: skip
    return np.array([grid_cost(int(held[0]), held[1], held[2], perimeter, terms, out) for terms, out in each])


def _edges_by_atom(s: Situation) -> list[Int]:
    """Rows of the edges at each atom."""
    n = len(s.grid)
    ends = np.concatenate([s.edge_head, s.edge_tail])
    rows = np.tile(np.flatnonzero(s.edge_metres >= 0), 2)
    order = np.argsort(ends, kind="stable")
    return [np.asarray(r, np.int64) for r in np.split(rows[order], np.cumsum(np.bincount(ends, minlength=n))[:-1])]


def _telling(moves: list[Move]) -> Move | None:
    """The move that says most: a possible one that costs least; else the one that comes nearest to the rules."""
    if not moves:
        return None
    possible = [m for m in moves if m.breaks == ""]
    if possible:
        return min(possible, key=lambda m: (m.difference.total, m.block))

    def missed(m: Move) -> tuple[int, int, float, int]:
        short = {"above": m.taker_after - m.bound, "below": m.bound - m.giver_after}.get(m.breaks, 0)
        # a grid that falls apart says less about its border than a bound that is missed
        return int(m.breaks == "apart"), short, m.difference.total, m.block

    return min(moves, key=missed)


def objective_of(s: Situation) -> Objective:
    """The objective of the plan as it stands, term by term, in priced metres."""
    sums = search.sums_of(s.units, s.grid)
    apart = (s.grid[s.edge_head] != s.grid[s.edge_tail]) & (s.community[s.edge_head] == s.community[s.edge_tail])
    border = float((s.edge_metres * s.ruleset.class_prices()[s.edge_kind])[apart].sum())
    terms = np.zeros(3)
    for g in range(len(sums.counted)):
        held = np.array([sums.counted[g], sums.load[g], sums.area[g]], np.float64)
        terms += grid_terms(s, g, held, float(sums.perimeter[g]))
    balance, compactness, outside = terms.tolist()
    return Objective(border, balance, compactness, outside, s.surcharges(np.flatnonzero(apart)))
