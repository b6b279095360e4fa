"""The web tile pyramid: z/x/y to metres of EPSG:3857 and degrees, and back."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from gis.errors import InputError
from gis.territory.model import Floats

#: Half the side of the square world, metres of EPSG:3857.
HALF: Final = 20037508.342789244
#: Units along a tile's side in the vector tile format, and how far geometry reaches beyond it.
EXTENT: Final = 4096
BUFFER: Final = 64
#: The deepest zoom that is served; clients scale its tiles beyond.
MAX_ZOOM: Final = 18
_MAX_LATITUDE: Final = 85.05112877980659


def check(z: int, x: int, y: int) -> None:
    """``InputError`` when there is no such tile."""
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z):
        raise InputError("tiles.unknown", z=z, x=x, y=y)


def bounds(z: int, x: int, y: int, buffer: int = 0) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile in metres of EPSG:3857, ``buffer`` tile units wider on each side."""
    side = 2.0 * HALF / (1 << z)
    more = side * buffer / EXTENT
    west, north = -HALF + x * side, HALF - y * side
    return west - more, north - side - more, west + side + more, north + more


def tile_at(z: int, lon: float, lat: float) -> tuple[int, int]:
    """The tile column and row of a WGS84 position."""
    n = 1 << z
    lat = max(-_MAX_LATITUDE, min(_MAX_LATITUDE, lat))
    x = (lon + 180.0) / 360.0 * n
    y = (1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * n
    return min(n - 1, max(0, int(x))), min(n - 1, max(0, int(y)))


def covering(z: int, west: float, south: float, east: float, north: float) -> list[tuple[int, int]]:
    """Every tile of a zoom that a box of WGS84 degrees touches, row by row."""
    x0, y0 = tile_at(z, west, north)
    x1, y1 = tile_at(z, east, south)
    return [(x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1)]


def mercator(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """WGS84 degrees to metres of EPSG:3857."""
    x = np.asarray(lon) * (HALF / 180.0)
    y = np.arcsinh(np.tan(np.radians(np.clip(lat, -_MAX_LATITUDE, _MAX_LATITUDE)))) * (HALF / np.pi)
    return x, y


def unit(z: int) -> float:
    """Metres of EPSG:3857 that one tile unit spans."""
    return 2.0 * HALF / (1 << z) / EXTENT


def tile_id(z: int, x: int, y: int) -> int:
    """The number of a tile: all zooms above it first, then its place on Hilbert's curve (as PMTiles counts)."""
    number = ((1 << 2 * z) - 1) // 3
    for level in range(z - 1, -1, -1):
        side = 1 << level
        right, down = bool(x & side), bool(y & side)
        number += ((3 * right) ^ down) << 2 * level
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        x, y = x & (side - 1), y & (side - 1)
    return number
