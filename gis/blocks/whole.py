"""Footprints that overlap, or stand wall to wall, may share their ground: no border of cells runs through one."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from gis.blocks.coverage import Coverage
from gis.territory.model import Geometries, Ints

#: Share of a footprint that may lie outside its own atom.
CUT: Final = 0.05


def shared_ground(
    coverage: Coverage, in_part: Ints, joined: Ints, geometry: Geometries, households: Ints, maximum: float
) -> Ints:
    """For each label the one it is to be one with (itself for most), so that footprints keep to one label.

    ``geometry`` and ``households``: of each footprint, a row of ``joined`` (footprint to label, -1: none). Labels
    stay apart where they are of two parts (a street runs between), or would hold more than ``maximum`` together.
    """
    atoms = coverage.polygons()
    area = shapely.area(geometry)
    look = np.flatnonzero((joined >= 0) & (area > 0))
    look = look[~shapely.covers(atoms[joined[look]], geometry[look])]
    inside = shapely.area(shapely.intersection(geometry[look], atoms[joined[look]]))
    look = look[inside < (1 - CUT) * area[look]]
    held = np.bincount(joined[joined >= 0], households[joined >= 0], coverage.count)
    to = np.arange(coverage.count)
    which, other = shapely.STRtree(atoms).query(geometry[look], predicate="intersects")
    own = joined[look[which]]
    common = shapely.area(shapely.intersection(geometry[look[which]], atoms[other]))
    pairs = np.flatnonzero((own != other) & (in_part[own] == in_part[other]) & (common > CUT * area[look[which]]))
    for k in pairs[np.lexsort((other[pairs], -common[pairs]))]:
        a, b = to[own[k]], to[other[k]]
        if a != b and held[a] + held[b] <= maximum:
            to[to == b] = a
            held[a] += held[b]
    return to
