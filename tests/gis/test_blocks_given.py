"""A given atoms layer taken as it is, and the triangulation beneath the cells."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay, QhullError
from shapely.geometry import MultiPolygon, Polygon, box

from gis.blocks.delaunay import triangulate
from gis.blocks.given import atoms_from_given
from gis.errors import InputError
from gis.territory.layers import make_atoms, make_buildings, make_sources, make_streets
from tests.gis.drawn_blocks import LineString, check_segments, metres_by

SQUARES = [box(0, 0, 100, 100), box(100, 0, 200, 100), box(0, 100, 200, 200)]


def sources(shapes, **layers):
    names = [f"p{k}" for k in range(len(shapes))]
    return make_sources("EPSG:32650", atoms=make_atoms(shapes, [1] * len(shapes), source_id=names), **layers)


def test_order_is_kept_and_missing_vertices_are_noded():
    shapes = [SQUARES[2], SQUARES[0], SQUARES[1]]  # the long edge of the first has no vertex at (100, 100)
    atoms = atoms_from_given(sources(shapes))
    assert [g.equals(s) for g, s in zip(atoms.geometry, shapes, strict=True)] == [True] * 3
    assert shapely.coverage_is_valid(atoms.geometry)
    check_segments(atoms)
    assert atoms.block.tolist() == [0, 1, 2]


def test_streets_name_the_borders_they_run_along_and_part_blocks():
    road = make_streets([LineString([(-50, 100.4), (250, 100.4)])], highway=["secondary"], source_id=["w7"])
    atoms = atoms_from_given(sources(SQUARES, streets=road))
    assert metres_by(atoms.segments) == {("secondary", "street"): 200.0, ("none", "cell"): 100.0}
    assert atoms.block.tolist() == [0, 0, 1]
    assert "w7" in atoms.line_ids


def test_buildings_find_their_atom():
    homes = make_buildings([box(10, 10, 20, 20), box(150, 150, 160, 160), box(900, 900, 910, 910)])
    atoms = atoms_from_given(sources(SQUARES, buildings=homes))
    assert atoms.building_atom.tolist() == [0, 2, -1]
    assert [(e.source_id, e.reason) for e in atoms.excluded] == [("2", "outside")]


def test_an_atom_around_another_keeps_its_hole():
    around = Polygon(SQUARES[0].exterior, [box(40, 40, 60, 60).exterior])
    atoms = atoms_from_given(sources([around, box(40, 40, 60, 60)]))
    assert len(atoms.geometry[0].interiors) == 1
    assert metres_by(atoms.segments) == {("none", "cell"): 80.0}


def test_a_hole_between_atoms_stays_outside():
    ring = [box(0, 0, 90, 30), box(0, 60, 90, 90), box(0, 30, 30, 60), box(60, 30, 90, 60)]
    atoms = atoms_from_given(sources(ring))
    assert atoms.outer.sum() == pytest.approx(4 * 90 + 4 * 30)


def test_a_gap_no_wider_than_the_grid_rounds_joins_its_neighbour():
    """Two edges that should be one, a centimetre apart after rounding, enclose a sliver that nobody drew."""
    left = Polygon([(0, 0), (100, 0), (99.99, 60), (100, 100), (0, 100)])
    atoms = atoms_from_given(sources([left, SQUARES[1], SQUARES[2]]))
    union = shapely.coverage_union_all(atoms.geometry)
    assert union.area == pytest.approx(40_000.0, abs=1e-6)
    assert atoms.outer.sum() == pytest.approx(800.0, abs=1e-6)
    check_segments(atoms)


def test_a_gap_somebody_drew_stays():
    left = Polygon([(0, 0), (100, 0), (99.8, 60), (100, 100), (0, 100)])
    atoms = atoms_from_given(sources([left, SQUARES[1]]))
    assert shapely.area(atoms.geometry).sum() == pytest.approx(20_000.0 - 10.0)


@pytest.mark.parametrize("metres", [0.05, 0.5])
def test_one_vertex_moved_into_the_neighbour_is_an_overlap(metres):
    left = Polygon([(0, 0), (100, 0), (100 + metres, 60), (100, 100), (0, 100)])
    with pytest.raises(InputError) as fault:
        atoms_from_given(sources([left, SQUARES[1]]))
    assert fault.value.code == "input.atoms_coverage"
    assert fault.value.values["row"] in {"p0", "p1"}


@pytest.mark.parametrize(
    ("shapes", "code", "row"),
    [
        ([box(0, 0, 100, 100), box(90, 0, 200, 100)], "input.atoms_coverage", {"p0", "p1"}),
        ([box(0, 0, 100, 100), box(0, 0, 100, 100)], "input.atoms_coverage", {"p0", "p1"}),
        ([box(0, 0, 9, 9), Polygon([(20, 0), (30, 10), (30, 0), (20, 10)])], "input.atoms_geometry", {"p1"}),
        ([box(0, 0, 9, 9), MultiPolygon([box(20, 0, 25, 5), box(30, 0, 35, 5)])], "input.atoms_geometry", {"p1"}),
        ([box(0, 0, 9, 9), Polygon()], "input.atoms_geometry", {"p1"}),
    ],
)
def test_an_unusable_layer_names_its_row(shapes, code, row):
    with pytest.raises(InputError) as fault:
        atoms_from_given(sources(shapes))
    assert fault.value.code == code
    assert fault.value.values["row"] in row


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=40))
def test_triangles_are_those_of_qhull_up_to_ties(points):
    places = np.array(points, dtype=float)
    triangles, over = triangulate(places)
    try:
        wanted = Delaunay(places)
    except (QhullError, ValueError):
        wanted = None
    corners = places[triangles]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    twice = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    assert (twice > 0).all()
    hull = shapely.convex_hull(shapely.multipoints(places)).area
    assert twice.sum() / 2 == pytest.approx(hull if wanted is not None else twice.sum() / 2)
    assert (len(triangles) > 0) == (hull > 0)
    for k in range(3):  # over every inner edge lies a triangle with the same two corners, and no corner in its circle
        for t in np.flatnonzero(over[:, k] >= 0):
            edge = {triangles[t, (k + 1) % 3], triangles[t, (k + 2) % 3]}
            beyond = set(triangles[over[t, k]])
            assert edge <= beyond
            (far,) = beyond - edge
            assert not _inside_circle(corners[t], places[far])


def _inside_circle(corners, point):
    rows = corners - point
    return np.linalg.det(np.column_stack([rows, (rows**2).sum(axis=1)])) > 1e-6
