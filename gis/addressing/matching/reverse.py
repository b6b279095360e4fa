"""From a point to the addresses around it, those of the street it lies on first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from gis.territory.model import Floats, Geometries, Ints, Texts

#: Farther than this no street is the point's own: metres.
_STREET_REACH: Final = 80.0
#: A building's address this near is the point's, whatever street is nearer: metres.
_AT_DOOR: Final = 12.0


@dataclass(frozen=True)
class Near:
    """Rows of the library, nearest on the right street first, their distances in metres, the street's name."""

    rows: tuple[int, ...]
    metres: tuple[float, ...]
    street: str


class Reverse:
    """Addresses and streets of one territory in its metre CRS.

    ``x, y`` (n) and ``road`` (n names, "" for none) are the library's rows ``row`` that stand for a building.
    """

    def __init__(self, row: Ints, x: Floats, y: Floats, road: Texts, name: Texts, line: Geometries) -> None:
        self._row, self._road, self._name = row, road, name
        points: Any = shapely.points(x, y)
        self._points: Any = points
        self._tree = shapely.STRtree(points)
        self._lines: Any = line
        self._streets = shapely.STRtree(self._lines)

    def near(self, x: float, y: float, count: int = 5, reach: float = 300.0) -> Near:
        """At most ``count`` addresses within ``reach`` metres."""
        at = shapely.Point(x, y)
        street = self._street(at)
        found = np.asarray(self._tree.query(at, predicate="dwithin", distance=reach), dtype=np.int64)
        metres = shapely.distance(self._points[found], at)
        there = (
            np.array([self._road[k] == street for k in found], dtype=bool) if street else np.zeros(len(found), bool)
        )
        order = np.lexsort((self._row[found], metres, ~(there | (metres <= _AT_DOOR))))[:count]
        rows = tuple(int(self._row[k]) for k in found[order])
        return Near(rows, tuple(round(float(m), 1) for m in metres[order]), street)

    def _street(self, at: Any) -> str:
        if not len(self._lines):
            return ""
        nearest = int(self._streets.nearest(at))
        return str(self._name[nearest]) if float(shapely.distance(self._lines[nearest], at)) <= _STREET_REACH else ""
