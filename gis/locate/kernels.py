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
_MEMBERS: Final = 62  # of one record: a bit each
_LINE: Final = 8  # words a memory line: records start on one
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
def _row(j: int, x0: float, y0: float, x1: float, y1: float, columns: int) -> tuple[int, int]:
    """First and last column of the cells of row j that an edge touches; cell coordinates."""
    a, b = x0, x1
    if y1 != y0:
        low, high = min(y0, y1), max(y0, y1)
        a = x0 + (max(low, j - _PAD) - y0) * (x1 - x0) / (y1 - y0)
        b = x0 + (min(high, j + 1 + _PAD) - y0) * (x1 - x0) / (y1 - y0)
    return max(0, int(np.floor(min(a, b) - _PAD))), min(columns - 1, int(np.floor(max(a, b) + _PAD)))


@njit(cache=True, nogil=True)
def mark(edges: Floats, frame: Floats, cell: Positions) -> int:
    """Mark every cell that an edge touches as mixed (-2); the number of pairs of an edge and a row it touches."""
    columns, rows = int(frame[3]), int(frame[4])
    pairs = 0
    for k in range(edges.shape[1]):
        x0, y0 = (edges[0, k] - frame[0]) * frame[2], (edges[1, k] - frame[1]) * frame[2]
        x1, y1 = (edges[2, k] - frame[0]) * frame[2], (edges[3, k] - frame[1]) * frame[2]
        low, high = min(y0, y1), max(y0, y1)
        for j in range(max(0, int(np.floor(low - _PAD))), min(rows - 1, int(np.floor(high + _PAD))) + 1):
            start, stop = _row(j, x0, y0, x1, y1, columns)
            for i in range(start, stop + 1):
                cell[j * columns + i] = -2
            pairs += 1
    return pairs


@njit(cache=True, nogil=True)
def number_runs(frame: Floats, cell: Positions) -> int:
    """Number the runs of mixed cells of each row: every cell of run k becomes -2 - k; how many there are."""
    columns, rows = int(frame[3]), int(frame[4])
    k = -1
    for j in range(rows):
        before = False
        for i in range(columns):
            c = j * columns + i
            if cell[c] <= -2:
                k += 0 if before else 1
                cell[c] = -2 - k
            before = cell[c] <= -2
    return k + 1


@njit(cache=True, nogil=True)
def pair(edges: Floats, frame: Floats, cell: Positions, run: Positions, edge: Positions) -> None:
    """Every run that each edge touches, edge by edge: the cells it touches in a row are one run's."""
    columns, rows = int(frame[3]), int(frame[4])
    n = 0
    for k in range(edges.shape[1]):
        x0, y0 = (edges[0, k] - frame[0]) * frame[2], (edges[1, k] - frame[1]) * frame[2]
        x1, y1 = (edges[2, k] - frame[0]) * frame[2], (edges[3, k] - frame[1]) * frame[2]
        low, high = min(y0, y1), max(y0, y1)
        for j in range(max(0, int(np.floor(low - _PAD))), min(rows - 1, int(np.floor(high + _PAD))) + 1):
            run[n] = -2 - cell[j * columns + _row(j, x0, y0, x1, y1, columns)[0]]
            edge[n] = k
            n += 1


@njit(cache=True, nogil=True)
def by_run(run: Positions, runs: int) -> Offsets:
    """Order that sorts pairs by their run and keeps them as they come within one (counting sort)."""
    at = np.zeros(runs + 1, np.int64)
    for k in run:
        at[k + 1] += 1
    for k in range(runs):
        at[k + 1] += at[k]
    order = np.empty(len(run), np.int64)
    for n in range(len(run)):
        order[at[run[n]]] = n
        at[run[n]] += 1
    return order


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
    frame: Floats,
    cell: Positions,
    bucket: Offsets,
    member: Positions,
    east: Positions,
    other: Positions,
    first: Offsets,
    edges: Floats,
    bounds: Floats,
) -> None:
    """Give every unmixed cell its grid, and every run what lies at its eastern end."""
    columns, rows = int(frame[3]), int(frame[4])
    for j in range(rows):
        owner = OUTSIDE  # the first and the last column lie outside all bounds
        for i in range(columns):
            c = j * columns + i
            if cell[c] <= -2:
                continue
            if i and cell[c - 1] <= -2:
                k = -2 - cell[c - 1]
                x, y = frame[0] + (i + 0.5) / frame[2], frame[1] + (j + 0.5) / frame[2]
                owner = OUTSIDE
                for g in range(bucket[k + 1] - 1, bucket[k] - 1, -1):
                    east[g] = covers(x, y, first[member[g]], first[member[g] + 1], edges)
                    if east[g]:
                        owner = member[g]
                if owner == OUTSIDE:
                    owner = other[k] = _owner(x, y, first, edges, bounds)
            cell[c] = owner


@njit(cache=True, nogil=True)
def _owner(x: float, y: float, first: Offsets, edges: Floats, bounds: Floats) -> int:
    for p in range(len(bounds)):
        if x < bounds[p, 0] or x > bounds[p, 2] or y < bounds[p, 1] or y > bounds[p, 3]:
            continue
        if covers(x, y, first[p], first[p + 1], edges):
            return p
    return OUTSIDE


@njit(cache=True, nogil=True)
def pack(
    edges: Floats,
    same: Offsets,
    edge: Positions,
    part: Offsets,
    bucket: Offsets,
    member: Positions,
    east: Positions,
    other: Positions,
    start: Offsets,
    words: Floats,
    marks: Offsets,
    write: bool,
) -> None:
    """Lay out each run in one piece, so that a question touches one place of memory; ``start``: its first word.

    A record is ``members, edges, mask of the members that hold the cell to the east, grid there if it is no member``,
    the members, then for each edge x0, y0, x1, y1 and the mask of the members whose border it is: an edge of two
    neighbours stands once. Over 62 members the rest follows in a further record, told by a negative first word.
    """
    slot, seen = np.zeros(len(same), np.int64), np.full(len(same), -1, np.int64)
    records = 0
    at = 0
    for k in range(len(bucket) - 1):
        start[k] = at
        for chunk in range(bucket[k], bucket[k + 1], _MEMBERS):
            stop = min(chunk + _MEMBERS, bucket[k + 1])
            body = at + 4 + stop - chunk
            n, mask = 0, 0
            for g in range(chunk, stop):
                bit = 1 << (g - chunk)
                mask |= bit if east[g] else 0
                if write:
                    marks[at + 4 + g - chunk] = member[g]
                for q in range(part[g], part[g + 1]):
                    e = edge[q]
                    if seen[same[e]] != records:
                        seen[same[e]] = records
                        slot[same[e]] = body + 5 * n
                        n += 1
                        if write:
                            w = slot[same[e]]
                            words[w], words[w + 1] = edges[0, e], edges[1, e]
                            words[w + 2], words[w + 3] = edges[2, e], edges[3, e]
                            marks[w + 4] = 0
                    if write:
                        marks[slot[same[e]] + 4] |= bit
            if write:
                marks[at] = (stop - chunk) if stop == bucket[k + 1] else chunk - stop
                marks[at + 1], marks[at + 2], marks[at + 3] = n, mask, other[k]
            at = body + 5 * n
            records += 1
        at = (at + _LINE - 1) // _LINE * _LINE
    start[len(bucket) - 1] = at


@njit(cache=True, nogil=True)
def locate(
    x: Floats, y: Floats, frame: Floats, cell: Positions, words: Floats, marks: Offsets, found: Positions
) -> None:
    """Grid of every point into ``found``: one memory access, or exact tests in a mixed cell."""
    columns = int(frame[3])
    for t in range(len(x)):
        fx, fy = (x[t] - frame[0]) * frame[2], (y[t] - frame[1]) * frame[2]
        found[t] = OUTSIDE
        if not (fx >= 0 and fy >= 0 and fx < frame[3] and fy < frame[4]):
            continue
        c = cell[int(fy) * columns + int(fx)]
        found[t] = c if c >= OUTSIDE else _in_run(x[t], y[t], (-2 - c) * _LINE, words, marks)


@njit(cache=True, nogil=True)
def locate_one(
    x: float, y: float, frame: Floats, cell: Positions, words: Floats, marks: Offsets, first: Offsets, edges: Floats
) -> tuple[int, float]:
    """Grid of one point and metres to its nearest border; -1 and NaN outside."""
    fx, fy = (x - frame[0]) * frame[2], (y - frame[1]) * frame[2]
    if not (fx >= 0 and fy >= 0 and fx < frame[3] and fy < frame[4]):
        return OUTSIDE, np.nan
    c = cell[int(fy) * int(frame[3]) + int(fx)]
    p = int(c) if c >= OUTSIDE else _in_run(x, y, (-2 - c) * _LINE, words, marks)
    return p, np.nan if p < 0 else np.sqrt(_ring_square(x, y, first[p], first[p + 1], edges))


@njit(cache=True, nogil=True)
def _in_run(x: float, y: float, at: int, words: Floats, marks: Offsets) -> int:
    """Grid of a point in a run. A ray to the east ends in the cell beside the run, where the answer is known."""
    while True:
        members, n, inside = abs(marks[at]), marks[at + 1], marks[at + 2]
        touched = 0
        w = at + 4 + members
        for _ in range(n):
            y0, y1 = words[w + 1], words[w + 3]
            if (y0 <= y <= y1) or (y1 <= y <= y0):
                x0, x1 = words[w], words[w + 2]
                if x <= x0 or x <= x1:  # else the edge lies wholly west of the point
                    if y0 == y1:
                        if x >= min(x0, x1):
                            touched |= marks[w + 4]
                    else:
                        turn = side(x0, y0, x1, y1, x, y)
                        if turn == 0:
                            touched |= marks[w + 4]
                        elif (y0 > y) != (y1 > y) and (turn > 0) == (y1 > y0):
                            inside ^= marks[w + 4]
            w += 5
        inside |= touched
        if inside:
            g = 0
            while not (inside >> g) & 1:
                g += 1
            return int(marks[at + 4 + g])
        if marks[at] >= 0:
            return int(marks[at + 3])
        at = w


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
def pair_metres(
    x: Floats, y: Floats, point: Offsets, grid: Offsets, first: Offsets, edges: Floats, metres: Floats
) -> None:
    """Metres between the point and the grid of every pair, 0 in or on it."""
    for n in range(len(point)):
        px, py, p = x[point[n]], y[point[n]], grid[n]
        if covers(px, py, first[p], first[p + 1], edges):
            metres[n] = 0.0
        else:
            metres[n] = np.sqrt(_ring_square(px, py, first[p], first[p + 1], edges))


@njit(cache=True, nogil=True)
def nearest(
    x: Floats, y: Floats, first: Offsets, edges: Floats, bounds: Floats, grid: Positions, metres: Floats
) -> None:
    """The grid nearest to every point and its distance (0 in or on it); -1 and infinity where there is none."""
    for t in range(len(x)):
        grid[t], best = OUTSIDE, np.inf
        limit = np.inf  # the farthest corner of a box bounds the distance to its grid from above
        for p in range(len(bounds)):
            fx = max(bounds[p, 2] - x[t], x[t] - bounds[p, 0])
            fy = max(bounds[p, 3] - y[t], y[t] - bounds[p, 1])
            limit = min(limit, fx * fx + fy * fy)
        for p in range(len(bounds)):
            gx = max(bounds[p, 0] - x[t], x[t] - bounds[p, 2], 0.0)
            gy = max(bounds[p, 1] - y[t], y[t] - bounds[p, 3], 0.0)
            if not gx * gx + gy * gy <= min(limit, best):
                continue
            square = 0.0
            if not covers(x[t], y[t], first[p], first[p + 1], edges):
                square = _ring_square(x[t], y[t], first[p], first[p + 1], edges)
            if square < best:
                grid[t], best = p, square
        metres[t] = np.sqrt(best)
