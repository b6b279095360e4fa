"""Which compound 小区 a place lies in."""

from __future__ import annotations

import numpy as np
import shapely

from gis.territory.model import Areas, Geometries, Ints


def compounds_of(points: Geometries, compounds: Areas) -> Ints:
    """Position of the compound of every point, -1 outside of all; where compounds overlap, the smallest one."""
    out = np.full(len(points), -1, np.int64)
    if not len(compounds) or not len(points):
        return out
    point, area = shapely.STRtree(compounds.geometry).query(points, predicate="intersects")
    size = shapely.area(compounds.geometry)
    order = np.lexsort((area, size[area]))[::-1]  # the smallest is written last
    out[point[order]] = area[order]
    return out
