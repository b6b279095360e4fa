"""The compiled loops of the tile encoder: which features show, rounding, writing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.territory.model import Floats, Ints
from gis.tiles.columns import Bytes, Flags
from gis.tiles.cutting import clip_ring, inside

#: What is to be done with a feature: it lies inside, it crosses the edge, its cut was made beforehand.
INSIDE, CROSSES, CUT = 0, 1, 2


@njit(cache=True, nogil=True)
def survey(
    west: float,
    north: float,
    scale: float,
    low: float,
    high: float,
    z: int,
    chosen: Flags,
    zoom: NDArray[np.int8],
    kind: NDArray[np.int8],
    box: Floats,
    first: Ints,
    start: Ints,
    outer: Flags,
    xy: Floats,
) -> tuple[Ints, NDArray[np.int8], int, int]:
    """Features that may show with what is to be done, their vertices and parts in all.

    Polygons that an edge cuts into several pieces are marked CUT.
    """
    n = len(zoom)
    rows = np.empty(n, np.int64)
    state = np.empty(n, np.int8)
    x0, x1 = west + low / scale, west + high / scale
    y0, y1 = north - high / scale, north - low / scale
    count, vertices, parts, longest = 0, 0, 0, 0
    for r in range(n):
        if box[r, 0] > x1 or box[r, 2] < x0 or box[r, 1] > y1 or box[r, 3] < y0:
            continue
        if zoom[r] > z or kind[r] == 0 or (len(chosen) and not chosen[r]):
            continue
        within = box[r, 0] >= x0 and box[r, 2] <= x1 and box[r, 1] >= y0 and box[r, 3] <= y1
        rows[count] = r
        state[count] = INSIDE if within else CROSSES
        count += 1
        vertices += start[first[r + 1]] - start[first[r]]
        parts += first[r + 1] - first[r]
        if not within and kind[r] == 3:
            for p in range(first[r], first[r + 1]):
                longest = max(longest, start[p + 1] - start[p])
    if longest:
        one, two = np.empty((2 * longest + 16, 2)), np.empty((2 * longest + 16, 2))
        for i in range(count):
            r = rows[i]
            if state[i] == CROSSES and kind[r] == 3:
                for p in range(first[r], first[r + 1]):
                    if clip_ring(xy, start[p], start[p + 1], west, north, scale, low, high, outer[p], one, two) < 0:
                        state[i] = CUT
                        break
    return rows[:count], state[:count], vertices, parts


@njit(cache=True, nogil=True, inline="always")
def _put(out: Bytes, at: int, value: int) -> int:
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(cache=True, nogil=True, inline="always")
def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


@njit(cache=True, nogil=True, inline="always")
def _width(value: int) -> int:
    """Bytes that ``_put`` takes."""
    n = 1
    while value >= 128:
        value >>= 7
        n += 1
    return n


@njit(cache=True, nogil=True, inline="always")
def _add(x: float, y: float, n: int, px: Ints, py: Ints) -> int:
    """Append a vertex in whole tile units, unless it repeats the last."""
    a, b = np.int64(np.floor(x + 0.5)), np.int64(np.floor(y + 0.5))
    if n > 0 and a == px[n - 1] and b == py[n - 1]:
        return n
    px[n], py[n] = a, b
    return n + 1


@njit(cache=True, nogil=True)
def _blunt(px: Ints, py: Ints, n: int) -> int:
    """Take out spikes, where a rounded ring runs back on itself: they hold no area and make it invalid."""
    while n > 1 and px[0] == px[n - 1] and py[0] == py[n - 1]:
        n -= 1
    i = 0
    clean = 0  # vertices in a row that are no spike
    while n >= 3 and clean < n:
        if i >= n:
            i = 0
        a, c = i - 1 if i else n - 1, i + 1 if i + 1 < n else 0
        ux, uy, vx, vy = px[i] - px[a], py[i] - py[a], px[c] - px[i], py[c] - py[i]
        if ux * vy == uy * vx and ux * vx + uy * vy <= 0:
            for k in range(i, n - 1):
                px[k], py[k] = px[k + 1], py[k + 1]
            n -= 1
            i = max(i - 1, 0)
            clean = 0
        else:
            i += 1
            clean += 1
    return n


@njit(cache=True, nogil=True)
def _area(px: Ints, py: Ints, n: int) -> int:
    """Twice the signed area in tile units, y downwards."""
    area = 0
    for i in range(n):
        j = i + 1 if i + 1 < n else 0
        area += px[i] * py[j] - px[j] * py[i]
    return area


@njit(cache=True, nogil=True)
def _path(px: Ints, py: Ints, n: int, turned: bool, closed: bool, cursor: Ints, out: Bytes, at: int) -> int:
    """Write one line or ring: move, line, and close. ``cursor`` is where the pen stands."""
    i, step = (n - 1, -1) if turned else (0, 1)
    x, y = px[i], py[i]
    out[at] = 9
    at = _put(out, at + 1, _zigzag(x - cursor[0]))
    at = _put(out, at, _zigzag(y - cursor[1]))
    at = _put(out, at, ((n - 1) << 3) | 2)
    for _ in range(n - 1):
        i += step
        dx, dy = _zigzag(px[i] - x), _zigzag(py[i] - y)
        x, y = px[i], py[i]
        if dx < 128 and dy < 128:  # most edges are short
            out[at], out[at + 1] = dx, dy
            at += 2
        else:
            at = _put(out, at, dx)
            at = _put(out, at, dy)
    cursor[0], cursor[1] = x, y
    if closed:
        out[at] = 15
        at += 1
    return at


@njit(cache=True, nogil=True)
def _polygon(
    begin: int,
    end: int,
    start: Ints,
    outer: Flags,
    xy: Floats,
    place: tuple[float, float, float, float, float],
    state: int,
    one: Floats,
    two: Floats,
    px: Ints,
    py: Ints,
    cursor: Ints,
    out: Bytes,
) -> int:
    """Commands of a polygon's rings; outer rings run with positive area, holes with negative. Their length."""
    west, north, scale, low, high = place
    cursor[0], cursor[1] = 0, 0
    hidden = False
    at = 0
    for p in range(begin, end):
        m = start[p + 1] - start[p] - 1
        if state == CROSSES:
            m = clip_ring(xy, start[p], start[p + 1], west, north, scale, low, high, outer[p], one, two)
        elif state == CUT:
            for k in range(m):
                one[k, 0], one[k, 1] = xy[start[p] + k, 0], xy[start[p] + k, 1]
        else:
            for k in range(m):
                one[k, 0], one[k, 1] = (xy[start[p] + k, 0] - west) * scale, (north - xy[start[p] + k, 1]) * scale
        n = 0
        for k in range(m):
            n = _add(one[k, 0], one[k, 1], n, px, py)
        n = _blunt(px, py, n)
        area = _area(px, py, n) if n >= 3 else 0
        if outer[p]:
            hidden = area == 0
        if hidden or area == 0:
            continue
        at = _path(px, py, n, (area < 0) == outer[p], True, cursor, out, at)
    return at


@njit(cache=True, nogil=True)
def _line(
    begin: int,
    end: int,
    start: Ints,
    xy: Floats,
    place: tuple[float, float, float, float, float],
    state: int,
    px: Ints,
    py: Ints,
    cursor: Ints,
    out: Bytes,
) -> int:
    """Commands of a line's parts, cut at the buffer (Liang and Barsky, edge by edge); their length."""
    west, north, scale, low, high = place
    cursor[0], cursor[1] = 0, 0
    at = 0
    for p in range(begin, end):
        n = 0
        for k in range(start[p], start[p + 1] - 1):
            ax, ay = (xy[k, 0] - west) * scale, (north - xy[k, 1]) * scale
            bx, by = (xy[k + 1, 0] - west) * scale, (north - xy[k + 1, 1]) * scale
            t0, t1 = 0.0, 1.0
            if state == CROSSES:
                t0, t1 = inside(ax, ay, bx - ax, by - ay, low, high)
            if t0 > t1 or t0 > 0:  # what came before has left the tile
                if n >= 2:
                    at = _path(px, py, n, False, False, cursor, out, at)
                n = 0
            if t0 > t1:
                continue
            if n == 0:
                n = _add(ax + t0 * (bx - ax), ay + t0 * (by - ay), n, px, py)
            ex, ey = (ax + t1 * (bx - ax), ay + t1 * (by - ay)) if t1 < 1 else (bx, by)
            n = _add(ex, ey, n, px, py)
        if n >= 2:
            at = _path(px, py, n, False, False, cursor, out, at)
    return at


@njit(cache=True, nogil=True)
def _points(
    begin: int, end: int, start: Ints, xy: Floats, place: tuple[float, float, float, float, float], out: Bytes
) -> int:
    """All points of a feature share one command; those beyond the buffer are left out."""
    west, north, scale, low, high = place
    count = 0
    for p in range(begin, end):
        x, y = (xy[start[p], 0] - west) * scale, (north - xy[start[p], 1]) * scale
        count += low <= x <= high and low <= y <= high
    if count == 0:
        return 0
    at = _put(out, 0, (count << 3) | 1)
    cx, cy = 0, 0
    for p in range(begin, end):
        x, y = (xy[start[p], 0] - west) * scale, (north - xy[start[p], 1]) * scale
        if low <= x <= high and low <= y <= high:
            a, b = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
            at = _put(out, at, _zigzag(a - cx))
            at = _put(out, at, _zigzag(b - cy))
            cx, cy = a, b
    return at


@njit(cache=True, nogil=True)
def write(
    west: float,
    north: float,
    scale: float,
    low: float,
    high: float,
    rows: Ints,
    states: NDArray[np.int8],
    ids: Ints,
    kind: NDArray[np.int8],
    first: Ints,
    start: Ints,
    outer: Flags,
    xy: Floats,
    codes: NDArray[np.int32],
    shown: int,
    cut: Bytes,
    cut_ends: Ints,
    out: Bytes,
    used: NDArray[np.int32],
) -> tuple[int, int]:
    """Write the features one behind another into ``out``, and which values they name into ``used``; both lengths."""
    place = (west, north, scale, low, high)
    longest, biggest = 0, 0
    for r in rows:
        for p in range(first[r], first[r + 1]):
            longest = max(longest, start[p + 1] - start[p])
        biggest = max(biggest, start[first[r + 1]] - start[first[r]] + 8 * (first[r + 1] - first[r]))
    size = 2 * longest + 16
    one, two = np.empty((size, 2)), np.empty((size, 2))
    px, py, cursor = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(2, np.int64)
    drawn = np.empty(24 * biggest + len(cut) + 64, np.uint8)
    tags = np.empty(10 * shown + 1, np.uint8)
    local = np.full(len(used), -1, np.int32)
    at, names, cuts = 0, 0, 0
    for i in range(len(rows)):
        r = rows[i]
        if states[i] == CUT:
            length = cut_ends[cuts + 1] - cut_ends[cuts]
            for k in range(length):
                drawn[k] = cut[cut_ends[cuts] + k]
            cuts += 1
        elif kind[r] == 3:
            length = _polygon(
                first[r], first[r + 1], start, outer, xy, place, states[i], one, two, px, py, cursor, drawn
            )
        elif kind[r] == 2:
            length = _line(first[r], first[r + 1], start, xy, place, states[i], px, py, cursor, drawn)
        else:
            length = _points(first[r], first[r + 1], start, xy, place, drawn)
        if length == 0:
            continue
        told = 0
        for k in range(shown):
            code = codes[r, k]
            if code >= 0:
                if local[code] < 0:
                    local[code] = names
                    used[names] = code
                    names += 1
                told = _put(tags, told, k)
                told = _put(tags, told, local[code])
        at = _feature(ids[r], kind[r], tags, told, drawn, length, out, at)
    return at, names


@njit(cache=True, nogil=True)
def draw_cut(first: Ints, start: Ints, outer: Flags, xy: Floats) -> tuple[Bytes, Ints]:
    """Commands of polygons cut beforehand (ragged, in tile units) and where those of each end."""
    size = len(xy) + 16
    one, two = np.empty((size, 2)), np.empty((size, 2))
    px, py, cursor = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(2, np.int64)
    out = np.empty(24 * (len(xy) + 8 * len(start)), np.uint8)
    ends = np.zeros(len(first), np.int64)
    at = 0
    place = (0.0, 0.0, 1.0, 0.0, 0.0)
    for r in range(len(first) - 1):
        length = _polygon(first[r], first[r + 1], start, outer, xy, place, CUT, one, two, px, py, cursor, out[at:])
        at += length
        ends[r + 1] = at
    return out[:at], ends


@njit(cache=True, nogil=True)
def _feature(number: int, kind: int, tags: Bytes, told: int, drawn: Bytes, length: int, out: Bytes, at: int) -> int:
    """One feature as a field of its layer."""
    size = 1 + _width(number) + 2 + 1 + _width(length) + length
    if told:
        size += 1 + _width(told) + told
    out[at] = 0x12
    at = _put(out, at + 1, size)
    out[at] = 0x08
    at = _put(out, at + 1, number)
    if told:
        out[at] = 0x12
        at = _put(out, at + 1, told)
        for k in range(told):
            out[at + k] = tags[k]
        at += told
    out[at], out[at + 1], out[at + 2] = 0x18, kind, 0x22
    at = _put(out, at + 3, length)
    for k in range(length):
        out[at + k] = drawn[k]
    return at + length


@njit(cache=True, nogil=True)
def gather(numbers: NDArray[np.int32], written: Bytes, written_at: Ints) -> Bytes:
    """The written values with these numbers, one behind another."""
    size = 0
    for k in numbers:
        size += written_at[k + 1] - written_at[k]
    out = np.empty(size, np.uint8)
    at = 0
    for k in numbers:
        for i in range(written_at[k], written_at[k + 1]):
            out[at] = written[i]
            at += 1
    return out
