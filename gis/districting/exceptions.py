"""Every grid out of its bounds: why, what is at fault, whether that is proven; and the certificate of a community."""

from __future__ import annotations

from typing import Final

import numpy as np

from gis.districting import search
from gis.districting.infeasible import Fault
from gis.districting.kernels import Int
from gis.districting.model import Certificate, GridException
from gis.districting.piece import Piece
from gis.districting.units import Units

#: Reasons that are plain from the figures of one piece, whatever its shape.
_PLAIN: Final = frozenset({"no_households", "small_community", "island", "large_building", "large_group"})


def exceptions_of(
    todo: list[Piece],
    solved: list[search.Search] | None,
    piece_of: list[int],
    units: Units,
    assignment: Int,
    excused: list[bool],
) -> list[GridException]:
    """Exceptions of all grids. ``piece_of``: position in ``todo`` of every grid; ``excused``: dedicated grids;
    ``solved``: with their proofs, where there are any.

    An exception is proven where no plan can do without it: by the figures alone; where the piece's plan is the
    best there is at the price of a household out of range and a fault shows that some grid must be; or, one grid a
    fault, where the fault lies in the grid.
    """
    out: list[GridException] = []
    members = np.split(np.argsort(assignment, kind="stable"), np.cumsum(np.bincount(assignment))[:-1])
    counted = np.bincount(assignment, units.arrays.counted).astype(np.int64)
    low = np.array([todo[i].bounds.minimum for i in piece_of])
    high = np.array([todo[i].bounds.maximum for i in piece_of])
    short = np.maximum(np.maximum(low - counted, counted - high), 0)
    amiss = np.bincount(piece_of, short, minlength=len(todo))
    used: set[tuple[int, int]] = set()
    for g in np.flatnonzero(short > 0):
        i = piece_of[g]
        if excused[g]:
            continue
        piece, atoms = todo[i], np.asarray(members[g])
        reason = _plain_reason(piece, atoms, units, int(counted[g]))
        proof = solved[i].proof if solved is not None else None
        faults = proof.faults if proof is not None else ()
        if reason in _PLAIN:
            which = atoms if reason not in {"large_building", "large_group"} else _heavy(piece, atoms, units)
            out.append(_exception(int(g), reason, which, units, int(counted[g]), proven=True))
            continue
        best = proof is not None and proof.optimal and bool(faults)
        if reason == "no_number_fits":
            least = amiss[i] <= search.least_amiss(piece.counted, piece.bounds)
            out.append(_exception(int(g), reason, piece.atoms, units, int(counted[g]), proven=bool(least) or best))
            continue
        at = _touching(piece, atoms, faults, {f for p, f in used if p == i})
        if at >= 0:
            used.add((i, at))
        if at < 0 and not best:
            out.append(_exception(int(g), "blocks", atoms, units, int(counted[g]), proven=False))
            continue
        fault = faults[max(at, 0)]
        out.append(_exception(int(g), fault.reason, _atoms(piece, fault), units, int(counted[g]), proven=True))
    return out


def _exception(g: int, reason: str, atoms: Int, units: Units, counted: int, *, proven: bool) -> GridException:
    return GridException(
        grid=g,
        reason=reason,
        block=_heaviest_block(units, atoms),
        households=counted,
        proven=proven,
        at_fault=tuple(int(a) for a in np.sort(atoms)),
        held=int(units.arrays.counted[atoms].sum()),
    )


def _plain_reason(piece: Piece, atoms: Int, units: Units, held: int) -> str:
    if piece.counted == 0:
        return "no_households"
    if piece.counted < piece.bounds.minimum:
        return "small_community" if piece.whole else "island"
    if held > piece.bounds.maximum:
        if units.arrays.counted[atoms].max() > piece.bounds.maximum:
            return "large_building"
        inside = np.unique(piece.label[np.isin(piece.atoms, atoms)])
        if piece.units.arrays.counted[inside].max() > piece.bounds.maximum:
            return "large_group"
    fewest, most = search.possible_numbers(piece.counted, piece.bounds)
    return "no_number_fits" if fewest > most else ""


def _heavy(piece: Piece, atoms: Int, units: Units) -> Int:
    """The atom, or the atoms of the villager group, above the maximum."""
    if units.arrays.counted[atoms].max() > piece.bounds.maximum:
        return atoms[[int(np.argmax(units.arrays.counted[atoms]))]]
    place = np.flatnonzero(np.isin(piece.atoms, atoms))
    group = piece.label[place]
    heaviest = group[np.argmax(piece.units.arrays.counted[group])]
    return np.asarray(piece.atoms[place[group == heaviest]], np.int64)


def _atoms(piece: Piece, fault: Fault) -> Int:
    """Atoms of the units at fault."""
    return np.asarray(piece.atoms[np.isin(piece.label, np.array(fault.units))], np.int64)


def _touching(piece: Piece, atoms: Int, faults: tuple[Fault, ...], used: set[int]) -> int:
    """The first fault in a grid that no grid before it answers for, or -1."""
    mine = set(piece.label[np.isin(piece.atoms, atoms)].tolist())
    return next((f for f, fault in enumerate(faults) if f not in used and mine & set(fault.units)), -1)


def _heaviest_block(units: Units, atoms: Int) -> int:
    block, inverse = np.unique(units.arrays.block[atoms], return_inverse=True)
    return int(block[np.argmax(np.bincount(inverse, units.arrays.counted[atoms]))])


def certificate_of(
    solved: list[tuple[Piece, search.Search]], exceptions: tuple[GridException, ...], settled: bool
) -> tuple[Certificate, float | None]:
    """What is known of one community's plan, and the bound on its objective where there is one.

    ``settled``: the community was given, or is the whole territory; only then can it be proven infeasible.
    """
    proofs = [s.proof for p, s in solved if not p.fixed]
    known = [p for p in proofs if p is not None and (p.bound > 0.0 or p.optimal)]
    bound = sum(s.cost for p, s in solved if p.fixed) + sum(p.bound for p in known)
    whole = len(known) == len(proofs)
    restrictions = {r for p in known for r in p.restrictions}
    units = ", ".join(sorted({p.units for p in known})) or "atoms"
    if exceptions and settled and all(e.proven for e in exceptions):
        reasons = tuple(sorted({e.reason for e in exceptions}))
        return Certificate("infeasible", "atoms", reasons), bound if whole else None
    if not whole or (exceptions and not known):
        return Certificate("none"), None
    status: Final = "optimal" if all(p.optimal for p in known) and not exceptions else "gap"
    return Certificate(status, units, tuple(sorted(restrictions))), bound
