"""Coordinates and the datum they are in: no position is ever read without one.

``wgs84`` and ``cgcs2000`` agree within decimetres and are taken as equal (PROJ knows no better either).
``gcj02`` (高德, 腾讯) and ``bd09`` (百度) are shifted by 540-1,280 m inside China; outside the rectangle in which
their formulas apply, map services hand out WGS84 under the same name, and so it is read here.
``EPSG:n`` is any CRS of PROJ's database; ``x`` is always the easting or longitude and ``y`` the northing or
latitude, whatever the axis order the authority prints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pyproj

from gis.errors import InputError
from gis.territory.model import Bools, Floats

#: Datums that have a name of their own. Everything else is ``EPSG:n``.
NAMES: Final = ("wgs84", "cgcs2000", "gcj02", "bd09")

#: Rectangle (west, south, east, north; degrees) in which GCJ-02 differs from WGS84.
CHINA: Final = (72.004, 0.8293, 137.8347, 55.8271)

_A: Final = 6378245.0  # Krasovsky 1940, metres
_EE: Final = 0.00669342162296594323
_BD: Final = np.pi * 3000.0 / 180.0


@dataclass(frozen=True)
class Datum:
    """A named datum: ``name`` is one of ``NAMES`` or ``EPSG:n``; ``projected`` says metres, not degrees."""

    name: str
    projected: bool = False


def parse(text: str | None) -> Datum:
    """The datum a person or program named; ``InputError`` when it is missing or unknown."""
    if text is None or not text.strip():
        raise InputError("lookup.datum_missing")
    name = text.strip().lower()
    if name in NAMES:
        return Datum(name)
    authority, _, number = name.partition(":")
    if authority != "epsg" or not (number.isascii() and number.isdigit()) or len(number) > 7:
        raise InputError("lookup.datum_unknown", crs=text.strip()[:40])
    return _epsg(f"EPSG:{int(number)}")


@lru_cache(maxsize=256)
def _epsg(name: str) -> Datum:
    try:
        crs = pyproj.CRS.from_user_input(name)
    except pyproj.exceptions.CRSError:
        raise InputError("lookup.datum_unknown", crs=name) from None
    if not (crs.is_projected or crs.is_geographic) or len(crs.axis_info) < 2:
        raise InputError("lookup.datum_unknown", crs=name)
    return Datum(name, projected=crs.is_projected)


@lru_cache(maxsize=64)
def transformer(source: str, target: str) -> pyproj.Transformer:
    """PROJ's transformer between two CRS, easting/longitude first on both sides."""
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def to_wgs84(x: Floats, y: Floats, datum: Datum) -> tuple[Floats, Floats]:
    """Longitude and latitude in WGS84 degrees; NaN where the coordinates have no place on earth."""
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if datum.name == "gcj02":
        lon, lat = gcj02_to_wgs84(x, y)
    elif datum.name == "bd09":
        lon, lat = gcj02_to_wgs84(*bd09_to_gcj02(x, y))
    elif datum.name in NAMES:
        lon, lat = x.copy(), y.copy()
    else:
        lon, lat = (np.asarray(v, dtype=np.float64) for v in transformer(datum.name, "EPSG:4326").transform(x, y))
    bad = ~(np.isfinite(lon) & np.isfinite(lat) & (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))
    return np.where(bad, np.nan, lon), np.where(bad, np.nan, lat)


def point_to_wgs84(x: float, y: float, datum: Datum) -> tuple[float, float] | None:
    """``to_wgs84`` of one position, without arrays; None where the coordinates have no place on earth."""
    lon, lat = x, y
    if datum.name in ("gcj02", "bd09"):
        west, south, east, north = CHINA
        if west <= lon <= east and south <= lat <= north:
            from gis.locate import shift_kernels

            if datum.name == "bd09":
                lon, lat = shift_kernels.bd09_inverse(lon, lat)
                inside = west <= lon <= east and south <= lat <= north
                lon, lat = shift_kernels.gcj02_inverse(lon, lat) if inside else (lon, lat)
            else:
                lon, lat = shift_kernels.gcj02_inverse(lon, lat)
    elif datum.name not in NAMES:
        lon, lat = transformer(datum.name, "EPSG:4326").transform(x, y)
    return (lon, lat) if abs(lon) <= 180.0 and abs(lat) <= 90.0 else None  # NaN and infinity are neither


def from_wgs84(lon: Floats, lat: Floats, datum: Datum) -> tuple[Floats, Floats]:
    """Coordinates in ``datum`` (easting or longitude first) of WGS84 degrees."""
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if datum.name == "gcj02":
        return wgs84_to_gcj02(lon, lat)
    if datum.name == "bd09":
        return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))
    if datum.name in NAMES:
        return lon.copy(), lat.copy()
    x, y = transformer("EPSG:4326", datum.name).transform(lon, lat)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def project(lon: Floats, lat: Floats, crs: str) -> tuple[Floats, Floats]:
    """Easting and northing in a metre CRS of WGS84 degrees; infinite where the CRS does not reach."""
    x, y = transformer("EPSG:4326", crs).transform(lon, lat)
    return np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)


def in_china(lon: Floats, lat: Floats) -> Bools:
    """Where GCJ-02 applies: the formula's own rectangle, which is larger than the country."""
    west, south, east, north = CHINA
    return np.asarray((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))


def wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """The published shift; unchanged outside ``CHINA``."""
    inside = in_china(lon, lat)
    dx, dy = _shift(lon, lat)
    return np.where(inside, lon + dx, lon), np.where(inside, lat + dy, lat)


def gcj02_to_wgs84(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Inverse of the shift by fixed-point iteration, exact to the last bits (far below 1 mm)."""
    from gis.locate import shift_kernels  # with numba: who needs no shift does not wait for it

    return _inside(shift_kernels.gcj02_inverses, lon, lat)


def gcj02_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Baidu's further shift; unchanged outside ``CHINA``."""
    inside = in_china(lon, lat)
    x, y = _bd09(lon, lat)
    return np.where(inside, x, lon), np.where(inside, y, lat)


def bd09_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Inverse of Baidu's shift by fixed-point iteration, not the metre-wide usual approximation."""
    from gis.locate import shift_kernels

    return _inside(shift_kernels.bd09_inverses, lon, lat)


def _inside(kernel: Callable[[Floats, Floats], None], lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Positions of which those inside ``CHINA`` went through a kernel that works in place."""
    inside = np.flatnonzero(in_china(lon, lat))
    x, y = lon[inside], lat[inside]
    kernel(x, y)
    made = lon.copy(), lat.copy()
    made[0][inside], made[1][inside] = x, y
    return made


def _bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    r = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD)
    return r * np.cos(angle) + 0.0065, r * np.sin(angle) + 0.006


def _shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """GCJ-02 minus WGS84 in degrees."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _EE * np.sin(phi) ** 2
    root_magic = np.sqrt(magic)
    d_lat = north * 180.0 / ((_A * (1.0 - _EE)) / (magic * root_magic) * np.pi)
    d_lon = east * 180.0 / (_A / root_magic * np.cos(phi) * np.pi)
    return d_lon, d_lat
