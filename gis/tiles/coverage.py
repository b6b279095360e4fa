"""Fewer vertices at low zooms without a gap or an overlap: all areas of a layer are simplified together.

Rounding to tile units could push a border over another. So the simplified areas are laid onto the grid of the units
here, where all of them are known, and what the tile encoder rounds later is whole already.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
import shapely

from gis.territory.model import Geometries, Ints
from gis.tiles.pyramid import HALF, unit

#: Zooms that have a simplified form of their own; deeper ones show every vertex.
ZOOMS: Final = (7, 8, 9, 10, 11, 12, 13)
_TOLERANCE: Final = 8  # tile units, about one pixel of a 512 pixel tile


def simplify(areas: Geometries, z: int) -> Geometries:
    """A coverage of polygons (EPSG:3857) for one zoom: shared borders stay shared, vertex by vertex.

    The outline of the territory is simplified as well. Vertices lie on whole tile units; an area smaller than a few
    of them may become empty.
    """
    if not len(areas):
        return areas
    simpler = shapely.coverage_simplify(areas, _TOLERANCE * unit(z))
    return _on_units(np.asarray(simpler, dtype=object), unit(z))


def _on_units(areas: Geometries, size: float) -> Geometries:
    """A coverage with its vertices on the units of a zoom, counted from the world's north-west corner."""
    units = shapely.transform(areas, lambda xy: np.column_stack([xy[:, 0] + HALF, HALF - xy[:, 1]]) / size)
    rounded = np.asarray(shapely.transform(units, lambda xy: np.floor(xy + 0.5)), dtype=object)
    if not (shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded)):
        rounded = _noded(np.asarray(units, dtype=object))
    return np.asarray(shapely.transform(rounded, lambda xy: xy * size * (1, -1) + (-HALF, HALF)), dtype=object)


def _noded(areas: Geometries) -> Geometries:
    """A coverage with its vertices on whole numbers: its lines are rounded together, each face goes to one area."""
    lines = shapely.get_parts(shapely.union_all(shapely.boundary(areas), grid_size=1.0))
    faces = shapely.get_parts(shapely.polygonize(lines))
    face, area = shapely.STRtree(areas).query(shapely.point_on_surface(faces), predicate="intersects")
    face, first = np.unique(face, return_index=True)  # what lies in no area is a hole of the territory
    return dissolve(faces[face], area[first].astype(np.int64), len(areas))


def dissolve(areas: Geometries, group: Ints, groups: int) -> Geometries:
    """The union of the areas of each group; a coverage again, because only shared borders vanish."""
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(groups + 1))
    made = [shapely.coverage_union_all(areas[order[a:b]]) for a, b in itertools.pairwise(starts)]
    return np.array([_plain(g) for g in made], dtype=object)


def _plain(geometry: Any) -> Any:
    """A union of one part as a plain polygon."""
    parts = shapely.get_parts(geometry)
    return parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
