"""Points just inside the walls of footprints, close together where another building is near."""

from __future__ import annotations

import numpy as np
import shapely

from gis.blocks.parameters import Parameters
from gis.compiling import njit
from gis.territory.model import Floats, Geometries, Ints

#: (distance to another footprint in metres, spacing of the samples in metres), near to far.
SPACING = ((1.0, 2.0), (3.0, 4.0), (np.inf, 8.0))
_PROBE = 1.5  # least metres between the points by which nearness is found
_SEVERAL = -2
_FREE = -(1 << 62)


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
    """Spacing for each wall by how near another footprint is: the far level first, the nearer ones only where
    something is near at all."""
    out = np.full(len(start), SPACING[-1][1])
    walls = np.arange(len(start))
    for reach, spacing in SPACING[-2::-1]:
        near = _near_walls(start[walls], end[walls], owner[walls], inset, reach)
        walls = walls[near]
        out[walls] = spacing
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
def _near_walls(start, end, owner, inset, reach):  # type: ignore[no-untyped-def]
    """Which walls have a wall of another owner in the cells they run through or beside (cells as wide as reach)."""
    probes = 0
    for w in range(len(start)):
        probes += _probes(start[w], end[w], reach)
    size = 16
    while size < 2 * probes:
        size *= 2
    keys = np.full(size, _FREE, np.int64)
    holds = np.full(size, -1, np.int32)
    for w in range(len(start)):
        for p in range(_probes(start[w], end[w], reach)):
            x, y = _probe(start[w], end[w], inset[owner[w]], reach, p)
            h = _slot(keys, x, y)
            keys[h] = _cell_key(x, y)
            if holds[h] == -1:
                holds[h] = owner[w]
            elif holds[h] != owner[w]:
                holds[h] = _SEVERAL
    near = np.zeros(len(start), np.bool_)
    for w in range(len(start)):
        for p in range(_probes(start[w], end[w], reach)):
            x, y = _probe(start[w], end[w], inset[owner[w]], reach, p)
            for k in range(9):
                there = holds[_slot(keys, x + k // 3 - 1, y + k % 3 - 1)]
                if there == _SEVERAL or (there >= 0 and there != owner[w]):
                    near[w] = True
                    break
            if near[w]:
                break
    return near


@njit(cache=True)
def _probes(a, b, reach):  # type: ignore[no-untyped-def]
    return int(np.hypot(b[0] - a[0], b[1] - a[1]) / max(reach, _PROBE)) + 2


@njit(cache=True)
def _probe(a, b, off, reach, k):  # type: ignore[no-untyped-def]
    """Cell of the k-th probe along a wall, a little inside it."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = max(np.hypot(dx, dy), 1e-9)
    t = k / (_probes(a, b, reach) - 1)
    x = a[0] + t * dx - off * dy / length
    y = a[1] + t * dy + off * dx / length
    return int(np.floor(x / reach)), int(np.floor(y / reach))


@njit(cache=True)
def _cell_key(x: int, y: int) -> int:
    return x * 4294967296 + y


@njit(cache=True)
def _slot(keys, x, y):  # type: ignore[no-untyped-def]
    """Place of a cell in an open table: where it is or where it would go."""
    key = _cell_key(x, y)
    h = (key * 0x2545F4914F6CDD1D >> 40) & (len(keys) - 1)
    while keys[h] != key and keys[h] != _FREE:
        h = (h + 1) & (len(keys) - 1)
    return h
