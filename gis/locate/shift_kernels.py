"""The inverses of GCJ-02 and BD-09, compiled: by fixed-point iteration until nothing moves any more.

The formulas are those of ``gis.locate.datums``, whose array forms are the tests' oracle; see there for datums.
"""

from __future__ import annotations

from math import atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Final

import numpy as np

from gis.compiling import njit
from gis.territory.model import Floats

_A: Final = 6378245.0  # Krasovsky 1940, metres
_EE: Final = 0.00669342162296594323
_BD: Final = pi * 3000.0 / 180.0
_ROUNDS: Final = 24  # each gains about two digits: seven do, a few more where rounding lets the last bit swing
_STILL: Final = 1e-14  # degrees: a nanometre


@njit(cache=True, nogil=True)
def _shift(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 minus WGS84 in degrees."""
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    wave = (20.0 * sin(6.0 * pi * x) + 20.0 * sin(2.0 * pi * x)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20.0 * sin(pi * y) + 40.0 * sin(pi * y / 3.0)) * 2.0 / 3.0
    north += (160.0 * sin(pi * y / 12.0) + 320.0 * sin(pi * y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20.0 * sin(pi * x) + 40.0 * sin(pi * x / 3.0)) * 2.0 / 3.0
    east += (150.0 * sin(pi * x / 12.0) + 300.0 * sin(pi * x / 30.0)) * 2.0 / 3.0
    phi = radians(lat)
    magic = 1.0 - _EE * sin(phi) ** 2
    root_magic = sqrt(magic)
    d_lat = north * 180.0 / ((_A * (1.0 - _EE)) / (magic * root_magic) * pi)
    d_lon = east * 180.0 / (_A / root_magic * cos(phi) * pi)
    return d_lon, d_lat


@njit(cache=True, nogil=True)
def gcj02_inverse(lon: float, lat: float) -> tuple[float, float]:
    """WGS84 of a GCJ-02 position inside the formulas' rectangle."""
    x, y = lon, lat
    for _ in range(_ROUNDS):
        dx, dy = _shift(x, y)
        u, v = lon - dx, lat - dy
        still = abs(u - x) <= _STILL and abs(v - y) <= _STILL
        x, y = u, v
        if still:
            break
    return x, y


@njit(cache=True, nogil=True)
def bd09_inverse(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 of a BD-09 position inside the formulas' rectangle."""
    x, y = lon - 0.0065, lat - 0.006
    for _ in range(_ROUNDS):
        r = hypot(x, y) + 0.00002 * sin(y * _BD)
        angle = atan2(y, x) + 0.000003 * cos(x * _BD)
        u, v = x + lon - (r * cos(angle) + 0.0065), y + lat - (r * sin(angle) + 0.006)
        still = abs(u - x) <= _STILL and abs(v - y) <= _STILL
        x, y = u, v
        if still:
            break
    return x, y


@njit(cache=True, nogil=True)
def gcj02_inverses(lon: Floats, lat: Floats) -> None:
    """``gcj02_inverse`` of many, in place; NaN stays NaN."""
    for k in range(len(lon)):
        lon[k], lat[k] = gcj02_inverse(lon[k], lat[k])


@njit(cache=True, nogil=True)
def bd09_inverses(lon: Floats, lat: Floats) -> None:
    """``bd09_inverse`` of many, in place."""
    for k in range(len(lon)):
        lon[k], lat[k] = bd09_inverse(lon[k], lat[k])


def warm() -> None:
    """Compile or load every kernel."""
    for kernel in (gcj02_inverses, bd09_inverses):
        kernel(np.array([112.9]), np.array([28.2]))
    gcj02_inverse(112.9, 28.2)
    bd09_inverse(112.9, 28.2)
