"""Cells of buildings in convex blocks, and one set of corners for the whole city."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from data.samples.city.streets import Land, half
from gis.territory.model import Floats, Ints

#: Corners nearer than this (metres) are one: the same corner computed from two sides.
SAME: Final = 1e-6
#: Line of a side between two cells of one block.
WALL: Final = -1


@dataclass(frozen=True)
class Cells:
    """Sides of all cells, cell by cell, each cell anticlockwise: from corner ``begin`` to corner ``end``."""

    corner: Floats  # (m, 2)
    cell: Ints
    begin: Ints
    end: Ints
    line: Ints


def cells_of(blocks: list[Land], block: Ints, place: Floats) -> Cells:
    """The cell of every building: what of its block is nearer to it than to any other of the block.

    Corners that one neighbour has on a street and the other lacks are put into the other's side too.
    """
    rings = [land for b, at in _by_block(block) for land in _voronoi(blocks[b], place[at])]
    size = np.array([len(r.ring) for r in rings])
    corner, name = _one_of_each(np.concatenate([r.ring for r in rings]))
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    follower = np.arange(size.sum()) + 1
    follower[first + size - 1] = first
    sides = Cells(
        corner,
        np.repeat(np.arange(len(rings)), size),
        name,
        name[follower],
        np.concatenate([r.line for r in rings]),
    )
    return _with_all_corners(_without_points(sides))


def _by_block(block: Ints) -> Iterator[tuple[int, slice]]:
    start = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1, [len(block)]])
    for a, b in pairwise(start):
        yield int(block[a]), slice(int(a), int(b))


def _voronoi(land: Land, place: Floats) -> list[Land]:
    out = []
    for i, mine in enumerate(place):
        ring = land
        apart = ((place - mine) ** 2).sum(axis=1)
        for j in np.argsort(apart, kind="stable")[1:]:
            reach = ((ring.ring - mine) ** 2).sum(axis=1).max()
            if apart[j] > 4 * reach:
                break
            normal = place[j] - mine
            ring = half(ring, normal, float(normal @ (place[j] + mine)) / 2, WALL)
        assert len(ring.ring) >= 3, i
        out.append(ring)
    return out


def _one_of_each(points: Floats) -> tuple[Floats, Ints]:
    """Distinct corners, and the number of each point's corner."""
    pairs = cKDTree(points).query_pairs(SAME, output_type="ndarray")
    n = len(points)
    joined = coo_matrix((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    name = connected_components(joined, directed=False)[1].astype(np.int64)
    return points[np.unique(name, return_index=True)[1]], name


def _without_points(sides: Cells) -> Cells:
    real = sides.begin != sides.end
    return Cells(sides.corner, sides.cell[real], sides.begin[real], sides.end[real], sides.line[real])


def _with_all_corners(sides: Cells) -> Cells:
    """Sides along streets cut at every corner that lies on them."""
    on_line = np.flatnonzero(sides.line >= 0)
    order = on_line[np.argsort(sides.line[on_line], kind="stable")]
    pieces: dict[int, Ints] = {}
    for group in np.split(order, np.flatnonzero(np.diff(sides.line[order])) + 1):
        known = np.unique(np.concatenate([sides.begin[group], sides.end[group]]))
        ends = sides.corner[known]
        way = ends[np.argmax(((ends - ends[0]) ** 2).sum(axis=1))] - ends[0]
        known = known[np.argsort(ends @ way, kind="stable")]
        rank = np.empty(int(known.max()) + 1, np.int64)
        rank[known] = np.arange(len(known))
        for side in group:
            a, b = rank[sides.begin[side]], rank[sides.end[side]]
            between = known[a : b + 1] if a < b else known[b : a + 1][::-1]
            if len(between) > 2:
                pieces[int(side)] = between
    count = np.ones(len(sides.cell), np.int64)
    for side, between in pieces.items():
        count[side] = len(between) - 1
    first = np.cumsum(count) - count
    begin, end = np.repeat(sides.begin, count), np.repeat(sides.end, count)
    for side, between in pieces.items():
        begin[first[side] : first[side] + count[side]] = between[:-1]
        end[first[side] : first[side] + count[side]] = between[1:]
    return Cells(sides.corner, np.repeat(sides.cell, count), begin, end, np.repeat(sides.line, count))
