"""Point to grid, exactly: a raster of cells, and exact edge tests where a cell is cut by a border.

A cell that no border touches belongs to one grid as a whole (or to none): one memory access answers. The other,
mixed cells form runs along each row of the raster. East of a run lies a cell whose grid is known; a ray from a point
to there crosses only edges that touch the run, a handful, which are tested exactly (``gis.locate.kernels``). A point
on a border goes to the lowest position, that is the lowest ``grid_id``: build the index from grids sorted by it.
All parts are arrays, never changed after ``build``: several processes may map one file of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.locate.kernels import (
    OUTSIDE,
    Offsets,
    Positions,
    border,
    by_run,
    fill,
    locate,
    locate_one,
    mark,
    nearest,
    number_runs,
    pack,
    pair,
    pair_metres,
)
from gis.territory.model import Bools, Floats, Geometries

_CELLS: Final = (32, 4096)  # fewest and most cells along the longer side
_FINENESS: Final = 3.0  # cells along the longer side, by the root of the number of edges


@dataclass(frozen=True)
class Index:
    """Grids of one territory at one date, ready to be asked. Coordinates are metres of one projected CRS.

    ``frame``: west, south, cells a metre, columns, rows. ``cell``: grid position, -1 for none, or ``-2 - line``
    for a mixed cell whose run is described in ``words`` (lines of 8; ``kernels.pack``). ``edges`` (4, n): x0, y0,
    x1, y1, those of grid p at ``first[p]:first[p + 1]``. ``bounds`` (n, 4): west, south, east, north.
    """

    frame: Floats
    cell: Positions
    words: Floats
    first: Offsets
    edges: Floats
    bounds: Floats

    def __len__(self) -> int:
        return len(self.bounds)

    def locate(self, x: Floats, y: Floats) -> Positions:
        """Position of the grid of every point, -1 outside (also for NaN and infinity)."""
        x, y = _columns(x, y)
        found = np.empty(len(x), np.int32)
        locate(x, y, self.frame, self.cell, self.words, self.words.view(np.int64), found)
        return found

    def locate_one(self, x: float, y: float) -> tuple[int, float]:
        """Position of the grid of one point (-1 outside) and metres to its nearest border (NaN outside)."""
        words = self.words
        found = locate_one(x, y, self.frame, self.cell, words, words.view(np.int64), self.first, self.edges)
        return int(found[0]), float(found[1])

    def border_metres(self, x: Floats, y: Floats, grid: Positions) -> Floats:
        """Metres from every point to the nearest border of its grid; NaN where ``grid`` is -1."""
        x, y = _columns(x, y)
        metres = np.empty(len(x))
        border(x, y, np.ascontiguousarray(grid, np.int32), self.first, self.edges, metres)
        return metres

    def within(self, x: Floats, y: Floats, metres: float) -> tuple[Offsets, Offsets, Floats]:
        """Every pair of a point and a grid no further than ``metres`` from it: point, grid, distance (0 inside).

        Sorted by point, then by distance, then by grid.
        """
        x, y = _columns(x, y)
        sane = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
        boxes = shapely.box(x[sane] - metres, y[sane] - metres, x[sane] + metres, y[sane] + metres)
        of, grid = self._boxes.query(boxes)
        point, grid = sane[of].astype(np.int64), grid.astype(np.int64)
        distance = np.empty(len(point))
        pair_metres(x, y, point, grid, self.first, self.edges, distance)
        near = np.flatnonzero(distance <= metres)
        order = near[np.lexsort((grid[near], distance[near], point[near]))]
        return point[order], grid[order], distance[order]

    def nearest(self, x: Floats, y: Floats) -> tuple[Positions, Floats]:
        """The grid nearest to every point, the lowest of several, and its distance; -1 and infinity: none."""
        x, y = _columns(x, y)
        grid, metres = np.empty(len(x), np.int32), np.empty(len(x))
        nearest(x, y, self.first, self.edges, self.bounds, grid, metres)
        return grid, metres

    def boxed(self, x: Floats, y: Floats, metres: float) -> Bools:
        """Which points lie no further than ``metres`` from the box around all grids."""
        if not len(self):
            return np.zeros(len(x), dtype=bool)
        west, south = np.nanmin(self.bounds[:, :2], axis=0) - metres
        east, north = np.nanmax(self.bounds[:, 2:], axis=0) + metres
        return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))

    @cached_property
    def _boxes(self) -> shapely.STRtree:
        return shapely.STRtree(np.asarray(shapely.box(*self.bounds.T), dtype=object))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Every part by name, to be written to a file."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def of_arrays(parts: Mapping[str, NDArray[Any]]) -> Index:
    """An index from what ``Index.arrays`` gave; memory-mapped arrays are taken as they are."""
    return Index(**{f.name: parts[f.name] for f in fields(Index)})


def build(polygons: Geometries) -> Index:
    """Index of grid polygons (Polygon or MultiPolygon, not overlapping) sorted by ``grid_id``."""
    edges, first = _edges(polygons)
    bounds = np.ascontiguousarray(shapely.bounds(polygons).reshape(-1, 4), dtype=np.float64)
    if not edges.shape[1]:
        return _empty(edges, first, bounds)
    west, south = np.nanmin(bounds[:, 0]), np.nanmin(bounds[:, 1])
    width, height = np.nanmax(bounds[:, 2]) - west, np.nanmax(bounds[:, 3]) - south
    longest = int(np.clip(_FINENESS * np.sqrt(edges.shape[1]), *_CELLS))
    scale = (longest - 2) / max(width, height)  # a ring of empty cells keeps every vertex off the rim
    frame = np.array(
        [west - 1 / scale, south - 1 / scale, scale, np.ceil(width * scale) + 2, np.ceil(height * scale) + 2]
    )
    cell = np.full(int(frame[3] * frame[4]), OUTSIDE, np.int32)
    pairs = mark(edges, frame, cell)
    runs = number_runs(frame, cell)
    run, edge = np.empty(pairs, np.int32), np.empty(pairs, np.int32)
    pair(edges, frame, cell, run, edge)
    words = _records(edges, first, bounds, frame, cell, run, edge, runs)
    return Index(frame, cell, words, first, edges, bounds)


def _records(
    edges: Floats,
    first: Offsets,
    bounds: Floats,
    frame: Floats,
    cell: Positions,
    run: Positions,
    edge: Positions,
    runs: int,
) -> Floats:
    """The records of all runs; gives every cell its grid or the line of its run's record."""
    order = by_run(run, runs)
    run, edge = run[order], edge[order]
    owner = np.repeat(np.arange(len(first) - 1, dtype=np.int32), np.diff(first))[edge]
    new = np.flatnonzero(np.r_[True, (run[1:] != run[:-1]) | (owner[1:] != owner[:-1])])
    part = np.append(new, len(run)).astype(np.int64)
    bucket = np.searchsorted(run[new], np.arange(runs + 1)).astype(np.int64)
    member = np.ascontiguousarray(owner[new])
    east, other = np.zeros(len(member), np.int32), np.full(runs, OUTSIDE, np.int32)
    fill(frame, cell, bucket, member, east, other, first, edges, bounds)
    start = np.empty(runs + 1, np.int64)
    parts = (edges, _same(edges), edge, part, bucket, member, east, other, start)
    pack(*parts, np.empty(0), np.empty(0, np.int64), False)
    words = np.zeros(int(start[-1]))
    pack(*parts, words, words.view(np.int64), True)
    mixed = cell <= -2
    cell[mixed] = -2 - (start[-2 - cell[mixed]] // 8).astype(np.int32)
    return words


def _same(edges: Floats) -> Offsets:
    """For each edge one of those that join the same two points, in either direction."""
    forward = (edges[0] < edges[2]) | ((edges[0] == edges[2]) & (edges[1] < edges[3]))
    ends = np.where(forward, edges, edges[[2, 3, 0, 1]])
    bits = ends.view(np.uint64) * np.array(
        [[0x9E3779B97F4A7C15], [0xC2B2AE3D27D4EB4F], [0x165667B19E3779F9], [1]], "u8"
    )
    mixed = bits[0] ^ (bits[1] >> np.uint64(7)) ^ (bits[2] << np.uint64(9)) ^ bits[3]
    order = np.argsort(mixed, kind="stable")
    alike = (ends[:, order[1:]] == ends[:, order[:-1]]).all(axis=0)
    group = np.cumsum(np.r_[0, ~alike])
    same = np.empty(edges.shape[1], np.int64)
    same[order] = order[np.searchsorted(group, group)]
    return same


def _empty(edges: Floats, first: Offsets, bounds: Floats) -> Index:
    """The index of no edges at all: a frame without cells, so that everything is outside."""
    return Index(np.zeros(5), np.empty(0, np.int32), np.empty(0), first, edges, bounds)


def warm() -> None:
    """Compile or load every kernel, so that the first question is not slow."""
    index = build(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], dtype=object))
    x, y = np.array([0.5, 1.0]), np.array([0.5, 0.5])
    index.border_metres(x, y, index.locate(x, y))
    index.locate_one(0.5, 0.5)
    index.nearest(x, y)
    index.within(x, y, 1.0)


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
