"""The compiled loops that cut polygons into several pieces at a tile's buffer: side by side, holes and all.

At a side the chains of vertices within are linked along it: sorted by where they cross, crossings go in and out in
turn, so the first two belong together, and the next two. Where that fails (a ring that is no simple one), a vertex
lies on the side itself or holes are left beside several pieces, the caller asks GEOS.
"""

from __future__ import annotations

import numpy as np

from gis.compiling import njit
from gis.territory.model import Floats, Ints
from gis.tiles.columns import Flags

#: Tile units within which two crossings count as one place: they may be told in either order.
_SAME = 1e-6


@njit(cache=True, nogil=True)
def _linked(place: Floats, leaves: Flags, of: Ints, count: int, leaving: bool, link: Ints) -> bool:
    """Which chain follows each, from where they cross the side; False: they do not go in and out in turn.

    ``leaving``: the first crossing along the side leaves.
    """
    for i in range(1, count):  # few: by insertion
        p, e, c = place[i], leaves[i], of[i]
        k = i
        while k > 0 and place[k - 1] > p:
            place[k], leaves[k], of[k] = place[k - 1], leaves[k - 1], of[k - 1]
            k -= 1
        place[k], leaves[k], of[k] = p, e, c
    for i in range(count):
        wanted = leaving == (i % 2 == 0)
        if leaves[i] != wanted:
            k = i + 1
            while k < count and leaves[k] != wanted:
                k += 1
            if k >= count or place[k] - place[i] > _SAME:
                return False
            leaves[i], leaves[k] = leaves[k], leaves[i]
            of[i], of[k] = of[k], of[i]
    for i in range(0, count, 2):
        if leaves[i]:
            link[of[i]] = of[i + 1]
        else:
            link[of[i + 1]] = of[i]
    return True


@njit(cache=True, nogil=True)
def _half(  # noqa: PLR0912, PLR0915 - one loop: calls would cost as much as the work
    xy: Floats, at: Ints, outer: Flags, axis: int, edge: float, sign: float
) -> tuple[Floats, Ints, Flags, bool]:
    """A polygon's rings (``at``: where each begins in ``xy``; outer ones with positive area) on one side of a line.

    The last: whether it could be done.
    """
    rings, n = len(outer), at[len(outer)]
    here = np.empty(n, np.bool_)
    crossings, upon = 0, False
    for r in range(rings):
        for k in range(at[r], at[r + 1]):
            here[k] = sign * (xy[k, axis] - edge) >= 0
            upon |= xy[k, axis] == edge
        for k in range(at[r], at[r + 1]):
            crossings += here[k] != here[k + 1 if k + 1 < at[r + 1] else at[r]]
    out, out_at = np.empty((n + crossings, 2)), np.zeros(rings + crossings // 2 + 1, np.int64)
    out_outer = np.empty(rings + crossings // 2, np.bool_)
    chain, chain_at = np.empty((n + crossings, 2)), np.zeros(crossings // 2 + 1, np.int64)
    place, leaves, of = np.empty(crossings), np.empty(crossings, np.bool_), np.empty(crossings, np.int64)
    m, made, c, crossed, v = 0, 0, 0, 0, 0
    for r in range(rings):
        a, b = at[r], at[r + 1]
        enters, within = -1, True
        for k in range(a, b):
            within &= here[k]
            if not here[k] and here[k + 1 if k + 1 < b else a]:
                enters = k
        if within:
            for k in range(a, b):
                out[m, 0], out[m, 1] = xy[k, 0], xy[k, 1]
                m += 1
            out_outer[made] = outer[r]
            made += 1
            out_at[made] = m
        if enters < 0:
            continue
        i = enters
        for _ in range(b - a):
            j = i + 1 if i + 1 < b else a
            if here[i] != here[j]:
                # from the same end whichever way round the ring runs: neighbours get the same point
                p, q = (i, j) if (xy[i, 0], xy[i, 1]) < (xy[j, 0], xy[j, 1]) else (j, i)
                t = (edge - xy[p, axis]) / (xy[q, axis] - xy[p, axis])
                chain[v, axis] = edge
                chain[v, 1 - axis] = xy[p, 1 - axis] + t * (xy[q, 1 - axis] - xy[p, 1 - axis])
                place[crossed], leaves[crossed], of[crossed] = chain[v, 1 - axis], here[i], c
                crossed += 1
                v += 1
                if here[i]:
                    c += 1
                    chain_at[c] = v
            if here[j]:
                chain[v, 0], chain[v, 1] = xy[j, 0], xy[j, 1]
                v += 1
            i = j
    link = np.full(c, -1, np.int64)
    if upon or not _linked(place, leaves, of, crossed, (axis == 0) != (sign > 0), link):
        return out, out_at, out_outer, False
    for first in range(c):
        k = first
        if link[k] < 0:
            continue
        while link[k] >= 0:
            for i in range(chain_at[k], chain_at[k + 1]):
                out[m, 0], out[m, 1] = chain[i, 0], chain[i, 1]
                m += 1
            follows = link[k]
            link[k] = -1
            k = follows
        out_outer[made] = True
        made += 1
        out_at[made] = m
    return out, out_at[: made + 1], out_outer[:made], True


@njit(cache=True, nogil=True)
def _local(
    parts: Ints, start: Ints, outer: Flags, xy: Floats, west: float, north: float, scale: float
) -> tuple[Floats, Ints, Flags]:
    """Rings of one polygon in tile units without their closing vertices; outer ones with positive area."""
    begin, end = parts[0], parts[1]
    at = np.zeros(end - begin + 1, np.int64)
    made = np.empty((start[end] - start[begin], 2))
    m = 0
    for p in range(begin, end):
        a, n = start[p], start[p + 1] - start[p] - 1
        for k in range(n):
            made[m + k, 0], made[m + k, 1] = (xy[a + k, 0] - west) * scale, (north - xy[a + k, 1]) * scale
        area = 0.0
        for k in range(1, n - 1):
            ux, uy = made[m + k, 0] - made[m, 0], made[m + k, 1] - made[m, 1]
            vx, vy = made[m + k + 1, 0] - made[m, 0], made[m + k + 1, 1] - made[m, 1]
            area += ux * vy - uy * vx
        if (area > 0) != outer[p]:
            for k in range(n // 2):
                for d in range(2):
                    made[m + k, d], made[m + n - 1 - k, d] = made[m + n - 1 - k, d], made[m + k, d]
        m += n
        at[p - begin + 1] = m
    return made[:m], at, outer[begin:end].copy()


@njit(cache=True, nogil=True)
def cut(
    rows: Ints,
    first: Ints,
    start: Ints,
    outer: Flags,
    xy: Floats,
    place: tuple[float, float, float, float, float],
) -> tuple[Ints, Ints, Flags, Floats, bool]:
    """Polygons (rows of columns) cut at the tile's buffer: ``first, start, outer, xy`` as columns have them.

    In tile units, rings closed. The last: whether all could be done.
    """
    west, north, scale, low, high = place
    made_first = np.zeros(len(rows) + 1, np.int64)
    made_start, made_outer, made_xy = np.zeros(64, np.int64), np.empty(64, np.bool_), np.empty((512, 2))
    rings = m = 0
    for i in range(len(rows)):
        p, last = first[rows[i]], first[rows[i] + 1]
        while p < last:
            q = p + 1
            while q < last and not outer[q]:
                q += 1
            part, at, kind = _local(np.array([p, q]), start, outer, xy, west, north, scale)
            p = q
            for side in range(4):
                edge, sign = (low, 1.0) if side < 2 else (high, -1.0)
                part, at, kind, done = _half(part, at, kind, side & 1, edge, sign)
                if not done:
                    return made_first, made_start, made_outer, made_xy, False
            outers = kind.sum()
            while rings + len(kind) + 1 >= len(made_start):
                made_start = np.concatenate((made_start, np.zeros_like(made_start)))
                made_outer = np.concatenate((made_outer, made_outer))
            while m + at[len(kind)] + len(kind) > len(made_xy):
                made_xy = np.concatenate((made_xy, made_xy))
            if outers > 1 and outers < len(kind):  # in which of them a hole lies
                return made_first, made_start, made_outer, made_xy, False
            for turn in range(2):  # the outer rings, then the holes of the only one
                for r in range(len(kind)):
                    if kind[r] != (turn == 0):
                        continue
                    for k in range(at[r], at[r + 1]):
                        made_xy[m, 0], made_xy[m, 1] = part[k, 0], part[k, 1]
                        m += 1
                    made_xy[m, 0], made_xy[m, 1] = part[at[r], 0], part[at[r], 1]
                    m += 1
                    made_outer[rings] = kind[r]
                    rings += 1
                    made_start[rings] = m
        made_first[i + 1] = rings
    return made_first, made_start[: rings + 1], made_outer[:rings], made_xy[:m], True
