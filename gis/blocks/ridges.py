"""Borders midway between things: Voronoi edges between sample points of different labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numba import njit
from scipy.spatial import Delaunay, QhullError

from gis.blocks.lines import simple_lines
from gis.territory.model import Floats, Ints

_FAR = np.linspace(0.0, 2.0 * np.pi, 12, endpoint=False)


@dataclass(frozen=True)
class Ridges:
    """Directed segments in metres; ``left``/``right`` are positions of the sample points beside each."""

    start: Floats
    end: Floats
    left: Ints
    right: Ints


def ridges_between(points: Floats, label: Ints, area: shapely.Polygon) -> Ridges:
    """Voronoi edges between points of different label inside a polygon."""
    x0, y0, x1, y1 = area.bounds
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    radius = 20.0 * max(x1 - x0, y1 - y0, 1.0)
    around = radius * np.column_stack([np.cos(_FAR), np.sin(_FAR)])
    moved = np.concatenate([points - centre, around])
    labels = np.concatenate([label, np.full(len(around), -1)])
    try:
        mesh = Delaunay(moved)
    except QhullError:  # all points in one place
        return _none()
    start, end, left, right = _dual(moved, mesh.simplices, mesh.neighbors, labels, 2.0 * radius)
    start, end = start + centre, end + centre
    return _inside(Ridges(start, end, left, right), area)


def _none() -> Ridges:
    return Ridges(np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int64), np.zeros(0, np.int64))


def _inside(ridges: Ridges, area: shapely.Polygon) -> Ridges:
    """Ridges cut at the polygon's edge."""
    if not len(ridges.start):
        return ridges
    shapely.prepare(area)
    lines = np.asarray(shapely.linestrings(np.stack([ridges.start, ridges.end], axis=1)))
    within = shapely.covers(area, lines)
    meets = np.flatnonzero(~within)
    meets = meets[shapely.intersects(area, lines[meets])]
    parts, of = simple_lines(shapely.intersection(lines[meets], area))
    ends = shapely.get_coordinates(parts).reshape(-1, 2, 2) if len(parts) else np.zeros((0, 2, 2))
    of = meets[of]
    # a piece keeps the direction of its ridge, or its sides would change places
    back = ((ends[:, 1] - ends[:, 0]) * (ridges.end[of] - ridges.start[of])).sum(axis=1) < 0
    ends[back] = ends[back][:, ::-1]
    return Ridges(
        np.concatenate([ridges.start[within], ends[:, 0]]),
        np.concatenate([ridges.end[within], ends[:, 1]]),
        np.concatenate([ridges.left[within], ridges.left[of]]),
        np.concatenate([ridges.right[within], ridges.right[of]]),
    )


@njit(cache=True)
def _dual(points, triangles, neighbours, label, limit):  # type: ignore[no-untyped-def]
    """Circumcentre to circumcentre over every Delaunay edge between two labels that are not negative."""
    n = len(triangles)
    centre = np.empty((n, 2))
    for t in range(n):
        ax, ay = points[triangles[t, 0]]
        bx, by = points[triangles[t, 1]]
        cx, cy = points[triangles[t, 2]]
        bx, by, cx, cy = bx - ax, by - ay, cx - ax, cy - ay
        den = 2.0 * (bx * cy - by * cx)
        if den == 0.0:
            den = 1e-300
        b2, c2 = bx * bx + by * by, cx * cx + cy * cy
        centre[t, 0] = min(max(ax + (cy * b2 - by * c2) / den, -limit), limit)
        centre[t, 1] = min(max(ay + (bx * c2 - cx * b2) / den, -limit), limit)
    start = np.empty((3 * n, 2))
    end = np.empty((3 * n, 2))
    left = np.empty(3 * n, np.int64)
    right = np.empty(3 * n, np.int64)
    m = 0
    for t in range(n):
        for k in range(3):
            o = neighbours[t, k]
            if o <= t:
                continue
            i, j = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
            if label[i] < 0 or label[j] < 0 or label[i] == label[j]:
                continue
            sx, sy, ex, ey = centre[t, 0], centre[t, 1], centre[o, 0], centre[o, 1]
            if abs(sx - ex) + abs(sy - ey) < 1e-9:
                continue
            side = (ex - sx) * (points[i, 1] - points[j, 1]) - (ey - sy) * (points[i, 0] - points[j, 0])
            start[m, 0], start[m, 1], end[m, 0], end[m, 1] = sx, sy, ex, ey
            left[m], right[m] = (i, j) if side > 0 else (j, i)
            m += 1
    return start[:m].copy(), end[:m].copy(), left[:m].copy(), right[:m].copy()
