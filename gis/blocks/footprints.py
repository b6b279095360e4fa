"""Buildings as cutting needs them: valid footprints, duplicates, what stands in what, sheds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gis.blocks.parameters import Parameters
from gis.territory.model import Bools, Buildings, Geometries, Ints

#: OSM ``building`` values of what belongs to a main building beside it.
SHEDS = frozenset(
    {"garage", "garages", "carport", "shed", "hut", "roof", "outbuilding", "greenhouse", "storage_tank", "toilets"}
)
_SAME = 0.9  # overlap over union above which two footprints are one building drawn twice


@dataclass(frozen=True)
class Footprints:
    """One row a building of the input.

    ``host[b]`` is the building whose atom b joins (b itself for most); ``reason`` is why b is left out or "";
    ``shed`` tells buildings without households that are dissolved into a neighbour's atom.
    """

    geometry: Geometries
    point: Geometries
    host: Ints
    reason: np.ndarray[tuple[int], np.dtype[np.object_]]
    shed: Bools

    @property
    def leading(self) -> Ints:
        """Buildings that get a cell of their own."""
        return np.flatnonzero((self.reason == "") & (self.host == np.arange(len(self.host))))


def footprints(
    buildings: Buildings, households: Ints, territory: shapely.Geometry, parameters: Parameters
) -> Footprints:
    """Footprints made valid, each duplicate left out, each nested one given to its host."""
    geometry = shapely.force_2d(buildings.geometry)
    reason = np.full(len(geometry), "", object)
    bad = ~shapely.is_valid(geometry)
    geometry[bad] = shapely.make_valid(geometry[bad])
    none = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    geometry[none] = shapely.Point()
    reason[none] = "empty"
    point = shapely.point_on_surface(geometry)
    shapely.prepare(territory)
    reason[~none & ~shapely.intersects(territory, point)] = "outside"
    area = shapely.area(geometry)
    host, duplicate = _hosts(buildings, households, geometry, point, area, reason == "")
    reason[duplicate] = "duplicate"
    small = (area > 0) & (area < parameters.minor)
    shed = (households == 0) & (small | np.isin(buildings.use, list(SHEDS)))
    return Footprints(geometry, point, host, reason, shed)


def _hosts(
    buildings: Buildings, households: Ints, geometry: Geometries, point: Geometries, area: np.ndarray, usable: Bools
) -> tuple[Ints, Bools]:
    """What each building stands in (the largest footprint over its inner point), and which are drawn twice."""
    host = np.arange(len(geometry))
    duplicate = np.zeros(len(geometry), bool)
    index = np.flatnonzero(usable)
    inner, outer = shapely.STRtree(geometry[index]).query(point[index], predicate="intersects")
    inner, outer = index[inner], index[outer]
    larger = (area[outer] > area[inner]) | ((area[outer] == area[inner]) & (outer < inner))
    inner, outer = inner[larger], outer[larger]
    if not len(inner):
        return host, duplicate
    order = np.lexsort((-outer, area[outer], inner))
    host[inner[order]] = outer[order]
    while (host[host] != host).any():
        host = host[host]
    either = area[inner] + area[outer]
    polygon = either > 0
    close = np.zeros(len(inner), bool)
    near = polygon & (area[inner] >= _SAME * area[outer])
    common = shapely.area(shapely.intersection(geometry[inner[near]], geometry[outer[near]]))
    close[near] = common >= _SAME * (either[near] - common)
    close &= _same_facts(buildings, households, inner, outer)
    duplicate[inner[close]] = True
    return host, duplicate


def _same_facts(buildings: Buildings, households: Ints, a: Ints, b: Ints) -> Bools:
    """Whether two records of one outline say the same; a text that one of them lacks contradicts nothing."""
    same = households[a] == households[b]
    for column in (buildings.levels, buildings.height, buildings.households, buildings.dwellings):
        same &= (column[a] == column[b]) | (np.isnan(column[a]) & np.isnan(column[b]))
    for text in (buildings.name, buildings.housenumber):
        same &= (text[a] == text[b]) | (text[a] == "") | (text[b] == "")
    return np.asarray(same, bool)


def part_of_points(point: Geometries, parts: Geometries) -> Ints:
    """The first part each point lies in, -1 for none."""
    part, which = shapely.STRtree(point).query(parts, predicate="intersects")
    out = np.full(len(point), -1, np.int64)
    out[which[::-1]] = part[::-1]
    return out


def part_of(geometry: Geometries, point: Geometries, parts: Geometries) -> Ints:
    """The part each footprint overlaps most; the nearest one for a point on no part."""
    # asked this way round, the few large parts are prepared once each
    part, which = shapely.STRtree(geometry).query(parts, predicate="intersects")
    times = np.bincount(which, minlength=len(geometry))
    out = np.full(len(geometry), -1, np.int64)
    sure = times[which] == 1
    out[which[sure]] = part[sure]
    which, part = which[~sure], part[~sure]
    common = shapely.area(shapely.intersection(geometry[which], parts[part]))
    order = np.lexsort((-part, common, which))
    out[which[order]] = part[order]
    lost = np.flatnonzero(out < 0)
    if len(lost):
        out[lost] = shapely.STRtree(parts).nearest(point[lost])
    return out
