"""What cutting a territory gives: an exact coverage of atoms, and every metre they share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.territory.model import Exclusion, Floats, Geometries, Texts

Index = NDArray[np.int32]


@dataclass(frozen=True)
class Segments:
    """Every straight piece of border between two atoms, once.

    ``left``/``right``: atom positions with left < right; ``start``/``end``: (n, 2) metres in the atom set's
    CRS on the 1 cm grid; ``kind`` indexes ``BORDER_CLASSES``, ``basis`` indexes ``BASES``; ``source`` is a
    position in ``AtomSet.line_ids`` or -1.
    """

    left: Index
    right: Index
    start: Floats
    end: Floats
    kind: NDArray[np.int8]
    basis: NDArray[np.int8]
    source: Index

    @property
    def metres(self) -> Floats:
        """Length of each segment in metres."""
        step = self.end - self.start
        return np.sqrt(step[:, 0] ** 2 + step[:, 1] ** 2)


@dataclass(frozen=True)
class Graph:
    """Rook contiguity: edge k joins atoms ``heads[k]`` < ``tails[k]``.

    ``metres[k, c]`` is the length shared, by class ``BORDER_CLASSES[c]``. Edges are sorted by (head, tail).
    """

    heads: Index
    tails: Index
    metres: Floats


@dataclass(frozen=True)
class AtomSet:
    """An immutable exact coverage of one territory; ``crs`` is its metre CRS.

    ``geometry``: valid Polygons, vertices on the 1 cm grid, shared borders equal vertex by vertex.
    ``block`` numbers first-level blocks from 0; ``community`` is a position in the communities (all 0 when none
    are given); ``building_atom`` holds, for each input building, its atom or -1 when it is excluded.
    ``outer`` is the length in metres each atom shares with the outside of the territory.
    ``line_ids`` are the source ids that segments refer to.
    """

    crs: str
    geometry: Geometries
    block: Index
    community: Index
    building_atom: Index
    segments: Segments
    outer: Floats
    line_ids: Texts
    excluded: tuple[Exclusion, ...] = ()
