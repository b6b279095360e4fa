"""The compiled loops that cut a ring or a segment at the edges of a tile's buffer."""

from __future__ import annotations

from gis.compiling import njit
from gis.territory.model import Floats


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
