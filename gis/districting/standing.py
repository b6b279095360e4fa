"""From a vector of atoms and grids that have codes already to a plan: nothing is numbered anew but what is new."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gis.blocks.model import AtomSet, Graph, Index
from gis.districting import plan as planning
from gis.districting import rural, search
from gis.districting.assemble import objective_of
from gis.districting.carry import Drawn
from gis.districting.codes import code_form, code_of, community_codes, name_form, name_of, next_numbers
from gis.districting.exceptions import exceptions_of
from gis.districting.kernels import Int
from gis.districting.model import Certificate, CommunityPlan, GridException, Grids, Plan
from gis.districting.piece import Piece, pieces_of
from gis.districting.rulesets import Ruleset
from gis.districting.units import Units, atom_units
from gis.territory.model import Areas, Floats, Ints, Texts

RESIDENTIAL: Final = "residential"
DEDICATED: Final = "dedicated"


@dataclass(frozen=True)
class Base:
    """Atoms with their loads, the communities they are in, and the pieces that are divided each for itself.

    ``home``: position of every atom's grid in ``drawn``, -1 where it has none.
    """

    atom_set: AtomSet
    units: Units
    households: Ints
    drawn: Drawn
    home: Int
    community: Int
    names: list[tuple[str, str, str]]
    is_rural: list[bool]
    given: bool
    pieces: list[Piece]
    ruleset: Ruleset


def base_of(
    atom_set: AtomSet,
    graph: Graph,
    households: Ints,
    counted: Ints,
    work: Floats,
    communities: Areas | None,
    villager_groups: Areas | None,
    ruleset: Ruleset,
    drawn: Drawn,
    home: Int,
) -> Base:
    """Everything an adjustment needs. Without given communities those of the drawn grids hold."""
    load = planning.load_of(np.asarray(counted, np.float64), np.asarray(work, np.float64), ruleset)
    units = atom_units(atom_set, graph, ruleset.class_prices(), np.asarray(counted, np.int64), load)
    given = communities is not None and len(communities) > 0
    if given:
        community = atom_set.community.astype(np.int64)
        names = planning.community_names(communities, community, ruleset)
    else:
        community, names = _communities_of(units, drawn, home)
    group = planning.groups_of(atom_set, villager_groups, units, ruleset)
    is_rural = rural.rural_communities(group, community, units.arrays.counted, len(names))
    site, titles = _sites(units, drawn, home)
    todo = pieces_of(units, community, group, is_rural, ruleset, site, titles)
    return Base(atom_set, units, households, drawn, home, community, names, is_rural, given, todo, ruleset)


def _communities_of(units: Units, drawn: Drawn, home: Int) -> tuple[Int, list[tuple[str, str, str]]]:
    """Community of every atom: that of its grid; atoms without one follow their neighbours."""
    codes = list(dict.fromkeys(str(c) for c in drawn.community)) or [""]
    of_grid = np.array([codes.index(str(c)) for c in drawn.community], np.int64)
    community = np.full(len(units), -1, np.int64)
    community[home >= 0] = of_grid[home[home >= 0]]
    community = np.maximum(rural.fill(units, community), 0)
    used = np.unique(community)
    community = np.searchsorted(used, community)
    kept = [codes[c] for c in used]
    standing = community_codes(kept)
    spoken = [] if drawn.community_name is None else [str(name) for name in drawn.community_name]
    titles = dict(zip(map(str, drawn.community), spoken, strict=False))
    return community, [
        (code or own, titles.get(code) or code or own, own) for code, own in zip(kept, standing, strict=True)
    ]


def _sites(units: Units, drawn: Drawn, home: Int) -> tuple[Int, Texts]:
    """Dedicated grids where nobody lives stay what they are: places of their own."""
    held = np.bincount(home[home >= 0], units.arrays.counted[home >= 0], minlength=max(len(drawn), 1))
    is_site = np.array([str(k) == DEDICATED for k in drawn.kind] or [False]) & (held[: max(len(drawn), 1)] == 0)
    return np.where((home >= 0) & is_site[np.maximum(home, 0)], home, -1).astype(np.int64), drawn.name


def plan_of(base: Base, label: Int, seed: int, *, reason: str = "", locked: Sequence[int] = ()) -> Plan:
    """The plan of a vector of labels: positions in ``base.drawn``, or from ``len(base.drawn)`` on for new grids.

    Grids keep code, name and kind; new ones get codes after the highest ever used there. ``reason`` stands for an
    exception that no proof explains, "locked" for one of a ``locked`` grid.
    """
    used = np.unique(label)
    assignment = np.searchsorted(used, label).astype(np.int64)
    k = len(used)
    counted = np.bincount(assignment, base.units.arrays.counted, minlength=k).astype(np.int64)
    piece = _piece_of(base, assignment, k)
    owner = np.array([base.pieces[i].community for i in piece], np.int32)
    grids = _grids(base, used, owner, counted, [base.pieces[i] for i in piece], assignment)
    excused = [bool(kind == DEDICATED) for kind in grids.kind]
    exceptions = [
        _explained(e, int(used[e.grid]), reason, locked)
        for e in exceptions_of(base.pieces, None, piece, base.units, assignment, excused)
    ]
    note = grids.note
    for e in exceptions:
        note[e.grid] = e.reason
    parts = [_part(p, assignment) for p in base.pieces]
    described = tuple(
        CommunityPlan(
            code=code,
            name=name,
            code12=code12,
            rural=base.is_rural[c],
            certificate=Certificate("none"),
            objective=objective_of(
                [(p, part) for p, part in zip(base.pieces, parts, strict=True) if p.community == c], base.ruleset
            ),
            lower_bound=None,
            exceptions=tuple(e for e in exceptions if owner[e.grid] == c),
        )
        for c, (code, name, code12) in enumerate(base.names)
    )
    return Plan(
        assignment=assignment.astype(np.int32),
        atom_community=base.community.astype(np.int32),
        atom_counted=base.units.arrays.counted,
        grids=grids,
        communities=described,
        communities_given=base.given,
        ruleset=base.ruleset,
        seed=seed,
        iterations=0,
    )


def _explained(e: GridException, label: int, reason: str, locked: Sequence[int]) -> GridException:
    if label in locked:
        return replace(e, reason="locked", proven=False)
    return replace(e, reason=reason) if reason and e.reason == "blocks" else e


def _piece_of(base: Base, assignment: Int, k: int) -> list[int]:
    """The piece that holds most of every grid."""
    of_atom = np.empty(len(assignment), np.int64)
    for i, piece in enumerate(base.pieces):
        of_atom[piece.atoms] = i
    weight = base.units.arrays.counted + 1e-6 * base.units.arrays.area
    shared = np.zeros((k, len(base.pieces)))
    np.add.at(shared, (assignment, of_atom), weight)
    return [int(i) for i in shared.argmax(axis=1)]


def _part(piece: Piece, assignment: Int) -> Int:
    """Grids of the units of one piece, numbered from 0."""
    part = np.zeros(len(piece.units), np.int64)
    part[piece.label] = assignment[piece.atoms]
    return search.renumbered(part)


def _grids(base: Base, used: Int, owner: Index, counted: Int, piece: list[Piece], assignment: Int) -> Grids:
    """Codes, names and kinds: kept for old grids, appended for new ones."""
    drawn, k, old = base.drawn, len(used), len(base.drawn)
    forms = [code_form(base.ruleset, base.names[c][2]) for c in range(len(base.names))]
    kind = np.array([_kind(base, int(g), piece[i], int(counted[i])) for i, g in enumerate(used)], object)
    new = [i for i in range(k) if used[i] >= old]
    numbers = iter(
        next_numbers(
            _issued(drawn, forms),
            [(forms[owner[i]], kind[i] == DEDICATED, _first(base.ruleset, str(kind[i]))) for i in new],
        )
    )
    code, name, number = np.empty(k, object), np.empty(k, object), np.zeros(k, np.int64)
    taken = {str(c) for c in drawn.code}
    for i, g in enumerate(used):
        if g < old:
            code[i], name[i] = drawn.code[g], drawn.name[g]
            number[i] = _number(str(code[i]), forms[owner[i]])
            continue
        number[i] = next(numbers)
        while code_of(forms[owner[i]], int(number[i])) in taken:
            number[i] += 1
        code[i] = code_of(forms[owner[i]], int(number[i]))
        taken.add(str(code[i]))
        name[i] = name_of(name_form(base.ruleset), int(number[i]))
    return Grids(
        code=code,
        name=name,
        community=owner,
        kind=kind,
        counted=counted,
        households=np.bincount(assignment, base.households, minlength=k).astype(np.int64),
        note=np.full(k, "", object),
        number=number,
        code_form=np.array([_form(str(code[i]), int(number[i]), forms[owner[i]]) for i in range(k)], object),
        name_form=np.array([str(n).replace("{", "").replace("}", "") for n in name], object),
    )


def _kind(base: Base, label: int, piece: Piece, counted: int) -> str:
    old = str(base.drawn.kind[label]) if label < len(base.drawn) else ""
    if counted == 0 and base.ruleset.dedicated and (old == DEDICATED or piece.counted == 0):
        return DEDICATED
    return piece.kind


def _first(ruleset: Ruleset, kind: str) -> int:
    return ruleset.dedicated_from if kind == DEDICATED else 1


def _issued(drawn: Drawn, forms: list[str]) -> list[tuple[str, bool, int]]:
    """Running numbers that the drawn grids hold."""
    out = []
    for code, kind in zip(drawn.code, drawn.kind, strict=True):
        for form in forms:
            number = _number(str(code), form)
            if number:
                out.append((form, str(kind) == DEDICATED, number))
                break
    return out


def _number(code: str, form: str) -> int:
    """The running number of a code of this form; 0 where the code is of another."""
    head, _, rest = form.partition("{")
    found = re.fullmatch(re.escape(head) + "([0-9]+)" + re.escape(rest.partition("}")[2]), code)
    return int(found[1]) if found else 0


def _form(code: str, number: int, form: str) -> str:
    return form if number and code_of(form, number) == code else code
