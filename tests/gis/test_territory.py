"""What comes in: CRS, hull, households and checks, on inputs small enough to check on paper."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InputError
from gis.territory import check, crs, hull
from gis.territory.households import Lots, Rule, calibrate, estimate
from gis.territory.layers import make_areas, make_buildings, make_sources, make_streets

UTM = "EPSG:32650"
X, Y = 400_000.0, 3_100_000.0


def square(x: float, y: float, side: float = 10.0):
    return shapely.box(X + x, Y + y, X + x + side, Y + y + side)


def line(*points: tuple[float, float]):
    return shapely.LineString([(X + x, Y + y) for x, y in points])


# ------------------------------------------------------------------------------ CRS


@given(st.floats(-179.9, 179.9), st.floats(-79, 83))
def test_utm_keeps_lengths_within_a_thousandth(longitude, latitude):
    code = crs.utm_of(longitude, latitude)
    factors = pyproj.Proj(code).get_factors(longitude, latitude)
    assert abs(factors.meridional_scale - 1) < 1.1e-3


@pytest.mark.parametrize(
    ("given_crs", "kept"),
    [("EPSG:4547", True), ("EPSG:32649", True), ("EPSG:3857", False), ("EPSG:4326", False), ("EPSG:2263", False)],
)
def test_only_a_faithful_metre_crs_is_kept(given_crs, kept):
    """Changsha: its 3-degree Gauss-Krüger zone and its UTM zone; never Mercator, degrees or others' feet."""
    corner = pyproj.Transformer.from_crs(4326, given_crs, always_xy=True)
    points = [corner.transform(112.9 + d, 28.2) for d in (0, 0.01, 0.02)]
    if not np.isfinite(points).all():
        pytest.skip("this CRS has no such place")
    sources = make_sources(given_crs, streets=make_streets([shapely.LineString(points)]))
    assert crs.metre_crs(sources) == (given_crs if kept else "EPSG:32649")


def test_a_projected_crs_far_from_its_meridian_is_not_kept():
    far = pyproj.Transformer.from_crs(4326, 4547, always_xy=True)
    points = [far.transform(lon, 28.2) for lon in (120.0, 120.01)]
    sources = make_sources("EPSG:4547", streets=make_streets([shapely.LineString(points)]))
    assert crs.metre_crs(sources) == "EPSG:32651"


def test_a_territory_s_long_edges_bend_with_the_projection():
    area = shapely.box(112.9, 28.1, 113.0, 28.2)
    made = crs.project(make_sources("EPSG:4326", streets=make_streets([area.exterior]), territory=area), "EPSG:32649")
    middle = crs.reproject(np.array([shapely.Point(112.95, 28.2)], dtype=object), "EPSG:4326", "EPSG:32649")[0]
    assert made.territory.boundary.distance(middle) < 0.01


# ------------------------------------------------------------------------------ hull


def rows_of_houses(n: int = 12, m: int = 12, step: float = 40.0):
    return [square(i * step, j * step) for i in range(n) for j in range(m)]


def test_the_hull_holds_the_buildings_and_is_one_piece():
    houses = rows_of_houses()
    area = hull.territory_of(make_sources(UTM, buildings=make_buildings(houses), streets=make_streets([])))
    assert area.geom_type == "Polygon"
    assert not area.interiors
    assert shapely.contains(area, houses).all()
    assert area.area < 1.3 * 450 * 450


def test_a_way_that_runs_far_out_is_left_out():
    roads = [line((0, -20), (470, -20)), line((470, -20), (9_000, -20))]
    area = hull.territory_of(
        make_sources(UTM, buildings=make_buildings(rows_of_houses()), streets=make_streets(roads))
    )
    assert area.bounds[2] < X + 600


def test_half_a_percent_of_lonely_buildings_may_stay_outside():
    houses = [*rows_of_houses(20, 20), square(50_000, 0), square(0, 50_000)]
    area = hull.territory_of(make_sources(UTM, buildings=make_buildings(houses)))
    assert shapely.contains(area, houses).sum() == 400
    assert area.area < 1e6


def test_two_halves_across_a_river_are_one_territory():
    houses = [*rows_of_houses(), *(shapely.transform(h, lambda p: p + np.array([900, 0])) for h in rows_of_houses())]
    area = hull.territory_of(make_sources(UTM, buildings=make_buildings(houses)))
    assert area.geom_type == "Polygon"
    assert shapely.contains(area, houses).all()


def test_the_edge_runs_along_streets_round_a_lived_in_block():
    ring = line((0, 0), (200, 0), (200, 200), (0, 200), (0, 0))
    area = hull.territory_of(
        make_sources(UTM, buildings=make_buildings([square(95, 95)]), streets=make_streets([ring]))
    )
    block = shapely.Polygon(ring.coords)
    assert area.contains(block)
    assert area.difference(block.buffer(2 * hull.MARGIN)).area < 1


def test_no_footprint_is_cut_by_the_hull():
    houses = [*rows_of_houses(), shapely.box(X - 150, Y, X + 5, Y + 4)]
    area = hull.territory_of(make_sources(UTM, buildings=make_buildings(houses)))
    assert shapely.contains(area, houses).all()


def test_streets_alone_give_what_they_enclose():
    ring = line((0, 0), (200, 0), (200, 200), (0, 200), (0, 0))
    roads = [ring, line((200, 100), (5_000, 100))]
    area = hull.territory_of(make_sources(UTM, streets=make_streets(roads)))
    assert area.equals(shapely.Polygon(ring.coords))


def test_communities_come_before_everything():
    areas = [square(0, 0, 100), square(100, 0, 100)]
    sources = make_sources(
        UTM, communities=make_areas(areas), buildings=make_buildings([square(5_000, 0)]), territory=square(0, 0, 9)
    )
    assert hull.territory_of(sources).area == 20_000


# ------------------------------------------------------------------------------ households


def test_each_source_in_its_order():
    ten = [square(0, 0)] * 9
    b = make_buildings(
        ten,
        use=["apartments", "apartments", "apartments", "apartments", "apartments", "school", "yes", "yes", "garage"],
        name=["", "", "", "", "", "", "第一小学", "", ""],
        households=[7, *[np.nan] * 8],
        occupied_households=[5, 3, *[np.nan] * 7],
        dwellings=[9, np.nan, 12, *[np.nan] * 6],
        levels=[np.nan] * 3 + [6, np.nan, 6, 6, 6, 6],
        height=[np.nan] * 4 + [9.2, *[np.nan] * 4],
    )
    found = estimate(b, Rule(low=50, middle=60, unknown_share=0.5))
    assert list(found.source) == [
        "given", "given", "dwellings", "levels", "height", "none", "none", "levels", "none",
    ]  # fmt: skip
    assert list(found.households) == [7, 3, 12, 10, 6, 0, 0, 5, 0]
    assert list(found.counted) == [5, 3, 12, 10, 6, 0, 0, 5, 0]


@pytest.mark.parametrize(
    ("side", "levels", "lived_in"), [(5, 1, False), (10, 2, True), (80, 2, False), (40, 34, False), (40, 30, True)]
)
def test_unknown_use_is_lived_in_where_that_is_plausible(side, levels, lived_in):
    found = estimate(make_buildings([square(0, 0, side)], use=["yes"], levels=[levels]))
    assert (found.households[0] > 0) == lived_in


def test_a_point_without_a_number_holds_nobody():
    found = estimate(make_buildings([shapely.Point(X, Y)], use=["house"]))
    assert (found.households[0], found.source[0]) == (0, "none")


def test_work_is_households_and_the_weights_given():
    b = make_buildings([square(0, 0)] * 2, work={"work_shops": [4.0, np.nan]}, households=[10, 3])
    assert list(estimate(b).work) == [14, 3]


def test_texts_are_plain():
    found = estimate(make_buildings([square(0, 0)], use=["house"]))
    assert type(found.source[0]) is str


def test_calibration_finds_the_area_it_was_made_with():
    rng = np.random.default_rng(5)
    levels = rng.choice([2, 5, 12], 900).astype(float)
    dwellings = rng.integers(1, 40, 900).astype(float)
    size = np.where(levels == 2, 120.0, np.where(levels == 5, 80.0, 95.0))
    lots = Lots(dwellings * size, dwellings * size, levels, dwellings)
    found = calibrate(lots)
    assert (found.rule.low, found.rule.middle, found.rule.high) == pytest.approx((120, 80, 95), abs=1.5)
    assert found.total_error < 0.01


# ------------------------------------------------------------------------------ check


def drawn(**layers):
    blank = {
        "buildings": make_buildings([square(20, 20), square(60, 60)]),
        "streets": make_streets([line((0, 0), (100, 0)), line((0, 0), (0, 100))]),
    }
    return make_sources(UTM, **{**blank, **layers})


def reasons(sources) -> list[tuple[str, str]]:
    return [(e.source_id, e.reason) for e in check.check(sources).excluded]


def test_the_same_street_drawn_backwards_is_left_out_and_the_greater_class_stays():
    streets = make_streets(
        [line((0, 0), (100, 0)), line((100, 0), (0, 0))], source_id=["lane", "road"], highway=["service", "primary"]
    )
    assert reasons(drawn(streets=streets)) == [("lane", "duplicate")]


def test_equal_footprints_count_once_unless_both_say_how_many_live_there():
    twice = [square(0, 0), square(0, 0)]
    assert reasons(drawn(buildings=make_buildings(twice))) == [("1", "duplicate")]
    assert reasons(drawn(buildings=make_buildings(twice, households=[np.nan, 3]))) == [("0", "duplicate")]
    assert reasons(drawn(buildings=make_buildings(twice, households=[3, 4]))) == []


def test_slivers_between_communities_are_repaired():
    areas = make_areas([square(0, 0, 100), shapely.box(X + 100.004, Y, X + 200, Y + 100)])
    made = check.check(drawn(communities=areas)).communities.geometry
    assert shapely.coverage_is_valid(made)
    assert shapely.union_all(made).geom_type == "Polygon"


@pytest.mark.parametrize("gap", [-5.0, 5.0])
def test_real_overlaps_and_gaps_are_not(gap):
    ring = [
        shapely.box(X, Y, X + 300, Y + 100), shapely.box(X, Y + 200, X + 300, Y + 300),
        shapely.box(X, Y + 100, X + 100, Y + 200), shapely.box(X + 100 + gap, Y + 100, X + 300, Y + 200),
    ]  # fmt: skip
    with pytest.raises(InputError) as fault:
        check.check(drawn(communities=make_areas(ring)))
    assert fault.value.code == ("input.overlap" if gap < 0 else "input.hole")


@given(st.integers(-90, 90), st.integers(91, 179))
def test_degrees_in_the_wrong_order_are_seen(x, y):
    points = np.array([shapely.Point(x, y)], dtype=object)
    with pytest.raises(InputError, match="swapped"):
        check.check_coordinates(points, "EPSG:4326", "streets")
    check.check_coordinates(shapely.transform(points, lambda p: p[:, ::-1]), "EPSG:4326", "streets")


def test_a_metre_crs_that_is_asked_for():
    assert check.prepare(drawn(), "EPSG:32651").crs == "EPSG:32651"
    for wrong in ("EPSG:4326", "EPSG:3857", "EPSG:2263", "nonsense"):
        with pytest.raises(InputError, match="crs"):
            check.prepare(drawn(), wrong)
