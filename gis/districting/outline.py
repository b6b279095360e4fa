"""The outer edge of a territory: whose it is piece by piece, and which street of the input runs along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.model import AtomSet
from gis.territory.classes import LANE_RANK, STREET_RANK
from gis.territory.model import Floats, Geometries, Ints, Streets

#: Metres from the outer edge within which a street or barrier runs along it.
BESIDE: Final = 12.0
#: Longest piece of edge that is looked at by itself, and what a street must run along of it: one that crosses the
#: edge is near to it too, but moves across.
PIECE: Final = 10.0
ALONG: Final = 0.8


@dataclass(frozen=True)
class OuterEdges:
    """Straight pieces of the outer edge: ``start`` and ``end`` (n, 2) in metres, and the atom inside each."""

    start: Floats
    end: Floats
    atom: Ints

    @property
    def middle(self) -> Floats:
        """(n, 2)."""
        return np.asarray((self.start + self.end) / 2, np.float64)

    @property
    def metres(self) -> Floats:
        """Length of each."""
        step = self.end - self.start
        return np.asarray(np.hypot(step[:, 0], step[:, 1]), np.float64)

    def pieces(self, longest: float = PIECE) -> OuterEdges:
        """The same edge in pieces of no more than this."""
        times = np.maximum(np.ceil(self.metres / longest), 1).astype(np.int64)
        edge = np.repeat(np.arange(len(self.atom)), times)
        place = np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times)
        share = (np.stack([place, place + 1], axis=1) / times[edge][:, None])[:, :, None]
        ends = self.start[edge][:, None] * (1 - share) + self.end[edge][:, None] * share
        return OuterEdges(ends[:, 0], ends[:, 1], self.atom[edge])


def outer_edges(atom_set: AtomSet) -> OuterEdges:
    """The rings of atoms that are no border between two atoms."""
    touching = np.flatnonzero(atom_set.outer > 0.01)
    rings, of_atom = shapely.get_rings(atom_set.geometry[touching], return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[:-1] == ring[1:]
    start, end = points[:-1][same], points[1:][same]
    atom = touching[of_atom[ring[:-1][same]]].astype(np.int64)
    s = atom_set.segments
    alone = ~np.isin(_keys(start, end), _keys(s.start, s.end))
    return OuterEdges(start[alone], end[alone], atom[alone])


def streets_along(edges: OuterEdges, streets: Streets) -> Ints:
    """The street that runs along each piece of edge, the nearest of several; -1 where none does."""
    out = np.full(len(edges.atom), -1, np.int64)
    known = np.isin(streets.highway.astype(str), [*STREET_RANK, *LANE_RANK]) & ~streets.tunnel
    use = np.flatnonzero(known)
    if not len(use) or not len(out):
        return out
    middle = np.asarray(shapely.points(edges.middle), object)
    piece, line = shapely.STRtree(streets.geometry[use]).query(middle, predicate="dwithin", distance=BESIDE)
    line = use[line]
    way = _along(streets.geometry[line], edges.start[piece], edges.end[piece])
    beside = way >= ALONG * edges.metres[piece]
    piece, line = piece[beside], line[beside]
    far = shapely.distance(middle[piece], streets.geometry[line])
    order = np.lexsort((line, far, piece))[::-1]
    out[piece[order]] = line[order]  # the nearest is written last
    return out


def _along(lines: Geometries, start: Floats, end: Floats) -> Floats:
    """How far one moves along a line from beside ``start`` to beside ``end``."""
    a, b = (shapely.line_locate_point(lines, shapely.points(p)) for p in (start, end))
    return np.asarray(np.abs(a - b), np.float64)


def _keys(start: Floats, end: Floats) -> NDArray[np.void]:
    """Edges as comparable values: whole centimetres, the same in both directions."""
    a, b = np.rint(start * 100).astype(np.int64), np.rint(end * 100).astype(np.int64)
    turned = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    both = np.ascontiguousarray(np.where(turned[:, None], np.hstack([b, a]), np.hstack([a, b])))
    return both.view(np.dtype((np.void, 32))).ravel()
