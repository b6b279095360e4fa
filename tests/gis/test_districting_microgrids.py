"""Micro-grids: drawn buildings that can be checked on paper, the exact cut against all cuts, invariants."""

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.blocks.model import AtomSet, Segments
from gis.districting.microgrids import (
    BLOCKS,
    BUILDINGS,
    SAME_STAIR,
    STAIRS,
    USUAL,
    YARDS,
    Homes,
    Prices,
    cut,
    micro_code,
    micro_grids,
    micro_name,
    short_path,
)
from gis.districting.microshapes import micro_shapes, slice_shapes
from gis.districting.rulesets import Bounds
from gis.districting.slices import Structure, cells_of, structure_of, supposed_units
from gis.territory.layers import make_buildings


def homes(households, units=1, floors=1, x=None, y=None, grid=0, block=0, yard=-1, counted=None):
    """Buildings in a row, 20 m apart, unless said otherwise."""
    n = len(households)

    def full(value, kind=np.int64):
        return np.broadcast_to(np.array(value, kind), n).copy()

    return Homes(
        full(households),
        full(households if counted is None else counted),
        Structure(full(units), full(floors), np.ones(n, bool)),
        full(np.arange(n) * 20.0 if x is None else x, float),
        full(0 if y is None else y, float),
        full(grid),
        full(block),
        full(yard),
    )


def rows(micro):
    s = micro.slices
    return [
        tuple(int(v) for v in r)
        for r in zip(s.micro, s.building, s.unit, s.floor_from, s.floor_to, s.counted, strict=True)
    ]


# --- slices ------------------------------------------------------------------------------------------------------


def test_two_stairs_of_eleven_floors_have_two_doors_a_landing():
    cells = cells_of(Structure(np.array([2]), np.array([11]), np.array([True])), np.array([44]), np.array([44]))
    assert cells.households.tolist() == [2] * 22
    # up the first stair, down the second: every row adjoins the one before
    assert cells.floor.tolist() == [*range(1, 12), *range(11, 0, -1)] or cells.floor.tolist() == [
        *range(11, 0, -1),
        *range(1, 12),
    ]
    assert cells.floor[-1] == 1  # left at the ground


def test_a_building_of_three_stairs_is_left_at_the_ground_too():
    cells = cells_of(Structure(np.array([3]), np.array([4]), np.array([True])), np.array([24]), np.array([24]))
    assert cells.floor.tolist() == [4, 3, 2, 1, 1, 2, 3, 4, 4, 3, 2, 1]


def test_uneven_households_are_spread_as_evenly_as_whole_numbers_allow():
    cells = cells_of(Structure(np.array([2]), np.array([3]), np.array([True])), np.array([13]), np.array([9]))
    per_stair = np.bincount(cells.unit, cells.households)[1:]
    assert sorted(per_stair.tolist()) == [6, 7]
    assert cells.counted.sum() == 9
    assert (cells.counted <= cells.households).all()


def test_stairs_are_supposed_where_nobody_counted_them():
    # 48 households on 6 storeys, two on a landing: 4 stairs; a house; 72 on 18 with lifts, four on a landing: one
    assert supposed_units(np.array([48, 2, 72]), np.array([6, 2, 18])).tolist() == [4, 1, 1]


def test_structure_comes_from_the_columns_first():
    boxes = [shapely.box(0, 0, 30, 12)] * 3
    buildings = make_buildings(
        geometry=boxes,
        source_id=["a", "b", "c"],
        use=["apartments", "apartments", "house"],
        levels=[6, np.nan, np.nan],
        floors=[np.nan, 11, np.nan],
        units=[3, np.nan, np.nan],
    )
    found = structure_of(buildings, np.array([36, 44, 1]))
    assert found.units.tolist() == [3, 1, 1]
    assert found.floors.tolist() == [6, 11, 1]
    assert found.given.tolist() == [True, False, False]


# --- one building, checked on paper ------------------------------------------------------------------------------


def test_each_stair_of_twelve_is_a_micro_grid():
    micro = micro_grids(homes([48], 4, 6))
    assert micro.counted.tolist() == [12] * 4
    assert sorted((b, u, lo, hi) for _, b, u, lo, hi, _ in rows(micro)) == [(0, u, 1, 6) for u in (1, 2, 3, 4)]


def test_two_stairs_of_twenty_two_become_four_halves_not_three_mixtures():
    micro = micro_grids(homes([44], 2, 11))
    assert sorted(micro.counted.tolist()) == [10, 10, 12, 12]
    assert all(np.bincount(micro.slices.micro) == 1)  # every micro-grid lies in one stair


def test_two_stairs_of_eighteen_share_a_storey():
    micro = micro_grids(homes([36], 2, 6))
    assert micro.counted.tolist() == [12, 12, 12]
    shared = [r for r in rows(micro) if r[0] == 1]
    assert {(u, lo, hi) for _, _, u, lo, hi, _ in shared} in ({(1, 5, 6), (2, 5, 6)}, {(1, 1, 2), (2, 1, 2)})


def test_two_stairs_of_six_are_joined():
    micro = micro_grids(homes([24], 4, 6))  # 6 to a stair
    assert micro.counted.tolist() == [12, 12]
    assert len(rows(micro)) == 4  # no stair is divided


# --- neighbours ---------------------------------------------------------------------------------------------------


def test_a_yard_is_not_left_before_it_is_full():
    # two compounds of twelve houses drawn in a checkerboard: position alone would mix them
    yard = [k % 2 for k in range(24)]
    micro = micro_grids(homes([1] * 24, yard=yard))
    assert micro.counted.tolist() == [12, 12]
    sides = [{yard[b] for m, b, *_ in rows(micro) if m == k} for k in (0, 1)]
    assert sides in ([{0}, {1}], [{1}, {0}])


def test_a_block_is_kept_together():
    block = [0] * 11 + [1] * 13
    micro = micro_grids(homes([1] * 24, block=block))
    assert sorted(micro.counted.tolist()) == [11, 13]
    assert all(len({block[b] for m, b, *_ in rows(micro) if m == k}) == 1 for k in (0, 1))


def test_a_house_of_twelve_is_not_mixed_with_its_neighbours():
    micro = micro_grids(homes([1] * 12 + [12], [1] * 12 + [1], [1] * 12 + [6]))
    assert micro.counted.tolist() == [12, 12]
    assert [len({b for m, b, *_ in rows(micro) if m == k}) for k in micro.slices.micro[[0, -1]]] in ([12, 1], [1, 12])


def test_no_micro_grid_reaches_over_a_border_between_grids():
    micro = micro_grids(homes([1] * 24, grid=[0] * 12 + [1] * 12))
    assert micro.grid.tolist() == [0, 1]
    assert micro.number.tolist() == [1, 1]


def test_what_cannot_be_met_is_named():
    def reasons(case):
        return [(e.reason, e.proven) for e in micro_grids(case).exceptions]

    assert reasons(homes([9])) == [("small_grid", True)]
    assert reasons(homes([40])) == [("large_floor", True)]
    assert reasons(homes([1] * 17)) == [("no_number_fits", True)] * len(reasons(homes([1] * 17)))
    assert set(reasons(homes([32], 1, 4))) == {("whole_floors", True)}  # 8 on each of four floors: 8, 16, ...
    # a landing of 8 at each end of the grid, five houses of 13 between: 8 + 8 is too many, 8 alone too few
    apart = reasons(homes([8, 13, 13, 2], x=[0, 100, 200, 300]))
    assert apart == [("neighbours", False)] or apart == [("neighbours", False)] * 2


def test_households_without_residents_are_held_too_but_do_not_count():
    micro = micro_grids(homes([20], 1, 10, counted=[12]))
    assert micro.counted.tolist() == [12]
    assert micro.households.tolist() == [20]


def test_nobody_lives_here():
    micro = micro_grids(homes([0, 0]))
    assert len(micro) == 0
    assert len(micro.slices) == 0
    assert micro.exceptions == ()


def test_codes_and_names():
    assert micro_code("439901001005012", 3, 40) == "43990100100501203"
    assert micro_code("439901001005012", 3, 104) == "439901001005012003"
    assert micro_name(3) == "第三微网格"


# --- the cut is exact ---------------------------------------------------------------------------------------------


def price(level, metres, counted, cuts, bounds, prices):
    """The documented cost of one way to cut, written down a second time."""
    half = max((bounds.maximum - bounds.minimum) / 2, 0.5)
    total = 0.0
    for a, b in itertools.pairwise([0, *cuts, len(counted)]):
        held = sum(counted[a:b])
        total += prices.outside * max(bounds.minimum - held, held - bounds.maximum, 0)
        total += prices.spans[max([0, *level[a + 1 : b]])] * held / bounds.target
        total += prices.metre * sum(metres[a + 1 : b]) + ((held - bounds.target) / half) ** 2
    for c in cuts:
        total += {SAME_STAIR: prices.cut_stair + prices.cut_building, STAIRS: prices.cut_building}.get(level[c], 0)
    return total


LEVELS = (SAME_STAIR, STAIRS, BUILDINGS, YARDS, BLOCKS)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEVELS), st.integers(0, 60), st.integers(0, 6)), min_size=1, max_size=10))
def test_no_way_to_cut_a_line_is_cheaper(line):
    level, metres, counted = (list(c) for c in zip(*line, strict=True))
    bounds, prices = Bounds(5, 6, 8), Prices()
    run, cost = cut(np.array(level), np.array(metres, float), np.array(counted), bounds, prices)
    found = np.flatnonzero(np.diff(run)) + 1
    assert cost == pytest.approx(price(level, metres, counted, found.tolist(), bounds, prices))
    every = (c for k in range(len(line)) for c in itertools.combinations(range(1, len(line)), k))
    assert cost == pytest.approx(min(price(level, metres, counted, list(c), bounds, prices) for c in every))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=30))
def test_a_path_visits_every_point_once(points):
    x, y = (np.array(c, float) for c in zip(*points, strict=True))
    assert sorted(short_path(x, y, -10.0, 50.0).tolist()) == list(range(len(points)))


BUILDING = st.tuples(
    st.integers(0, 60), st.integers(1, 4), st.integers(1, 9), st.integers(0, 2), st.integers(0, 3), st.integers(-1, 2)
)


@settings(max_examples=100, deadline=None)
@given(st.lists(BUILDING, min_size=1, max_size=25), st.randoms(use_true_random=False))
def test_every_household_is_in_exactly_one_micro_grid(drawn, lots):
    h, units, floors, grid, block, yard = (list(c) for c in zip(*drawn, strict=True))
    block = [4 * g + b for g, b in zip(grid, block, strict=True)]  # a block lies in one grid here
    counted = [lots.randint(0, v) for v in h]
    x = [lots.uniform(0, 500) for _ in h]
    y = [lots.uniform(0, 500) for _ in h]
    case = homes(h, units, floors, x, y, grid, block, yard, counted)
    micro = micro_grids(case)
    s = micro.slices
    n = len(h)
    assert np.bincount(s.building, s.households, minlength=n).astype(int).tolist() == h
    assert np.bincount(s.building, s.counted, minlength=n).astype(int).tolist() == counted
    assert np.bincount(s.micro, s.counted, minlength=len(micro)).astype(int).tolist() == micro.counted.tolist()
    assert (case.grid[s.building] == micro.grid[s.micro]).all()
    # floors of a stair are taken once each
    taken = [(b, u, f) for _, b, u, lo, hi, _ in rows(micro) for f in range(lo, hi + 1)]
    assert len(taken) == len(set(taken))
    # in range, or named
    amiss = (micro.counted < USUAL.minimum) | (micro.counted > USUAL.maximum)
    assert sorted(e.micro for e in micro.exceptions) == np.flatnonzero(amiss).tolist()
    again = micro_grids(case)
    assert all((getattr(s, f) == getattr(again.slices, f)).all() for f in ("building", "unit", "floor_from", "micro"))


@settings(max_examples=60, deadline=None)
@given(st.integers(20, 400))
def test_a_row_of_houses_always_fits_where_the_number_does(n):
    assert micro_grids(homes([1] * n)).exceptions == ()


def test_practice_figures():
    # 西湖街道: 1,012 stewards of 10-15 households each; 麓谷街道: 666 micro-grids in 75 grids
    assert (1012 * USUAL.minimum, 1012 * USUAL.maximum) == (10_120, 15_180)
    assert pytest.approx(8.9, abs=0.05) == 666 / 75
    micro = micro_grids(homes([12] * 1012, 1, 6, x=np.arange(1012) % 40 * 30.0, y=np.arange(1012) // 40 * 30.0))
    assert len(micro) == 1012
    assert 10_120 <= micro.counted.sum() <= 15_180


# --- shapes -------------------------------------------------------------------------------------------------------


def drawn_atoms(shapes):
    n = len(shapes)
    nobody = np.zeros(0, np.int32)
    return AtomSet(
        "EPSG:4547", np.array(shapes, object), np.zeros(n, np.int32), np.zeros(n, np.int32),
        np.arange(n, dtype=np.int32),
        Segments(nobody, nobody, np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, np.int8), np.zeros(0, np.int8),
                 nobody),
        np.zeros(n), np.array([], object),
    )  # fmt: skip


def test_parts_of_a_building_tile_its_cell():
    cell = shapely.box(0, 0, 60, 40)
    case = homes([36], 2, 6)
    micro = micro_grids(case)
    atoms = drawn_atoms([cell])
    shapes = slice_shapes(
        micro, case.structure, np.array([shapely.box(10, 10, 50, 22)], object), np.array([0]), atoms
    )
    assert shapely.area(shapes).sum() == pytest.approx(cell.area)
    assert shapely.area(shapely.union_all(shapes)) == pytest.approx(cell.area)
    whole = micro_shapes(micro, shapes)
    assert len(whole) == 3
    assert {g.geom_type for g in whole} == {"MultiPolygon"}
    assert shapely.area(whole).sum() == pytest.approx(cell.area)


def test_a_building_given_as_a_point_is_drawn_too():
    case = homes([24], 2, 6)
    micro = micro_grids(case)
    atoms = drawn_atoms([shapely.box(0, 0, 60, 40)])
    shapes = slice_shapes(micro, case.structure, np.array([shapely.Point(30, 20)], object), np.array([0]), atoms)
    assert shapely.area(shapes).sum() == pytest.approx(2400)
