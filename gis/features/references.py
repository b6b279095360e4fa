"""Coordinate reference systems as OGC API names them: by reference, each with the axis order its authority prints."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from gis.errors import InputError
from gis.locate.datums import transformer

CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
MERCATOR: Final = 3857
#: Read as WGS84: CGCS2000 agrees with it within decimetres, and PROJ knows no better.
DEGREES: Final = (4326, 4490)
#: Nothing lies beyond in EPSG:3857.
STEEPEST: Final = 85.06
#: A side of a box bends when it is moved to another CRS: it is cut into this many pieces.
PIECES: Final = 32
_EPSG: Final = re.compile(
    r"(?:EPSG:|https?://www\.opengis\.net/def/crs/EPSG/[0-9.]+/|urn:ogc:def:crs:EPSG::)(\d{4,7})"
)


@dataclass(frozen=True)
class Reference:
    """A CRS: its URI, EPSG number (4326 for CRS84), whether the northing or latitude comes first, and its unit."""

    uri: str
    srid: int
    swap: bool
    degrees: bool


LONLAT: Final = Reference(CRS84, 4326, swap=False, degrees=True)


def parse(text: str) -> Reference:
    """The CRS a caller names; :class:`InputError` ``features.crs`` when it is unknown."""
    if text == CRS84 or text.replace("https:", "http:") == CRS84 or text == "CRS84":
        return LONLAT
    match = _EPSG.fullmatch(text)
    if match is None:
        raise InputError("features.crs", crs=text[:80])
    return of(int(match[1]))


@lru_cache(maxsize=256)
def of(srid: int) -> Reference:
    """The CRS of an EPSG number."""
    try:
        crs = pyproj.CRS.from_epsg(srid)
    except pyproj.exceptions.CRSError:
        raise InputError("features.crs", crs=f"{EPSG}{srid}") from None
    axes = crs.axis_info
    if len(axes) != 2:
        raise InputError("features.crs", crs=f"{EPSG}{srid}")
    return Reference(f"{EPSG}{srid}", srid, axes[0].direction.lower() in ("north", "south"), crs.is_geographic)


def to_mercator(reference: Reference) -> Callable[[Any], Any]:
    """A function that takes a geometry from a CRS to EPSG:3857; InputError where it lies outside of either."""

    def moved(geometry: Any) -> Any:
        found = shapely.transform(geometry, lambda c: _mercator(c[:, ::-1] if reference.swap else c, reference))
        if not np.isfinite(shapely.get_coordinates(found)).all():
            raise InputError("features.place", crs=reference.uri)
        return found

    return moved


def _mercator(xy: Any, reference: Reference) -> Any:
    if reference.srid == MERCATOR:
        return xy
    if reference.degrees:
        x, y = xy[:, 0], xy[:, 1]
        out = (np.abs(x) > 180.0) | (np.abs(y) > 90.0)
        xy = np.column_stack([np.where(out, np.nan, x), np.clip(y, -STEEPEST, STEEPEST)])
    source = 4326 if reference.srid in DEGREES else reference.srid
    return np.column_stack(transformer(f"EPSG:{source}", f"EPSG:{MERCATOR}").transform(xy[:, 0], xy[:, 1]))


def box(text: str, reference: Reference) -> list[Any]:
    """What a ``bbox`` covers in EPSG:3857: one polygon, or two where it crosses the antimeridian.

    Raises InputError ``features.bbox`` for anything but four (or six) numbers in order, west south east north in
    the axis order of the CRS.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError("features.bbox", bbox=text[:80]) from None
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not np.isfinite(numbers).all():
        raise InputError("features.bbox", bbox=text[:80])
    west, south, east, north = (numbers[k] for k in ((1, 0, 3, 2) if reference.swap else (0, 1, 2, 3)))
    if reference.degrees and (max(abs(south), abs(north)) > 90.0 or max(abs(west), abs(east)) > 180.0):
        raise InputError("features.bbox_swapped", bbox=text[:80])
    if south > north or (west > east and not (reference.degrees and west > 0.0 > east)):
        raise InputError("features.bbox_swapped", bbox=text[:80])
    sides = [(west, 180.0), (-180.0, east)] if west > east else [(west, east)]
    move = to_mercator(Reference(reference.uri, reference.srid, False, reference.degrees))
    return [move(_outline(a, south, b, north, straight=reference.degrees)) for a, b in sides]


def _outline(west: float, south: float, east: float, north: float, *, straight: bool) -> Any:
    """The polygon of a box; degrees stay straight in EPSG:3857. Without width or height it is a line or a point."""
    if west == east or south == north:
        return shapely.Point(west, south) if (west, south) == (east, north) else shapely.LineString(
            [(west, south), (east, north)]
        )  # fmt: skip
    found = shapely.box(west, south, east, north)
    return found if straight else shapely.segmentize(found, max(east - west, north - south) / PIECES)
