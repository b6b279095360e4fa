"""Streets, water, railways and given borders enclose blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis.blocks.arrangement import polygons
from gis.blocks.coverage import (
    OUTSIDE,
    UNKNOWN,
    Coverage,
    Edges,
    arrange,
    best_records,
)
from gis.blocks.lines import BASIS_OF_CLASS, PRIORITY, Lines, segments_of, simple_lines
from gis.territory.classes import CLASS_INDEX
from gis.territory.model import Areas, Geometries, Ints


@dataclass(frozen=True)
class Parts:
    """A coverage whose labels are pieces of ground: the block, community and villager group of each.

    ``realm`` numbers the pairs of community and group: no atom may lie in two.
    """

    coverage: Coverage
    geometry: Geometries
    block: Ints
    community: Ints
    realm: Ints

    def __len__(self) -> int:
        return len(self.geometry)

    def relabelled(self, coverage: Coverage, came_from: Ints, zone_of: Ints) -> Parts:
        """The parts after their coverage was resolved anew; a piece that came from nowhere takes the facts of
        any part of its zone."""
        some = np.zeros(int(zone_of.max(initial=0)) + 1, np.int64)
        some[zone_of] = np.arange(len(zone_of))
        was = np.where(came_from >= 0, came_from, some[np.maximum(-1 - came_from, 0)])
        return replace(
            self,
            coverage=coverage,
            geometry=coverage.polygons(),
            block=self.block[was],
            community=self.community[was],
            realm=self.realm[was],
        )


def line_priority(lines: Lines) -> Ints:
    """Which of several coinciding lines names a border."""
    priority: Ints = PRIORITY[lines.kind].astype(np.int64) * 2 + 1
    return priority


def with_given_borders(lines: Lines, territory: shapely.Geometry, communities: Areas, groups: Areas) -> Lines:
    """The lines and, after them, the edges of territory, communities and villager groups."""
    edges, of = simple_lines(
        shapely.boundary(np.concatenate([[territory], communities.geometry, groups.geometry]).astype(object))
    )
    kind = np.where(of == 0, CLASS_INDEX["none"], CLASS_INDEX["community"]).astype(np.int8)
    no = np.zeros(len(edges), bool)
    return Lines(
        np.concatenate([lines.geometry, edges]),
        np.concatenate([lines.kind, kind]),
        np.concatenate([lines.source, np.full(len(edges), -1)]),
        np.concatenate([lines.oneway, no]),
        np.concatenate([lines.round, no]),
    )


def unlabelled_edges(lines: Lines, which: Ints) -> Edges:
    """Segments of lines that know nothing of their sides yet."""
    start, end, of = segments_of(lines.geometry[which])
    line = which[of]
    unknown = np.full(len(line), UNKNOWN)
    return Edges(
        start,
        end,
        unknown,
        unknown,
        unknown,
        unknown,
        line,
        BASIS_OF_CLASS[lines.kind[line]],
        line_priority(lines)[line],
    )


def enclosures(lines: Lines, territory: shapely.Geometry, communities: Areas, groups: Areas) -> Parts:
    """Faces of the first-level lines inside the territory; each is its own block."""
    given = lines.source < 0
    edges = unlabelled_edges(lines, np.flatnonzero(lines.first_level | given))
    graph, face, _ = arrange(edges)
    made, _ = polygons(graph.nodes, graph.heads, graph.tails, face)
    inner = shapely.point_on_surface(made)
    community = _area_of(inner, communities)
    group = _area_of(inner, groups)
    shapely.prepare(territory)
    inside = shapely.intersects(territory, inner) | (community >= 0)
    number = np.append(np.where(inside, np.cumsum(inside) - 1, OUTSIDE), OUTSIDE)
    label = number[face]
    border = label[0::2] != label[1::2]
    best = best_records(graph, edges)[border]
    coverage = Coverage(
        graph.nodes,
        graph.heads[border],
        graph.tails[border],
        label.reshape(-1, 2)[border].ravel(),
        edges.line[best],
        edges.basis[best],
        int(inside.sum()),
    )
    community = _everywhere(community[inside], coverage) if len(communities) else np.zeros(coverage.count, np.int64)
    group = group[inside]
    realm = np.unique(np.column_stack([community, group]), axis=0, return_inverse=True)[1].reshape(-1)
    return Parts(coverage, made[inside], np.arange(coverage.count), community, realm)


def _area_of(points: Geometries, areas: Areas) -> Ints:
    """The first area each point lies in, or -1."""
    out = np.full(len(points), -1, np.int64)
    if len(areas):
        which, area = shapely.STRtree(areas.geometry).query(points, predicate="intersects")
        out[which[::-1]] = area[::-1]
    return out


def _everywhere(community: Ints, coverage: Coverage) -> Ints:
    """Slivers between communities that lie in none join the neighbour with whom they share most border."""
    community = community.copy()
    while (community < 0).any():
        left, right = coverage.left, coverage.right
        pairs = np.concatenate([np.column_stack([left, right]), np.column_stack([right, left])])
        metres = np.tile(coverage.metres, 2)
        inner = (pairs >= 0).all(axis=1)
        pairs, metres = pairs[inner], metres[inner]
        take = (community[pairs[:, 0]] < 0) & (community[pairs[:, 1]] >= 0)
        if not take.any():
            community[community < 0] = 0
            break
        order = np.argsort(metres[take], kind="stable")
        community[pairs[take][order, 0]] = community[pairs[take][order, 1]]
    return community
