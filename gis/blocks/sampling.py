"""Points just inside the walls of footprints, close together where another building is near."""

from __future__ import annotations

import numpy as np
import shapely
from numba import njit

from gis.blocks.parameters import Parameters
from gis.territory.model import Floats, Geometries, Ints

#: (distance to another footprint in metres, spacing of the samples in metres), near to far.
SPACING = ((0.6, 2.0), (3.0, 4.0), (np.inf, 8.0))
_PROBE = 1.5  # metres between the points by which nearness is found
_SEVERAL = -2


def wall_samples(geometry: Geometries, parameters: Parameters) -> tuple[Floats, Ints]:
    """Sample points of polygons and points, and the position of the geometry of each.

    Borders midway between two footprints are as exact as the samples are dense beside the distance, so spacing
    follows nearness; a wall is sampled evenly, inset by ``parameters.inset`` or less where the footprint is thin.
    """
    solid = np.flatnonzero(shapely.get_dimensions(geometry) == 2)
    shapes = shapely.orient_polygons(geometry[solid])
    parts, of_part = shapely.get_parts(shapes, return_index=True)
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    points, of_point = shapely.get_coordinates(rings, return_index=True)
    owner = solid[of_part[of_ring[of_point]]] if len(points) else np.zeros(0, np.int64)
    same = of_point[1:] == of_point[:-1]
    start, end, owner = points[:-1][same], points[1:][same], owner[:-1][same]
    inset = np.zeros(len(geometry))
    inset[solid] = np.minimum(parameters.inset, shapely.area(shapes) / np.maximum(shapely.length(shapes), 1e-9))
    spacing = _spacing(start, end, owner, inset, parameters.step)
    found, of = _along_walls(start, end, owner, inset, spacing)
    flat = np.flatnonzero(shapely.get_dimensions(geometry) != 2)
    inner = shapely.get_coordinates(shapely.point_on_surface(geometry[flat]))
    return np.concatenate([found, inner]), np.concatenate([of, flat])


def _spacing(start: Floats, end: Floats, owner: Ints, inset: Floats, step: float) -> Floats:
    """Spacing for each wall by how near another footprint is."""
    probes = np.full(len(start), _PROBE)
    out = np.full(len(start), SPACING[-1][1])
    points, wall = _along_walls(start, end, np.arange(len(start)), inset[owner], probes)
    for reach, spacing in SPACING[-2::-1]:
        cells = np.floor(points / reach).astype(np.int64)
        near = _meets_other(cells, owner[wall])
        out[np.unique(wall[near])] = spacing
    return out * (step / 3.0)


@njit(cache=True)
def _along_walls(start, end, owner, inset, spacing):  # type: ignore[no-untyped-def]
    """Evenly spaced points on the left of each segment."""
    total = 0
    for w in range(len(start)):
        total += int(np.hypot(end[w, 0] - start[w, 0], end[w, 1] - start[w, 1]) / spacing[w]) + 3
    points = np.empty((total, 2))
    of = np.empty(total, np.int64)
    n = 0
    for w in range(len(start)):
        ax, ay = start[w]
        dx, dy = end[w, 0] - ax, end[w, 1] - ay
        length = np.hypot(dx, dy)
        if length < 1e-9:
            continue
        dx, dy = dx / length, dy / length
        off = inset[owner[w]]
        margin = min(off, length / 2)
        run = length - 2 * margin
        times = max(int(np.ceil(run / spacing[w])), 1)
        for k in range(times):  # the next wall's first point stands at the end of this one
            t = margin + run * k / times
            points[n, 0] = ax + dx * t - dy * off
            points[n, 1] = ay + dy * t + dx * off
            of[n] = owner[w]
            n += 1
    return points[:n].copy(), of[:n].copy()


@njit(cache=True)
def _meets_other(cells, owner):  # type: ignore[no-untyped-def]
    """Which points have a point of another owner in their cell or one of the eight around it."""
    size = 16
    while size < 2 * len(cells):
        size *= 2
    keys = np.full(size, np.int64(-1) << 62)
    holds = np.full(size, -1, np.int64)
    for p in range(len(cells)):
        h = _slot(keys, cells[p, 0], cells[p, 1])
        keys[h] = _cell_key(cells[p, 0], cells[p, 1])
        if holds[h] == -1:
            holds[h] = owner[p]
        elif holds[h] != owner[p]:
            holds[h] = _SEVERAL
    near = np.zeros(len(cells), np.bool_)
    for p in range(len(cells)):
        for i in range(-1, 2):
            for j in range(-1, 2):
                there = holds[_slot(keys, cells[p, 0] + i, cells[p, 1] + j)]
                if there == _SEVERAL or (there >= 0 and there != owner[p]):
                    near[p] = True
    return near


@njit(cache=True)
def _cell_key(x: int, y: int) -> int:
    return x * 4294967296 + y


@njit(cache=True)
def _slot(keys, x, y):  # type: ignore[no-untyped-def]
    """Place of a cell in an open table: where it is or where it would go."""
    key = _cell_key(x, y)
    h = (key * 0x2545F4914F6CDD1D >> 20) & (len(keys) - 1)
    while keys[h] != key and keys[h] != np.int64(-1) << 62:
        h = (h + 1) & (len(keys) - 1)
    return h
