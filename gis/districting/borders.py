"""Borders between grids, every metre once, and the polygons of the grids: both derived from the vector."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.model import AtomSet, Index
from gis.territory.classes import BASES, BORDER_CLASSES
from gis.territory.model import Geometries, Texts


@dataclass(frozen=True)
class Borders:
    """Lines between two grids. ``left`` < ``right`` are positions of grids.

    ``border_class`` is a value of ``BORDER_CLASSES``, ``basis`` of ``BASES``; ``source_ids`` are the input's lines
    that the border follows, sorted and joined by ``;``.
    """

    geometry: Geometries  # LineString
    left: Index
    right: Index
    border_class: Texts
    basis: Texts
    source_ids: Texts

    def __len__(self) -> int:
        return len(self.geometry)


def borders_of(atom_set: AtomSet, assignment: NDArray[np.integer]) -> Borders:
    """Every border between two grids, one line as long as its grids, class and basis stay the same."""
    s = atom_set.segments
    a, b = assignment[s.left], assignment[s.right]
    between = np.flatnonzero(a != b)
    low, high = np.minimum(a, b)[between], np.maximum(a, b)[between]
    key = np.stack([low, high, s.kind[between], s.basis[between]], axis=1).astype(np.int64)
    groups, member = np.unique(key, axis=0, return_inverse=True)
    member = member.ravel()
    order = np.argsort(member, kind="stable")
    chosen = between[order]
    lines = np.asarray(shapely.linestrings(np.stack([s.start[chosen], s.end[chosen]], axis=1)), object)
    merged = shapely.line_merge(shapely.multilinestrings(lines, indices=member[order]))
    parts, of = shapely.get_parts(merged, return_index=True)
    source_ids = _source_ids(atom_set, s.source[between], member, len(groups))
    return Borders(
        geometry=parts,
        left=groups[of, 0].astype(np.int32),
        right=groups[of, 1].astype(np.int32),
        border_class=np.array(BORDER_CLASSES, object)[groups[of, 2]],
        basis=np.array(BASES, object)[groups[of, 3]],
        source_ids=source_ids[of],
    )


def grid_polygons(atom_set: AtomSet, assignment: NDArray[np.integer]) -> Geometries:
    """Polygon of every grid: the exact coverage union of its atoms (no point is moved or made)."""
    order = np.argsort(assignment, kind="stable")
    members = np.split(atom_set.geometry[order], np.cumsum(np.bincount(assignment))[:-1])
    out = np.empty(len(members), object)
    out[:] = [shapely.coverage_union_all(atoms) for atoms in members]
    return out


def _source_ids(atom_set: AtomSet, source: Index, member: NDArray[np.int64], n: int) -> Texts:
    out = np.full(n, "", object)
    named = source >= 0
    if not named.any():
        return out
    pairs = np.unique(np.stack([member[named], source[named]], axis=1), axis=0)
    ids: dict[int, list[str]] = {}
    for group, line in pairs:
        ids.setdefault(int(group), []).append(str(atom_set.line_ids[line]))
    for group, found in ids.items():
        out[group] = ";".join(sorted(set(found)))
    return out
