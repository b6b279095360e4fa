"""Fewer vertices at low zooms without a gap or an overlap: all areas of a layer are simplified together.

Rounding to tile units could push a border over another. So the simplified areas are laid onto the grid of the units
here, where all of them are known, and what the tile encoder rounds later is whole already.

Bordering territories are simplified each alone, or a change in one would reach all others: the outline keeps its
vertices (``thin``) and is laid onto the units together with the rim of the neighbours (``lay``). What rounds a line
lies within a unit of it, so both sides of a border come to the same. Only lines that coincide are held together:
where towns really overlap or leave land between them, tiles show that.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
import shapely

from gis.territory.model import Geometries, Ints
from gis.tiles.pyramid import HALF, unit

#: Tile units around a territory within which other areas change how its border is laid, with some to spare.
_REACH: Final = 2.0
#: Metres (EPSG:3857) by which a border drawn once may differ in two territories: 1 cm in either metre CRS, and a line
#: that is straight in one and bent in the other.
_SEAM: Final = 0.25
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


def thin(areas: Geometries, z: int) -> Geometries:
    """A coverage of polygons (EPSG:3857) simplified for one zoom, but for its outline; nothing is rounded."""
    if not len(areas):
        return areas
    return np.asarray(shapely.coverage_simplify(areas, _TOLERANCE * unit(z), simplify_boundary=False), dtype=object)


def rim(areas: Geometries, others: Geometries, z: int) -> Geometries:
    """Those of ``others`` that change how ``areas`` are laid, in their order; both thin, of two territories."""
    if not len(areas) or not len(others):
        return others[:0]
    near = shapely.STRtree(areas).query(others, predicate="dwithin", distance=_REACH * unit(z))[0]
    return np.asarray(others[np.unique(near)], dtype=object)


def lay(areas: Geometries, before: Geometries, after: Geometries, z: int) -> Geometries:
    """The thin areas of a territory on whole tile units, without gap and overlap towards those around it.

    ``before`` and ``after``: rims of its neighbours, by the order of territories that all of them agree on; a sliver
    that two may claim falls to the first.
    """
    size = unit(z)
    every = _units(np.concatenate([before, areas, after]), size)
    faces = shapely.get_parts(shapely.polygonize(_noded_lines(every)))
    points = shapely.point_on_surface(faces)
    face, area = shapely.STRtree(every).query(points, predicate="dwithin", distance=_SEAM / size)
    away = shapely.distance(points[face], every[area]) > 0
    order = np.lexsort([area, away, face])
    face, area, away = face[order], area[order], away[order]
    first = np.diff(face, prepend=-1) > 0
    ours = (area >= len(before)) & (area < len(before) + len(areas))
    # two towns that really overlap are both shown there
    deep = ours & ~first & ~away
    deep[deep] = shapely.distance(points[face[deep]], shapely.boundary(every[area[deep]])) > _SEAM / size
    mine = ours & (first | deep)
    laid = dissolve(faces[face[mine]], area[mine].astype(np.int64) - len(before), len(areas))
    # rings start at the same vertex whatever lies around: an area that stayed as it was has the same tiles
    return np.asarray(shapely.normalize(_metres(laid, size)), dtype=object)


def _on_units(areas: Geometries, size: float) -> Geometries:
    """A coverage with its vertices on the units of a zoom, counted from the world's north-west corner."""
    units = _units(areas, size)
    rounded = np.asarray(shapely.transform(units, lambda xy: np.floor(xy + 0.5)), dtype=object)
    if not (shapely.is_valid(rounded).all() and shapely.coverage_is_valid(rounded)):
        rounded = _noded(units)
    return _metres(rounded, size)


def _units(areas: Geometries, size: float) -> Geometries:
    moved = shapely.transform(areas, lambda xy: np.column_stack([xy[:, 0] + HALF, HALF - xy[:, 1]]) / size)
    return np.asarray(moved, dtype=object)


def _metres(areas: Geometries, size: float) -> Geometries:
    return np.asarray(shapely.transform(areas, lambda xy: xy * size * (1, -1) + (-HALF, HALF)), dtype=object)


def _noded_lines(areas: Geometries) -> Geometries:
    """The lines of areas, rounded to whole numbers together."""
    return np.asarray(shapely.get_parts(shapely.union_all(shapely.boundary(areas), grid_size=1.0)), dtype=object)


def _noded(areas: Geometries) -> Geometries:
    """A coverage with its vertices on whole numbers: its lines are rounded together, each face goes to one area."""
    faces = shapely.get_parts(shapely.polygonize(_noded_lines(areas)))
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
