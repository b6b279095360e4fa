"""Slivers between carriageways, slip roads and in roundabouts: absorbed, the border moves to the middle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.blocks.arrangement import polygons, to_grid
from gis.blocks.coverage import OUTSIDE, UNKNOWN, Coverage, Edges, join_edges, resolve
from gis.blocks.enclosures import Parts, line_priority
from gis.blocks.lines import Lines
from gis.blocks.parameters import Parameters
from gis.blocks.ridges import ridges_between
from gis.territory.classes import BASIS_INDEX, BORDER_CLASSES
from gis.territory.model import Bools, Floats, Geometries, Ints

_SAMPLE = 3.0
_MOVED = BASIS_INDEX["moved"]
_LINK = np.array([name.endswith("_link") for name in BORDER_CLASSES])


def narrower(geometry: Geometries, width: float) -> Bools:
    """Which polygons hold no circle of this diameter."""
    radius = width / 2
    thin: Bools = shapely.area(geometry) <= radius * shapely.length(geometry)  # true wherever the circle does not fit
    thin[thin] = shapely.is_empty(shapely.buffer(geometry[thin], -radius, quad_segs=2))
    return thin


def thin_enclosures(parts: Parts, lines: Lines, empty: Bools, parameters: Parameters) -> Bools:
    """Enclosures without a building that are no block: too narrow, between carriageways, or a roundabout's island."""
    narrow = narrower(parts.geometry, parameters.thin)
    share_pair, share_round = _bordered(parts.coverage, lines)
    area = shapely.area(parts.geometry)
    pair = (share_pair > 0.8) & empty & ~narrow
    pair[pair] = narrower(parts.geometry[pair], parameters.thin_pair)
    island = (share_round > 0.9) & (area <= parameters.round_about)
    thin: Bools = empty & (narrow | pair | island)
    return thin


def _bordered(coverage: Coverage, lines: Lines) -> tuple[Floats, Floats]:
    """Share of each face's edge on one-way main streets and slip roads, and on roundabouts."""
    kind = np.append(lines.kind, 0)
    main = np.array(
        [name.split("_")[0] in ("motorway", "trunk", "primary", "secondary", "tertiary") for name in BORDER_CLASSES]
    )
    pair_line = np.append(lines.oneway, False) & (main | _LINK)[kind]
    round_line = np.append(lines.round, False)
    pair, ring, total = (np.zeros(coverage.count + 1) for _ in range(3))
    for side in (coverage.left, coverage.right):
        np.add.at(pair, side, coverage.metres * pair_line[coverage.line])
        np.add.at(ring, side, coverage.metres * round_line[coverage.line])
        np.add.at(total, side, coverage.metres)
    total = np.maximum(total, 1e-9)
    return (pair / total)[:-1], (ring / total)[:-1]


@dataclass(frozen=True)
class _Samples:
    """Points along the edges of clusters: the part beyond, the line below, the cluster."""

    points: Floats
    beyond: Ints
    line: Ints
    cluster: Ints


def absorb(parts: Parts, lines: Lines, thin: Bools, zone: Ints) -> Parts:
    """Give every thin part to its neighbours of the same zone, parted along the middle.

    Thin parts with no such neighbour become one part together.
    """
    if not thin.any():
        return parts
    coverage = parts.coverage
    left, right = coverage.left, coverage.right
    cluster = _clusters(coverage, thin, zone)
    padded = np.append(cluster, -1)
    in_left, in_right = padded[left], padded[right]
    inner = (in_left >= 0) & (in_left == in_right)
    samples = _sample(coverage, in_left, in_right, inner, np.append(zone, OUTSIDE))
    label = _single_labels(parts, samples, cluster)
    made, of = polygons(coverage.nodes, coverage.heads, coverage.tails, padded[coverage.label])
    keep = ~inner
    sides = np.append(label, OUTSIDE)
    zones = np.append(zone, OUTSIDE)
    priority = np.append(line_priority(lines), 0)[coverage.line] - (coverage.basis == _MOVED)
    border = Edges(
        coverage.nodes[coverage.heads[keep]],
        coverage.nodes[coverage.tails[keep]],
        sides[left[keep]],
        sides[right[keep]],
        zones[left[keep]],
        zones[right[keep]],
        coverage.line[keep],
        coverage.basis[keep],
        priority[keep],
    )
    order = np.argsort(samples.cluster, kind="stable")
    first = np.searchsorted(samples.cluster[order], np.arange(int(cluster.max()) + 2))
    strength = np.append(line_priority(lines), 0)
    mine = [order[first[k] : first[k + 1]] for k in of]
    middle = [_middle(area, some, samples, strength, zone) for area, some in zip(made, mine, strict=True)]
    resolved, came_from = resolve(join_edges([border, *[m for m in middle if m is not None]]), zone)
    return parts.relabelled(resolved, came_from, zone)


def _clusters(coverage: Coverage, thin: Bools, zone: Ints) -> Ints:
    """Number of the cluster of touching thin parts of one zone, -1 for the other parts."""
    left, right = coverage.left, coverage.right
    both = (left >= 0) & (right >= 0)
    both[both] = thin[left[both]] & thin[right[both]] & (zone[left[both]] == zone[right[both]])
    graph = coo_array((np.ones(int(both.sum()), np.int8), (left[both], right[both])), shape=(coverage.count,) * 2)
    _, component = connected_components(graph, directed=False)
    out = np.full(coverage.count, -1, np.int64)
    out[thin] = np.unique(component[thin], return_inverse=True)[1]
    return out


def _sample(coverage: Coverage, in_left: Ints, in_right: Ints, inner: Bools, zone: Ints) -> _Samples:
    """Points every few metres along the edges that part a cluster from a part of its own zone."""
    start, end = coverage.nodes[coverage.heads] / 100.0, coverage.nodes[coverage.tails] / 100.0
    same = zone[coverage.left] == zone[coverage.right]
    found = []
    for mine, other in ((in_left, coverage.right), (in_right, coverage.left)):
        edge = np.flatnonzero((mine >= 0) & (other >= 0) & ~inner & same)
        times = np.maximum(np.ceil(coverage.metres[edge] / _SAMPLE), 1).astype(np.int64)
        edge = np.repeat(edge, times)
        order = np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times)
        t = ((order + 0.5) / np.repeat(times, times))[:, None]
        found.append((start[edge] * (1 - t) + end[edge] * t, other[edge], coverage.line[edge], mine[edge]))
    return _Samples(*(np.concatenate(c) for c in zip(*found, strict=True)))


def _single_labels(parts: Parts, samples: _Samples, cluster: Ints) -> Ints:
    """New label of each part: its own, its cluster's only neighbour, the cluster's first part where there is
    none, unknown where several neighbours share the cluster."""
    label = np.arange(len(parts))
    count = int(cluster.max()) + 1
    low, high = np.full(count, len(parts)), np.full(count, -1)
    np.minimum.at(low, samples.cluster, samples.beyond)
    np.maximum.at(high, samples.cluster, samples.beyond)
    alone = np.full(count, len(parts))
    thin = np.flatnonzero(cluster >= 0)
    np.minimum.at(alone, cluster[thin], thin)
    given = np.where(high < 0, alone, np.where(low == high, low, UNKNOWN))
    label[thin] = given[cluster[thin]]
    return label


def _middle(area: shapely.Polygon, mine: Ints, samples: _Samples, strength: Ints, zone: Ints) -> Edges | None:
    """The middle lines of one cluster from its samples, each named by the stronger of the two lines beside it."""
    beyond = samples.beyond[mine]
    if len(mine) < 2 or beyond.min() == beyond.max():
        return None
    ridges = ridges_between(samples.points[mine], beyond, area)
    left, right = beyond[ridges.left], beyond[ridges.right]
    one, two = samples.line[mine[ridges.left]], samples.line[mine[ridges.right]]
    line = np.where(strength[one] >= strength[two], one, two)
    return Edges(
        to_grid(ridges.start),
        to_grid(ridges.end),
        left,
        right,
        zone[left],
        zone[right],
        line,
        np.full(len(line), _MOVED, np.int8),
        strength[line] - 1,
    )
