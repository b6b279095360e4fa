"""Low zooms on decoded tiles: grids of a tile neither overlap nor leave a gap, to the last tile unit."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from gis.tiles import encode
from gis.tiles.columns import build
from gis.tiles.coverage import simplify
from gis.tiles.pyramid import HALF, bounds, unit

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
