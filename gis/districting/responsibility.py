"""Who answers for the streets on borders and on the outer edge: every metre one grid, apart from the border itself.

A border runs along the middle of a street and belongs to both sides; sweeping it, watching it, answering for it is
one grid's duty. The rule, in this order:

1. What is given out are *sections*: all that one named street shares between the same two grids, however many pieces
   that is (an unnamed street: what one line of the input shares). A section is never divided.
2. One-sided: where buildings stand along one side only, that side's grid has the section.
3. Otherwise balance: sections from the longest to the shortest go to the grid with fewer metres so far; then sections
   change sides as long as that evens the metres out (the sum of squares falls).

Streets along the territory's outer edge belong to no border between grids: the one grid beside them has them, and
they count in the balance.

Ties go to the grid with the lower position, so the answer depends on nothing but the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.model import AtomSet, Index
from gis.districting.outline import BESIDE, OuterEdges, outer_edges, streets_along
from gis.territory.classes import BORDER_CLASSES, CLASS_INDEX, LANE_RANK, STREET_RANK
from gis.territory.model import Bools, Floats, Geometries, Ints, Streets, Texts

#: A side is built up where buildings stand along at least this share of the section.
BUILT: Final = 0.1
#: Why a grid is responsible.
ONE_SIDED, BALANCE, OUTER = "one_sided", "balance", "outer_edge"
#: Rounds of changing sides; each makes the metres evener, so it ends by itself long before.
ROUNDS: Final = 50

IS_STREET: Final[Bools] = np.array([name in STREET_RANK or name in LANE_RANK for name in BORDER_CLASSES])


@dataclass(frozen=True)
class Responsibilities:
    """One row a section: ``grid`` answers for it, ``other`` lies across (-1: nothing, the territory ends there).

    Both are positions of grids. The geometry of a section on the outer edge is that edge.
    """

    geometry: Geometries  # LineString or MultiLineString
    grid: Index
    other: Index
    street: Texts  # name, "" where the street has none
    street_class: Texts  # of most of its metres
    metres: Floats
    reason: Texts  # one_sided | balance | outer_edge
    source_ids: Texts  # the input's lines, sorted, joined by ";"

    def __len__(self) -> int:
        return len(self.geometry)


def responsibilities_of(
    atom_set: AtomSet, assignment: NDArray[np.integer], names: Mapping[str, str], streets: Streets | None = None
) -> Responsibilities:
    """The grid that answers for every street on a border. ``names``: street names by the input's line ids.

    With the ``streets`` of the input those along the territory's outer edge follow at the end.
    """
    outer = None if streets is None else _outer(atom_set, assignment, names, streets)
    held = np.zeros(int(assignment.max(initial=-1)) + 1)
    if outer is not None:
        np.add.at(held, outer.grid, outer.metres)
    inner = _inner(atom_set, assignment, names, held)
    return inner if outer is None else _joined_rows(inner, outer)


def _inner(
    atom_set: AtomSet, assignment: NDArray[np.integer], names: Mapping[str, str], held: Floats
) -> Responsibilities:
    """Sections between two grids; ``held``: metres that the grids answer for already."""
    s = atom_set.segments
    a, b = assignment[s.left].astype(np.int64), assignment[s.right].astype(np.int64)
    chosen = np.flatnonzero((a != b) & IS_STREET[s.kind])
    low, high = np.minimum(a, b)[chosen], np.maximum(a, b)[chosen]
    source = s.source[chosen]
    label = _labels(atom_set, source, names)
    key, section = np.unique(np.stack([low, high, label], axis=1), axis=0, return_inverse=True)
    section = section.ravel()
    n = len(key)
    metres = s.metres[chosen]
    total = np.asarray(np.bincount(section, metres, n), np.float64)
    built = np.zeros(len(atom_set.geometry), bool)
    built[atom_set.building_atom[atom_set.building_atom >= 0]] = True
    left_low = a[chosen] == low
    sides = (np.where(left_low, s.left[chosen], s.right[chosen]), np.where(left_low, s.right[chosen], s.left[chosen]))
    front = [np.bincount(section, metres * built[atom], n) >= BUILT * np.maximum(total, 1e-9) for atom in sides]
    first, second = key[:, 0], key[:, 1]
    takes = np.where(front[0] & ~front[1], 0, np.where(front[1] & ~front[0], 1, -1))
    fixed = takes >= 0
    _balance(first, second, total, takes, held)
    order = np.argsort(section, kind="stable")
    lines = np.asarray(shapely.linestrings(np.stack([s.start[chosen], s.end[chosen]], axis=1)), object)[order]
    geometry = shapely.line_merge(shapely.multilinestrings(lines, indices=section[order])) if n else lines
    return Responsibilities(
        geometry=np.asarray(geometry, object),
        grid=np.where(takes == 0, first, second).astype(np.int32),
        other=np.where(takes == 0, second, first).astype(np.int32),
        street=_first(section, [names.get(i, "") for i in _ids(atom_set, source)], n),
        street_class=_main_class(section, s.kind[chosen].astype(np.int64), metres, n),
        metres=total,
        reason=np.where(fixed, ONE_SIDED, BALANCE).astype(object),
        source_ids=_joined(section, _ids(atom_set, source), n),
    )


def _ids(atom_set: AtomSet, source: Index) -> list[str]:
    return [str(atom_set.line_ids[i]) if i >= 0 else "" for i in source]


def _labels(atom_set: AtomSet, source: Index, names: Mapping[str, str]) -> NDArray[np.int64]:
    """A number for every street: by name, or by line where it has none."""
    known: dict[str, int] = {}
    of_line = {-1: known.setdefault("", 0)}
    for line in np.unique(source[source >= 0]):
        own = str(atom_set.line_ids[line])
        of_line[int(line)] = known.setdefault(f"name:{names[own]}" if names.get(own) else f"line:{own}", len(known))
    return np.array([of_line[int(line)] for line in source], np.int64).reshape(-1)


def _outer(
    atom_set: AtomSet, assignment: NDArray[np.integer], names: Mapping[str, str], streets: Streets
) -> Responsibilities:
    """Streets along the outer edge, all of one street along one grid in one section."""
    edges = outer_edges(atom_set).pieces()
    street = streets_along(edges, streets)
    street[_on_border(atom_set, assignment, edges, street, streets)] = -1
    at = np.flatnonzero(street >= 0)
    ids = [str(streets.source_id[k]) for k in street[at]]
    called = [f"name:{names[i]}" if names.get(i) else f"line:{i}" for i in ids]
    order = {c: k for k, c in enumerate(dict.fromkeys(called))}
    label = np.array([order[c] for c in called], np.int64).reshape(-1)
    grid = assignment[edges.atom[at]].astype(np.int64)
    key, section = np.unique(np.stack([grid, label], axis=1), axis=0, return_inverse=True)
    section, n = section.ravel(), len(key)
    metres = edges.metres[at]
    by = np.argsort(section, kind="stable")
    lines = np.asarray(shapely.linestrings(np.stack([edges.start[at], edges.end[at]], axis=1)), object)[by]
    kind = np.array([CLASS_INDEX[str(streets.highway[k])] for k in street[at]], np.int64).reshape(-1)
    return Responsibilities(
        geometry=np.asarray(
            shapely.line_merge(shapely.multilinestrings(lines, indices=section[by])) if n else lines, object
        ),
        grid=key[:, 0].astype(np.int32),
        other=np.full(n, -1, np.int32),
        street=_first(section, [names.get(i, "") for i in ids], n),
        street_class=_main_class(section, kind, metres, n),
        metres=np.asarray(np.bincount(section, metres, n), np.float64),
        reason=np.full(n, OUTER, object),
        source_ids=_joined(section, ids, n),
    )


def _on_border(
    atom_set: AtomSet, assignment: NDArray[np.integer], edges: OuterEdges, street: Ints, streets: Streets
) -> Ints:
    """Pieces of the outer edge whose street is a border between two grids right there: one row is enough."""
    s = atom_set.segments
    between = np.flatnonzero((assignment[s.left] != assignment[s.right]) & IS_STREET[s.kind] & (s.source >= 0))
    at = np.flatnonzero(street >= 0)
    if not len(between) or not len(at):
        return at[:0]
    lines = np.asarray(shapely.linestrings(np.stack([s.start[between], s.end[between]], axis=1)), object)
    middle = shapely.points(edges.middle[at])
    piece, line = shapely.STRtree(lines).query(middle, predicate="dwithin", distance=BESIDE)
    same = atom_set.line_ids[s.source[between[line]]] == streets.source_id[street[at[piece]]]
    return np.unique(at[piece[np.asarray(same, bool)]])


def _joined_rows(a: Responsibilities, b: Responsibilities) -> Responsibilities:
    return Responsibilities(**{
        f.name: np.concatenate([getattr(a, f.name), getattr(b, f.name)]) for f in fields(Responsibilities)
    })  # fmt: skip


def _balance(
    first: NDArray[np.int64], second: NDArray[np.int64], total: Floats, takes: NDArray[np.int64], held: Floats
) -> None:
    """Fill ``takes`` (0: first, 1: second) where it is -1."""
    held = held.copy()
    free = [int(i) for i in np.lexsort((np.arange(len(total)), -total)) if takes[i] < 0]
    for i in np.flatnonzero(takes >= 0).tolist():
        held[(first, second)[int(takes[i])][i]] += total[i]
    for i in free:
        takes[i] = 0 if held[first[i]] <= held[second[i]] else 1
        held[(first, second)[int(takes[i])][i]] += total[i]
    for _ in range(ROUNDS):
        changed = False
        for i in free:
            mine, theirs = (first[i], second[i]) if takes[i] == 0 else (second[i], first[i])
            if held[mine] - total[i] > held[theirs] + 1e-6:
                held[mine] -= total[i]
                held[theirs] += total[i]
                takes[i] = 1 - takes[i]
                changed = True
        if not changed:
            return


def _first(section: NDArray[np.int64], values: list[str], n: int) -> Texts:
    out = np.full(n, "", object)
    for i, value in zip(section[::-1], values[::-1], strict=True):
        out[i] = value
    return out


def _joined(section: NDArray[np.int64], values: list[str], n: int) -> Texts:
    found: list[set[str]] = [set() for _ in range(n)]
    for i, value in zip(section, values, strict=True):
        if value:
            found[i].add(value)
    return np.array([*(";".join(sorted(f)) for f in found), ""], object)[:-1]


def _main_class(section: NDArray[np.int64], kind: NDArray[np.int64], metres: Floats, n: int) -> Texts:
    table = np.zeros((n, len(BORDER_CLASSES)))
    np.add.at(table, (section, kind), metres)
    return np.array(BORDER_CLASSES, object)[table.argmax(axis=1)] if n else np.empty(0, object)
