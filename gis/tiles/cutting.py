"""The compiled loops that cut a ring or a segment at the edges of a tile's buffer, or hand a polygon to GEOS."""

from __future__ import annotations

import numpy as np

from gis.compiling import njit
from gis.territory.model import Floats, Ints
from gis.tiles.columns import Flags


@njit(cache=True, nogil=True)
def clip_ring(
    xy: Floats,
    begin: int,
    end: int,
    west: float,
    north: float,
    scale: float,
    low: float,
    high: float,
    outer: bool,
    one: Floats,
    two: Floats,
) -> int:
    """A ring cut at the tile's buffer, without its closing vertex, into ``one``; its length.

    -1: cutting leaves more than one piece, or a hole touches the edge; Sutherland and Hodgman's way does not do.
    """
    n = end - begin - 1
    for k in range(n):
        one[k, 0] = (xy[begin + k, 0] - west) * scale
        one[k, 1] = (north - xy[begin + k, 1]) * scale
    for side in range(4):
        axis = side & 1
        edge = low if side < 2 else high
        sign = 1.0 if side < 2 else -1.0
        crossings, m = 0, 0
        for k in range(n):
            j = k + 1 if k + 1 < n else 0
            here, there = sign * (one[k, axis] - edge) >= 0, sign * (one[j, axis] - edge) >= 0
            if here:
                two[m, 0], two[m, 1] = one[k, 0], one[k, 1]
                m += 1
            if here != there:
                crossings += 1
                if crossings > 2 or not outer:
                    return -1
                # from the same end whichever way round the ring runs: neighbours get the same point
                a, b = (k, j) if (one[k, 0], one[k, 1]) < (one[j, 0], one[j, 1]) else (j, k)
                t = (edge - one[a, axis]) / (one[b, axis] - one[a, axis])
                two[m, axis] = edge
                two[m, 1 - axis] = one[a, 1 - axis] + t * (one[b, 1 - axis] - one[a, 1 - axis])
                m += 1
        n = m
        for k in range(n):
            one[k, 0], one[k, 1] = two[k, 0], two[k, 1]
        if n == 0:
            break
    return n


@njit(cache=True, nogil=True)
def inside(ax: float, ay: float, dx: float, dy: float, low: float, high: float) -> tuple[float, float]:
    """Which part of a segment lies within the box, from 0 to 1; the first greater than the second: none."""
    t0, t1 = 0.0, 1.0
    for side in range(4):
        d, a = (dx, ax) if side & 1 else (dy, ay)
        room = a - low if side < 2 else high - a
        d = -d if side < 2 else d
        if d == 0:
            if room < 0:
                return 1.0, 0.0
        elif d < 0:
            t0 = max(t0, room / d)
        else:
            t1 = min(t1, room / d)
    return t0, t1


@njit(cache=True, nogil=True)
def rings_of(
    rows: Ints, first: Ints, start: Ints, outer: Flags, xy: Floats, west: float, north: float, scale: float
) -> tuple[Floats, Ints, Ints, Ints]:
    """Polygons in tile units: vertices, the ring of each, the polygon of each ring, the row of each polygon."""
    vertices, parts = 0, 0
    for r in rows:
        vertices += start[first[r + 1]] - start[first[r]]
        parts += first[r + 1] - first[r]
    local, ring = np.empty((vertices, 2)), np.empty(vertices, np.int64)
    polygon, row = np.empty(parts, np.int64), np.empty(parts, np.int64)
    v, k, p = 0, 0, -1
    for i in range(len(rows)):
        for q in range(first[rows[i]], first[rows[i] + 1]):
            if outer[q]:
                p += 1
                row[p] = i
            polygon[k] = p
            for j in range(start[q], start[q + 1]):
                local[v, 0], local[v, 1] = (xy[j, 0] - west) * scale, (north - xy[j, 1]) * scale
                ring[v] = k
                v += 1
            k += 1
    return local, ring, polygon, row[: p + 1]
