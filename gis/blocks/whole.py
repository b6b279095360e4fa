"""Footprints that overlap, or stand wall to wall, may share their ground: no border of cells runs through one."""

from __future__ import annotations

from typing import Final

import numpy as np
import shapely

from gis.blocks.coverage import Coverage
from gis.territory.model import Floats, Geometries, Ints

#: Share of a footprint that may lie outside its own atom.
CUT: Final = 0.05


def shared_ground(
    coverage: Coverage, in_part: Ints, joined: Ints, geometry: Geometries, households: Ints, maximum: float
) -> Ints:
    """For each label the one it is to be one with (itself for most), so that footprints keep to one label.

    ``geometry`` and ``households``: of each footprint, a row of ``joined`` (footprint to label, -1: none). Labels
    stay apart where they are of two parts (a street runs between), share no edge, or would hold more than
    ``maximum`` together.
    """
    atoms = coverage.polygons()
    area = shapely.area(geometry)
    look = np.flatnonzero((joined >= 0) & (area > 0))
    look = look[~shapely.covers(atoms[joined[look]], geometry[look])]
    inside = shapely.area(shapely.intersection(geometry[look], atoms[joined[look]]))
    look = look[inside < (1 - CUT) * area[look]]
    which, other = shapely.STRtree(atoms).query(geometry[look], predicate="intersects")
    own = joined[look[which]]
    common = shapely.area(shapely.intersection(geometry[look[which]], atoms[other]))
    wanted = np.flatnonzero((own != other) & (in_part[own] == in_part[other]) & (common > CUT * area[look[which]]))
    wanted = wanted[np.lexsort((other[wanted], -common[wanted]))]
    held = np.bincount(joined[joined >= 0], households[joined >= 0], coverage.count)
    return _united(coverage, own[wanted], other[wanted], held.astype(np.float64), maximum)


def _united(coverage: Coverage, a: Ints, b: Ints, held: Floats, maximum: float) -> Ints:
    """Pairs of labels made one in their order, and again while that helps: only labels that share an edge can be."""
    to = np.arange(coverage.count)
    left, right = coverage.left, coverage.right
    inner = np.isin(left, [a, b]) & np.isin(right, [a, b])
    edges = np.unique(np.sort(np.stack([left[inner], right[inner]], axis=1), axis=1), axis=0)
    changed = len(a) > 0
    while changed:
        changed = False
        for one, two in zip(to[a], to[b], strict=True):
            one, two = to[one], to[two]  # noqa: PLW2901 - labels united earlier in this round
            if one == two or held[one] + held[two] > maximum:
                continue
            sides = np.sort(to[edges], axis=1)
            if not ((sides[:, 0] == min(one, two)) & (sides[:, 1] == max(one, two))).any():
                continue
            to[to == two] = one
            held[one] += held[two]
            changed = True
    return to
