"""From a point to the addresses around it, those of the street it lies on before others hardly nearer."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from gis.territory.model import Floats, Geometries, Ints, Texts

#: Farther than this no street is the point's own: metres.
_STREET_REACH: Final = 80.0
#: So much nearer an address of another street is before one of the point's own: metres.
_OWN_STREET: Final = 30.0
#: A building's address this near is the point's, whatever street is nearer: metres.
_AT_DOOR: Final = 12.0


@dataclass(frozen=True)
class Near:
    """Rows of the library, the nearest first, their distances in metres, and the name of the street it lies on.

    Those of that street are before others that are hardly nearer.
    """

    rows: tuple[int, ...]
    metres: tuple[float, ...]
    street: str


class _Points:
    """Addresses at points with their roads."""

    def __init__(self, row: Ints, x: Floats, y: Floats, road: Texts) -> None:
        self.row, self.road = row, road
        points: Any = shapely.points(x, y)
        self.points: Any = points
        self.tree = shapely.STRtree(points)

    def around(self, at: Any, reach: float) -> tuple[Ints, Any, Texts]:
        """Rows, distances and roads within a reach."""
        found = np.asarray(self.tree.query(at, predicate="dwithin", distance=reach), dtype=np.int64)
        return self.row[found], shapely.distance(self.points[found], at), self.road[found]


class Reverse:
    """Addresses and streets of one territory in its metre CRS.

    ``x, y`` (n) and ``road`` (n names, "" for none) are the library's rows ``row`` that stand for a building.
    """

    def __init__(self, row: Ints, x: Floats, y: Floats, road: Texts, name: Texts, line: Geometries) -> None:
        self._name = name
        self._lines: Any = line
        self._streets = shapely.STRtree(self._lines)
        self._points = [_Points(row, x, y, road)]
        self._hidden: Collection[int] = ()

    def changed(self, row: Ints, x: Floats, y: Floats, road: Texts, hidden: Collection[int]) -> Reverse:
        """The same with more addresses and without the rows that are ``hidden``."""
        made = copy(self)
        made._points = [*self._points, _Points(row, x, y, road)] if len(row) else self._points
        made._hidden = hidden
        return made

    def near(self, x: float, y: float, count: int = 5, reach: float = 300.0) -> Near:
        """At most ``count`` addresses within ``reach`` metres."""
        at = shapely.Point(x, y)
        street = self._street(at)
        row, metres, road = (
            np.concatenate(c) for c in zip(*(p.around(at, reach) for p in self._points), strict=True)
        )
        if self._hidden:
            seen = np.array([r not in self._hidden for r in row.tolist()], dtype=bool)
            row, metres, road = row[seen], metres[seen], road[seen]
        there = (road == street) if street else np.zeros(len(row), dtype=bool)
        own = there.astype(bool) | (metres <= _AT_DOOR)
        order = np.lexsort((row, metres, np.where(own, metres, metres + _OWN_STREET)))[:count]
        rows = tuple(int(r) for r in row[order])
        return Near(rows, tuple(round(float(m), 1) for m in metres[order]), street)

    def _street(self, at: Any) -> str:
        if not len(self._lines):
            return ""
        nearest = int(self._streets.nearest(at))
        return str(self._name[nearest]) if float(shapely.distance(self._lines[nearest], at)) <= _STREET_REACH else ""
