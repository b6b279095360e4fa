"""GeoJSON geometry (RFC 7946) straight from well-known binary, by compiled code: no object in between.

A page of a hundred grids has ten thousand vertices; writing their numbers is most of the work of answering it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit

Bytes = NDArray[np.uint8]

#: Decimal places: degrees to a millimetre (vertices lie on whole centimetres), metres to a tenth of one.
DEGREES: Final = 8
METRES: Final = 4
#: Radius of EPSG:3857's sphere in metres.
_RADIUS: Final = 6378137.0
#: Names of the kinds by their number in well-known binary; 0 is none.
_NAMES: Final = ("", "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon")
_HEADS: Final = [f'{{"type":"{name}","coordinates":'.encode() for name in _NAMES]
_HEAD_BYTES: Final = np.frombuffer(b"".join(_HEADS), dtype=np.uint8)
_HEAD_ENDS: Final = np.cumsum([len(h) for h in _HEADS])
#: A geometry takes no more than this many bytes of text for a byte of binary, and these besides.
_GROWTH: Final = 4
_ROOM: Final = 80


def geometries(wkb: Sequence[bytes], *, mercator: bool, decimals: int, swap: bool = False) -> list[bytes]:
    """GeoJSON of each geometry, in order.

    ``wkb`` is little-endian and flat. ``mercator``: its coordinates are EPSG:3857 metres and degrees are written;
    else they are written as they are. ``swap``: the second coordinate first, for a CRS whose axes are so.
    Raises ValueError where a geometry is of no kind GeoJSON has or not flat.
    """
    if not wkb:
        return []
    ends = np.cumsum([len(w) for w in wkb])
    data = np.frombuffer(b"".join(wkb), dtype=np.uint8)
    out = np.empty(len(data) * _GROWTH + _ROOM * len(wkb), dtype=np.uint8)
    stops = np.empty(len(wkb), dtype=np.int64)
    if not _write(data, ends, _HEAD_BYTES, _HEAD_ENDS, mercator, decimals, swap, out, stops):
        raise ValueError("a geometry that GeoJSON cannot hold")
    text = out[: stops[-1]].tobytes()
    starts = [0, *stops[:-1].tolist()]
    return [text[a:b] for a, b in zip(starts, stops.tolist(), strict=True)]


def warm() -> None:
    """Load the compiled loops."""
    point = b"\x01\x01\x00\x00\x00" + np.zeros(2).tobytes()
    geometries([point], mercator=True, decimals=DEGREES)


@njit(cache=True)
def _uint32(data: Bytes, at: int) -> int:
    low = int(data[at]) | (int(data[at + 1]) << 8)
    return low | (int(data[at + 2]) << 16) | (int(data[at + 3]) << 24)


@njit(cache=True)
def _number(value: float, scale: float, decimals: int, out: Bytes, at: int) -> int:
    """Write a number rounded to ``decimals`` places without useless zeros; where it ends."""
    ten = np.uint64(10)
    whole = np.uint64(np.floor(abs(value) * scale + 0.5))
    if value < 0.0 and whole > np.uint64(0):
        out[at] = 45  # -
        at += 1
    places = decimals
    while places > 0 and whole % ten == np.uint64(0):
        whole //= ten
        places -= 1
    digits, bound = 1, ten
    while whole >= bound and digits < 19:
        digits += 1
        bound *= ten
    digits = max(digits, places + 1)
    end = at + digits + (1 if places > 0 else 0)
    k = end - 1
    for _ in range(places):
        rest = whole // ten
        out[k] = np.uint8(48) + np.uint8(whole - rest * ten)
        whole = rest
        k -= 1
    if places > 0:
        out[k] = 46  # .
        k -= 1
    while k >= at:
        rest = whole // ten
        out[k] = np.uint8(48) + np.uint8(whole - rest * ten)
        whole = rest
        k -= 1
    return end


@njit(cache=True)
def _vertices(
    data: Bytes, at: int, count: int, mercator: bool, decimals: int, swap: bool, out: Bytes, end: int, pair: Any
) -> int:
    """Write ``count`` positions that begin at ``at``, with commas between; where they end."""
    scale = 10.0**decimals
    bits, values = pair
    for n in range(count):
        for k in range(2):
            p = at + 16 * n + 8 * k
            bits[k] = (np.uint64(_uint32(data, p + 4)) << np.uint64(32)) | np.uint64(_uint32(data, p))
        x, y = values[0], values[1]
        if mercator:
            x = np.degrees(x / _RADIUS)
            y = np.degrees(2.0 * np.arctan(np.exp(y / _RADIUS)) - np.pi / 2.0)
        if swap:
            x, y = y, x
        if n:
            out[end] = 44  # ,
            end += 1
        out[end] = 91  # [
        end = _number(x, scale, decimals, out, end + 1)
        out[end] = 44
        end = _number(y, scale, decimals, out, end + 1)
        out[end] = 93  # ]
        end += 1
    return end


@njit(cache=True)
def _body(
    data: Bytes, at: int, kind: int, mercator: bool, decimals: int, swap: bool, out: Bytes, end: int, pair: Any
) -> tuple[int, int]:
    """Write the coordinates of one point (1), line (2) or polygon (3) whose head is read; where both sides are."""
    if kind == 1:
        return at + 16, _vertices(data, at, 1, mercator, decimals, swap, out, end, pair)
    rings = 1
    if kind == 3:
        rings = _uint32(data, at)
        at += 4
        out[end] = 91
        end += 1
    for r in range(rings):
        count = _uint32(data, at)
        if r:
            out[end] = 44
            end += 1
        out[end] = 91
        end = _vertices(data, at + 4, count, mercator, decimals, swap, out, end + 1, pair)
        out[end] = 93
        end += 1
        at += 4 + 16 * count
    if kind == 3:
        out[end] = 93
        end += 1
    return at, end


@njit(cache=True)
def _write(
    data: Bytes,
    ends: NDArray[np.int64],
    heads: Bytes,
    head_ends: NDArray[np.int64],
    mercator: bool,
    decimals: int,
    swap: bool,
    out: Bytes,
    stops: NDArray[np.int64],
) -> bool:
    """Write every geometry into ``out`` and its end into ``stops``; False where one cannot be written."""
    bits = np.empty(2, dtype=np.uint64)
    pair = (bits, bits.view(np.float64))
    at, end = 0, 0
    for g in range(len(ends)):
        kind = _uint32(data, at + 1)
        if data[at] != 1 or kind < 1 or kind > 6:
            return False
        for k in range(head_ends[kind - 1], head_ends[kind]):
            out[end] = heads[k]
            end += 1
        at += 5
        if kind <= 3:
            at, end = _body(data, at, kind, mercator, decimals, swap, out, end, pair)
        else:
            parts = _uint32(data, at)
            at += 4
            out[end] = 91
            end += 1
            for p in range(parts):
                if p:
                    out[end] = 44
                    end += 1
                at, end = _body(data, at + 5, kind - 3, mercator, decimals, swap, out, end, pair)
            out[end] = 93
            end += 1
        out[end] = 125  # }
        end += 1
        if at != ends[g]:
            return False
        stops[g] = end
    return True
