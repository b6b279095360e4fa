"""The territory: the communities, else the area given, else a hull of streets and buildings.

The hull follows the mapped core: it holds at least 99.5 % of the buildings and leaves out ways that run far out
of it. It is one polygon without holes.

1. Buildings further than ``REACH`` from all others form clusters; the smallest clusters are left out as long as
   no more than 0.5 % of the buildings are.
2. What remains, with the street enclosures (up to ``BLOCK``) that hold a building, is closed: widened by a radius
   and narrowed again, so that gaps and inlets narrower than twice the radius fill. The smallest of ``RADII`` is
   used with which one piece holds enough buildings. So the edge runs along streets where there are any.
3. Footprints that its edge would cut are taken in whole.
Without buildings the streets' own enclosures are the territory; what encloses nothing is left out.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gis.errors import InputError
from gis.territory.classes import STREET_RANK
from gis.territory.model import Bools, Floats, Geometries, Sources

HELD: Final = 0.995  # least share of the buildings inside
REACH: Final = 400.0  # metres between buildings of one cluster
CELL: Final = 40.0  # metres: raster in which buildings are joined
BLOCK: Final = 3e5  # m²: larger enclosures do not become part of the hull by one building
RADII: Final = (
    120.0,
    250.0,
    500.0,
    1000.0,
    2000.0,
)  # metres: gaps up to twice as wide close, the first that suffices
MARGIN: Final = 4.0  # metres: thin enough to be absorbed where the edge runs beside a street
GRID: Final = 0.01


def territory_of(sources: Sources) -> Any:
    """The territory in the CRS of ``sources`` (metres): a Polygon, or MultiPolygon where communities say so.

    Raises :class:`InputError` when there is nothing to make one from.
    """
    if len(sources.communities):
        return shapely.set_precision(shapely.coverage_union_all(sources.communities.geometry), GRID)
    if sources.territory is not None:
        return shapely.set_precision(sources.territory, GRID)
    if len(sources.buildings):
        return hull(sources)
    return enclosed(sources)


def hull(sources: Sources) -> Any:
    """The documented hull of streets and buildings."""
    footprints = sources.buildings.geometry
    middles = shapely.get_coordinates(shapely.point_on_surface(footprints))
    kept = core(middles)
    built = _cells(np.vstack([middles[kept], _corners(footprints[kept])]))
    mapped = shapely.union_all([built, *_lived_faces(sources, middles[kept])])
    area = _largest(mapped)
    for radius in RADII:
        closed = shapely.buffer(shapely.buffer(mapped, radius, quad_segs=4), MARGIN - radius, quad_segs=4)
        area = _with_cut_footprints(_largest(closed), footprints[kept])
        shapely.prepare(area)
        if shapely.contains_xy(area, middles).mean() >= HELD:
            return shapely.set_precision(area, GRID)
    everything = shapely.convex_hull(shapely.union_all([area, *footprints[kept]]))
    return shapely.set_precision(shapely.buffer(everything, MARGIN), GRID)


def core(middles: Floats) -> Bools:
    """Which points belong to the mapped core: all but the smallest far clusters, of at most 0.5 % together."""
    n = len(middles)
    pairs = cKDTree(middles).query_pairs(REACH, output_type="ndarray") if n <= 3000 else _near_pairs(middles)
    ones = np.ones(len(pairs), dtype=np.int8)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, label = connected_components(graph, directed=False)
    sizes = np.bincount(label)
    order = np.argsort(sizes, kind="stable")
    dropped = order[np.cumsum(sizes[order]) <= (1 - HELD) * n]
    return ~np.isin(label, dropped)


def _near_pairs(middles: Floats) -> Any:
    """Pairs that connect everything within ``REACH``: neighbouring cells of a coarse raster, one point a cell."""
    cell = np.floor(middles / (REACH / 2)).astype(np.int64)
    _, first, owner = np.unique(cell, axis=0, return_index=True, return_inverse=True)
    own = np.column_stack([np.arange(len(middles)), first[owner.ravel()]])
    heads = first[cKDTree(cell[first]).query_pairs(1.5, output_type="ndarray")]
    return np.vstack([own, heads])


def _corners(footprints: Geometries) -> Floats:
    """Corners of each footprint's bounds: enough to keep the footprint inside, far fewer than its vertices."""
    box = shapely.bounds(footprints)
    return np.vstack([box[:, [0, 1]], box[:, [0, 3]], box[:, [2, 1]], box[:, [2, 3]]])


def _cells(points: Floats) -> Any:
    """The union of the raster cells that hold a point."""
    low = np.unique(np.floor(points / CELL).astype(np.int64), axis=0) * CELL
    return shapely.coverage_union_all(shapely.box(low[:, 0], low[:, 1], low[:, 0] + CELL, low[:, 1] + CELL))


def _lived_faces(sources: Sources, middles: Floats) -> Geometries:
    """Enclosures of first-level streets that hold a building and are no larger than a big block."""
    faces = _faces(sources)
    faces = faces[shapely.area(faces) <= BLOCK]
    held = shapely.STRtree(faces).query(shapely.points(middles), predicate="within")[1]
    lived: Geometries = faces[np.unique(held)]
    return lived


def _faces(sources: Sources) -> Geometries:
    streets = sources.streets
    lines = streets.geometry[np.isin(streets.highway, list(STREET_RANK)) & ~streets.tunnel]
    noded = shapely.get_parts(shapely.union_all(lines, grid_size=GRID))
    faces: Geometries = shapely.get_parts(shapely.polygonize(noded))
    return faces


def _with_cut_footprints(area: Any, footprints: Geometries) -> Any:
    """The area together with every footprint that its edge crosses, and 5 m round it."""
    crossing = footprints[shapely.STRtree(footprints).query(area.boundary, predicate="intersects")]
    if not len(crossing):
        return area
    return _largest(shapely.union_all([area, *shapely.buffer(crossing, 5, join_style="mitre")]))


def enclosed(sources: Sources) -> Any:
    """What the first-level streets enclose: the largest connected piece, its holes filled."""
    lines = sources.streets.geometry
    if not len(lines):
        raise InputError("input.no_streets", layer="streets")
    faces = _faces(sources)
    if len(faces):
        return shapely.set_precision(_largest(shapely.union_all(faces)), GRID)
    return shapely.set_precision(shapely.convex_hull(shapely.union_all(lines)).buffer(50), GRID)


def _largest(area: Any) -> Any:
    """The largest part, without holes."""
    parts = shapely.get_parts(area)
    return shapely.Polygon(shapely.get_exterior_ring(parts[int(np.argmax(shapely.area(parts)))]))
