"""The point-in-grid index: hand-drawn ties, exact signs, and GEOS as an independent judge."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st

from gis.locate.index import build, of_arrays
from gis.locate.kernels import side, side_plain


def two_by_two():
    """2 3
    0 1   unit squares of 100 m, the origin bottom left"""
    return np.array([shapely.box(x, y, x + 100, y + 100) for y in (0, 100) for x in (0, 100)], dtype=object)


def oracle(polygons, x, y):
    """Lowest polygon that covers each point, by GEOS."""
    tree = shapely.STRtree(polygons)
    found = np.full(len(x), len(polygons))
    point, polygon = tree.query(shapely.points(x, y), predicate="covered_by")
    np.minimum.at(found, point, polygon)
    return np.where(found == len(polygons), -1, found)


def city(n=12, seed=3, cell=317.0, east=500_000.0, north=3_123_000.0):
    """Irregular quarters on the 1 cm grid (a jittered lattice), one with a hole that another fills."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(n + 1) * cell, np.arange(n + 1) * cell)
    x = np.round(x + rng.uniform(-90, 90, x.shape) + east, 2)
    y = np.round(y + rng.uniform(-90, 90, y.shape) + north, 2)
    quads = [
        shapely.Polygon([(x[a, b], y[a, b]) for a, b in ((j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i))])
        for j in range(n)
        for i in range(n)
    ]
    c = shapely.centroid(quads[5])
    island = shapely.set_precision(shapely.buffer(c, 20), 0.01)
    quads[5] = shapely.difference(quads[5], island)
    return np.array([*quads, island], dtype=object)


def adversarial(polygons, rng, n):
    """Points on vertices, on edges, and a micrometre beside them."""
    xy = shapely.get_coordinates(polygons)
    k = rng.integers(0, len(xy) - 1, n)
    on = xy[k] + (xy[k + 1] - xy[k]) * rng.choice([0.0, 0.25, 0.5, 1 / 3], n)[:, None]
    return np.vstack([xy[k], on, on + rng.uniform(-1e-6, 1e-6, on.shape), np.round(on, 2)])


def test_a_tie_goes_to_the_lowest():
    index = build(two_by_two())
    x = np.array([50.0, 100.0, 100.0, 150.0, 100.0, 200.0, 0.0])
    y = np.array([50.0, 50.0, 100.0, 100.0, 150.0, 200.0, 0.0])
    assert index.locate(x, y).tolist() == [0, 0, 0, 1, 2, 3, 0]


def test_more_grids_in_a_row_than_a_record_holds():
    """Two hundred strips, 1 m wide and 100 m long, wall to wall: every row of cells is one run of 200 grids."""
    strips = np.array([shapely.box(i, 0, i + 1, 100) for i in range(200)], dtype=object)
    index = build(strips)
    x = np.concatenate([np.arange(201.0), np.arange(200) + 0.5, [-0.001, 200.001]])
    y = np.full(len(x), 50.0)
    assert index.locate(x, y).tolist() == [max(0, i - 1) for i in range(201)] + list(range(200)) + [-1, -1]


def test_a_hole_without_a_grid_and_parts_apart():
    """A ring of 100 m with an empty yard, and a grid of two parts, one of them in the yard's corner."""
    ring = shapely.difference(shapely.box(0, 0, 100, 100), shapely.box(20, 20, 80, 80))
    apart = shapely.multipolygons([shapely.box(20, 20, 30, 30), shapely.box(200, 0, 210, 10)])
    index = build(np.array([ring, apart], dtype=object))
    x = np.array([10.0, 50.0, 20.0, 25.0, 30.0, 79.999, 80.0, 205.0, 150.0])
    y = np.array([50.0, 50.0, 50.0, 25.0, 30.0, 50.0, 50.0, 5.0, 5.0])
    assert index.locate(x, y).tolist() == [0, -1, 0, 1, 1, -1, 0, 1, -1]


def test_outside_and_nonsense():
    index = build(two_by_two())
    x = np.array([-1e-9, 200.00000001, np.nan, np.inf, 1e300, 50.0])
    y = np.array([50.0, 50.0, 50.0, -np.inf, 1e300, -5.0])
    assert (index.locate(x, y) == -1).all()


def test_distances_on_paper():
    index = build(two_by_two())
    x, y = np.array([90.0, 50.0, 300.0]), np.array([40.0, 50.0, 50.0])
    grid = index.locate(x, y)
    assert index.border_metres(x, y, grid)[:2].tolist() == [10.0, 50.0]
    assert np.isnan(index.border_metres(x, y, grid)[2])
    point, grids, metres = index.within(np.array([np.nan, 90.0]), np.array([0.0, 95.0]), 12.0)
    assert point.tolist() == [1, 1, 1, 1]
    assert grids.tolist() == [0, 2, 1, 3]
    assert metres == pytest.approx([0.0, 5.0, 10.0, np.hypot(5, 10)])
    grids, metres = index.nearest(np.array([300.0, 100.0, 250.0]), np.array([50.0, 300.0, 100.0]))
    assert grids.tolist() == [1, 2, 1]
    assert metres == pytest.approx([100.0, 100.0, 50.0])
    assert index.locate_one(90.0, 40.0) == (0, 10.0)
    assert index.locate_one(-1.0, 40.0)[0] == -1


def test_nothing_at_all():
    index = build(np.empty(0, dtype=object))
    assert index.locate(np.array([1.0]), np.array([1.0])).tolist() == [-1]
    assert index.nearest(np.array([1.0]), np.array([1.0]))[0].tolist() == [-1]
    assert index.within(np.array([1.0]), np.array([1.0]), 9.0)[0].tolist() == []
    assert index.locate_one(1.0, 1.0)[0] == -1


@pytest.mark.parametrize("north", [0.0, 3_123_000.0, 6_672_000.0])
def test_agrees_with_geos_everywhere(north):
    polygons = city(north=north)
    index = build(polygons)
    rng = np.random.default_rng(1)
    west, south, east, top = shapely.total_bounds(polygons)
    uniform = np.column_stack([rng.uniform(west - 50, east + 50, 60_000), rng.uniform(south - 50, top + 50, 60_000)])
    xy = np.vstack([uniform, adversarial(polygons, rng, 10_000)])
    found = index.locate(xy[:, 0], xy[:, 1])
    assert (found != oracle(polygons, xy[:, 0], xy[:, 1])).sum() == 0


def test_nearest_agrees_with_geos():
    polygons = city(n=6)
    index = build(polygons)
    rng = np.random.default_rng(2)
    west, south, east, north = shapely.total_bounds(polygons)
    x, y = rng.uniform(west - 900, east + 900, 300), rng.uniform(south - 900, north + 900, 300)
    true = shapely.distance(polygons[None, :], shapely.points(x, y)[:, None])
    grids, metres = index.nearest(x, y)
    assert metres == pytest.approx(true.min(axis=1), abs=1e-6)
    assert true[np.arange(300), grids] == pytest.approx(metres, abs=1e-6)
    point, grids, metres = index.within(x, y, 400.0)
    assert set(zip(point.tolist(), grids.tolist(), strict=True)) == set(
        map(tuple, np.argwhere(true <= 400.0).tolist())
    )
    assert metres == pytest.approx(true[point, grids], abs=1e-6)
    assert (np.lexsort((metres, point)) == np.arange(len(point))).all()
    for k in range(100):
        row, edge = index.locate_one(x[k], y[k])
        assert row == index.locate(x[k : k + 1], y[k : k + 1])[0]
        assert np.isnan(edge) or edge == index.border_metres(x[k : k + 1], y[k : k + 1], np.array([row]))[0]


def test_arrays_carry_everything(tmp_path):
    polygons = city(n=4)
    index = build(polygons)
    for name, part in index.arrays().items():
        np.save(tmp_path / f"{name}.npy", part)
    mapped = of_arrays({name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in index.arrays()})
    rng = np.random.default_rng(4)
    xy = adversarial(polygons, rng, 500)
    assert (mapped.locate(xy[:, 0], xy[:, 1]) == index.locate(xy[:, 0], xy[:, 1])).all()


coordinate = st.floats(-1e7, 1e7, allow_subnormal=False).map(lambda v: 0.0 if abs(v) < 1e-9 else v)


@given(coordinate, coordinate, coordinate, coordinate, st.floats(0, 1), st.integers(-2, 2))
def test_side_is_exact_near_the_line(ax, ay, bx, by, t, ulps):
    px, py = ax + (bx - ax) * t, ay + (by - ay) * t
    for _ in range(abs(ulps)):
        px = float(np.nextafter(px, np.inf if ulps > 0 else -np.inf))
    assume(all(v == 0.0 or abs(v) > 1e-100 for v in (px, py)))  # products must not underflow
    assert side(ax, ay, bx, by, px, py) == side_plain(ax, ay, bx, by, px, py)
