"""From the solved pieces to a plan: grids numbered and named, exceptions found, certificates, the objective."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from gis.districting import search
from gis.districting.codes import code_form, code_of, name_form, name_of, reading_order
from gis.districting.kernels import Int
from gis.districting.model import (
    Certificate,
    CommunityPlan,
    GridException,
    Grids,
    Objective,
    Plan,
)
from gis.districting.piece import Piece
from gis.districting.rulesets import Ruleset
from gis.districting.units import Units
from gis.territory.model import Ints, Texts

#: Reasons that hold for one division into communities, not for every one.
_OF_THE_DIVISION: Final = frozenset({"small_community", "no_number_fits"})


def assemble(
    todo: list[Piece],
    solved: list[search.Search],
    units: Units,
    households: Ints,
    community: Int,
    names: list[tuple[str, str, str]],
    is_rural: list[bool],
    given: bool,
    ruleset: Ruleset,
    seed: int,
    rounds: int,
) -> Plan:
    """Number the grids, find those out of range, sum the objective up."""
    parts = [s.part for s in solved]
    assignment = np.full(len(units), -1, np.int64)
    piece_of: list[int] = []
    for i, (piece, part) in enumerate(zip(todo, parts, strict=True)):
        assignment[piece.atoms] = len(piece_of) + part[piece.label]
        piece_of += [i] * (int(part.max()) + 1)
    k = len(piece_of)
    order = _grid_order(units, assignment, np.array([todo[i].community for i in piece_of]), k)
    rank = np.empty(k, np.int64)
    rank[order] = np.arange(k)
    assignment = rank[assignment]
    piece_of = [piece_of[g] for g in order]
    counted = np.bincount(assignment, units.arrays.counted, minlength=k).astype(np.int64)
    exceptions = _exceptions(todo, piece_of, units, assignment, counted, ruleset)
    settled = given or len(names) == 1  # else other communities might do better: these are our own choice
    if not settled:
        exceptions = [replace(e, proven=e.proven and e.reason not in _OF_THE_DIVISION) for e in exceptions]
    kind = [_kind(todo[piece_of[g]], int(counted[g]), ruleset) for g in range(k)]
    owner = np.array([todo[i].community for i in piece_of], np.int32)
    number, code, name = _codes(owner, kind, [todo[i].site for i in piece_of], names, ruleset)
    note = np.full(k, "", object)
    for e in exceptions:
        note[e.grid] = e.reason
    grids = Grids(
        code=np.array([code_of(f, n) for f, n in zip(code, number, strict=True)], object),
        name=np.array([name_of(f, n) for f, n in zip(name, number, strict=True)], object),
        community=owner,
        kind=np.array(kind, object),
        counted=counted,
        households=np.bincount(assignment, households, minlength=k).astype(np.int64),
        note=note,
        number=number,
        code_form=code,
        name_form=name,
    )
    described = []
    for c, (own, title, code12) in enumerate(names):
        mine = tuple(e for e in exceptions if owner[e.grid] == c)
        certificate, bound = _certificate(
            [(p, s) for p, s in zip(todo, solved, strict=True) if p.community == c], mine, settled
        )
        described.append(
            CommunityPlan(
                code=own,
                name=title,
                code12=code12,
                rural=is_rural[c],
                certificate=certificate,
                objective=_objective([(p, s) for p, s in zip(todo, parts, strict=True) if p.community == c], ruleset),
                lower_bound=bound,
                exceptions=mine,
            )
        )
    return Plan(
        assignment=assignment.astype(np.int32),
        atom_community=community.astype(np.int32),
        atom_counted=units.arrays.counted,
        grids=grids,
        communities=tuple(described),
        communities_given=given,
        ruleset=ruleset,
        seed=seed,
        iterations=rounds,
    )


def _grid_order(units: Units, assignment: Int, owner: Int, k: int) -> Int:
    """Grids by community, in reading order within each."""
    area = np.maximum(units.arrays.area, 1e-9)
    total = np.bincount(assignment, area, minlength=k)
    x = np.bincount(assignment, units.x * area, minlength=k) / total
    y = np.bincount(assignment, units.y * area, minlength=k) / total
    out = []
    for c in np.unique(owner):
        mine = np.flatnonzero(owner == c)
        row = float(np.sqrt(np.median(total[mine])))
        out.append(mine[reading_order(x[mine], y[mine], row)])
    return np.concatenate(out)


def _kind(piece: Piece, counted: int, ruleset: Ruleset) -> str:
    if piece.counted == 0 and counted == 0 and ruleset.dedicated:
        return "dedicated"
    return piece.kind


def _codes(
    owner: np.ndarray,
    kind: list[str],
    site: list[str | None],
    names: list[tuple[str, str, str]],
    ruleset: Ruleset,
) -> tuple[Ints, Texts, Texts]:
    """Running number of every grid, its code and name with the number left open; dedicated grids have a range."""
    number = np.zeros(len(owner), np.int64)
    code = np.full(len(owner), "", object)
    name = np.full(len(owner), "", object)
    for c in np.unique(owner):
        mine = np.flatnonzero(owner == c)
        dedicated = [g for g in mine if kind[g] == "dedicated"]
        others = [g for g in mine if kind[g] != "dedicated"]
        first = max(ruleset.dedicated_from, len(others) + 1)
        most = max([len(others)] + ([first + len(dedicated) - 1] if dedicated else []))
        start = 0 if ruleset.undivided_zero and len(mine) == 1 else 1
        form = code_form(ruleset, names[c][2], most)
        for n, g in [*enumerate(others, start), *enumerate(dedicated, first)]:
            number[g], code[g] = n, form
            name[g] = name_form(ruleset, site=site[g] if kind[g] == "dedicated" else None)
    return number, code, name


def _exceptions(
    todo: list[Piece], piece_of: list[int], units: Units, assignment: Int, counted: Int, ruleset: Ruleset
) -> list[GridException]:
    """Every grid out of its bounds, with the reason that cannot be argued with first."""
    out: list[GridException] = []
    members = np.split(np.argsort(assignment, kind="stable"), np.cumsum(np.bincount(assignment))[:-1])
    amiss = np.zeros(len(todo), np.int64)
    for g, i in enumerate(piece_of):
        amiss[i] += max(todo[i].bounds.minimum - counted[g], counted[g] - todo[i].bounds.maximum, 0)
    for g, atoms in enumerate(members):
        piece = todo[piece_of[g]]
        held = int(counted[g])
        if piece.bounds.minimum <= held <= piece.bounds.maximum or _kind(piece, held, ruleset) == "dedicated":
            continue
        reason, proven = _reason(piece, np.asarray(atoms), units, held)
        if reason == "no_number_fits":
            proven = bool(amiss[piece_of[g]] <= search.least_amiss(piece.counted, piece.bounds))
        out.append(GridException(g, reason, _heaviest_block(units, np.asarray(atoms)), held, proven))
    return out


def _reason(piece: Piece, atoms: Int, units: Units, held: int) -> tuple[str, bool]:
    if piece.counted == 0:
        return "no_households", True
    if piece.counted < piece.bounds.minimum:
        return ("small_community" if piece.whole else "island"), True
    if held > piece.bounds.maximum:
        if units.arrays.counted[atoms].max() > piece.bounds.maximum:
            return "large_building", True
        inside = np.unique(piece.label[np.isin(piece.atoms, atoms)])
        if piece.units.arrays.counted[inside].max() > piece.bounds.maximum:
            return "large_group", True
    fewest, most = search.possible_numbers(piece.counted, piece.bounds)
    if fewest > most:
        return "no_number_fits", True
    return "blocks", False


def _heaviest_block(units: Units, atoms: Int) -> int:
    block, inverse = np.unique(units.arrays.block[atoms], return_inverse=True)
    weight = np.bincount(inverse, units.arrays.counted[atoms])
    return int(block[np.argmax(weight)])


def _certificate(
    solved: list[tuple[Piece, search.Search]], exceptions: tuple[GridException, ...], settled: bool
) -> tuple[Certificate, float | None]:
    """What is known of one community's plan, and the bound on its objective where there is one.

    ``settled``: the community was given, or is the whole territory; only then can it be proven infeasible.
    """
    if exceptions:
        if settled and all(e.proven for e in exceptions):
            return Certificate("infeasible", "atoms", tuple(sorted({e.reason for e in exceptions}))), None
        return Certificate("none"), None
    open_pieces = [(p, s) for p, s in solved if not p.fixed]
    proofs = [s.proof for _, s in open_pieces if s.proof is not None]
    if len(proofs) < len(open_pieces):
        return Certificate("none"), None
    bound = sum(s.cost for p, s in solved if p.fixed) + sum(p.bound for p in proofs)
    restrictions = tuple(sorted({r for p in proofs for r in p.restrictions}))
    if all(p.optimal for p in proofs):
        return Certificate("optimal", "blocks" if proofs else "atoms", restrictions), bound
    return Certificate("gap", "blocks", restrictions), bound


def _objective(solved: list[tuple[Piece, Int]], ruleset: Ruleset) -> Objective:
    border = balance = compactness = outside = 0.0
    for piece, part in solved:
        terms = search.terms_of(ruleset, piece.bounds)
        sums = search.sums_of(piece.units, part)
        balance += terms.balance * float((((sums.load - terms.target) / terms.half) ** 2).sum())
        compactness += terms.compactness * float((1 - 4 * np.pi * sums.area / sums.perimeter**2).sum())
        low = np.maximum(terms.minimum - sums.counted, 0.0)
        high = np.maximum(sums.counted - terms.maximum, 0.0)
        outside += ruleset.outside * float((low + high).sum())
        all_terms = search.cost_of(piece.units, part, terms, ruleset.outside)
        border += all_terms
    return Objective(border - balance - compactness - outside, balance, compactness, outside)
