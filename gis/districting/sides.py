"""The four bounds 四至 of every grid: what lies along its east, south, west and north side.

A piece of a grid's edge belongs to the side on which it lies, seen from the middle of the grid's bounding box and
measured in its half width and half height. Of each side those things are named that make up at least a sixth of its
length, three at most, from north to south (east and west) or from west to east (south and north). A side that no
edge belongs to (a wedge) is named by the outermost piece of edge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.model import AtomSet
from gis.districting.outline import BESIDE, outer_edges
from gis.territory.classes import BARRIER_KINDS, BASIS_INDEX, BORDER_CLASSES, LANE_RANK, STREET_RANK
from gis.territory.model import Floats, Sources, Texts

#: ``facing_street`` and ``facing_lane`` have no name of their own: ``name`` is that of the grid across.
Kind = Literal[
    "street", "lane", "water", "rail", "wall", "community", "grid", "outside", "facing_street", "facing_lane"
]
SIDES: Final = ("east", "south", "west", "north")
#: Of a side's length, what a thing must make up to be named; how many are named at most.
NAMED, MOST = 1 / 6, 3


class Bound(NamedTuple):
    """One thing along a side. ``name`` is "" where it has none."""

    kind: Kind
    name: str


Sides = dict[str, tuple[Bound, ...]]


@dataclass(frozen=True)
class _Edges:
    """Pieces of edge of grids: which grid, where its middle lies, how long it is, what it is."""

    grid: NDArray[np.int64]
    x: Floats
    y: Floats
    metres: Floats
    label: NDArray[np.int64]


def names_of_lines(sources: Sources) -> dict[str, str]:
    """Names of streets and barriers by the ids that borders refer to, where they have one."""
    rows = (sources.barriers, sources.streets)
    return {str(i): str(n) for r in rows for i, n in zip(r.source_id, r.name, strict=True) if n}


def four_bounds(
    atom_set: AtomSet,
    assignment: NDArray[np.integer],
    grid_names: Texts,
    grid_communities: Texts,
    sources: Sources,
) -> list[Sides]:
    """The sides of every grid. ``grid_communities`` are the names of the grids' communities."""
    n = len(grid_names)
    if not n:
        return []
    labels = _Labels()
    inner = _inner(atom_set, assignment, grid_names, grid_communities, names_of_lines(sources), labels)
    outer = _outer(atom_set, assignment, sources, labels)
    e = _Edges(*(np.concatenate([a, b]) for a, b in zip(_columns(inner), _columns(outer), strict=True)))
    low = np.full((n, 2), np.inf)
    high = np.full((n, 2), -np.inf)
    box = shapely.bounds(atom_set.geometry)
    for k in (0, 1):
        np.minimum.at(low[:, k], assignment, box[:, k])
        np.maximum.at(high[:, k], assignment, box[:, 2 + k])
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 1e-6)
    dx = (e.x - middle[e.grid, 0]) / half[e.grid, 0]
    dy = (e.y - middle[e.grid, 1]) / half[e.grid, 1]
    side = np.where(np.abs(dx) >= np.abs(dy), np.where(dx >= 0, 0, 2), np.where(dy >= 0, 3, 1))
    order = np.lexsort((side, e.grid))
    starts = np.searchsorted(e.grid[order], np.arange(n + 1))
    return [_sides(e, order[starts[g] : starts[g + 1]], side, labels.known) for g in range(n)]


def _columns(e: _Edges) -> tuple[NDArray[np.int64], Floats, Floats, Floats, NDArray[np.int64]]:
    return e.grid, e.x, e.y, e.metres, e.label


class _Labels:
    """Numbers of bounds, in the order they are met."""

    def __init__(self) -> None:
        self.known: list[Bound] = []
        self._number: dict[Bound, int] = {}

    def of(self, bound: Bound) -> int:
        if bound not in self._number:
            self._number[bound] = len(self.known)
            self.known.append(bound)
        return self._number[bound]


def _inner(
    atom_set: AtomSet,
    assignment: NDArray[np.integer],
    grid_names: Texts,
    grid_communities: Texts,
    names: Mapping[str, str],
    labels: _Labels,
) -> _Edges:
    """Both sides of every border between two grids."""
    s = atom_set.segments
    a, b = assignment[s.left].astype(np.int64), assignment[s.right].astype(np.int64)
    chosen = np.flatnonzero(a != b)
    middle = (s.start[chosen] + s.end[chosen]) / 2
    grid = np.concatenate([a[chosen], b[chosen]])
    across = np.concatenate([b[chosen], a[chosen]])
    twice = np.concatenate([chosen, chosen])
    key = np.stack([s.kind[twice], s.basis[twice] == BASIS_INDEX["cell"], s.source[twice], grid, across], axis=1)
    groups, member = np.unique(key.astype(np.int64), axis=0, return_inverse=True)
    said = [_inner_label(atom_set, row, grid_names, grid_communities, names, labels) for row in groups.tolist()]
    label = np.array(said, np.int64).reshape(-1)
    return _Edges(
        grid, np.tile(middle[:, 0], 2), np.tile(middle[:, 1], 2), np.tile(s.metres[chosen], 2), label[member.ravel()]
    )


def _inner_label(
    atom_set: AtomSet,
    row: Sequence[int],
    grid_names: Texts,
    grid_communities: Texts,
    names: Mapping[str, str],
    labels: _Labels,
) -> int:
    kind, cell, source, grid, across = row
    found = _line(BORDER_CLASSES[kind], names.get(str(atom_set.line_ids[source]), "") if source >= 0 else "")
    apart = grid_communities[grid] != grid_communities[across]
    beyond = str(grid_communities[across] if apart else grid_names[across])
    if found is not None and not cell:
        unnamed = not found.name and beyond and found.kind in ("street", "lane")
        return labels.of(Bound(f"facing_{found.kind}", beyond) if unnamed else found)  # type: ignore[arg-type]
    return labels.of(Bound("community" if apart else "grid", beyond))


def _line(border_class: str, name: str) -> Bound | None:
    """What a street or barrier is called in the bounds; None where the class is neither."""
    if border_class in STREET_RANK or (name and border_class in LANE_RANK):
        return Bound("street", name)
    if border_class in LANE_RANK:
        return Bound("lane", "")
    return Bound(border_class, name) if border_class in BARRIER_KINDS else None  # type: ignore[arg-type]


def _outer(atom_set: AtomSet, assignment: NDArray[np.integer], sources: Sources, labels: _Labels) -> _Edges:
    """The edge of the territory."""
    e = outer_edges(atom_set)
    middle = e.middle
    label = np.full(len(e.atom), labels.of(Bound("outside", "")), np.int64)
    _beside(middle, sources, label, labels)
    return _Edges(assignment[e.atom].astype(np.int64), middle[:, 0], middle[:, 1], e.metres, label)


def _beside(middle: Floats, sources: Sources, label: NDArray[np.int64], labels: _Labels) -> None:
    """Name the pieces of the outer edge along which a street or barrier of the input runs."""
    lines = np.concatenate([sources.streets.geometry, sources.barriers.geometry])
    classes = [*sources.streets.highway, *sources.barriers.kind]
    names = [*sources.streets.name, *sources.barriers.name]
    if not len(lines) or not len(middle):
        return
    tree = shapely.STRtree(lines)
    piece, line = tree.query_nearest(shapely.points(middle), max_distance=BESIDE, all_matches=False)
    for i, k in zip(piece.tolist(), line.tolist(), strict=True):
        found = _line(str(classes[k]), str(names[k]))
        if found is not None:
            label[i] = labels.of(found)


def _sides(e: _Edges, mine: NDArray[np.int64], side: NDArray[np.int64], known: list[Bound]) -> Sides:
    out: Sides = {}
    for k, name in enumerate(SIDES):
        rows = mine[side[mine] == k]
        if not len(rows):
            reach = (e.x, -e.y, -e.x, e.y)[k][mine]
            rows = mine[[int(np.argmax(reach))]] if len(mine) else mine
        out[name] = _named(e, rows, k, known)
    return out


def _named(e: _Edges, rows: NDArray[np.int64], k: int, known: list[Bound]) -> tuple[Bound, ...]:
    label, member = np.unique(e.label[rows], return_inverse=True)
    metres = np.bincount(member, e.metres[rows], len(label))
    along = (-e.y if k in (0, 2) else e.x)[rows]
    place = np.bincount(member, e.metres[rows] * along, len(label)) / np.maximum(metres, 1e-9)
    order = [int(i) for i in np.lexsort((label, -metres))]
    kept = [i for i in order if metres[i] >= NAMED * metres.sum()][:MOST] or order[:1]
    return tuple(known[int(label[i])] for i in sorted(kept, key=lambda i: (place[i], i)))
