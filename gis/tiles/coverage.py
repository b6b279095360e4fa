"""Fewer vertices at low zooms without a gap or an overlap: all areas of a layer are simplified together."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from gis.territory.model import Geometries
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
