"""Borders midway between things: Voronoi edges between sample points of different labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from gis.blocks.delaunay import triangulate
from gis.compiling import njit
from gis.territory.model import Floats, Ints

#: Metres by which a border midway may stray to be straight.
STRAIGHT = 0.1
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
    radius = 4.0 * max(x1 - x0, y1 - y0, 1.0)
    around = radius * np.column_stack([np.cos(_FAR), np.sin(_FAR)])
    moved = np.concatenate([points - centre, around])
    labels = np.concatenate([label, np.full(len(around), -1)])
    triangles, over = triangulate(moved)
    beside, degree = _dual(triangles, over, labels)
    middles = _centres(moved, triangles, 2.0 * radius)
    start, end, left, right = _trace(moved, triangles, beside, degree, middles, STRAIGHT)
    return _inside(Ridges(start + centre, end + centre, left, right), area)


def _inside(ridges: Ridges, area: shapely.Polygon) -> Ridges:
    """Ridges cut at the polygon's edge."""
    if not len(ridges.start):
        return ridges
    shapely.prepare(area)
    lines = np.asarray(shapely.linestrings(np.stack([ridges.start, ridges.end], axis=1)))
    within = shapely.covers(area, lines)
    across = np.flatnonzero(~within)
    points, ring = shapely.get_coordinates(shapely.get_rings(area), return_index=True)
    same = ring[1:] == ring[:-1]
    start, end, of = _clip(ridges.start[across], ridges.end[across], points[:-1][same], points[1:][same])
    of = across[of]
    return Ridges(
        np.concatenate([ridges.start[within], start]),
        np.concatenate([ridges.end[within], end]),
        np.concatenate([ridges.left[within], ridges.left[of]]),
        np.concatenate([ridges.right[within], ridges.right[of]]),
    )


@njit(cache=True)
def _clip(start, end, a, b):  # type: ignore[no-untyped-def]
    """Pieces of segments inside the rings made of edges a-b, in the direction of the segment each is of."""
    first, last = np.empty((2 * len(start) + 16, 2)), np.empty((2 * len(start) + 16, 2))
    of = np.empty(2 * len(start) + 16, np.int64)
    cuts = np.empty(len(a) + 2)
    n = 0
    for s in range(len(start)):
        sx, sy = start[s]
        dx, dy = end[s, 0] - sx, end[s, 1] - sy
        cuts[0], cuts[1], m = 0.0, 1.0, 2
        for e in range(len(a)):
            o1 = dx * (a[e, 1] - sy) - dy * (a[e, 0] - sx)
            o2 = dx * (b[e, 1] - sy) - dy * (b[e, 0] - sx)
            if (o1 > 0) == (o2 > 0):
                continue
            ex, ey = b[e, 0] - a[e, 0], b[e, 1] - a[e, 1]
            den = dx * ey - dy * ex
            if den == 0.0:
                continue
            t = ((a[e, 0] - sx) * ey - (a[e, 1] - sy) * ex) / den
            if 0.0 < t < 1.0:
                cuts[m] = t
                m += 1
        order = np.sort(cuts[:m])
        for k in range(m - 1):
            t, u = order[k], order[k + 1]
            if (u - t) * (abs(dx) + abs(dy)) < 1e-6:
                continue
            if not _contains(sx + (t + u) / 2 * dx, sy + (t + u) / 2 * dy, a, b):
                continue
            if n == len(of):
                first = np.concatenate((first, np.empty_like(first)))
                last = np.concatenate((last, np.empty_like(last)))
                of = np.concatenate((of, np.empty_like(of)))
            first[n, 0], first[n, 1] = sx + t * dx, sy + t * dy
            last[n, 0], last[n, 1] = sx + u * dx, sy + u * dy
            of[n] = s
            n += 1
    return first[:n].copy(), last[:n].copy(), of[:n].copy()


@njit(cache=True)
def _contains(x, y, a, b):  # type: ignore[no-untyped-def]
    odd = False
    for e in range(len(a)):
        if (a[e, 1] > y) != (b[e, 1] > y):
            odd ^= x < a[e, 0] + (y - a[e, 1]) / (b[e, 1] - a[e, 1]) * (b[e, 0] - a[e, 0])
    return odd


@njit(cache=True)
def _centres(points, triangles, limit):  # type: ignore[no-untyped-def]
    """Circumcentre of each triangle, kept within a square."""
    centre = np.empty((len(triangles), 2))
    for t in range(len(triangles)):
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
    return centre


@njit(cache=True)
def _dual(triangles, neighbours, label):  # type: ignore[no-untyped-def]
    """Up to three ridges of each triangle: over Delaunay edges between two labels that are not negative.

    ``beside[t, k]`` is the triangle over edge k, or -1 when that edge is no ridge.
    """
    beside = np.full((len(triangles), 3), -1, np.int64)
    degree = np.zeros(len(triangles), np.int64)
    for t in range(len(triangles)):
        for k in range(3):
            i, j = label[triangles[t, (k + 1) % 3]], label[triangles[t, (k + 2) % 3]]
            if neighbours[t, k] >= 0 and i >= 0 and j >= 0 and i != j:
                beside[t, k] = neighbours[t, k]
                degree[t] += 1
    return beside, degree


@njit(cache=True)
def _trace(points, triangles, beside, degree, centre, tolerance):  # type: ignore[no-untyped-def]
    """Chains of ridges between two labels, straightened where they stray less than the tolerance.

    A triangle of two labels has two ridges, so chains run from one triangle of three labels to another (or
    around in a ring). Returns start, end, and the sample points left and right of every piece.
    """
    total = 0
    for t in range(len(degree)):
        total += degree[t]
    start, end = np.empty((total, 2)), np.empty((total, 2))
    left, right = np.empty(total, np.int64), np.empty(total, np.int64)
    path = np.empty((total + 2, 2))
    sides = np.empty((total + 2, 2), np.int64)
    keep = np.empty(total + 2, np.bool_)
    n = 0
    for rings in (False, True):
        for first in range(len(degree)):
            if degree[first] == 0 or (degree[first] == 2 and not rings):
                continue
            for k in range(3):
                if beside[first, k] < 0:
                    continue
                m = _walk(first, k, triangles, beside, degree, centre, points, path, sides)
                _straighten(path, m, tolerance, keep)
                low = 0
                for p in range(1, m + 1):
                    if keep[p]:
                        if abs(path[p, 0] - path[low, 0]) + abs(path[p, 1] - path[low, 1]) > 1e-9:
                            start[n], end[n] = path[low], path[p]
                            left[n], right[n] = sides[low]
                            n += 1
                        low = p
    return start[:n].copy(), end[:n].copy(), left[:n].copy(), right[:n].copy()


@njit(cache=True)
def _walk(t, k, triangles, beside, degree, centre, points, path, sides):  # type: ignore[no-untyped-def]
    """Follow a chain from triangle t over its edge k, taking its ridges away. Returns the number of steps."""
    m = 0
    path[0] = centre[t]
    while True:
        o = beside[t, k]
        i, j = triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]
        # triangles run counter-clockwise: leaving over the edge from i to j, i lies on the right
        ax, ay = points[triangles[t, k]]
        turn = (points[i, 0] - ax) * (points[j, 1] - ay) - (points[i, 1] - ay) * (points[j, 0] - ax)
        sides[m, 0], sides[m, 1] = (j, i) if turn > 0 else (i, j)
        beside[t, k] = -1
        for q in range(3):
            if beside[o, q] == t:
                i2, j2 = triangles[o, (q + 1) % 3], triangles[o, (q + 2) % 3]
                if (i2 == i and j2 == j) or (i2 == j and j2 == i):
                    beside[o, q] = -1
                    break
        m += 1
        path[m] = centre[o]
        if degree[o] != 2:
            return m
        t, k = o, -1
        for q in range(3):
            if beside[t, q] >= 0:
                k = q
        if k < 0:
            return m


@njit(cache=True)
def _straighten(path, last, tolerance, keep):  # type: ignore[no-untyped-def]
    """Douglas and Peucker: which of the points 0..last stay."""
    keep[: last + 1] = False
    keep[0] = keep[last] = True
    stack = np.empty((last + 2, 2), np.int64)
    stack[0, 0], stack[0, 1] = 0, last
    depth = 1
    while depth:
        depth -= 1
        a, b = stack[depth]
        ax, ay = path[a]
        dx, dy = path[b, 0] - ax, path[b, 1] - ay
        square = dx * dx + dy * dy
        worst, far = -1, tolerance * tolerance
        for p in range(a + 1, b):
            x, y = path[p, 0] - ax, path[p, 1] - ay
            t = min(max((x * dx + y * dy) / square, 0.0), 1.0) if square > 0 else 0.0
            away = (x - t * dx) ** 2 + (y - t * dy) ** 2
            if away > far:
                worst, far = p, away
        if worst >= 0:
            keep[worst] = True
            stack[depth, 0], stack[depth, 1] = a, worst
            stack[depth + 1, 0], stack[depth + 1, 1] = worst, b
            depth += 2
