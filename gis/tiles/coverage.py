"""Fewer vertices at low zooms without a gap or an overlap: all areas of a layer are simplified together."""

from __future__ import annotations

import itertools
from typing import Any, Final

import numpy as np
import shapely

from gis.territory.model import Geometries, Ints
from gis.tiles.pyramid import unit

#: Zooms that have a simplified form of their own; deeper ones show every vertex.
ZOOMS: Final = (7, 8, 9, 10, 11, 12, 13)
_TOLERANCE: Final = 8  # tile units, about one pixel of a 512 pixel tile


def simplify(areas: Geometries, z: int) -> Geometries:
    """A coverage of polygons (EPSG:3857) for one zoom: shared borders stay shared, vertex by vertex.

    The outline of the territory is simplified as well; no area vanishes.
    """
    if not len(areas):
        return areas
    simpler = shapely.coverage_simplify(areas, _TOLERANCE * unit(z))
    gone = shapely.is_empty(simpler)
    if gone.any():  # coverage_simplify keeps a triangle of each ring; an empty input stays empty
        simpler = np.where(gone, areas, simpler)
    return np.asarray(simpler, dtype=object)


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
