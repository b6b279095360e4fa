"""Second level: lanes, walls and compounds divide blocks that hold more households than one grid may.

Dead-end streets enclose nothing by themselves, but a lane may lead on from where they end: they help to divide too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import shapely

from gis.blocks.arrangement import polygons
from gis.blocks.coverage import OUTSIDE, UNKNOWN, Coverage, Edges, arrange, best_records, join_edges
from gis.blocks.dead_ends import led_on
from gis.blocks.enclosures import Parts, line_priority, unlabelled_edges
from gis.blocks.lines import Lines, segments_of, simple_lines
from gis.territory.classes import BASIS_INDEX
from gis.territory.model import Bools, Geometries, Ints

#: Metres from the edge of its part beyond which a street leads into it (slivers between carriageways are narrower),
#: and between the points that are looked at.
DEEP: Final = 24.0
SAMPLE: Final = 5.0


def divide(parts: Parts, lines: Lines, large: Bools, obstacles: Geometries | None = None, lead: float = 0.0) -> Parts:
    """Parts cut by the second-level lines inside the large ones; ``block`` stays that of the whole.

    Dead ends are led on by up to ``lead`` metres, through none of the ``obstacles`` (footprints).
    """
    given = np.flatnonzero(lines.source >= 0)
    if not len(given) or not large.any():
        return parts
    pieces = _inside(parts, lines, large, given, np.zeros(0, object) if obstacles is None else obstacles, lead)
    if not len(pieces.start):
        return parts
    known = parts.coverage.edges(np.arange(len(parts)), line_priority(lines))
    edges = join_edges([known, pieces])
    graph, face, twice = arrange(edges)
    part = _part_of_faces(parts, graph.nodes, graph.heads, graph.tails, face, len(twice))
    label = _numbers(part, large)
    side = np.append(label, OUTSIDE)[face]
    border = side[0::2] != side[1::2]
    best = best_records(graph, edges)[border]
    count = int(label.max()) + 1
    coverage = Coverage(
        graph.nodes,
        graph.heads[border],
        graph.tails[border],
        side.reshape(-1, 2)[border].ravel(),
        edges.line[best],
        edges.basis[best],
        count,
    )
    was = np.empty(count, np.int64)
    was[label[label >= 0]] = part[label >= 0]
    return replace(
        parts,
        coverage=coverage,
        geometry=coverage.polygons(),
        block=parts.block[was],
        community=parts.community[was],
        realm=parts.realm[was],
    )


def _inside(parts: Parts, lines: Lines, large: Bools, given: Ints, obstacles: Geometries, lead: float) -> Edges:
    """Second-level lines cut to the large parts, streets that end within them, and what leads them on."""
    areas = np.flatnonzero(large)
    which, area = shapely.STRtree(parts.geometry[areas]).query(lines.geometry[given], predicate="intersects")
    cut = shapely.intersection(lines.geometry[given[which]], parts.geometry[areas[area]])
    pieces, of = simple_lines(cut)
    line = given[which[of]]
    first = np.flatnonzero(lines.first_level[line])
    edge = shapely.boundary(parts.geometry[areas[area[of[first]]]])
    keep = np.ones(len(pieces), bool)
    keep[first] = _leads_in(pieces[first], edge)
    pieces, line, area = pieces[keep], line[keep], area[of[keep]]
    made = Lines(pieces, lines.kind[line], lines.source[line], lines.oneway[line], lines.round[line])
    edges = unlabelled_edges(made, np.arange(len(pieces)))
    edges = replace(edges, line=line[edges.line])
    more = led_on(pieces, area, shapely.boundary(parts.geometry[areas]), obstacles, lead)
    return join_edges([edges, _off_street(more)]) if len(more) else edges


def _off_street(ways: Geometries) -> Edges:
    """Segments that part a block but run on no line of the input."""
    start, end, of = segments_of(ways)
    unknown, none = np.full(len(of), UNKNOWN), np.full(len(of), -1)
    basis = np.full(len(of), BASIS_INDEX["cell"], np.int8)
    return Edges(start, end, unknown, unknown, unknown, unknown, none, basis, np.zeros(len(of), np.int64))


def _leads_in(pieces: Geometries, edge: Geometries) -> Bools:
    """Which lines lead away from the edge of their part: others lie on it, or beside it where it was moved."""
    out = np.zeros(len(pieces), bool)
    points, of = shapely.get_coordinates(shapely.segmentize(pieces, SAMPLE), return_index=True)
    np.logical_or.at(out, of, shapely.distance(shapely.points(points), edge[of]) > DEEP)
    return out


def _part_of_faces(parts: Parts, nodes: Ints, heads: Ints, tails: Ints, face: Ints, faces: int) -> Ints:
    """The part each face lies in, or -1."""
    made, names = polygons(nodes, heads, tails, face)
    part = np.full(faces, OUTSIDE, np.int64)
    inner = shapely.point_on_surface(made)
    which, area = shapely.STRtree(parts.geometry).query(inner, predicate="intersects")
    part[names[which[::-1]]] = area[::-1]
    return part


def _numbers(part: Ints, large: Bools) -> Ints:
    """Label of each face: faces of a part that is not divided stay together."""
    inside = part >= 0
    alone = inside.copy()
    alone[inside] = large[part[inside]]
    key = np.where(alone, len(large) + np.arange(len(part)), part)
    label = np.full(len(part), OUTSIDE, np.int64)
    label[inside] = np.unique(key[inside], return_inverse=True)[1]
    return label
