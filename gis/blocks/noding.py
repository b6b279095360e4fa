"""Snap rounding: any segments on the 1 cm grid become a planar graph on the same grid.

Every end and every crossing makes its centimetre square *hot*; a segment that passes through a hot square
is bent to its middle. Repeated until nothing bends any more, so no vertex lies on another edge. All tests
are exact in 64-bit integers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.territory.model import Bools, Ints

#: Bins of the search grid: at most this many, so that memory stays bounded on any territory.
_MOST_BINS = 4_000_000
_MOST_ROUNDS = 100


@dataclass(frozen=True)
class Noded:
    """A planar graph and where each edge comes from.

    ``nodes`` (m, 2) centimetres; edge k joins ``heads[k]`` < ``tails[k]``. Record r says that edge
    ``edge[r]`` is part of input segment ``origin[r]``, run through from head to tail when ``forward[r]``.
    """

    nodes: Ints
    heads: Ints
    tails: Ints
    edge: Ints
    origin: Ints
    forward: Bools


def node(start: Ints, end: Ints) -> Noded:
    """Node segments given as (n, 2) integer centimetres."""
    origin = np.flatnonzero((start != end).any(axis=1))
    a, b = np.ascontiguousarray(start[origin]), np.ascontiguousarray(end[origin])
    for _ in range(_MOST_ROUNDS):
        pieces, a, b = _round(a, b)
        if pieces is None:
            break
        origin = origin[pieces]
    else:
        raise RuntimeError("snap rounding did not settle")  # cannot happen: every round only merges squares
    return _graph(a, b, origin)


def _graph(a: Ints, b: Ints, origin: Ints) -> Noded:
    keys = np.concatenate([_key(a), _key(b)])
    unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    nodes = np.concatenate([a, b])[first]
    u, v = inverse[: len(a)], inverse[len(a) :]
    heads, tails = np.minimum(u, v), np.maximum(u, v)
    pairs, edge = np.unique(heads * max(len(unique), 1) + tails, return_inverse=True)
    n = max(len(unique), 1)
    return Noded(nodes.reshape(-1, 2), pairs // n, pairs % n, edge, origin, u < v)


def _key(points: Ints) -> Ints:
    shifted: Ints = (points[:, 0] << 32) + (points[:, 1] + (1 << 31))
    return shifted


def _round(a: Ints, b: Ints) -> tuple[NDArray[Any] | None, Ints, Ints]:
    """One round. Returns (index of the input segment of each piece, or None when nothing changed, a, b)."""
    if not len(a):
        return None, a, b
    low = np.minimum(a, b).min(axis=0) - 2
    high = np.maximum(a, b).max(axis=0) + 2
    size = _bin_size(a, b, high - low)
    columns, rows = ((high - low) // size + 1).tolist()
    bins, members = _bin_segments(a, b, low, size, columns, rows)
    crossings, crossed = _crossings(a, b, bins, members)
    hot = np.concatenate([a, b, crossings])
    _, first, inverse = np.unique(_key(hot), return_index=True, return_inverse=True)
    hot = hot[first]
    head, tail = inverse[: len(a)], inverse[len(a) : 2 * len(a)]
    segment, square = _hits(a, b, head, tail, hot, low, size, columns, rows)
    if not len(segment) and not len(crossed):  # every segment meets only its own two ends
        return None, a, b
    forced = inverse[2 * len(a) :]
    bent = np.zeros(len(a), bool)
    bent[segment] = bent[crossed[:, 0]] = bent[crossed[:, 1]] = True
    own, straight = np.flatnonzero(bent), np.flatnonzero(~bent)
    segment = np.concatenate([own, own, segment, crossed[:, 0], crossed[:, 1]])
    square = np.concatenate([head[own], tail[own], square, forced, forced])
    step = (b - a)[segment]
    along = ((hot[square] - a[segment]) * step).sum(axis=1)
    order = np.lexsort((square, along, segment))
    segment, square = segment[order], square[order]
    piece = (segment[1:] == segment[:-1]) & (square[1:] != square[:-1])
    left, right = square[:-1][piece], square[1:][piece]
    start, end = np.concatenate([a[straight], hot[left]]), np.concatenate([b[straight], hot[right]])
    return np.concatenate([straight, segment[:-1][piece]]), start, end


def _bin_size(a: Ints, b: Ints, extent: Ints) -> int:
    mean = float(np.abs(b - a).max(axis=1).mean())
    floor = float(np.sqrt(float(extent[0]) * float(extent[1]) / _MOST_BINS))
    return int(max(mean, floor, 100.0)) + 1


@njit(cache=True)
def _span(ax: int, ay: int, bx: int, by: int, left: int, right: int) -> tuple[int, int]:
    """Lowest and highest y of a segment between two x, widened by 2."""
    if ax > bx:
        ax, ay, bx, by = bx, by, ax, ay
    if bx == ax:
        return min(ay, by) - 2, max(ay, by) + 2
    slope = (by - ay) / (bx - ax)
    y1 = ay + slope * (max(left, ax) - ax)
    y2 = ay + slope * (min(right, bx) - ax)
    low = int(np.floor(min(y1, y2))) - 2
    high = int(np.ceil(max(y1, y2))) + 2
    return max(low, min(ay, by) - 2), min(high, max(ay, by) + 2)


@njit(cache=True)
def _visit(ax, ay, bx, by, low, size, columns, rows, cells):  # type: ignore[no-untyped-def]
    """Write the bins a segment may touch into ``cells``; return their number (or the number needed)."""
    n = 0
    c1 = max((min(ax, bx) - 2 - low[0]) // size, 0)
    c2 = min((max(ax, bx) + 2 - low[0]) // size, columns - 1)
    for c in range(c1, c2 + 1):
        left = low[0] + c * size - 2
        y1, y2 = _span(ax, ay, bx, by, left, left + size + 4)
        for r in range(max((y1 - low[1]) // size, 0), min((y2 - low[1]) // size, rows - 1) + 1):
            if n < len(cells):
                cells[n] = c * rows + r
            n += 1
    return n


@njit(cache=True)
def _bin_segments(a, b, low, size, columns, rows):  # type: ignore[no-untyped-def]
    """Compressed rows: segments of bin k are ``members[bins[k]:bins[k + 1]]``."""
    cells = np.empty(columns + rows + 16 + (columns + rows) * 8, np.int64)
    counts = np.zeros(columns * rows + 1, np.int64)
    for s in range(len(a)):
        n = _visit(a[s, 0], a[s, 1], b[s, 0], b[s, 1], low, size, columns, rows, cells)
        for k in range(n):
            counts[cells[k] + 1] += 1
    bins = np.cumsum(counts)
    members = np.empty(bins[-1], np.int32)
    fill = bins[:-1].copy()
    for s in range(len(a)):
        n = _visit(a[s, 0], a[s, 1], b[s, 0], b[s, 1], low, size, columns, rows, cells)
        for k in range(n):
            members[fill[cells[k]]] = s
            fill[cells[k]] += 1
    return bins, members


@njit(cache=True)
def _crossings(a, b, bins, members):  # type: ignore[no-untyped-def]
    """Rounded points where two segments properly cross, and the two segments."""
    points = np.empty((1024, 2), np.int64)
    pairs = np.empty((1024, 2), np.int64)
    n = 0
    for k in range(len(bins) - 1):
        for p in range(bins[k], bins[k + 1]):
            i = members[p]
            ax, ay, bx, by = a[i, 0], a[i, 1], b[i, 0], b[i, 1]
            x1, x2, y1, y2 = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
            for q in range(p + 1, bins[k + 1]):
                j = members[q]
                cx, cy, dx, dy = a[j, 0], a[j, 1], b[j, 0], b[j, 1]
                if max(cx, dx) < x1 or min(cx, dx) > x2 or max(cy, dy) < y1 or min(cy, dy) > y2:
                    continue
                o1 = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
                o2 = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
                if (o1 > 0) == (o2 > 0) or o1 == 0 or o2 == 0:
                    continue
                o3 = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
                o4 = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
                if (o3 > 0) == (o4 > 0) or o3 == 0 or o4 == 0:
                    continue
                if n == len(points):
                    points = np.concatenate((points, np.empty_like(points)))
                    pairs = np.concatenate((pairs, np.empty_like(pairs)))
                t = o1 / (o1 - o2)
                points[n, 0] = ax + int(np.rint(t * (bx - ax)))
                points[n, 1] = ay + int(np.rint(t * (by - ay)))
                pairs[n, 0], pairs[n, 1] = i, j
                n += 1
    return points[:n].copy(), pairs[:n].copy()


@njit(cache=True)
def _meets(ax: int, ay: int, bx: int, by: int, px: int, py: int) -> bool:
    """Does a segment meet the inside of the unit square around a grid point? Exact, in doubled coordinates.

    A segment that only touches a corner passes: bent there it would run back and forth for ever.
    """
    if min(ax, bx) > px or max(ax, bx) < px or min(ay, by) > py or max(ay, by) < py:
        return False
    dx, dy = bx - ax, by - ay
    middle = 2 * (dx * (py - ay) - dy * (px - ax))
    return bool(abs(middle) < abs(dx) + abs(dy))


@njit(cache=True)
def _hits(a, b, head, tail, hot, low, size, columns, rows):  # type: ignore[no-untyped-def]
    """Every (segment, hot square) that meet, but for the squares of its own ends."""
    counts = np.zeros(columns * rows + 1, np.int64)
    for p in range(len(hot)):
        counts[(hot[p, 0] - low[0]) // size * rows + (hot[p, 1] - low[1]) // size + 1] += 1
    bins = np.cumsum(counts)
    members = np.empty(len(hot), np.int32)
    fill = bins[:-1].copy()
    for p in range(len(hot)):
        k = (hot[p, 0] - low[0]) // size * rows + (hot[p, 1] - low[1]) // size
        members[fill[k]] = p
        fill[k] += 1
    cells = np.empty(columns + rows + 16 + (columns + rows) * 8, np.int64)
    segment = np.empty(len(a) + 16, np.int64)
    square = np.empty(len(a) + 16, np.int64)
    n = 0
    for s in range(len(a)):
        ax, ay, bx, by = a[s, 0], a[s, 1], b[s, 0], b[s, 1]
        m = _visit(ax, ay, bx, by, low, size, columns, rows, cells)
        for k in range(m):
            for q in range(bins[cells[k]], bins[cells[k] + 1]):
                p = members[q]
                if p not in (head[s], tail[s]) and _meets(ax, ay, bx, by, hot[p, 0], hot[p, 1]):
                    if n == len(segment):
                        segment = np.concatenate((segment, np.empty_like(segment)))
                        square = np.concatenate((square, np.empty_like(square)))
                    segment[n], square[n] = s, p
                    n += 1
    return segment[:n].copy(), square[:n].copy()
