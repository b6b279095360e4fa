"""Delaunay triangulation by a sweep outwards from a seed triangle (the way of Delaunator), compiled.

Turns are decided exactly on points rounded to a fine grid; whether an edge is legal is decided in floating
point: points that lie almost on one circle may be joined either way, which moves a border by nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.territory.model import Floats, Ints

#: Points are rounded to this many metres: turns are then exact up to 20,000 km apart.
FINE = 1.0 / 1024.0
_MOST_FLIPS = 100_000
_NO_TRIANGLES = np.zeros((0, 3), np.int64)


def triangulate(points: Floats) -> tuple[Ints, Ints]:
    """Triangles (t, 3) of point positions, and (t, 3) the triangle over the edge opposite each corner or -1.

    Points in one place count once; points on one line, or fewer than three, have no triangles.
    """
    grid = np.rint(points / FINE)
    if len(grid) < 3:
        return _NO_TRIANGLES, _NO_TRIANGLES
    seed = _seed(grid)
    if seed[0] < 0:
        return _NO_TRIANGLES, _NO_TRIANGLES
    centre = _circumcentre(grid, *seed)
    away: NDArray[Any] = ((grid - centre) ** 2).sum(axis=1)
    order = np.lexsort((grid[:, 1], grid[:, 0], away))
    corners, twins = _sweep(grid, order, np.array(seed), centre)
    triangles = corners.reshape(-1, 3)
    over = np.where(twins >= 0, twins // 3, -1).reshape(-1, 3)
    return triangles, np.ascontiguousarray(over[:, [1, 2, 0]])


@njit(cache=True)
def _turn(p, a, b, c):  # type: ignore[no-untyped-def]
    """Twice the signed area of a triangle: positive when it runs counter-clockwise."""
    return (p[b, 0] - p[a, 0]) * (p[c, 1] - p[a, 1]) - (p[b, 1] - p[a, 1]) * (p[c, 0] - p[a, 0])


@njit(cache=True)
def _radius(p, a, b, c):  # type: ignore[no-untyped-def]
    """Square of the radius of the circle through three points."""
    dx, dy = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1]
    ex, ey = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1]
    d = dx * ey - dy * ex
    if d == 0.0:
        return np.inf
    bl, cl = dx * dx + dy * dy, ex * ex + ey * ey
    x, y = (ey * bl - dy * cl) * 0.5 / d, (dx * cl - ex * bl) * 0.5 / d
    return x * x + y * y


@njit(cache=True)
def _circumcentre(p, a, b, c):  # type: ignore[no-untyped-def]
    dx, dy = p[b, 0] - p[a, 0], p[b, 1] - p[a, 1]
    ex, ey = p[c, 0] - p[a, 0], p[c, 1] - p[a, 1]
    d = dx * ey - dy * ex
    bl, cl = dx * dx + dy * dy, ex * ex + ey * ey
    return np.array([p[a, 0] + (ey * bl - dy * cl) * 0.5 / d, p[a, 1] + (dx * cl - ex * bl) * 0.5 / d])


@njit(cache=True)
def _seed(p):  # type: ignore[no-untyped-def]
    """Three points near the middle in counter-clockwise order, the circle through them small; (-1, ..) if none."""
    mx, my = (p[:, 0].min() + p[:, 0].max()) / 2, (p[:, 1].min() + p[:, 1].max()) / 2
    a, best = 0, np.inf
    for i in range(len(p)):
        d = (p[i, 0] - mx) ** 2 + (p[i, 1] - my) ** 2
        if d < best:
            a, best = i, d
    b, best = -1, np.inf
    for i in range(len(p)):
        d = (p[i, 0] - p[a, 0]) ** 2 + (p[i, 1] - p[a, 1]) ** 2
        if 0 < d < best:
            b, best = i, d
    if b < 0:
        return -1, -1, -1
    c, best = -1, np.inf
    for i in range(len(p)):
        r = _radius(p, a, b, i)
        if r < best:
            c, best = i, r
    if c < 0:
        return -1, -1, -1
    if _turn(p, a, b, c) < 0:
        return a, c, b
    return a, b, c


@njit(cache=True)
def _in_circle(p, a, b, c, d):  # type: ignore[no-untyped-def]
    """Does d lie inside the circle through a, b, c (counter-clockwise)?"""
    ax, ay = p[a, 0] - p[d, 0], p[a, 1] - p[d, 1]
    bx, by = p[b, 0] - p[d, 0], p[b, 1] - p[d, 1]
    cx, cy = p[c, 0] - p[d, 0], p[c, 1] - p[d, 1]
    al, bl, cl = ax * ax + ay * ay, bx * bx + by * by, cx * cx + cy * cy
    return ax * (by * cl - bl * cy) - ay * (bx * cl - bl * cx) + al * (bx * cy - by * cx) > 0


@njit(cache=True)
def _bucket(dx, dy, size):  # type: ignore[no-untyped-def]
    """Bucket of a direction; grows with the angle."""
    total = abs(dx) + abs(dy)
    if total == 0.0:
        return 0
    q = dx / total
    turn = (3.0 - q if dy > 0 else 1.0 + q) / 4.0
    return int(np.floor(turn * size)) % size


@njit(cache=True)
def _link(twins, e, other):  # type: ignore[no-untyped-def]
    twins[e] = other
    if other >= 0:
        twins[other] = e


@njit(cache=True)
def _legalise(p, corners, twins, hull_edge, hull_next, hull_start, e, stack):  # type: ignore[no-untyped-def]
    """Flip edges until all around edge e are legal; returns the edge that took its place on the outside."""
    depth, last = 0, 0
    for _ in range(_MOST_FLIPS):  # rounding could otherwise flip points on one circle for ever
        b = twins[e]
        first_e = e - e % 3
        last = first_e + (e + 2) % 3
        if b < 0:
            if depth == 0:
                return last
            depth -= 1
            e = stack[depth]
            continue
        first_b = b - b % 3
        next_e = first_e + (e + 1) % 3
        before_b = first_b + (b + 2) % 3
        p0, pr, pl, p1 = corners[last], corners[e], corners[next_e], corners[before_b]
        if not _in_circle(p, p0, pr, pl, p1):
            if depth == 0:
                return last
            depth -= 1
            e = stack[depth]
            continue
        corners[e], corners[b] = p1, p0
        outside = twins[before_b]
        if outside < 0:  # the flipped edge was on the hull: name its new place
            v = hull_start
            while True:
                if hull_edge[v] == before_b:
                    hull_edge[v] = e
                    break
                v = hull_next[v]
                if v == hull_start:
                    break
        _link(twins, e, outside)
        _link(twins, b, twins[last])
        _link(twins, last, before_b)
        next_b = first_b + (b + 1) % 3
        if depth < len(stack):
            stack[depth] = next_b
            depth += 1
    return last


@njit(cache=True)
def _sweep(p, order, seed, centre):  # type: ignore[no-untyped-def]  # noqa: PLR0912, PLR0915
    """Half-edges of the triangulation: corner each starts at, and its twin or -1."""
    n = len(p)
    corners = np.empty(max(6 * n - 15, 3), np.int64)
    twins = np.full(max(6 * n - 15, 3), -1, np.int64)
    size = int(np.ceil(np.sqrt(n)))
    buckets = np.full(size, -1, np.int64)
    hull_next, hull_before, hull_edge = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    alive = np.zeros(n, np.bool_)
    stack = np.empty(512, np.int64)
    a, b, c = seed
    start = a
    for v, w, u, e in ((a, b, c, 0), (b, c, a, 1), (c, a, b, 2)):
        hull_next[v], hull_before[v], hull_edge[v], alive[v] = w, u, e, True
        buckets[_bucket(p[v, 0] - centre[0], p[v, 1] - centre[1], size)] = v
    corners[0], corners[1], corners[2] = a, b, c
    m = 3
    previous = -1
    for i in order:
        if i in (a, b, c):
            continue
        if previous >= 0 and p[i, 0] == p[previous, 0] and p[i, 1] == p[previous, 1]:
            continue
        previous = i
        if _same_as_seed(p, i, a, b, c):
            continue
        s = -1
        key = _bucket(p[i, 0] - centre[0], p[i, 1] - centre[1], size)
        for j in range(size):
            s = buckets[(key + j) % size]
            if s >= 0 and alive[s]:
                break
        s = hull_before[s]
        e = s
        while _turn(p, i, e, hull_next[e]) >= 0:  # not visible from i
            e = hull_next[e]
            if e == s:
                e = -1
                break
        if e < 0:
            continue  # on the hull's edge in all directions: a duplicate by rounding
        walked_back = e == s
        corners[m], corners[m + 1], corners[m + 2] = e, i, hull_next[e]
        _link(twins, m, -1)
        _link(twins, m + 1, -1)
        _link(twins, m + 2, hull_edge[e])
        m += 3
        hull_edge[i] = _legalise(p, corners, twins, hull_edge, hull_next, start, m - 1, stack)
        hull_edge[e] = m - 3
        f = hull_next[e]
        while _turn(p, i, f, hull_next[f]) < 0:
            g = hull_next[f]
            corners[m], corners[m + 1], corners[m + 2] = f, i, g
            _link(twins, m, hull_edge[i])
            _link(twins, m + 1, -1)
            _link(twins, m + 2, hull_edge[f])
            m += 3
            hull_edge[i] = _legalise(p, corners, twins, hull_edge, hull_next, start, m - 1, stack)
            alive[f] = False
            f = g
        if walked_back:
            g = hull_before[e]
            while _turn(p, i, g, e) < 0:
                corners[m], corners[m + 1], corners[m + 2] = g, i, e
                _link(twins, m, -1)
                _link(twins, m + 1, hull_edge[e])
                _link(twins, m + 2, hull_edge[g])
                m += 3
                _legalise(p, corners, twins, hull_edge, hull_next, start, m - 1, stack)
                hull_edge[g] = m - 3
                alive[e] = False
                e = g
                g = hull_before[e]
        start = e
        hull_before[i], hull_next[e] = e, i
        hull_before[f], hull_next[i] = i, f
        alive[i] = True
        buckets[_bucket(p[i, 0] - centre[0], p[i, 1] - centre[1], size)] = i
        buckets[_bucket(p[e, 0] - centre[0], p[e, 1] - centre[1], size)] = e
    return corners[:m].copy(), twins[:m].copy()


@njit(cache=True)
def _same_as_seed(p, i, a, b, c):  # type: ignore[no-untyped-def]
    same = False
    for v in (a, b, c):
        same |= p[i, 0] == p[v, 0] and p[i, 1] == p[v, 1]
    return same
