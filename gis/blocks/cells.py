"""One cell per building inside each part of a block: borders run midway between footprints."""

from __future__ import annotations

import numpy as np
import shapely

from gis.blocks.arrangement import to_grid
from gis.blocks.coverage import CLAIM, UNKNOWN, Coverage, Edges, Seeds, join_edges, resolve
from gis.blocks.enclosures import Parts, line_priority
from gis.blocks.lines import Lines
from gis.blocks.parameters import Parameters
from gis.blocks.ridges import ridges_between
from gis.blocks.sampling import wall_samples
from gis.progress import Progress
from gis.territory.classes import BASIS_INDEX
from gis.territory.model import Floats, Geometries, Ints

_CELL = BASIS_INDEX["cell"]
_WHOLE = 0.96  # share of a footprint that must lie in its part, or its outline becomes a border


def cut_cells(
    parts: Parts, lines: Lines, geometry: Geometries, part: Ints, parameters: Parameters, progress: Progress
) -> tuple[Coverage, Ints, Ints]:
    """Cells of footprints, each inside the part named for it.

    Returns the coverage, for each of its labels the footprint (or -1: ground without one), and its part.
    """
    points, of = samples(geometry, part, parts.geometry, parameters)
    zone_of, first = _labels(part, len(parts))
    label_of_part = np.where(first[1] == 1, first[0], UNKNOWN)
    label_of_part[first[1] == 0] = len(geometry) + np.arange(int((first[1] == 0).sum()))
    edges = [_part_edges(parts, lines, label_of_part)]
    order = np.lexsort((np.arange(len(of)), part[of]))
    points, of = points[order], of[order]
    starts = np.searchsorted(part[of], np.arange(len(parts) + 1))
    for k in np.flatnonzero(first[1] > 1):
        progress("cells", float(k) / len(parts))
        here = slice(starts[k], starts[k + 1])
        if starts[k] < starts[k + 1]:
            edges.append(_ridge_edges(points[here], of[here], parts.geometry[k], int(k)))
    edges += _claims(parts, geometry, part)
    _, one = np.unique(of, return_index=True)
    seeds = Seeds(to_grid(points[one]), of[one])
    joined = join_edges(edges)
    edges.clear()  # the pieces would double the memory at its peak
    del points, of
    coverage, came_from = resolve(joined, zone_of, seeds=seeds)
    known = np.where(came_from >= 0, came_from, 0)
    in_part = np.where(came_from >= 0, zone_of[known], -1 - came_from)
    return coverage, np.where((came_from >= 0) & (came_from < len(geometry)), came_from, -1), in_part


def _labels(part: Ints, parts: int) -> tuple[Ints, tuple[Ints, Ints]]:
    """Zone of each label (footprints, then parts without one), and (a footprint, how many) of each part."""
    count = np.bincount(part, minlength=parts)
    some = np.full(parts, UNKNOWN)
    some[part] = np.arange(len(part))
    return np.concatenate([part, np.flatnonzero(count == 0)]), (some, count)


def _part_edges(parts: Parts, lines: Lines, label: Ints) -> Edges:
    """Edges of parts; a side with several footprints does not know its label yet."""
    known = parts.coverage.edges(np.arange(len(parts)), line_priority(lines))
    padded = np.append(label, -1)
    return Edges(
        known.start,
        known.end,
        padded[known.left],
        padded[known.right],
        known.left_zone,
        known.right_zone,
        known.line,
        known.basis,
        known.priority,
    )


def _ridge_edges(points: Floats, of: Ints, area: shapely.Polygon, part: int) -> Edges:
    ridges = ridges_between(points, of, area)
    zone = np.full(len(ridges.left), part)
    nothing = np.full(len(ridges.left), -1)
    return Edges(
        to_grid(ridges.start),
        to_grid(ridges.end),
        of[ridges.left],
        of[ridges.right],
        zone,
        zone,
        nothing,
        np.full(len(zone), _CELL, np.int8),
        nothing,
    )


def _claims(parts: Parts, geometry: Geometries, part: Ints) -> list[Edges]:
    """Edges of footprints that lie across the border of their part: the atom holds the whole building, as far as
    community and villager group allow."""
    tree = shapely.STRtree(parts.geometry)
    solid = np.flatnonzero(shapely.get_dimensions(geometry) == 2)
    within = shapely.contains_properly(parts.geometry[part[solid]], geometry[solid])
    solid = solid[~within]
    own = shapely.area(shapely.intersection(geometry[solid], parts.geometry[part[solid]]))
    across = solid[own < _WHOLE * shapely.area(geometry[solid])]
    which, other = tree.query(geometry[across], predicate="intersects")
    allowed = parts.realm[other] == parts.realm[part[across[which]]]
    made = []
    for k in np.unique(which[allowed]):
        building = int(across[k])
        ground = shapely.union_all(parts.geometry[other[(which == k) & allowed]])
        claimed = shapely.intersection(geometry[building], ground)
        made += [_claim(p, building, int(part[building])) for p in shapely.get_parts(claimed) if p.area > 0]
    return made


def _claim(ground: shapely.Geometry, building: int, part: int) -> Edges:
    rings = shapely.get_rings(shapely.orient_polygons(ground))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    grid = to_grid(points)
    same = ring[1:] == ring[:-1]
    n = int(same.sum())
    unknown, nothing = np.full(n, UNKNOWN), np.full(n, -1)
    return Edges(
        grid[:-1][same],
        grid[1:][same],
        np.full(n, building),
        unknown,
        np.full(n, part),
        unknown,
        nothing,
        np.full(n, _CELL, np.int8),
        np.full(n, CLAIM),
    )


def samples(geometry: Geometries, part: Ints, parts: Geometries, parameters: Parameters) -> tuple[Floats, Ints]:
    """Points just inside each footprint and its part, and the footprint of each. Every footprint has one."""
    points, of = wall_samples(geometry, parameters)
    shapely.prepare(parts)
    within = shapely.contains_xy(parts[part[of]], points[:, 0], points[:, 1])
    points, of = points[within], of[within]
    lost = np.setdiff1d(np.arange(len(geometry)), of)
    if len(lost):
        common = shapely.point_on_surface(shapely.intersection(geometry[lost], parts[part[lost]]))
        empty = shapely.is_empty(common)
        common[empty] = shapely.point_on_surface(parts[part[lost[empty]]])
        points = np.concatenate([points, shapely.get_coordinates(common)])
        of = np.concatenate([of, lost])
    return points, of
