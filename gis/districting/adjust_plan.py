"""Adjust a whole plan: every piece for itself, then options for the territory, as plans that keep their codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from gis.districting import search
from gis.districting.adjust import PRICE, SHARES, Adjusted, Option, OptionName, adjust
from gis.districting.kernels import Int
from gis.districting.model import Plan
from gis.districting.piece import Piece
from gis.districting.standing import Base, plan_of
from gis.interrupts import gentle
from gis.progress import Progress, silent

#: Names of the options of a territory, by the price of a household moved as a share of the ruleset's.
PRICES: Final[tuple[tuple[OptionName, float], ...]] = (
    ("least", np.inf), ("priced", 1.0), *(("between", share) for share in SHARES), ("free", 0.0)
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """Atoms that went from one grid to another; labels are positions in ``Base.drawn``, or new ones (-1: none)."""

    giver: int
    taker: int
    atoms: Int
    households: int


@dataclass(frozen=True)
class Linked:
    """Grids that changed together, those at fault that were the cause, and who gave what to whom."""

    grids: tuple[int, ...]
    at_fault: tuple[int, ...]
    steps: tuple[Step, ...]
    proven: bool = False  # see ``adjust.Chain``


@dataclass(frozen=True)
class Proposal:
    """One new plan of the territory. ``label``: grid of every atom; ``moved``: households whose grid changed."""

    name: OptionName
    label: Int
    moved: int
    cost: float
    amiss: int
    chains: tuple[Linked, ...]
    opened: tuple[int, ...]
    ended: tuple[int, ...]
    left: tuple[int, ...]


@dataclass(frozen=True)
class Adjustment:
    """What was at fault, and the proposals from the fewest households moved on."""

    base: Base
    at_fault: tuple[int, ...]
    excess: int
    shortage: int
    proposals: tuple[Proposal, ...]
    locked: tuple[int, ...]
    unit_bound: int = 0  # as ``lower_bound``, where only whole units can leave a grid

    @property
    def lower_bound(self) -> int:
        """No plan with the same grids moves fewer households."""
        return max(self.excess, self.shortage)

    def plan(self, proposal: Proposal, seed: int = 1) -> Plan:
        """A proposal as a plan: codes kept, new ones appended."""
        return plan_of(self.base, proposal.label, seed, reason="blocks", locked=self.locked)

    def chosen(self, which: str | int) -> Proposal:
        """A proposal by its name (the first of that name, or the next that moves more) or its number from 1."""
        if isinstance(which, int):
            return self.proposals[min(max(which, 1), len(self.proposals)) - 1]
        order = [name for name, _ in PRICES]
        wanted = order.index(which)  # type: ignore[arg-type]
        fitting = [p for p in self.proposals if order.index(p.name) <= wanted]
        return fitting[-1] if fitting else self.proposals[0]


@dataclass(frozen=True)
class _Solved:
    piece: Piece
    labels: Int  # global label of every local one; new ones follow
    home: Int
    found: Adjusted


@gentle()
def adjust_plan(
    base: Base,
    *,
    locked: Sequence[int] = (),
    price: float = PRICE,
    frontier: bool = True,
    seed: int = 1,
    progress: Progress = silent,
) -> Adjustment:
    """Mend every piece of a territory with the fewest households moved, and offer plans that move more.

    ``locked`` grids keep their atoms exactly. ``price``: priced metres that a household moved costs.
    """
    owner = _owners(base)
    solved = []
    for i, piece in enumerate(base.pieces):
        progress("adjust", i / len(base.pieces))
        solved.append(_adjust_piece(base, i, piece, owner, locked, price, frontier, seed))
    progress("adjust", 1.0)
    new = len(base.drawn)
    firsts = []
    for s in solved:
        firsts.append(new)
        new += max((int(o.part.max()) + 1 - len(s.labels) for o in s.found.options), default=0)
    proposals: list[Proposal] = []
    for name, share in PRICES:
        if not frontier and name not in ("least", "priced"):
            continue
        each = [s.found.options[0] if np.isinf(share) else s.found.cheapest(price * share) for s in solved]
        proposal = _proposal(base, name, solved, firsts, each)
        if not any((proposal.label == p.label).all() for p in proposals):
            proposals.append(proposal)
    return Adjustment(
        base=base,
        at_fault=tuple(sorted({int(s.labels[g]) for s in solved for g in s.found.at_fault if g < len(s.labels)})),
        excess=sum(s.found.excess for s in solved),
        shortage=sum(s.found.shortage for s in solved),
        proposals=tuple(proposals),
        locked=tuple(locked),
        unit_bound=sum(s.found.unit_bound for s in solved),
    )


def _owners(base: Base) -> Int:
    """The piece in which every drawn grid lives on: that which holds most of it; -1 for one without atoms."""
    shared = np.zeros((max(len(base.drawn), 1), len(base.pieces)))
    for i, piece in enumerate(base.pieces):
        mine = piece.atoms[base.home[piece.atoms] >= 0]
        weight = base.households[mine] + 1e-6 * base.units.arrays.area[mine]
        np.add.at(shared[:, i], base.home[mine], weight)
    return np.where(shared.max(axis=1) > 0, shared.argmax(axis=1), -1)


def _adjust_piece(
    base: Base, number: int, piece: Piece, owner: Int, locked: Sequence[int], price: float, frontier: bool, seed: int
) -> _Solved:
    labels = np.unique(base.home[piece.atoms])
    labels = labels[(labels >= 0) & (owner[np.maximum(labels, 0)] == number)]
    of_atom = np.full(max(len(base.drawn), 1) + 1, -1, np.int64)
    of_atom[labels] = np.arange(len(labels))
    home = _units_home(piece, of_atom[base.home[piece.atoms]], base.households[piece.atoms])
    weight = np.bincount(piece.label, base.households[piece.atoms], minlength=len(piece.units)).astype(np.float64)
    held = np.bincount(home[home >= 0], piece.units.arrays.counted[home >= 0], minlength=len(labels))
    dedicated = np.array([str(base.drawn.kind[g]) == "dedicated" for g in labels], bool) & (held == 0)
    found = adjust(
        piece.units,
        home,
        piece.bounds,
        search.terms_of(base.ruleset, piece.bounds),
        base.ruleset.outside,
        weight=weight,
        locked=np.isin(labels, locked),
        dedicated=dedicated,
        price=price,
        frontier=frontier and piece.counted > 0,
        seed=seed,
    )
    return _Solved(piece, labels, home, found)


def _units_home(piece: Piece, home: Int, households: Int) -> Int:
    """Home of every unit: that of most of its households (or atoms)."""
    k = int(home.max()) + 1 if len(home) else 0
    if len(piece.units) == len(piece.atoms):
        out = np.full(len(piece.units), -1, np.int64)
        out[piece.label] = home
        return out
    votes = np.zeros((len(piece.units), k + 1))
    np.add.at(votes, (piece.label, home), households + 0.01)
    return np.where(votes.argmax(axis=1) == k, -1, votes.argmax(axis=1)).astype(np.int64)


def _proposal(base: Base, name: OptionName, solved: list[_Solved], firsts: list[int], each: list[Option]) -> Proposal:
    """The options of all pieces as one."""
    label = np.full(len(base.units), -1, np.int64)
    chains: list[Linked] = []
    left: list[int] = []
    for s, first, option in zip(solved, firsts, each, strict=True):
        most = int(option.part.max()) + 1
        names = np.concatenate([s.labels, first + np.arange(max(0, most - len(s.labels)))])
        label[s.piece.atoms] = names[option.part][s.piece.label]
        left += [int(names[g]) for g in option.left]
        for chain in option.chains:
            steps = tuple(
                Step(
                    int(names[t.giver]), int(names[t.taker]),
                    s.piece.atoms[np.isin(s.piece.label, t.units)], t.households,
                )
                for t in chain.transfers
            )  # fmt: skip
            cause = tuple(int(names[g]) for g in chain.at_fault)
            chains.append(Linked(tuple(int(names[g]) for g in chain.grids), cause, steps, chain.proven))
    away = (label != base.home) & (base.home >= 0)
    used = set(np.unique(label).tolist())
    return Proposal(
        name=name,
        label=label,
        moved=int(base.households[away].sum()),
        cost=sum(o.cost for o in each),
        amiss=sum(o.amiss for o in each),
        chains=tuple(chains),
        opened=tuple(g for g in sorted(used) if g >= len(base.drawn)),
        ended=tuple(g for g in range(len(base.drawn)) if g not in used),
        left=tuple(left),
    )
