"""The hot loops of the index, compiled by numba; in one file, because numba's cache watches a loop's own file only.

The sign of ``(a - p) x (b - p)`` is taken in floating point when its error bound (Shewchuk, "Adaptive precision
floating-point arithmetic", 1997) leaves no doubt; otherwise the determinant is summed without any rounding.
``side_plain`` says the same with fractions and is the tests' oracle. Arrays are those of ``gis.locate.index.Index``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.territory.model import Floats

Positions = NDArray[np.int32]
Offsets = NDArray[np.int64]

OUTSIDE: Final = -1
_PAD: Final = 1e-6  # of a cell: wider than any rounding in cell coordinates
#: (3 + 16 eps) eps with eps = 2**-53: below this share of the summed terms the float sign is in doubt.
_BOUND: Final = 3.3306690738754716e-16
_SPLIT: Final = 134217729.0  # 2**27 + 1


def side_plain(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """1, 0 or -1: p lies left of, on or right of the line a -> b. Exact, slow, no float arithmetic."""
    a, b, c, d, x, y = (Fraction(float(v)) for v in (ax, ay, bx, by, px, py))
    turn = (a - x) * (d - y) - (c - x) * (b - y)
    return (turn > 0) - (turn < 0)


@njit(cache=True, nogil=True)
def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """1, 0 or -1 as ``side_plain``, exact for all coordinates of sane size."""
    left = (ax - px) * (by - py)
    right = (bx - px) * (ay - py)
    turn = left - right
    bound = _BOUND * (abs(left) + abs(right))
    if turn > bound:
        return 1
    if -turn > bound:
        return -1
    return _side_exact(ax, ay, bx, by, px, py)


@njit(cache=True, nogil=True)
def _difference(a: float, b: float) -> tuple[float, float]:
    """a - b as an unevaluated sum of two floats, without error."""
    x = a - b
    bv = a - x
    av = x + bv
    return x, (a - av) + (bv - b)


@njit(cache=True, nogil=True)
def _product(a: float, b: float) -> tuple[float, float]:
    """a * b as an unevaluated sum of two floats, without error."""
    x = a * b
    c = _SPLIT * a
    ah = c - (c - a)
    al = a - ah
    c = _SPLIT * b
    bh = c - (c - b)
    bl = b - bh
    return x, al * bl - (((x - ah * bh) - al * bh) - ah * bl)


@njit(cache=True, nogil=True)
def _add(total: Floats, n: int, value: float) -> int:
    """Add a float to an exact expansion of n components (Shewchuk's grow-expansion)."""
    q = value
    for i in range(n):
        s = q + total[i]
        bv = s - q
        total[i] = (q - (s - bv)) + (total[i] - bv)
        q = s
    total[n] = q
    return n + 1


@njit(cache=True, nogil=True)
def _side_exact(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    total = np.zeros(16)
    n = 0
    for sign in (1.0, -1.0):
        if sign > 0:
            u, ut = _difference(ax, px)
            v, vt = _difference(by, py)
        else:
            u, ut = _difference(bx, px)
            v, vt = _difference(ay, py)
        for a, b in ((u, v), (u, vt), (ut, v), (ut, vt)):
            high, low = _product(a, b)
            n = _add(total, n, sign * low)
            n = _add(total, n, sign * high)
    for i in range(n - 1, -1, -1):  # the largest component decides
        if total[i] != 0.0:
            return 1 if total[i] > 0.0 else -1
    return 0


@njit(cache=True, nogil=True)
def mark(edges: Floats, frame: Floats, cells: Offsets, which: Offsets, write: bool) -> int:
    """Cells that each edge touches, row by row; with ``write`` off only counts them."""
    columns, rows = int(frame[3]), int(frame[4])
    n = 0
    for k in range(edges.shape[1]):
        x0, y0 = (edges[0, k] - frame[0]) * frame[2], (edges[1, k] - frame[1]) * frame[2]
        x1, y1 = (edges[2, k] - frame[0]) * frame[2], (edges[3, k] - frame[1]) * frame[2]
        low, high = min(y0, y1), max(y0, y1)
        for j in range(max(0, int(np.floor(low - _PAD))), min(rows - 1, int(np.floor(high + _PAD))) + 1):
            a, b = x0, x1
            if y1 != y0:
                a = x0 + (max(low, j - _PAD) - y0) * (x1 - x0) / (y1 - y0)
                b = x0 + (min(high, j + 1 + _PAD) - y0) * (x1 - x0) / (y1 - y0)
            start = max(0, int(np.floor(min(a, b) - _PAD)))
            for i in range(start, min(columns - 1, int(np.floor(max(a, b) + _PAD))) + 1):
                if write:
                    cells[n] = j * columns + i
                    which[n] = k
                n += 1
    return n


@njit(cache=True, nogil=True)
def covers(x: float, y: float, start: int, stop: int, edges: Floats) -> bool:
    """Whether a point lies in or on the polygon of edges start..stop, exactly (crossings of a ray to the east)."""
    inside = False
    for k in range(start, stop):
        y0, y1 = edges[1, k], edges[3, k]
        if (y0 <= y <= y1) or (y1 <= y <= y0):
            x0, x1 = edges[0, k], edges[2, k]
            if x > x0 and x > x1:
                continue  # the edge lies wholly west of the point
            if y0 == y1:
                if x >= min(x0, x1):
                    return True
                continue
            turn = side(x0, y0, x1, y1, x, y)
            if turn == 0:
                return True
            if (y0 > y) != (y1 > y) and (turn > 0) == (y1 > y0):
                inside = not inside
    return inside


@njit(cache=True, nogil=True)
def fill(
    frame: Floats, cell: Positions, bucket: Offsets, member: Positions, first: Offsets, edges: Floats, bounds: Floats
) -> None:
    """Give every unmixed cell its grid: one test for each run of cells between two mixed ones."""
    columns, rows = int(frame[3]), int(frame[4])
    for j in range(rows):
        owner = OUTSIDE
        known = True  # the first column lies outside all bounds
        for i in range(columns):
            c = j * columns + i
            if cell[c] <= -2:
                known = False
                continue
            if not known:
                x, y = frame[0] + (i + 0.5) / frame[2], frame[1] + (j + 0.5) / frame[2]
                owner = _owner(x, y, -2 - cell[c - 1], bucket, member, first, edges, bounds)
                known = True
            cell[c] = owner


@njit(cache=True, nogil=True)
def _owner(
    x: float, y: float, k: int, bucket: Offsets, member: Positions, first: Offsets, edges: Floats, bounds: Floats
) -> int:
    """The grid at a point beside mixed cell k: nearly always one of that cell's."""
    for q in range(bucket[k], bucket[k + 1]):
        p = member[q]
        if covers(x, y, first[p], first[p + 1], edges):
            return int(p)
    for p in range(len(bounds)):
        if x < bounds[p, 0] or x > bounds[p, 2] or y < bounds[p, 1] or y > bounds[p, 3]:
            continue
        if covers(x, y, first[p], first[p + 1], edges):
            return p
    return OUTSIDE


@njit(cache=True, nogil=True)
def locate(
    x: Floats,
    y: Floats,
    frame: Floats,
    cell: Positions,
    bucket: Offsets,
    member: Positions,
    first: Offsets,
    edges: Floats,
    found: Positions,
) -> None:
    """Grid of every point into ``found``: one memory access, or exact tests in a mixed cell."""
    columns = int(frame[3])
    for t in range(len(x)):
        fx, fy = (x[t] - frame[0]) * frame[2], (y[t] - frame[1]) * frame[2]
        found[t] = OUTSIDE
        if not (fx >= 0 and fy >= 0 and fx < frame[3] and fy < frame[4]):
            continue
        c = cell[int(fy) * columns + int(fx)]
        if c >= OUTSIDE:
            found[t] = c
            continue
        for q in range(bucket[-2 - c], bucket[-1 - c]):
            p = member[q]
            if covers(x[t], y[t], first[p], first[p + 1], edges):
                found[t] = p
                break


@njit(cache=True, nogil=True)
def _ring_square(x: float, y: float, start: int, stop: int, edges: Floats) -> float:
    """Squared metres from a point to the nearest of some edges."""
    best = np.inf
    for k in range(start, stop):
        x0, y0 = edges[0, k] - x, edges[1, k] - y
        dx, dy = edges[2, k] - edges[0, k], edges[3, k] - edges[1, k]
        square = dx * dx + dy * dy
        t = 0.0 if square == 0.0 else min(1.0, max(0.0, -(x0 * dx + y0 * dy) / square))
        ex, ey = x0 + t * dx, y0 + t * dy
        best = min(best, ex * ex + ey * ey)
    return best


@njit(cache=True, nogil=True)
def border(x: Floats, y: Floats, grid: Positions, first: Offsets, edges: Floats, metres: Floats) -> None:
    """Metres from every point to the nearest border of its grid, NaN without one."""
    for t in range(len(x)):
        p = grid[t]
        metres[t] = np.nan if p < 0 else np.sqrt(_ring_square(x[t], y[t], first[p], first[p + 1], edges))


@njit(cache=True, nogil=True)
def distances(
    x: float, y: float, limit: float, first: Offsets, edges: Floats, bounds: Floats, metres: Floats
) -> None:
    """Distance to each grid (0 in or on it) whose box is within ``limit``."""
    for p in range(len(bounds)):
        gx = max(bounds[p, 0] - x, x - bounds[p, 2], 0.0)
        gy = max(bounds[p, 1] - y, y - bounds[p, 3], 0.0)
        if gx * gx + gy * gy > limit * limit:
            continue
        if covers(x, y, first[p], first[p + 1], edges):
            metres[p] = 0.0
        else:
            metres[p] = np.sqrt(_ring_square(x, y, first[p], first[p + 1], edges))
