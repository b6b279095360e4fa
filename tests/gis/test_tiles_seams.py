"""Low zooms on decoded tiles: grids of a tile neither overlap nor leave a gap, to the last tile unit."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from gis.tiles import encode
from gis.tiles.columns import build
from gis.tiles.coverage import lay, rim, simplify, thin
from gis.tiles.pyramid import HALF, bounds, unit
from tests.drawn_towns import CRS, drawn_in, towns

EAST, NORTH = 12_579_000.0, 3_270_000.0
SIDE = 5_000.0


@pytest.fixture(scope="module")
def areas():
    """A crooked town: lines that wander over 5 km, what they enclose, slivers and all."""
    rng = np.random.default_rng(4)
    lines = [shapely.box(0, 0, SIDE, SIDE).exterior]
    for k in range(1, 18):
        along = np.linspace(0, SIDE, 120)
        for flip in (False, True):
            across = np.clip(k * SIDE / 18 + np.cumsum(rng.uniform(-45, 45, along.size)), 0, SIDE)
            xy = np.column_stack([along, across])
            lines.append(shapely.LineString(xy[:, ::-1] if flip else xy))
    faces = shapely.polygonize([shapely.union_all(lines, grid_size=0.01)])
    made = np.array(shapely.get_parts(faces), dtype=object)
    assert shapely.coverage_is_valid(made)
    return shapely.transform(made, lambda xy: xy + np.array([EAST, NORTH]))


def tiles(z):
    size = 2 * HALF / (1 << z)
    west, east = int((EAST + HALF) // size), int((EAST + SIDE + HALF) // size)
    north, south = int((HALF - NORTH - SIDE) // size), int((HALF - NORTH) // size)
    return [(z, x, y) for x in range(west, east + 1) for y in range(north, south + 1)]


def decoded(body):
    found = mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})["grids"]["features"]
    return np.array([shape(f["geometry"]) for f in found], dtype=object)


def overlap(shapes):
    shapes = shapely.make_valid(shapes)
    return shapely.area(shapes).sum() - shapely.union_all(shapes).area


@pytest.mark.parametrize("z", [10, 11, 12, 13])
def test_no_gap_and_no_overlap(areas, z):
    simpler = simplify(areas, z)
    whole = shapely.coverage_union_all(simpler)
    columns = build(range(len(areas)), {}, simpler)
    shown = 0
    for tile in tiles(z):
        body = encode.table("grids", tile, columns)
        if not body:
            continue
        shapes = decoded(body)
        shown += len(shapes)
        assert overlap(shapes) == 0
        west, _, _, north = bounds(*tile)
        place = shapely.transform(whole, lambda xy, w=west, n=north: np.round((xy - [w, n]) / [unit(z), -unit(z)]))
        inside = shapely.box(0, 0, 4096, 4096)
        held = shapely.intersection(shapely.union_all(shapely.make_valid(shapes)), inside)
        assert shapely.symmetric_difference(held, shapely.intersection(place, inside)).area == 0
    assert shown > 100


def test_rounding_alone_would_overlap(areas):
    """What the extra care is for."""
    found = 0.0
    for z in (10, 11, 12, 13):
        columns = build(range(len(areas)), {}, shapely.coverage_simplify(areas, 8 * unit(z)))
        found += sum(overlap(decoded(body)) for t in tiles(z) if (body := encode.table("grids", t, columns)))
    assert found > 0


def test_neighbours_share_every_vertex(areas):
    simpler = simplify(areas, 11)
    kept = simpler[~shapely.is_empty(simpler)]
    assert shapely.coverage_is_valid(kept)
    assert shapely.is_valid(kept).all()
    xy = shapely.get_coordinates(kept) / unit(11)
    assert np.abs(xy - np.round(xy)).max() < 1e-6  # on whole units: nothing moves when a tile is written
    assert len(kept) > 0.5 * len(areas)


def laid(parts, z):
    """Towns simplified each by itself, as tiles show them."""
    thinned = [thin(areas, z) for areas in parts]
    made = []
    for k, own in enumerate(thinned):
        others = [rim(own, other, z) for other in thinned]
        made.append(lay(own, np.concatenate([own[:0], *others[:k]]), np.concatenate([own[:0], *others[k + 1 :]]), z))
    return made


def seams(parts, real, z):
    """Area in tile units that decoded tiles show twice, and that they leave out well within the land."""
    columns = [build(range(len(p)), {}, p) for p in parts]
    inner = shapely.buffer(real, -1.5 * unit(z))
    size = 2 * HALF / (1 << z)
    twice = missing = 0.0
    a, b, c, d = real.bounds
    for x in range(int((a + HALF) // size), int((c + HALF) // size) + 1):
        for y in range(int((HALF - d) // size), int((HALF - b) // size) + 1):
            bodies = [body for c in columns if (body := encode.table("grids", (z, x, y), c))]
            shapes = np.concatenate([np.zeros(0, object), *(decoded(body) for body in bodies)])
            twice += overlap(shapes)
            west, _, _, north = bounds(z, x, y)
            land = shapely.transform(inner, lambda xy, w=west, n=north: (xy - [w, n]) / [unit(z), -unit(z)])
            land = shapely.intersection(land, shapely.box(0, 0, 4096, 4096))
            missing += shapely.difference(land, shapely.union_all(shapely.make_valid(shapes))).area
    return twice, missing


def mercator_towns(seed, side):
    board = towns(seed, side)
    parts = [drawn_in(areas, crs, "EPSG:3857") for areas, crs in zip(board, CRS, strict=True)]
    whole = shapely.box(0, 0, side, side).segmentize(side / 50)
    return parts, drawn_in(np.array([whole], dtype=object), CRS[0], "EPSG:3857")[0]


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sampled_from([10, 11, 12, 13]), st.sampled_from([1_500.0, 4_000.0]))
def test_no_gap_and_no_overlap_between_towns(seed, z, side):
    parts, real = mercator_towns(seed, side)
    twice, missing = seams(laid(parts, z), real, z)
    assert twice == 0
    assert missing < 1e-6  # of one tile unit: where the buffered outline is computed in floats


def test_towns_simplified_alone_leave_gaps():
    """What the extra care is for."""
    parts, real = mercator_towns(3, 4_000.0)
    twice, missing = seams([simplify(p, 12) for p in parts], real, 12)
    assert twice > 0
    assert missing > 1


def test_towns_that_overlap_are_both_shown():
    """Only lines that coincide are held together: nothing is taken from a town that is drawn over another."""
    row = np.array([shapely.box(x, 0, x + 400, 400) for x in range(0, 1200, 400)], dtype=object)
    row = shapely.transform(row, lambda xy: xy + np.array([EAST, NORTH]))
    other = shapely.transform(row, lambda xy: xy + np.array([1000.0, 0]))
    one, two = laid([row, other], 13)
    assert shapely.area(one) == pytest.approx(shapely.area(row), rel=0.02)
    assert shapely.area(two) == pytest.approx(shapely.area(other), rel=0.02)


def test_a_change_beyond_the_rim_moves_nothing():
    parts, _ = mercator_towns(5, 4_000.0)
    z = 12
    own = thin(parts[0], z)
    before = laid(parts, z)[0]
    touching = {g.wkb for other in parts[1:] for g in rim(own, thin(other, z), z)}
    kept = [np.array([g for g in thin(other, z) if g.wkb in touching], dtype=object) for other in parts[1:]]
    assert 0 < sum(map(len, kept)) < sum(map(len, parts[1:]))
    after = lay(own, own[:0], np.concatenate(kept), z)
    assert [g.wkb for g in after] == [g.wkb for g in before]
