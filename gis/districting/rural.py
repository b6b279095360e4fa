"""Villages: which villager group 村民小组 every atom belongs to, so that no grid holds parts of two."""

from __future__ import annotations

import numpy as np
import shapely

from gis.districting.kernels import Int
from gis.districting.units import Units, edges
from gis.territory.model import Areas, Geometries

#: A community is rural when its groups hold at least this share of its counted households (or atoms).
RURAL_SHARE = 0.5


def groups_of_atoms(geometry: Geometries, groups: Areas) -> Int:
    """Group that holds a point inside each atom, the lowest where several do; -1 where none does."""
    out = np.full(len(geometry), -1, np.int64)
    if len(groups):
        point = shapely.point_on_surface(geometry)
        atom, group = shapely.STRtree(groups.geometry).query(point, predicate="intersects")
        order = np.lexsort((-group, atom))
        out[atom[order]] = group[order]
    return out


def rural_communities(group: Int, community: Int, counted: Int, n: int) -> list[bool]:
    """Which communities are divided by villager groups."""
    inside = group >= 0
    weight = np.where(np.bincount(community, counted, minlength=n)[community] > 0, counted, 1)
    held = np.bincount(community[inside], weight[inside], minlength=n)
    total = np.bincount(community, weight, minlength=n)
    return [bool(t > 0 and h >= RURAL_SHARE * t) for h, t in zip(held, total, strict=True)]


def fill(units: Units, group: Int) -> Int:
    """Give units without a group to the neighbouring group with the longest shared border, outwards from the groups.

    Units that no group reaches stay without one (-1).
    """
    group = group.copy()
    heads, tails = edges(units.arrays)
    while True:
        touch = (group[heads] < 0) & (group[tails] >= 0)
        if not touch.any():
            return group
        key = np.stack([heads[touch], group[tails[touch]]], axis=1)
        pair, inverse = np.unique(key, axis=0, return_inverse=True)
        shared = np.bincount(inverse.ravel(), units.arrays.metres[touch])
        order = np.lexsort((-pair[:, 1], shared, pair[:, 0]))
        group[pair[order, 0]] = pair[order, 1]
