"""The synthetic city: an exact coverage, a true graph, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from data.samples.city import make
from data.samples.city.cells import WALL, cells_of
from data.samples.city.homes import GATED, PARK, TOWER, VILLA, WALK_UP
from data.samples.city.streets import Land, area_of, half


@pytest.fixture(scope="module")
def city():
    return make(1000, 3)


def test_atoms_tile_the_city_without_gap_or_overlap(city):
    assert shapely.is_valid(city.geometry).all()
    assert shapely.coverage_is_valid(city.geometry)
    whole = shapely.coverage_union_all(city.geometry)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    assert abs(len(city.geometry) / 1000 - 1) < 0.2


def test_the_graph_is_what_the_polygons_share(city):
    rng = np.random.default_rng(1)
    some = rng.choice(len(city.heads), 200, replace=False)
    a, b = city.geometry[city.heads[some]], city.geometry[city.tails[some]]
    shared = shapely.length(shapely.intersection(a, b))
    np.testing.assert_allclose(city.metres[some].sum(axis=1), shared, atol=1e-6)
    touching = shapely.STRtree(city.geometry).query(city.geometry, predicate="intersects")
    low, high = touching[:, touching[0] < touching[1]]
    along = shapely.length(shapely.intersection(city.geometry[low], city.geometry[high])) > 1e-6
    pairs = set(zip(low[along].tolist(), high[along].tolist(), strict=True))
    assert pairs == set(zip(city.heads.tolist(), city.tails.tolist(), strict=True))


def test_the_city_is_of_one_piece_with_streets_between_blocks(city):
    n = len(city.households)
    joined = coo_matrix((np.ones(len(city.heads)), (city.heads, city.tails)), shape=(n, n))
    assert connected_components(joined, directed=False)[0] == 1
    within = city.block[city.heads] == city.block[city.tails]
    assert not city.metres[within, 1:].any()
    assert not city.metres[~within, 0].any()
    assert city.metres.sum(axis=0).min() > 0  # of every class


def test_streets_are_the_borders_between_blocks_each_once(city):
    assert shapely.is_simple(city.streets).all()
    assert shapely.length(city.streets).sum() == pytest.approx(city.metres[:, 1:].sum())
    borders = shapely.union_all(shapely.boundary(city.geometry)).buffer(1e-6)
    assert shapely.difference(shapely.union_all(city.streets), borders).length == 0


def test_households_are_a_citys(city):
    by_use = {use: city.households[city.use == use] for use in (VILLA, WALK_UP, TOWER, PARK, GATED)}
    assert by_use[VILLA].max() <= 2
    assert by_use[TOWER].min() >= 80
    assert not by_use[PARK].any()
    assert all(len(held) for held in by_use.values())
    block = np.bincount(city.block, city.households)
    assert 0.1 <= block[block > 600].sum() / block.sum() <= 0.4
    assert city.households.max() <= 300  # no building is a grid of its own


def test_one_seed_one_city_another_seed_another():
    first, again, other = make(200, 5), make(200, 5), make(200, 6)
    assert shapely.to_wkb(first.geometry).tolist() == shapely.to_wkb(again.geometry).tolist()
    assert (first.households == again.households).all()
    assert len(first.households) != len(other.households) or (first.households != other.households).any()


def test_a_square_cut_in_two():
    square = Land(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]), np.arange(4))
    west = half(square, np.array([1.0, 0.0]), 1.0, 9)
    assert area_of(west.ring) == 4.0
    assert west.line.tolist() == [0, 9, 2, 3]


def test_two_cells_in_a_square_meet_at_a_wall():
    square = Land(np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]), np.arange(4))
    cells = cells_of([square], np.array([0, 0]), np.array([[1.0, 2.0], [3.0, 2.0]]))
    wall = cells.line == WALL
    assert wall.sum() == 2
    assert sorted(cells.corner[cells.begin[wall]][:, 0].tolist()) == [2.0, 2.0]
    assert len(cells.corner) == 6
