"""Who is responsible for the streets on borders: every metre one grid, kept apart from the border itself.

A border runs along the middle of a street and belongs to both sides; sweeping it, watching it, answering for it is
one grid's duty. The rule, in this order:

1. What is given out are *sections*: all that one named street shares between the same two grids, however many pieces
   that is (an unnamed street: what one line of the input shares). A section is never divided.
2. One-sided: where buildings stand along one side only, that side's grid has the section.
3. Otherwise balance: sections from the longest to the shortest go to the grid with fewer metres so far; then sections
   change sides as long as that evens the metres out (the sum of squares falls).

Ties go to the grid with the lower position, so the answer depends on nothing but the plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.model import AtomSet, Index
from gis.territory.classes import BORDER_CLASSES, LANE_RANK, STREET_RANK
from gis.territory.model import Bools, Floats, Geometries, Texts

#: A side is built up where buildings stand along at least this share of the section.
BUILT: Final = 0.1
#: Why a grid is responsible.
ONE_SIDED, BALANCE = "one_sided", "balance"
#: Rounds of changing sides; each makes the metres evener, so it ends by itself long before.
ROUNDS: Final = 50

IS_STREET: Final[Bools] = np.array([name in STREET_RANK or name in LANE_RANK for name in BORDER_CLASSES])


@dataclass(frozen=True)
class Responsibilities:
    """One row a section: ``grid`` answers for it, ``other`` lies across; both are positions of grids."""

    geometry: Geometries  # LineString or MultiLineString
    grid: Index
    other: Index
    street: Texts  # name, "" where the street has none
    street_class: Texts  # of most of its metres
    metres: Floats
    reason: Texts  # one_sided | balance
    source_ids: Texts  # the input's lines, sorted, joined by ";"

    def __len__(self) -> int:
        return len(self.geometry)


def responsibilities_of(
    atom_set: AtomSet, assignment: NDArray[np.integer], names: Mapping[str, str]
) -> Responsibilities:
    """The grid that answers for every street on a border. ``names``: street names by the input's line ids."""
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
    _balance(first, second, total, takes)
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


def _balance(first: NDArray[np.int64], second: NDArray[np.int64], total: Floats, takes: NDArray[np.int64]) -> None:
    """Fill ``takes`` (0: first, 1: second) where it is -1."""
    k = int(max(first.max(initial=-1), second.max(initial=-1))) + 1
    held = np.zeros(k)
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
