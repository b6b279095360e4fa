"""Labelled coverages: edges that know what lies beside them become faces, and faces become exact polygons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.blocks.arrangement import faces_of, polygons, without_dangles
from gis.blocks.noding import Noded, node
from gis.territory.model import Floats, Geometries, Ints

OUTSIDE = -1
UNKNOWN = -2
#: Priority of edges that name no border but claim the ground on their left against all other edges.
CLAIM = -2
_CLAIM_WEIGHT = 1e9


@dataclass(frozen=True)
class Edges:
    """Directed segments in grid centimetres with what they know of their two sides.

    ``left``, ``right``: label, ``OUTSIDE`` or ``UNKNOWN``; ``left_zone``, ``right_zone``: the same for the
    zone (block, part or community) that labels may not leave. ``line``: the line they run on or -1;
    ``basis`` indexes ``BASES``; ``priority`` decides which of several coinciding segments names the border.
    """

    start: Ints
    end: Ints
    left: Ints
    right: Ints
    left_zone: Ints
    right_zone: Ints
    line: Ints
    basis: NDArray[np.int8]
    priority: Ints


def join_edges(several: list[Edges]) -> Edges:
    """Several sets of edges as one."""
    return Edges(*(np.concatenate([getattr(e, name) for e in several]) for name in Edges.__dataclass_fields__))


@dataclass(frozen=True)
class Coverage:
    """An exact coverage: label on the left of every half-edge (see ``arrangement``), and each edge's line.

    Every edge parts two labels. ``count`` labels; each is one polygon.
    """

    nodes: Ints
    heads: Ints
    tails: Ints
    label: Ints
    line: Ints
    basis: NDArray[np.int8]
    count: int

    @property
    def left(self) -> Ints:
        """Label on the left of each edge run from head to tail."""
        return self.label[0::2]

    @property
    def right(self) -> Ints:
        """Label on its right."""
        return self.label[1::2]

    @property
    def metres(self) -> Floats:
        """Length of each edge."""
        step = (self.nodes[self.tails] - self.nodes[self.heads]) / 100.0
        return np.sqrt(step[:, 0] ** 2 + step[:, 1] ** 2)

    def polygons(self) -> Geometries:
        """One polygon a label, in metres."""
        made, names = polygons(self.nodes, self.heads, self.tails, self.label)
        if len(made) != self.count or not np.array_equal(names, np.arange(self.count)):
            raise AssertionError("a label of a coverage is not one polygon")
        return made

    def edges(self, zone: Ints, line_priority: Ints) -> Edges:
        """The borders as edges again, knowing their labels and the zone of each."""
        zones = np.append(zone, OUTSIDE)
        return Edges(
            self.nodes[self.heads],
            self.nodes[self.tails],
            self.left,
            self.right,
            zones[self.left],
            zones[self.right],
            self.line,
            self.basis,
            np.append(line_priority, 0)[self.line],
        )


def arrange(edges: Edges) -> tuple[Noded, Ints, Ints]:
    """Node edges, prune loose ends, trace faces: (graph of what is left, face of each half-edge, doubled
    face areas)."""
    noded = node(edges.start, edges.end)
    kept = without_dangles(len(noded.nodes), noded.heads, noded.tails)
    number = np.cumsum(kept) - 1
    record = kept[noded.edge]
    graph = Noded(
        noded.nodes,
        noded.heads[kept],
        noded.tails[kept],
        number[noded.edge[record]],
        noded.origin[record],
        noded.forward[record],
    )
    faces = faces_of(graph.nodes, graph.heads, graph.tails)
    return graph, faces.of, faces.twice


def resolve(edges: Edges, zone_of: Ints, *, seeds: Seeds | None = None) -> tuple[Coverage, Ints]:
    """Label every face by what its edges say, keep each label in one piece inside its zone.

    ``zone_of[label]`` is the zone of each label. Returns the coverage and, for each of its labels, the label
    it came from; a label may be missing when no face of it survived the grid, and a face that fits nowhere
    becomes a label of its own that comes from ``-1 - zone``.
    """
    graph, face, twice = arrange(edges)
    metres = lengths(graph)
    zone, label = _votes(graph, face, len(twice), edges, zone_of, metres)
    near = adjacency(face, len(twice), metres)
    # A face between two buildings that both claim their ground is named by no edge: it lies where its neighbours do.
    zone = spread(zone, np.zeros_like(zone), near)
    label = spread(label, zone, near)
    label = _whole(label, zone, near, twice, zone_of, seeds, graph, face)
    return _compress(graph, face, label, zone, edges, len(zone_of))


@dataclass(frozen=True)
class Seeds:
    """A grid point inside what each label must hold on to."""

    points: Ints
    label: Ints


@dataclass(frozen=True)
class Adjacency:
    """Pairs of faces (both directions) and the metres they share."""

    a: Ints
    b: Ints
    metres: Floats


def lengths(graph: Noded) -> Floats:
    """Length of each edge in grid centimetres."""
    step = (graph.nodes[graph.tails] - graph.nodes[graph.heads]).astype(np.float64)
    return np.sqrt(step[:, 0] ** 2 + step[:, 1] ** 2)


def _votes(graph: Noded, face: Ints, faces: int, edges: Edges, zone_of: Ints, metres: Floats) -> tuple[Ints, Ints]:
    """Zone and label of each face by the length of edges that say so."""
    first = face[2 * graph.edge + ~graph.forward]
    second = face[2 * graph.edge + graph.forward]
    of = np.concatenate([first, second])
    length = np.tile(metres[graph.edge] * np.where(edges.priority[graph.origin] == CLAIM, _CLAIM_WEIGHT, 1.0), 2)
    zones = np.concatenate([edges.left_zone[graph.origin], edges.right_zone[graph.origin]])
    labels = np.concatenate([edges.left[graph.origin], edges.right[graph.origin]])
    zone = _winner(of, zones, length, faces)
    fits = (labels >= 0) & (of >= 0)
    fits[fits] = zone_of[labels[fits]] == zone[of[fits]]
    label = _winner(of[fits], labels[fits], length[fits], faces)
    label[zone == OUTSIDE] = OUTSIDE
    return zone, label


def face_labels(graph: Noded, face: Ints, faces: int, edges: Edges) -> Ints:
    """Label each face by the length of edges that say so; ``OUTSIDE`` where none does."""
    first = face[2 * graph.edge + ~graph.forward]
    metres = lengths(graph)[graph.edge]
    label = _winner(first, edges.left[graph.origin], metres, faces)
    return np.where(label == UNKNOWN, OUTSIDE, label)


def _winner(of: Ints, vote: Ints, weight: Floats, count: int) -> Ints:
    """The vote of the greatest weight for each of ``count``; ``UNKNOWN`` where nobody voted."""
    out = np.full(count, UNKNOWN, np.int64)
    said = (vote != UNKNOWN) & (of >= 0)
    of, vote, weight = of[said], vote[said], weight[said]
    if not len(of):
        return out
    span = int(vote.max()) + 2
    keys, inverse = np.unique(of * span + vote + 1, return_inverse=True)
    total = np.bincount(inverse, weights=weight)
    order = np.lexsort((-keys, total, keys // span))
    out[keys[order] // span] = keys[order] % span - 1  # the last one written has the greatest weight
    return out


def adjacency(face: Ints, faces: int, metres: Floats) -> Adjacency:
    """Which of ``faces`` lie beside which, from the face of each half-edge and the length of each edge."""
    a, b = face[0::2], face[1::2]
    inner = (a >= 0) & (b >= 0) & (a != b)
    a, b, metres = a[inner], b[inner], metres[inner]
    keys = np.concatenate([a * faces + b, b * faces + a])
    pairs, inverse = np.unique(keys, return_inverse=True)
    total: Floats = np.bincount(inverse, weights=np.tile(metres, 2), minlength=len(pairs)).astype(np.float64)
    return Adjacency(pairs // max(faces, 1), pairs % max(faces, 1), total)


def spread(label: Ints, zone: Ints, near: Adjacency) -> Ints:
    """Faces without a label take that of the neighbours in their zone with whom they share most border."""
    label = label.copy()
    same = zone[near.a] == zone[near.b]
    a, b, metres = near.a[same], near.b[same], near.metres[same]
    while True:
        take = (label[a] == UNKNOWN) & (label[b] >= 0)
        if not take.any():
            return label
        won = _winner(a[take], label[b[take]], metres[take], len(label))
        got = won >= 0
        label[got] = won[got]


def _pieces(label: Ints, near: Adjacency) -> Ints:
    """Number of the connected piece each face belongs to."""
    same = label[near.a] == label[near.b]
    graph = coo_array((np.ones(int(same.sum()), np.int8), (near.a[same], near.b[same])), shape=(len(label),) * 2)
    piece: Ints = connected_components(graph, directed=False)[1].astype(np.int64)
    return piece


def _whole(
    label: Ints,
    zone: Ints,
    near: Adjacency,
    twice: Ints,
    zone_of: Ints,
    seeds: Seeds | None,
    graph: Noded,
    face: Ints,
) -> Ints:
    """Each label keeps one connected piece; the others go to their neighbours, or become labels of their own."""
    piece = _pieces(label, near)
    size = np.bincount(piece, weights=twice.astype(np.float64))
    first = np.unique(piece, return_index=True)[1]
    of = label[first]
    held = np.zeros(len(of), bool)
    if seeds is not None:
        many = np.flatnonzero(np.bincount(of[of >= 0], minlength=len(zone_of)) > 1)
        held[_seeded(many, label, piece, seeds, graph, face)] = True
    order = np.lexsort((size, held, of))
    last = np.r_[of[order][1:] != of[order][:-1], True]
    main = np.zeros(len(of), bool)
    main[order[last]] = True
    label = label.copy()
    label[~main[piece] & (label >= 0)] = UNKNOWN
    label = spread(label, zone, near)
    left = np.flatnonzero(label == UNKNOWN)
    if len(left):
        lost = _pieces(label, near)
        _, number = np.unique(lost[left], return_inverse=True)
        label[left] = len(zone_of) + number
    return label


def _seeded(many: Ints, label: Ints, piece: Ints, seeds: Seeds, graph: Noded, face: Ints) -> Ints:
    """Pieces that hold the seed of their label, for labels in several pieces."""
    use = np.isin(label, many)
    if not use.any():
        return np.zeros(0, np.int64)
    names = np.where(use, piece, OUTSIDE)
    side = np.append(names, OUTSIDE)[face]
    made, of = polygons(graph.nodes, graph.heads, graph.tails, side)
    wanted = np.isin(seeds.label, many)
    points = shapely.points(seeds.points[wanted] / 100.0)
    which, polygon = shapely.STRtree(made).query(points, predicate="intersects")
    label_of_piece = np.full(int(piece.max()) + 1, UNKNOWN)
    label_of_piece[piece] = label
    fits = label_of_piece[of[polygon]] == seeds.label[wanted][which]
    pieces: Ints = of[polygon[fits]]
    return pieces


def _compress(graph: Noded, face: Ints, label: Ints, zone: Ints, edges: Edges, given: int) -> tuple[Coverage, Ints]:
    """Number the labels that are left from 0, drop edges inside a label, name each edge by its best record."""
    known, first = np.unique(label[label >= 0], return_index=True)
    number = np.full(int(label.max(initial=-1)) + 2, OUTSIDE)
    number[known] = np.arange(len(known))
    side = np.append(np.where(label >= 0, number[label], OUTSIDE), OUTSIDE)[face]
    border = side[0::2] != side[1::2]
    best = best_records(graph, edges)[border]
    came_from = np.where(known < given, known, -1 - zone[label >= 0][first])
    coverage = Coverage(
        graph.nodes,
        graph.heads[border],
        graph.tails[border],
        side.reshape(-1, 2)[border].ravel(),
        edges.line[best],
        edges.basis[best],
        len(known),
    )
    return coverage, came_from


def best_records(graph: Noded, edges: Edges) -> Ints:
    """For each edge of the graph the position in ``edges`` of the strongest segment it lies on."""
    order = np.lexsort((-graph.origin, edges.priority[graph.origin], graph.edge))
    best = np.empty(len(graph.heads), np.int64)
    best[graph.edge[order]] = graph.origin[order]
    return best
