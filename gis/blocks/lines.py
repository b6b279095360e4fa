"""Which lines enclose blocks, which divide them, and the loose ends among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.blocks.arrangement import to_grid
from gis.blocks.parameters import Parameters
from gis.territory.classes import BASIS_INDEX, BORDER_CLASSES, CLASS_INDEX, LANE_RANK, STREET_RANK
from gis.territory.model import Barriers, Bools, Floats, Geometries, Ints, Sources, Texts

_FIRST = np.array([name in STREET_RANK or name in ("water", "rail") for name in BORDER_CLASSES])
#: How strongly a class wants to name a border where lines coincide: streets, then barriers, then lanes.
PRIORITY: NDArray[np.int8] = np.array(
    [
        20 + STREET_RANK[name]
        if name in STREET_RANK
        else {"rail": 15, "water": 14, "community": 12}.get(name, 0)
        or (LANE_RANK[name] if name in LANE_RANK else {"wall": 1, "none": 0}[name])
        for name in BORDER_CLASSES
    ],
    dtype=np.int8,
)
BASIS_OF_CLASS: NDArray[np.int8] = np.array(
    [
        BASIS_INDEX[
            "cell"
            if n == "none"
            else n
            if n == "community"
            else "barrier"
            if n in ("water", "rail", "wall")
            else "street"
        ]
        for n in BORDER_CLASSES
    ],
    dtype=np.int8,
)


@dataclass(frozen=True)
class Lines:
    """Simple lines inside the territory. ``kind`` indexes ``BORDER_CLASSES``, ``source`` the line ids;
    ``oneway`` and ``round`` (a roundabout) describe streets."""

    geometry: Geometries  # LineString
    kind: NDArray[np.int8]
    source: Ints
    oneway: Bools
    round: Bools

    def __len__(self) -> int:
        return len(self.geometry)

    def take(self, which: NDArray[np.bool_] | Ints) -> Lines:
        """The lines named by an index or boolean array."""
        return Lines(
            self.geometry[which], self.kind[which], self.source[which], self.oneway[which], self.round[which]
        )

    @property
    def first_level(self) -> Bools:
        """Which of them enclose blocks."""
        which: Bools = _FIRST[self.kind]
        return which


def join_lines(several: Sequence[Lines]) -> Lines:
    """Several sets of lines as one."""
    return Lines(
        np.concatenate([s.geometry for s in several]),
        np.concatenate([s.kind for s in several]),
        np.concatenate([s.source for s in several]),
        np.concatenate([s.oneway for s in several]),
        np.concatenate([s.round for s in several]),
    )


def line_ids(sources: Sources) -> Texts:
    """Ids that ``Lines.source`` refers to: streets, then barriers, then compounds."""
    ids: Texts = np.concatenate(
        [sources.streets.source_id, sources.barriers.source_id, sources.compounds.source_id]
    ).astype(object)
    return ids


def linework(sources: Sources, territory: shapely.Geometry, parameters: Parameters) -> Lines:
    """Every line of both levels, clipped to the territory. Tunnels and roofed ways are no borders."""
    streets, barriers, compounds = sources.streets, sources.barriers, sources.compounds
    kinds = np.array([CLASS_INDEX.get(h, 0) for h in streets.highway], dtype=np.int8)
    kinds[~np.isin(streets.highway, [*STREET_RANK, *LANE_RANK])] = 0
    use = np.flatnonzero((kinds > 0) & ~streets.tunnel)
    street = _clipped(
        streets.geometry[use],
        kinds[use],
        use,
        streets.oneway[use] | (streets.junction[use] != ""),
        streets.junction[use] != "",
        territory,
    )
    kinds = np.array([CLASS_INDEX.get(k, 0) for k in barriers.kind], dtype=np.int8)
    use = np.flatnonzero((kinds > 0) & ~barriers.tunnel & _large_enough(barriers, parameters))
    no = np.zeros(len(use), bool)
    barrier = _clipped(_edges(barriers.geometry[use]), kinds[use], use + len(streets), no, no, territory)
    inside = np.arange(len(compounds))
    no = np.zeros(len(inside), bool)
    wall = np.full(len(inside), CLASS_INDEX["wall"], np.int8)
    compound = _clipped(_edges(compounds.geometry), wall, inside + len(streets) + len(barriers), no, no, territory)
    return join_lines([street, barrier, compound])


def _large_enough(barriers: Barriers, parameters: Parameters) -> Bools:
    """Ponds are no borders."""
    area = shapely.get_dimensions(barriers.geometry) == 2
    large: Bools = ~area | (barriers.kind != "water") | (shapely.area(barriers.geometry) >= parameters.water)
    return large


def _edges(geometry: Geometries) -> Geometries:
    area = shapely.get_dimensions(geometry) == 2
    edges = geometry.copy()
    edges[area] = shapely.boundary(geometry[area])
    return edges


def simple_lines(geometry: Geometries) -> tuple[Geometries, Ints]:
    """All LineStrings inside any geometries, with the position of the geometry each came from."""
    parts, index = shapely.get_parts(geometry, return_index=True)
    while (nested := shapely.get_type_id(parts) >= 4).any():
        inner, of = shapely.get_parts(parts[nested], return_index=True)
        index = np.concatenate([index[~nested], index[nested][of]])
        parts = np.concatenate([parts[~nested], inner])
    order = np.argsort(index, kind="stable")
    parts, index = parts[order], index[order]
    kind = shapely.get_type_id(parts)
    keep = ((kind == 1) | (kind == 2)) & ~shapely.is_empty(parts)
    return parts[keep], index[keep]


def _clipped(
    geometry: Geometries, kind: NDArray[np.int8], source: Ints, oneway: Bools, is_round: Bools, area: shapely.Geometry
) -> Lines:
    geometry = shapely.force_2d(geometry)
    shapely.prepare(area)
    meets = np.flatnonzero(shapely.intersects(area, geometry))
    cut = geometry[meets].copy()
    out = ~shapely.covers(area, cut)
    cut[out] = shapely.intersection(cut[out], area)
    parts, index = simple_lines(cut)
    of = meets[index]
    return Lines(parts, kind[of], source[of].astype(np.int64), oneway[of], is_round[of])


def segments_of(geometry: Geometries) -> tuple[Ints, Ints, Ints]:
    """Start and end in grid centimetres of every segment of LineStrings, and the line of each."""
    points, of = shapely.get_coordinates(geometry, return_index=True)
    grid = to_grid(points)
    same = of[1:] == of[:-1]
    return grid[:-1][same], grid[1:][same], of[:-1][same]


def closing_lines(lines: Lines, territory: shapely.Geometry, parameters: Parameters) -> Lines:
    """Short pieces that join loose ends: to each other over the seams of tiles, to a street just missed,
    and to the territory's edge where the extract cuts a street shortly before it."""
    if not len(lines):
        return lines
    ends, owner = loose_ends(lines.geometry)
    if not len(ends):
        return lines.take(np.zeros(0, np.int64))
    tree = shapely.STRtree(lines.geometry)
    near, line = tree.query(shapely.points(ends), predicate="dwithin", distance=parameters.join)
    other = line != owner[near]
    near, line = near[other], line[other]
    to = _shortest(ends[near], lines.geometry[line])[:, 1]
    to = _to_vertex(to, lines.geometry[line], parameters.join)
    gap = np.hypot(*(to - ends[near]).T)
    order = np.lexsort((line, gap, near))
    near, to, gap = near[order], to[order], gap[order]
    first = np.unique(near, return_index=True)[1]
    joined = [np.stack([ends[near[first]], to[first]], axis=1)]
    of = [owner[near[first]]]
    rest = np.setdiff1d(np.arange(len(ends)), near)
    edge = shapely.boundary(territory)
    if len(rest):
        way = _shortest(ends[rest], np.full(len(rest), edge))
        length = np.hypot(*(way[:, 1] - way[:, 0]).T)
        reach = (length > 0) & (length <= parameters.reach)
        joined.append(way[reach])
        of.append(owner[rest[reach]])
    pieces = np.concatenate(joined)
    taken = lines.take(np.concatenate(of))
    # A piece led on to the territory's edge lies on no street of the input, so it is not called one.
    street = np.arange(len(pieces)) < len(joined[0])
    kind = np.where(street, taken.kind, CLASS_INDEX["none"]).astype(np.int8)
    source = np.where(street, taken.source, -1)
    return Lines(np.asarray(shapely.linestrings(pieces)), kind, source, taken.oneway, taken.round)


def _shortest(points: Floats, to: Geometries) -> Floats:
    """(n, 2, 2): each point and the nearest point of its geometry."""
    return shapely.get_coordinates(shapely.shortest_line(shapely.points(points), to)).reshape(-1, 2, 2)


def _to_vertex(to: Floats, lines: Geometries, within: float) -> Floats:
    """Prefer an end of the other line over a point along it when it is as good as near."""
    out = to.copy()
    for position in (0, -1):
        end = shapely.get_coordinates(shapely.get_point(lines, position))
        close = np.hypot(*(end - to).T) <= within / 2
        out[close] = end[close]
    return out


def loose_ends(geometry: Geometries) -> tuple[Floats, Ints]:
    """Ends of lines that no vertex of another line shares, and the line of each."""
    grid, of = shapely.get_coordinates(geometry, return_index=True)
    keys = to_grid(grid)
    _, inverse, counts = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    first = np.r_[True, of[1:] != of[:-1]]
    last = np.r_[of[1:] != of[:-1], True]
    loose = (first | last) & (counts[inverse] == 1)
    return grid[loose], of[loose]
