"""Point to grid, exactly: a raster of cells, and exact edge tests where a cell is cut by a border.

A cell that no border touches belongs to one grid as a whole (or to none): one memory access answers. In every
other cell the few grids whose borders touch it are tested exactly (``gis.locate.exact``). A point on a border
goes to the lowest position, that is the lowest ``grid_id``: build the index from grids sorted by it.
All parts are arrays, never changed after ``build``: several processes may map one file of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.locate.exact import side
from gis.territory.model import Floats, Geometries

Positions = NDArray[np.int32]
Offsets = NDArray[np.int64]

OUTSIDE: Final = -1
_CELLS: Final = (64, 4096)  # fewest and most cells along the longer side
_PAD: Final = 1e-6  # of a cell: wider than any rounding in cell coordinates


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
        _locate(x, y, self.frame, self.cell, self.bucket, self.member, self.first, self.edges, found)
        return found

    def border_metres(self, x: Floats, y: Floats, grid: Positions) -> Floats:
        """Metres from every point to the nearest border of its grid; NaN where ``grid`` is -1."""
        x, y = _columns(x, y)
        metres = np.empty(len(x))
        _border(x, y, np.ascontiguousarray(grid, np.int32), self.first, self.edges, metres)
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
            _distances(float(x), float(y), float(limit), self.first, self.edges, self.bounds, metres)
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
    _fill(frame, cell, bucket, grids, first, edges, bounds)
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
    count = _mark(edges, frame, nothing, nothing, False)
    cells, which = np.empty(count, np.int64), np.empty(count, np.int64)
    _mark(edges, frame, cells, which, True)
    owner = np.repeat(np.arange(len(first) - 1), np.diff(first))
    n = max(len(first) - 1, 1)
    key = np.unique(cells * n + owner[which])
    return key // n, (key % n).astype(np.int32)


@numba.njit(cache=True, nogil=True)
def _mark(edges: Floats, frame: Floats, cells: Offsets, which: Offsets, write: bool) -> int:
    """Cells that each edge touches, row by row; with ``write`` off only counts them."""
    columns, rows = int(frame[3]), int(frame[4])
    n = 0
    for k in range(edges.shape[1]):
        x0, y0 = (edges[0, k] - frame[0]) * frame[2], (edges[1, k] - frame[1]) * frame[2]
        x1, y1 = (edges[2, k] - frame[0]) * frame[2], (edges[3, k] - frame[1]) * frame[2]
        low, high = min(y0, y1), max(y0, y1)
        for j in range(max(0, int(np.floor(low - _PAD))), min(rows - 1, int(np.floor(high + _PAD))) + 1):
            a, b = x0, x1
            if y1 != y0:
                a = x0 + (max(low, j - _PAD) - y0) * (x1 - x0) / (y1 - y0)
                b = x0 + (min(high, j + 1 + _PAD) - y0) * (x1 - x0) / (y1 - y0)
            start = max(0, int(np.floor(min(a, b) - _PAD)))
            for i in range(start, min(columns - 1, int(np.floor(max(a, b) + _PAD))) + 1):
                if write:
                    cells[n] = j * columns + i
                    which[n] = k
                n += 1
    return n


@numba.njit(cache=True, nogil=True)
def covers(x: float, y: float, start: int, stop: int, edges: Floats) -> bool:
    """Whether a point lies in or on the polygon of edges start..stop, exactly (crossings of a ray to the east)."""
    inside = False
    for k in range(start, stop):
        y0, y1 = edges[1, k], edges[3, k]
        if (y0 <= y <= y1) or (y1 <= y <= y0):
            x0, x1 = edges[0, k], edges[2, k]
            if x > x0 and x > x1:
                continue  # the edge lies wholly west of the point
            if y0 == y1:
                if x >= min(x0, x1):
                    return True
                continue
            turn = side(x0, y0, x1, y1, x, y)
            if turn == 0:
                return True
            if (y0 > y) != (y1 > y) and (turn > 0) == (y1 > y0):
                inside = not inside
    return inside


@numba.njit(cache=True, nogil=True)
def _fill(
    frame: Floats, cell: Positions, bucket: Offsets, member: Positions, first: Offsets, edges: Floats, bounds: Floats
) -> None:
    """Give every unmixed cell its grid: one test for each run of cells between two mixed ones."""
    columns, rows = int(frame[3]), int(frame[4])
    for j in range(rows):
        owner = OUTSIDE
        known = True  # the first column lies outside all bounds
        for i in range(columns):
            c = j * columns + i
            if cell[c] <= -2:
                known = False
                continue
            if not known:
                x, y = frame[0] + (i + 0.5) / frame[2], frame[1] + (j + 0.5) / frame[2]
                owner = _owner(x, y, -2 - cell[c - 1], bucket, member, first, edges, bounds)
                known = True
            cell[c] = owner


@numba.njit(cache=True, nogil=True)
def _owner(
    x: float, y: float, k: int, bucket: Offsets, member: Positions, first: Offsets, edges: Floats, bounds: Floats
) -> int:
    """The grid at a point beside mixed cell k: nearly always one of that cell's."""
    for q in range(bucket[k], bucket[k + 1]):
        p = member[q]
        if covers(x, y, first[p], first[p + 1], edges):
            return int(p)
    for p in range(len(bounds)):
        if x < bounds[p, 0] or x > bounds[p, 2] or y < bounds[p, 1] or y > bounds[p, 3]:
            continue
        if covers(x, y, first[p], first[p + 1], edges):
            return p
    return OUTSIDE


@numba.njit(cache=True, nogil=True)
def _locate(
    x: Floats,
    y: Floats,
    frame: Floats,
    cell: Positions,
    bucket: Offsets,
    member: Positions,
    first: Offsets,
    edges: Floats,
    found: Positions,
) -> None:
    columns = int(frame[3])
    for t in range(len(x)):
        fx, fy = (x[t] - frame[0]) * frame[2], (y[t] - frame[1]) * frame[2]
        found[t] = OUTSIDE
        if not (fx >= 0 and fy >= 0 and fx < frame[3] and fy < frame[4]):
            continue
        c = cell[int(fy) * columns + int(fx)]
        if c >= OUTSIDE:
            found[t] = c
            continue
        for q in range(bucket[-2 - c], bucket[-1 - c]):
            p = member[q]
            if covers(x[t], y[t], first[p], first[p + 1], edges):
                found[t] = p
                break


@numba.njit(cache=True, nogil=True)
def _ring_square(x: float, y: float, start: int, stop: int, edges: Floats) -> float:
    """Squared metres from a point to the nearest of some edges."""
    best = np.inf
    for k in range(start, stop):
        x0, y0 = edges[0, k] - x, edges[1, k] - y
        dx, dy = edges[2, k] - edges[0, k], edges[3, k] - edges[1, k]
        square = dx * dx + dy * dy
        t = 0.0 if square == 0.0 else min(1.0, max(0.0, -(x0 * dx + y0 * dy) / square))
        ex, ey = x0 + t * dx, y0 + t * dy
        best = min(best, ex * ex + ey * ey)
    return best


@numba.njit(cache=True, nogil=True)
def _border(x: Floats, y: Floats, grid: Positions, first: Offsets, edges: Floats, metres: Floats) -> None:
    for t in range(len(x)):
        p = grid[t]
        metres[t] = np.nan if p < 0 else np.sqrt(_ring_square(x[t], y[t], first[p], first[p + 1], edges))


@numba.njit(cache=True, nogil=True)
def _distances(
    x: float, y: float, limit: float, first: Offsets, edges: Floats, bounds: Floats, metres: Floats
) -> None:
    """Distance to each grid (0 in or on it) whose box is within ``limit``."""
    for p in range(len(bounds)):
        gx = max(bounds[p, 0] - x, x - bounds[p, 2], 0.0)
        gy = max(bounds[p, 1] - y, y - bounds[p, 3], 0.0)
        if gx * gx + gy * gy > limit * limit:
            continue
        if covers(x, y, first[p], first[p + 1], edges):
            metres[p] = 0.0
        else:
            metres[p] = np.sqrt(_ring_square(x, y, first[p], first[p + 1], edges))
