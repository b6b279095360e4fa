"""From the solved pieces to a plan: grids numbered and named, exceptions found, certificates, the objective."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from gis.districting import search
from gis.districting.codes import code_form, code_of, name_form, name_of, reading_order
from gis.districting.exceptions import certificate_of, exceptions_of
from gis.districting.kernels import Int
from gis.districting.model import (
    CommunityPlan,
    Grids,
    Objective,
    Plan,
)
from gis.districting.piece import Piece
from gis.districting.rulesets import Ruleset
from gis.districting.units import Units, members_of
from gis.territory.model import Ints, Texts

#: Reasons that hold for every division into communities.
_OF_ANY_DIVISION: Final = frozenset({"no_households", "island", "large_building", "large_group"})


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
    kind = [kind_of(todo[piece_of[g]], int(counted[g]), ruleset) for g in range(k)]
    exceptions = exceptions_of(todo, solved, piece_of, units, assignment, [word == "dedicated" for word in kind])
    settled = given or len(names) == 1  # else other communities might do better: these are our own choice
    if not settled:
        exceptions = [replace(e, proven=e.proven and e.reason in _OF_ANY_DIVISION) for e in exceptions]
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
    pieces_in = members_of(np.array([p.community for p in todo], np.int64), len(names))
    out_in = members_of(np.array([owner[e.grid] for e in exceptions], np.int64), len(names))
    for c, (own, title, code12) in enumerate(names):
        mine = tuple(exceptions[i] for i in out_in[c])
        certificate, bound = certificate_of([(todo[i], solved[i]) for i in pieces_in[c]], mine, settled)
        described.append(
            CommunityPlan(
                code=own,
                name=title,
                code12=code12,
                rural=is_rural[c],
                certificate=certificate,
                objective=objective_of([(todo[i], parts[i]) for i in pieces_in[c]], ruleset),
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
    for mine in members_of(owner, int(owner.max()) + 1):
        if not len(mine):
            continue
        row = float(np.sqrt(np.median(total[mine])))
        out.append(mine[reading_order(x[mine], y[mine], row)])
    return np.concatenate(out)


def kind_of(piece: Piece, counted: int, ruleset: Ruleset) -> str:
    """Kind of a grid of a piece that holds so many counted households."""
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
    for c, mine in enumerate(members_of(owner, int(owner.max()) + 1)):
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


def objective_of(solved: list[tuple[Piece, Int]], ruleset: Ruleset) -> Objective:
    """The terms of the objective of divided pieces, added up (priced metres)."""
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
