"""Point to grid, exactly: a raster of cells, and exact edge tests where a cell is cut by a border.

A cell that no border touches belongs to one grid as a whole (or to none): one memory access answers. In every
other cell the few grids whose borders touch it are tested exactly (``gis.locate.kernels``). A point on a border
goes to the lowest position, that is the lowest ``grid_id``: build the index from grids sorted by it.
All parts are arrays, never changed after ``build``: several processes may map one file of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.locate.kernels import OUTSIDE, Offsets, Positions, border, distances, fill, locate, mark
from gis.territory.model import Floats, Geometries

_CELLS: Final = (64, 4096)  # fewest and most cells along the longer side


@dataclass(frozen=True)
class Index:
    """Grids of one territory at one date, ready to be asked. Coordinates are metres of one projected CRS.

    ``frame``: west, south, cells a metre, columns, rows. ``cell``: grid position, -1 for none, or ``-2 - k`` for
    mixed cell k, whose grids are ``member[bucket[k]:bucket[k + 1]]`` in rising order. ``edges`` (4, n):
    x0, y0, x1, y1, those of grid g at ``first[g]:first[g + 1]``. ``bounds`` (n, 4): west, south, east, north.
    """

    frame: Floats
    cell: Positions
    bucket: Offsets
    member: Positions
    first: Offsets
    edges: Floats
    bounds: Floats

    def __len__(self) -> int:
        return len(self.bounds)

    def locate(self, x: Floats, y: Floats) -> Positions:
        """Position of the grid of every point, -1 outside (also for NaN and infinity)."""
        x, y = _columns(x, y)
        found = np.empty(len(x), np.int32)
        locate(x, y, self.frame, self.cell, self.bucket, self.member, self.first, self.edges, found)
        return found

    def border_metres(self, x: Floats, y: Floats, grid: Positions) -> Floats:
        """Metres from every point to the nearest border of its grid; NaN where ``grid`` is -1."""
        x, y = _columns(x, y)
        metres = np.empty(len(x))
        border(x, y, np.ascontiguousarray(grid, np.int32), self.first, self.edges, metres)
        return metres

    def within(self, x: float, y: float, metres: float) -> tuple[Positions, Floats]:
        """Grids no further than ``metres`` from a point and their distances, nearest first."""
        return self._sorted(*self._distances(x, y, metres))

    def nearest(self, x: float, y: float, count: int = 3) -> tuple[Positions, Floats]:
        """The ``count`` grids nearest to a point and their distances in metres."""
        if not len(self) or not (np.isfinite(x) and np.isfinite(y)):
            return np.empty(0, np.int32), np.empty(0)
        west, south, east, north = self.bounds.T
        gap = np.hypot(np.maximum(np.maximum(west - x, x - east), 0), np.maximum(np.maximum(south - y, y - north), 0))
        # the farthest corner of a box bounds the distance to its grid from above
        reach = gap + np.hypot(east - west, north - south)
        limit = np.partition(reach, min(count, len(self)) - 1)[min(count, len(self)) - 1]
        grids, metres = self._sorted(*self._distances(x, y, float(limit)))
        return grids[:count], metres[:count]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every part by name, to be written to a file."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def _distances(self, x: float, y: float, limit: float) -> tuple[Positions, Floats]:
        metres = np.full(len(self), np.inf)
        if np.isfinite(x) and np.isfinite(y):
            distances(float(x), float(y), float(limit), self.first, self.edges, self.bounds, metres)
        grids = np.flatnonzero(metres <= limit).astype(np.int32)
        return grids, metres[grids]

    @staticmethod
    def _sorted(grids: Positions, metres: Floats) -> tuple[Positions, Floats]:
        order = np.lexsort((grids, metres))
        return grids[order], metres[order]


def of_arrays(parts: Mapping[str, NDArray[Any]]) -> Index:
    """An index from what ``Index.arrays`` gave; memory-mapped arrays are taken as they are."""
    return Index(**{f.name: parts[f.name] for f in fields(Index)})


def build(polygons: Geometries) -> Index:
    """Index of grid polygons (Polygon or MultiPolygon, not overlapping) sorted by ``grid_id``."""
    edges, first = _edges(polygons)
    bounds = np.ascontiguousarray(shapely.bounds(polygons).reshape(-1, 4), dtype=np.float64)
    if not edges.shape[1]:
        none = np.empty(0, np.int32)
        return Index(np.zeros(5), none, np.zeros(1, np.int64), none, first, edges, bounds)
    west, south = np.nanmin(bounds[:, 0]), np.nanmin(bounds[:, 1])
    width, height = np.nanmax(bounds[:, 2]) - west, np.nanmax(bounds[:, 3]) - south
    longest = int(np.clip(5 * np.sqrt(edges.shape[1]), *_CELLS))
    scale = (longest - 2) / max(width, height)  # a ring of empty cells keeps every vertex off the rim
    frame = np.array(
        [west - 1 / scale, south - 1 / scale, scale, np.ceil(width * scale) + 2, np.ceil(height * scale) + 2]
    )
    cells, grids = _touched(edges, first, frame)
    mixed, start = np.unique(cells, return_index=True)
    cell = np.full(int(frame[3] * frame[4]), OUTSIDE, np.int32)
    cell[mixed] = -2 - np.arange(len(mixed), dtype=np.int32)
    bucket = np.append(start, len(cells)).astype(np.int64)
    fill(frame, cell, bucket, grids, first, edges, bounds)
    return Index(frame, cell, bucket, grids, first, edges, bounds)


def warm() -> None:
    """Compile or load every kernel, so that the first question is not slow."""
    index = build(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], dtype=object))
    x, y = np.array([0.5, 1.0]), np.array([0.5, 0.5])
    index.border_metres(x, y, index.locate(x, y))
    index.nearest(3.0, 3.0)


def _columns(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    return (
        np.ascontiguousarray(np.atleast_1d(x), dtype=np.float64),
        np.ascontiguousarray(np.atleast_1d(y), dtype=np.float64),
    )


def _edges(polygons: Geometries) -> tuple[Floats, Offsets]:
    """Edges of all rings, and where those of each polygon start."""
    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    inner = ring[:-1] == ring[1:] if len(ring) else np.empty(0, bool)
    edges = np.ascontiguousarray(np.vstack([xy[:-1].T, xy[1:].T])[:, inner]) if len(xy) else np.empty((4, 0))
    polygon = owner[part][ring[:-1][inner]] if len(xy) else np.empty(0, np.int64)
    first = np.searchsorted(polygon, np.arange(len(polygons) + 1)).astype(np.int64)
    return edges, first


def _touched(edges: Floats, first: Offsets, frame: Floats) -> tuple[Offsets, Positions]:
    """Every pair (cell, grid whose border touches it), sorted."""
    nothing = np.empty(0, np.int64)
    count = mark(edges, frame, nothing, nothing, False)
    cells, which = np.empty(count, np.int64), np.empty(count, np.int64)
    mark(edges, frame, cells, which, True)
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    n = max(len(first) - 1, 1)
    key = np.unique(cells * n + owner[which])
    return key // n, (key % n).astype(np.int32)
