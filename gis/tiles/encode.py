"""Vector tiles (MVT 2.1) written by ourselves, from columns: clip, round to tile units, write protocol buffers.

Shared borders are rounded vertex by vertex to the same units, so a coverage stays one in the tile.
Format: https://github.com/mapbox/vector-tile-spec/tree/master/2.1
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.compiling import njit
from gis.territory.model import Floats, Geometries, Ints
from gis.tiles.pyramid import BUFFER, EXTENT, bounds

Bytes = NDArray[np.uint8]

#: Kinds of geometry as the format numbers them, by shapely's type id.
_POINT, _LINE, _POLYGON = 1, 2, 3
_KIND: Final = {0: _POINT, 4: _POINT, 1: _LINE, 2: _LINE, 5: _LINE, 3: _POLYGON, 6: _POLYGON}
#: Bytes that one vertex may take: two numbers of five bytes, and commands.
_ROOM: Final = 16


def layer(
    name: str,
    tile: tuple[int, int, int],
    ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    geometry: Geometries,
) -> bytes:
    """One layer of the tile z/x/y; b"" when no feature shows.

    ``geometry`` is in EPSG:3857, one kind a feature. ``columns`` hold texts, whole numbers, floats, booleans or
    None (left out). Features come in the order given; points beyond the buffer and shapes that round to
    nothing are left out.
    """
    shown, kinds, written, ends = _geometry(tile, geometry)
    if not len(shown):
        return b""
    values: dict[tuple[type, Any], int] = {}
    body = written.tobytes()
    features = []
    start = 0
    for row, kind, end in zip(shown.tolist(), kinds.tolist(), ends.tolist(), strict=True):
        tags = bytearray()
        for key, column in enumerate(columns.values()):
            value = column[row]
            if value is not None:
                at = values.setdefault((type(value), value), len(values))
                tags += _varint(key) + _varint(at)
        features.append(
            _field(
                2,
                b"\x08"
                + _varint(ids[row])
                + _field(2, bytes(tags))
                + bytes((0x18, kind))
                + _field(4, body[start:end]),
            )
        )
        start = end
    head = _field(1, name.encode())
    keys = b"".join(_field(3, key.encode()) for key in columns)
    dictionary = b"".join(_field(4, _value(value)) for _, value in values)
    return _field(3, head + b"".join(features) + keys + dictionary + b"\x28" + _varint(EXTENT) + b"\x78\x02")


def warm() -> None:
    """Compile or load the kernel."""
    layer("warm", (0, 0, 0), [1], {}, np.array([shapely.box(0, 0, 1e6, 1e6)], dtype=object))


def _geometry(tile: tuple[int, int, int], geometry: Geometries) -> tuple[Ints, Ints, Bytes, Ints]:
    """Rows that show, their kinds, their commands in one buffer, and where each ends in it."""
    west, _, east, north = bounds(*tile)
    scale = EXTENT / (east - west)
    local = np.asarray(shapely.transform(geometry, lambda xy: (xy - (west, north)) * (scale, -scale)), dtype=object)
    box = shapely.bounds(local).reshape(-1, 4)
    low, high = -float(BUFFER), float(EXTENT + BUFFER)
    over = ~((box[:, 0] >= low) & (box[:, 1] >= low) & (box[:, 2] <= high) & (box[:, 3] <= high))
    if over.any():
        local[over] = shapely.clip_by_rect(local[over], low, low, high, high)
    kinds = np.array([_KIND.get(k, 0) for k in shapely.get_type_id(geometry).tolist()], dtype=np.int64)
    rows, parts, first, xy = _rings(local, kinds)
    out = np.empty(_ROOM * (len(xy) + 2 * len(parts) + 8), np.uint8)
    ends = np.zeros(len(geometry), np.int64)
    size = _write(xy, parts, rows, first, kinds, out, ends)
    shown = np.flatnonzero(np.diff(ends, prepend=0) > 0)
    return shown, kinds[shown], out[:size], ends[shown]


def _rings(local: Geometries, kinds: Ints) -> tuple[Ints, Ints, NDArray[np.bool_], Floats]:
    """Every line, ring or point: its row, where its vertices start, whether it begins a polygon, all vertices."""
    parts, row = shapely.get_parts(local, return_index=True)
    fits = np.array([_KIND.get(k, 0) for k in shapely.get_type_id(parts).tolist()], dtype=np.int64) == kinds[row]
    fits &= ~shapely.is_empty(parts)
    parts, row = parts[fits], row[fits]
    area = kinds[row] == _POLYGON
    rings, owner = shapely.get_rings(parts[area], return_index=True)
    begins = np.ones(len(rings), bool)
    begins[1:] = owner[1:] != owner[:-1]
    lines = np.concatenate([rings, parts[~area]])
    rows = np.concatenate([row[area][owner], row[~area]]).astype(np.int64)
    first = np.concatenate([begins, np.ones(int((~area).sum()), bool)])
    order = np.argsort(rows, kind="stable")
    lines, rows, first = lines[order], rows[order], first[order]
    xy, line = shapely.get_coordinates(lines, return_index=True)
    return rows, np.searchsorted(line, np.arange(len(lines) + 1)).astype(np.int64), first, xy


@njit(cache=True, nogil=True)
def _put(out: Bytes, at: int, value: int) -> int:
    while value >= 128:
        out[at] = (value & 127) | 128
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(cache=True, nogil=True)
def _round(xy: Floats, start: int, stop: int, closed: bool, px: Ints, py: Ints) -> int:
    """Vertices in tile units without repetitions; a ring without its closing vertex."""
    n = 0
    for k in range(start, stop):
        x, y = np.int64(np.floor(xy[k, 0] + 0.5)), np.int64(np.floor(xy[k, 1] + 0.5))
        if n == 0 or x != px[n - 1] or y != py[n - 1]:
            px[n], py[n] = x, y
            n += 1
    while closed and n > 1 and px[0] == px[n - 1] and py[0] == py[n - 1]:
        n -= 1
    return _blunt(px, py, n) if closed else n


@njit(cache=True, nogil=True)
def _blunt(px: Ints, py: Ints, n: int) -> int:
    """Take out spikes, where a rounded ring runs back on itself: they hold no area and make it invalid."""
    i = 0
    clean = 0  # vertices in a row that are no spike
    while n >= 3 and clean < n:
        a, b, c = (i - 1) % n, i % n, (i + 1) % n
        ux, uy, vx, vy = px[b] - px[a], py[b] - py[a], px[c] - px[b], py[c] - py[b]
        if ux * vy == uy * vx and ux * vx + uy * vy <= 0:
            for k in range(b, n - 1):
                px[k], py[k] = px[k + 1], py[k + 1]
            n -= 1
            i = max(b - 1, 0)
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
def _write(xy: Floats, parts: Ints, rows: Ints, first: NDArray[np.bool_], kinds: Ints, out: Bytes, ends: Ints) -> int:
    """Commands of every feature one behind another; ``ends[row]`` is where a row's end."""
    longest = 1
    for p in range(len(rows)):
        longest = max(longest, parts[p + 1] - parts[p])
    px, py = np.empty(longest, np.int64), np.empty(longest, np.int64)
    at = 0
    p = 0
    for row in range(len(ends)):
        cx, cy = np.int64(0), np.int64(0)
        hidden = False
        points = 0
        if kinds[row] == 1:  # all points of a feature share one command
            q = p
            while q < len(rows) and rows[q] == row:
                q += 1
            points = q - p
            if points:
                at = _put(out, at, (points << 3) | 1)
        while p < len(rows) and rows[p] == row:
            polygon = kinds[row] == 3
            n = _round(xy, parts[p], parts[p + 1], polygon, px, py)
            area = _area(px, py, n) if polygon else 0
            if polygon and first[p]:
                hidden = n < 3 or area == 0
            if (polygon and (hidden or n < 3 or area == 0)) or (kinds[row] == 2 and n < 2):
                p += 1
                continue
            turned = polygon and ((area < 0) == first[p])  # outer rings have positive area, holes negative
            for k in range(n):
                i = n - 1 - k if turned else k
                if kinds[row] != 1 and k < 2:
                    at = _put(out, at, 9 if k == 0 else ((n - 1) << 3) | 2)
                dx, dy = px[i] - cx, py[i] - cy
                at = _put(out, at, (dx << 1) ^ (dx >> 63))
                at = _put(out, at, (dy << 1) ^ (dy >> 63))
                cx, cy = px[i], py[i]
            if polygon:
                at = _put(out, at, 15)
            p += 1
        ends[row] = at
    return at


def _varint(value: int) -> bytes:
    if value < 128:
        return bytes((value,))
    made = bytearray()
    while value >= 128:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes((number << 3 | 2,)) + _varint(len(content)) + content


def _value(value: Any) -> bytes:
    """A property's value as the format's ``Value`` message."""
    if isinstance(value, str):
        return _field(1, value.encode())
    if isinstance(value, bool):
        return b"\x38" + _varint(int(value))
    if isinstance(value, int):
        return b"\x28" + _varint(value) if value >= 0 else b"\x30" + _varint((value << 1) ^ (value >> 63))
    return b"\x19" + struct.pack("<d", float(value))
