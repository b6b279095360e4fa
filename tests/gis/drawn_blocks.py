"""Small drawn territories, and the checks every atom set must pass; used by test_blocks*.py."""

from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon, box

from gis.blocks.build import build_atoms
from gis.blocks.graph import graph_of
from gis.blocks.model import AtomSet, Segments
from gis.blocks.parameters import Parameters
from gis.territory.classes import BASES, BORDER_CLASSES
from gis.territory.layers import make_areas, make_barriers, make_buildings, make_sources, make_streets

CRS = "EPSG:32650"


def street(*points, **facts):
    return {"geometry": LineString(points), "highway": "residential", **facts}


def house(x, y, w=10.0, h=10.0, households=1, **facts):
    return {"geometry": box(x, y, x + w, y + h), "households": households, **facts}


def layer(make, rows):
    geometry = [r["geometry"] for r in rows]
    names = {k for r in rows for k in r} - {"geometry"}
    blank = {
        "highway": "residential",
        "kind": "water",
        "oneway": False,
        "tunnel": False,
        "bridge": False,
        "layer": 0,
        "households": np.nan,
        "levels": np.nan,
    }
    return make(geometry, **{k: [r.get(k, blank.get(k, "")) for r in rows] for k in sorted(names)})


def drawn(streets=(), houses=(), barriers=(), compounds=(), communities=(), groups=()):
    return make_sources(
        CRS,
        streets=layer(make_streets, streets),
        buildings=layer(make_buildings, houses),
        barriers=layer(make_barriers, barriers),
        compounds=layer(make_areas, compounds),
        communities=layer(make_areas, communities),
        villager_groups=layer(make_areas, groups),
    )


def cut(sources, territory, households=None, **parameters) -> AtomSet:
    if households is None:
        households = np.nan_to_num(sources.buildings.households).astype(np.int64)
    atom_set = build_atoms(sources, territory, households, parameters=Parameters(**parameters))
    check_atom_set(atom_set, sources, territory)
    return atom_set


def check_atom_set(atom_set, sources, territory, tolerance=1e-5):
    """What must hold for every input."""
    atoms = atom_set.geometry
    assert (shapely.get_type_id(atoms) == 3).all()
    assert shapely.is_valid(atoms).all()
    assert shapely.coverage_is_valid(atoms)
    points = shapely.get_coordinates(atoms)
    assert np.array_equal(points, np.rint(points * 100) / 100)
    union = shapely.coverage_union_all(atoms)
    assert union.symmetric_difference(territory).area <= tolerance * territory.area
    wanted = territory.geoms if territory.geom_type == "MultiPolygon" else [territory]
    assert shapely.get_num_geometries(union) == len(wanted)
    assert shapely.get_num_interior_rings(shapely.get_parts(union)).sum() == sum(len(p.interiors) for p in wanted)
    left_out = {(e.layer, e.source_id) for e in atom_set.excluded}
    assert len(atom_set.building_atom) == len(sources.buildings)
    for owner, name in zip(atom_set.building_atom, sources.buildings.source_id, strict=True):
        assert (owner >= 0) != (("buildings", str(name)) in left_out)
    check_segments(atom_set)


def check_segments(atom_set):
    """Segments say exactly what the polygons say."""
    s = atom_set.segments
    assert (s.left < s.right).all()
    assert (s.metres > 0).all()
    n = len(atom_set.geometry)
    shared = np.bincount(s.left, s.metres, n) + np.bincount(s.right, s.metres, n)
    np.testing.assert_allclose(shared + atom_set.outer, shapely.length(atom_set.geometry), atol=1e-6)
    graph = graph_of(s, len(atom_set.geometry))
    slow = slow_graph(atom_set.geometry)
    fast = {(int(a), int(b)): m.sum() for a, b, m in zip(graph.heads, graph.tails, graph.metres, strict=True)}
    assert fast.keys() == slow.keys()
    assert all(abs(fast[k] - slow[k]) < 1e-6 for k in slow)


def slow_graph(atoms):
    """Shared border of every pair by the geometry library."""
    a, b = shapely.STRtree(atoms).query(atoms, predicate="intersects")
    a, b = a[a < b], b[a < b]
    metres = shapely.length(shapely.intersection(shapely.boundary(atoms[a]), shapely.boundary(atoms[b])))
    return {(int(i), int(j)): m for i, j, m in zip(a, b, metres, strict=True) if m > 0}


def metres_by(segments: Segments, which=slice(None)):
    """{(class, basis): metres}."""
    out: dict[tuple[str, str], float] = {}
    for kind, basis, metres in zip(segments.kind[which], segments.basis[which], segments.metres[which], strict=True):
        key = (BORDER_CLASSES[kind], BASES[basis])
        out[key] = out.get(key, 0.0) + float(metres)
    return {k: round(v, 2) for k, v in out.items()}


def between_blocks(atom_set):
    s = atom_set.segments
    return atom_set.block[s.left] != atom_set.block[s.right]


__all__ = [
    "LineString",
    "Polygon",
    "between_blocks",
    "box",
    "check_atom_set",
    "check_segments",
    "cut",
    "drawn",
    "house",
    "metres_by",
    "slow_graph",
    "street",
]
