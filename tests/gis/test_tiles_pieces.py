"""Polygons that a tile's edge cuts into pieces: our own cutting against GEOS."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.tiles import encode, pieces
from gis.tiles.columns import build

#: A box of 0 to 10 in units that are metres, y downwards: what lies at (x, y) here is at (x, -y) on the map.
PLACE = (0.0, 0.0, 1.0, 0.0, 10.0)


def shapes(first, start, outer, xy):
    """Rings as polygons, by row."""
    made = []
    for a, b in itertools.pairwise(first):
        rings = [xy[start[p] : start[p + 1]] for p in range(a, b)]
        heads = [*np.flatnonzero(outer[a:b]), b - a]
        assert not rings or heads[0] == 0
        made.append([shapely.Polygon(rings[h], rings[h + 1 : k]) for h, k in itertools.pairwise(heads)])
    return made


def both(geometry):
    """Cut by us and by GEOS."""
    flipped = shapely.transform(np.array(geometry, dtype=object), lambda xy: xy * (1, -1))
    columns = build(range(len(flipped)), {}, flipped)
    rows = np.arange(len(flipped))
    *ours, done = pieces.cut(rows, columns.first, columns.start, columns.outer, columns.xy, PLACE)
    return shapes(*ours) if done else None, shapes(*encode.by_geos(columns, rows, PLACE))


def agree(geometry):
    ours, theirs = both(geometry)
    assert ours is not None
    for a, b in zip(ours, theirs, strict=True):
        one, other = (shapely.union_all(shapely.make_valid(np.array(g, dtype=object))) for g in (a, b))
        assert shapely.symmetric_difference(one, other).area < 1e-9
        # holes in their own rings, nothing twice
        assert sum(g.area for g in a) == pytest.approx(one.area, abs=1e-9)
    return ours


def test_a_comb_falls_into_teeth():
    comb = shapely.union_all([shapely.box(2, y, 12, y + 1) for y in (1, 3, 5)] + [shapely.box(11, 1, 12, 6)])
    (teeth,) = agree([comb])
    assert sorted(t.bounds for t in teeth) == [(2, 1, 10, 2), (2, 3, 10, 4), (2, 5, 10, 6)]


def test_a_hole_across_the_edge_becomes_a_bay_and_one_within_stays():
    frame = shapely.box(-5, 1, 15, 9) - shapely.box(-2, 3, 2, 5) - shapely.box(4, 4, 6, 6)
    (found,) = agree([frame])
    assert [len(p.interiors) for p in found] == [1]
    assert found[0].area == 80 - 4 - 4


def test_a_hole_that_parts_the_polygon():
    frame = shapely.box(-5, -5, 15, 15) - shapely.box(-2, 4, 12, 5)
    (found,) = agree([frame])
    assert sorted(p.area for p in found) == [40.0, 50.0]


def test_holes_beside_several_pieces_are_for_geos():
    slit = shapely.box(-2, 4, 12, 5)
    frame = shapely.box(-5, -5, 15, 15) - slit - shapely.box(1, 1, 2, 2) - shapely.box(7, 7, 8, 8)
    ours, (theirs,) = both([frame])
    assert ours is None
    assert sorted((p.area, len(p.interiors)) for p in theirs) == [(39.0, 1), (49.0, 1)]


def test_what_lies_upon_the_edge_is_for_geos():
    along = shapely.Polygon([(-3, 0), (3, 0), (3, -2), (5, -2), (5, 0), (7, 0), (7, 4), (-3, 4)])
    touching = shapely.Polygon([(2, -3), (8, -3), (7, 0), (6, -1), (5, 0), (4, -1), (3, 0)])
    assert both([along])[0] is None
    assert both([touching])[0] is None


def test_all_nothing_and_both_sides():
    outside = shapely.box(20, 20, 30, 30)
    whole = shapely.box(-1, -1, 11, 11)
    both_sides = shapely.union_all([shapely.box(-4, 2, 14, 3), shapely.box(-4, 5, 14, 6), shapely.box(-4, 2, -2, 6)])
    found = agree([outside, whole, both_sides])
    assert [sum(p.area for p in f) for f in found] == [0.0, 100.0, 20.0]


def test_neighbours_meet_at_the_same_points():
    """A line that runs in and out of the box, and the two areas on its sides, turned either way."""
    line = [(-3.3, 1.7), (4.1, 2.9), (-2.2, 4.6), (5.7, 6.1), (-1.9, 8.8), (3.1, 12.4)]
    left = shapely.Polygon([*line, (-9, 12.4), (-9, 1.7)])
    right = shapely.Polygon([*line, (19, 12.4), (19, 1.7)]).reverse()
    ours, _ = both([left, right])
    a, b = ({tuple(xy) for p in part for xy in shapely.get_coordinates(p)} for part in ours)
    on_line = {xy for xy in a | b if xy[0] == 0.0 and 1.7 < xy[1] < 10}
    assert len(on_line) == 4
    assert on_line <= a
    assert on_line <= b


@settings(max_examples=100)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_any_polygon_as_geos_cuts_it(seed, whole):
    """Crooked areas with holes, on whole numbers too: corners and edges then lie on the box's own."""
    rng = np.random.default_rng(seed)
    spots = rng.uniform(-6, 16, (rng.integers(2, 9), 2))
    parts = [shapely.Polygon(s + rng.uniform(-7, 7, (int(rng.integers(3, 9)), 2))) for s in spots]
    area = shapely.union_all(shapely.make_valid(parts)) - shapely.union_all(
        shapely.buffer(shapely.points(rng.uniform(-3, 13, (3, 2))), 1.5, quad_segs=2)
    )
    area = shapely.set_precision(area, 1.0 if whole else 1e-6)
    area = shapely.multipolygons([g for g in shapely.get_parts(area) if g.geom_type == "Polygon"])
    if not area.is_empty and both([area])[0] is not None:  # else GEOS has it
        agree([area])
