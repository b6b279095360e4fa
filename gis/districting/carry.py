"""Grids drawn before, or elsewhere, carried onto an atom set: by building first, then by overlap of area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from gis.blocks.model import AtomSet
from gis.districting.kernels import Int
from gis.territory.model import Floats, Geometries, Ints, Texts

#: An atom belongs to a drawn grid when grids cover at least this part of it; it goes to the one that covers most.
COVERED: Final = 0.5


@dataclass(frozen=True)
class Drawn:
    """Grids as some layer has them, one row a grid: ``grid_id`` is "" where there is none.

    ``shapes`` are their polygons, or smaller ones that make them up, in the CRS of the atoms; ``shape_grid`` is the
    grid of each. ``buildings``: grid of every building known by its source id.
    """

    code: Texts
    name: Texts
    kind: Texts
    community: Texts
    grid_id: Texts
    shapes: Geometries
    shape_grid: Ints
    buildings: Mapping[str, int]
    community_name: Texts | None = None  # None: communities are known by their code alone

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class Carried:
    """Grid of every atom (-1: none), and atoms by what told it."""

    home: Int
    by_building: int
    by_area: int
    untold: int


@dataclass(frozen=True)
class Fit:
    """How drawn polygons fit the territory, in square metres: ``outside`` lies beyond it, ``gap`` is in no grid."""

    area: float
    gap: float
    overlap: float
    outside: float
    in_pieces: tuple[str, ...]  # codes of grids of several pieces

    @property
    def seamless(self) -> bool:
        """No gap and no overlap of a square metre or more."""
        return self.gap < 1.0 and self.overlap < 1.0


def carry(atom_set: AtomSet, source_id: Sequence[str], weight: Floats, drawn: Drawn) -> Carried:
    """The drawn grid of every atom. ``source_id`` and ``weight`` (households) are per building of the atom set.

    An atom with buildings that the drawn grids know goes with most of their households; any other goes to the grid
    that covers most of it.
    """
    home = _by_area(atom_set, drawn)
    votes: dict[int, dict[int, float]] = {}
    for building, atom in enumerate(atom_set.building_atom.tolist()):
        grid = drawn.buildings.get(str(source_id[building])) if atom >= 0 else None
        if grid is not None:
            of_atom = votes.setdefault(atom, {})
            of_atom[grid] = of_atom.get(grid, 0.0) + float(weight[building]) + 0.01
    for atom, found in votes.items():
        home[atom] = max(sorted(found), key=lambda g: found[g])
    untold = int((home < 0).sum())
    return Carried(home, len(votes), len(home) - len(votes) - untold, untold)


def _by_area(atom_set: AtomSet, drawn: Drawn) -> Int:
    n = len(atom_set.geometry)
    home = np.full(n, -1, np.int64)
    if not len(drawn.shapes):
        return home
    atom, shape = shapely.STRtree(drawn.shapes).query(atom_set.geometry, predicate="intersects")
    shared = shapely.area(shapely.intersection(atom_set.geometry[atom], drawn.shapes[shape]))
    grid = drawn.shape_grid[shape]
    key = atom * max(len(drawn), 1) + grid
    pairs, inverse = np.unique(key, return_inverse=True)
    area = np.bincount(inverse, shared, len(pairs)) if len(pairs) else np.zeros(0)
    of_atom, of_grid = pairs // max(len(drawn), 1), pairs % max(len(drawn), 1)
    covered = np.bincount(of_atom, area, n)
    order = np.lexsort((-of_grid, area, of_atom))
    home[of_atom[order]] = of_grid[order]
    home[covered < COVERED * shapely.area(atom_set.geometry)] = -1
    return home


def fit(atom_set: AtomSet, drawn: Drawn) -> Fit:
    """Gaps and overlaps of the polygons as they were drawn, before anything is snapped to atoms."""
    territory = shapely.coverage_union_all(atom_set.geometry)
    whole = [shapely.union_all(drawn.shapes[drawn.shape_grid == g]) for g in range(len(drawn))]
    union = shapely.union_all(whole)
    area = float(sum(shapely.area(g) for g in whole))
    return Fit(
        area=area,
        gap=float(shapely.area(shapely.difference(territory, union))),
        overlap=float(area - shapely.area(union)),
        outside=float(shapely.area(shapely.difference(union, territory))),
        in_pieces=tuple(str(drawn.code[g]) for g, shape in enumerate(whole) if len(shapely.get_parts(shape)) > 1),
    )


def compactness(drawn: Drawn) -> Floats:
    """4 pi area / perimeter squared of every drawn grid, holes included."""
    whole = np.array([shapely.union_all(drawn.shapes[drawn.shape_grid == g]) for g in range(len(drawn))], object)
    around = shapely.length(whole)
    return np.asarray(
        np.divide(4 * np.pi * shapely.area(whole), around**2, out=np.zeros(len(whole)), where=around > 0), np.float64
    )
