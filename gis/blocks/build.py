"""Sources to atoms: the whole way from messy streets to an exact coverage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from gis.blocks.borders import border_segments
from gis.blocks.cells import cut_cells
from gis.blocks.coverage import Coverage
from gis.blocks.enclosures import Parts, enclosures, with_given_borders
from gis.blocks.footprints import Footprints, footprints, part_of, part_of_points
from gis.blocks.lanes import divide
from gis.blocks.lines import Lines, closing_lines, join_lines, line_ids, linework
from gis.blocks.model import AtomSet
from gis.blocks.parameters import DEFAULT, Parameters
from gis.blocks.sheds import dissolve_sheds, merged
from gis.blocks.thin import absorb, narrower, thin_enclosures
from gis.blocks.whole import shared_ground
from gis.progress import Progress, silent
from gis.territory.model import Bools, Exclusion, Geometries, Ints, Sources


def build_atoms(
    sources: Sources,
    territory: shapely.Geometry,
    households: Ints,
    *,
    parameters: Parameters = DEFAULT,
    progress: Progress = silent,
) -> AtomSet:
    """Cut a territory into atoms.

    ``sources`` and ``territory`` (Polygon or MultiPolygon) are in one metre CRS; ``households`` holds one
    number for each building of ``sources``.
    """
    progress("lines", 0.0)
    lines = linework(sources, territory, parameters)
    first = lines.take(lines.first_level)
    lines = join_lines([lines, closing_lines(first, territory, parameters)])
    lines = with_given_borders(lines, territory, sources.communities, sources.villager_groups)
    progress("blocks", 0.0)
    parts = enclosures(lines, territory, sources.communities, sources.villager_groups)
    homes = footprints(sources.buildings, households, territory, parameters)
    leading = homes.leading
    geometry, points = homes.geometry[leading], homes.point[leading]
    progress("blocks", 0.4)
    for _ in range(2):
        empty = _empty(len(parts), part_of_points(points, parts.geometry))
        parts = absorb(parts, lines, thin_enclosures(parts, lines, empty, parameters), parts.realm)
    parts = _numbered(parts)
    part = part_of_points(points, parts.geometry)
    progress("lanes", 0.0)
    weight = np.bincount(homes.host, weights=households * (homes.reason == ""), minlength=len(households))
    held = part >= 0
    inside = np.bincount(part[held], weights=weight[leading][held], minlength=len(parts))
    if (inside > parameters.maximum).any():
        parts = _divided(parts, lines, inside > parameters.maximum, geometry, points, parameters)
    part = part_of(geometry, points, parts.geometry)
    progress("cells", 0.0)
    coverage, footprint, in_part = cut_cells(parts, lines, geometry, part, parameters, progress)
    coverage, footprint, in_part, joined = dissolve_sheds(coverage, footprint, in_part, homes.shed[leading])
    one = shared_ground(coverage, in_part, joined, geometry, weight[leading], parameters.maximum)
    coverage, footprint, in_part, joined = merged(coverage, footprint, in_part, joined, one)
    progress("atoms", 0.0)
    return _atom_set(sources, lines, parts, homes, households, coverage, footprint, in_part, joined)


def _empty(parts: int, part: Ints) -> Bools:
    empty = np.ones(parts, bool)
    empty[part[part >= 0]] = False
    return empty


def _numbered(parts: Parts) -> Parts:
    return replace(parts, block=np.arange(len(parts)))


def _divided(
    parts: Parts, lines: Lines, large: Bools, geometry: Geometries, points: Geometries, parameters: Parameters
) -> Parts:
    """Large parts divided by lanes; what is left over between lanes joins its neighbours in the block."""
    parts = divide(parts, lines, large, geometry, parameters.lead)
    for _ in range(2):
        empty = _empty(len(parts), part_of_points(points, parts.geometry)) & large[parts.block]
        thin = empty & (narrower(parts.geometry, parameters.thin_lane) | (shapely.area(parts.geometry) < 500.0))
        parts = absorb(parts, lines, thin, parts.block)
    return parts


def _atom_set(
    sources: Sources,
    lines: Lines,
    parts: Parts,
    homes: Footprints,
    households: Ints,
    coverage: Coverage,
    footprint: Ints,
    in_part: Ints,
    joined: Ints,
) -> AtomSet:
    """Atoms in order of block, then building, with every building's atom."""
    order = np.lexsort((np.where(footprint < 0, len(homes.host), footprint), in_part, parts.block[in_part]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    atoms = coverage.polygons()[order]
    own = np.full(len(homes.host), -1, np.int64)
    own[homes.leading] = np.where(joined >= 0, rank[joined], -1)
    own = own[homes.host]
    own[homes.reason != ""] = -1
    lost = np.flatnonzero((own < 0) & (homes.reason == ""))
    if len(lost):
        own[lost] = shapely.STRtree(atoms).nearest(homes.point[lost])
    segments, outer = border_segments(coverage, rank, coverage.line, lines)
    return AtomSet(
        crs=sources.crs,
        geometry=atoms,
        block=parts.block[in_part][order].astype(np.int32),
        community=parts.community[in_part][order].astype(np.int32),
        building_atom=own.astype(np.int32),
        segments=segments,
        outer=outer,
        line_ids=line_ids(sources),
        excluded=tuple(
            Exclusion("buildings", str(sources.buildings.source_id[b]), str(homes.reason[b]), int(households[b]))
            for b in np.flatnonzero(homes.reason != "")
        ),
    )
