"""A given ``atoms`` layer, taken as it is: parcels, census blocks, another tool's cells."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.blocks.along import line_along
from gis.blocks.arrangement import SCALE, polygons, to_grid
from gis.blocks.borders import border_segments
from gis.blocks.coverage import (
    OUTSIDE,
    UNKNOWN,
    Coverage,
    Edges,
    adjacency,
    arrange,
    best_records,
    face_labels,
    lengths,
    spread,
)
from gis.blocks.enclosures import with_given_borders
from gis.blocks.lines import Lines, line_ids, linework
from gis.blocks.model import AtomSet, Segments
from gis.blocks.noding import Noded
from gis.blocks.parameters import DEFAULT
from gis.errors import InputError
from gis.territory.classes import BASIS_INDEX
from gis.territory.model import Bools, Exclusion, Floats, GivenAtoms, Ints, Sources, Texts

_ROUNDING = 0.02  # metres by which the grid may move an edge
_CLAIM = 0.1  # of a face's outline: less is the trace of an edge that the grid folded over


def atoms_from_given(sources: Sources) -> AtomSet:
    """The atoms of ``sources.atoms`` in their order, snapped to the grid and noded where only one of two
    neighbours has a vertex. Streets and barriers, if there are any, name the borders they run along.

    ``community`` is a position in ``sources.communities``; without that layer, communities count from 0 in order
    of their first atom. Raises :class:`InputError` ``input.atoms_geometry`` or ``input.atoms_coverage`` with the
    row of an atom that is no valid polygon or that overlaps another.
    """
    atoms = sources.atoms
    assert atoms is not None
    coverage = _coverage(atoms)
    geometry = coverage.polygons()
    territory = shapely.coverage_union_all(geometry)
    lines = with_given_borders(
        linework(sources, territory, DEFAULT), territory, sources.communities, sources.villager_groups
    )
    rank = np.arange(len(atoms))
    segments, outer = border_segments(coverage, rank, _along(coverage, lines), lines)
    owner, excluded = _buildings(sources, geometry)
    return AtomSet(
        crs=sources.crs,
        geometry=geometry,
        block=_blocks(atoms, segments).astype(np.int32),
        community=_communities(sources, geometry).astype(np.int32),
        building_atom=owner.astype(np.int32),
        segments=segments,
        outer=outer,
        line_ids=line_ids(sources),
        excluded=excluded,
    )


def _coverage(atoms: GivenAtoms) -> Coverage:
    bad = (shapely.get_type_id(atoms.geometry) != 3) | ~shapely.is_valid(atoms.geometry)
    bad |= shapely.is_empty(atoms.geometry)
    for row in np.flatnonzero(bad)[:1]:
        raise InputError("input.atoms_geometry", layer="atoms", row=atoms.source_id[row])
    edges = _edges(shapely.orient_polygons(shapely.force_2d(atoms.geometry)))
    graph, face, twice = arrange(edges)
    label = _labels(atoms, edges, graph, face, twice)
    side = np.append(label, OUTSIDE)[face]
    border = side[0::2] != side[1::2]
    best = best_records(graph, edges)[border]
    coverage = Coverage(
        graph.nodes,
        graph.heads[border],
        graph.tails[border],
        side.reshape(-1, 2)[border].ravel(),
        edges.line[best],
        edges.basis[best],
        len(atoms),
    )
    _same_areas(atoms, coverage)
    return coverage


def _edges(geometry: np.ndarray) -> Edges:
    """Every ring segment; the atom lies on its left."""
    rings, owner = shapely.get_rings(geometry, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    grid = to_grid(points)
    same = ring[1:] == ring[:-1]
    left = owner[ring[:-1][same]].astype(np.int64)
    unknown = np.full(len(left), UNKNOWN)
    nothing = np.full(len(left), -1)
    return Edges(
        grid[:-1][same],
        grid[1:][same],
        left,
        unknown,
        np.zeros_like(left),
        unknown,
        nothing,
        np.full(len(left), BASIS_INDEX["cell"], np.int8),
        nothing,
    )


def _labels(atoms: GivenAtoms, edges: Edges, graph: Noded, face: Ints, twice: Ints) -> Ints:
    """The atom of each face. Gaps no wider than the rounding join the neighbour they share most border with; a
    wider one was drawn and stays. Raises where two atoms claim a face that is wider than the rounding."""
    length = lengths(graph)
    inner = face >= 0
    weights = np.repeat(length, 2)[inner]
    around = np.bincount(face[inner], weights=weights, minlength=len(twice)).astype(np.float64)
    wide = twice > _ROUNDING * SCALE * around  # twice the area by the outline: the width of a long sliver
    _one_claim(atoms, edges, graph, face, around, wide)
    label = face_labels(graph, face, len(twice), edges)
    label[(label == OUTSIDE) & ~wide] = UNKNOWN
    label = spread(label, np.zeros_like(label), adjacency(face, len(twice), length))
    return np.where(label == UNKNOWN, OUTSIDE, label)


def _one_claim(atoms: GivenAtoms, edges: Edges, graph: Noded, face: Ints, around: Floats, wide: Bools) -> None:
    """Raise where two atoms claim a face wider than the rounding, each by a good part of its outline."""
    of = face[2 * graph.edge + ~graph.forward]
    inner = of >= 0
    length = lengths(graph)[graph.edge][inner]
    key = of[inner] * len(atoms) + edges.left[graph.origin][inner]
    keys, inverse = np.unique(key, return_inverse=True)
    which = keys // len(atoms)
    claimed = np.bincount(inverse, weights=length) > _CLAIM * around[which]
    keys, which = keys[claimed & wide[which]], which[claimed & wide[which]]
    for k in np.flatnonzero(which[1:] == which[:-1])[:1]:
        raise InputError("input.atoms_coverage", layer="atoms", row=atoms.source_id[keys[k + 1] % len(atoms)])


def _same_areas(atoms: GivenAtoms, coverage: Coverage) -> None:
    """Raise when noding changed an atom by more than rounding: it overlaps another."""
    made, of = polygons(coverage.nodes, coverage.heads, coverage.tails, coverage.label)
    area = np.bincount(of, weights=shapely.area(made), minlength=len(atoms))
    pieces = np.bincount(of, minlength=len(atoms))
    room = _ROUNDING * shapely.length(atoms.geometry)
    wrong = (pieces != 1) | (np.abs(area - shapely.area(atoms.geometry)) > room)
    for row in np.flatnonzero(wrong)[:1]:
        raise InputError("input.atoms_coverage", layer="atoms", row=atoms.source_id[row])


def _along(coverage: Coverage, lines: Lines) -> Ints:
    start = coverage.nodes[coverage.heads] / 100.0
    end = coverage.nodes[coverage.tails] / 100.0
    return line_along(start, end, lines.take(lines.kind > 0)) if len(lines) else np.full(len(start), -1)


def _numbers(names: Texts | Ints) -> Ints:
    """Numbers from 0 in order of first appearance."""
    _, first, inverse = np.unique(names.astype(str), return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _blocks(atoms: GivenAtoms, segments: Segments) -> Ints:
    """The given blocks; without them, atoms that no street or barrier parts are of one block."""
    if (atoms.block != "").any():
        return _numbers(atoms.block)
    cell = segments.basis == BASIS_INDEX["cell"]
    if cell.all():
        return np.arange(len(atoms))
    joined = coo_array(
        (np.ones(int(cell.sum()), np.int8), (segments.left[cell], segments.right[cell])), shape=(len(atoms),) * 2
    )
    return _numbers(connected_components(joined, directed=False)[1].astype(np.int64))


def _communities(sources: Sources, geometry: np.ndarray) -> Ints:
    atoms = sources.atoms
    assert atoms is not None
    if not len(sources.communities):
        return _numbers(atoms.community)
    named: dict[str, int] = {}
    for names in (sources.communities.name, sources.communities.code):
        named.update({str(n): i for i, n in enumerate(names) if n})
    out = np.array([named.get(str(c), -1) for c in atoms.community])
    by_place = np.flatnonzero(out < 0)
    inner = shapely.point_on_surface(geometry[by_place])
    out[by_place] = shapely.STRtree(sources.communities.geometry).nearest(inner) if len(by_place) else 0
    return out


def _buildings(sources: Sources, geometry: np.ndarray) -> tuple[Ints, tuple[Exclusion, ...]]:
    """Atom of each building by its inner point; buildings in no atom are left out."""
    buildings = sources.buildings
    owner = np.full(len(buildings), -1, np.int64)
    inner = shapely.point_on_surface(buildings.geometry)
    which, atom = shapely.STRtree(geometry).query(inner, predicate="intersects")
    owner[which[::-1]] = atom[::-1]
    given = np.nan_to_num(buildings.households)
    out = np.flatnonzero(owner < 0)
    return owner, tuple(Exclusion("buildings", str(buildings.source_id[b]), "outside", int(given[b])) for b in out)
