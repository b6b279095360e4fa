"""One cell per building inside each part of a block: borders run midway between footprints."""

from __future__ import annotations

import numpy as np
import shapely

from gis.blocks.arrangement import to_grid
from gis.blocks.coverage import UNKNOWN, Coverage, Edges, Seeds, join_edges, resolve
from gis.blocks.enclosures import Parts, line_priority
from gis.blocks.lines import Lines
from gis.blocks.parameters import Parameters
from gis.blocks.ridges import ridges_between
from gis.progress import Progress
from gis.territory.classes import BASIS_INDEX
from gis.territory.model import Floats, Geometries, Ints

_CELL = BASIS_INDEX["cell"]


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
    _, one = np.unique(of, return_index=True)
    coverage, came_from = resolve(join_edges(edges), zone_of, seeds=Seeds(to_grid(points[one]), of[one]))
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
        known.start, known.end, padded[known.left], padded[known.right], known.left_zone, known.right_zone,
        known.line, known.basis, known.priority,
    )


def _ridge_edges(points: Floats, of: Ints, area: shapely.Polygon, part: int) -> Edges:
    ridges = ridges_between(points, of, area)
    zone = np.full(len(ridges.left), part)
    nothing = np.full(len(ridges.left), -1)
    return Edges(
        to_grid(ridges.start), to_grid(ridges.end), of[ridges.left], of[ridges.right], zone, zone, nothing,
        np.full(len(zone), _CELL, np.int8), nothing,
    )


def samples(geometry: Geometries, part: Ints, parts: Geometries, parameters: Parameters) -> tuple[Floats, Ints]:
    """Points just inside each footprint and its part, and the footprint of each. Every footprint has one."""
    inner = shapely.buffer(geometry, -parameters.inset, join_style="mitre", quad_segs=1)
    thin = shapely.is_empty(inner)
    inner[thin] = shapely.point_on_surface(geometry[thin])
    wide = shapely.get_dimensions(inner) == 2
    inner[wide] = shapely.segmentize(shapely.boundary(inner[wide]), parameters.step)
    points, of = shapely.get_coordinates(inner, return_index=True)
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
