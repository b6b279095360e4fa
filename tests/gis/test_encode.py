"""Our vector tiles, read back by an independent decoder."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from gis.tiles.columns import build, join
from gis.tiles.encode import layer, table
from gis.tiles.pyramid import bounds

TILE = (14, 13333, 6832)


def place(geometry, tile=TILE):
    """A shape drawn in tile units (y downwards) as EPSG:3857."""
    west, _, east, north = bounds(*tile)
    unit = (east - west) / 4096
    return shapely.transform(geometry, lambda xy: np.array([west, north]) + xy * [unit, -unit])


def read(body):
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": True})


def encode(geometries, ids=None, **columns):
    made = np.empty(len(geometries), dtype=object)
    made[:] = [place(g) for g in geometries]
    ids = range(1, len(made) + 1) if ids is None else ids
    return read(layer("things", TILE, ids, columns, made))["things"]["features"]


def test_every_kind_of_shape_and_value():
    shapes = [
        shapely.Polygon([(10, 10), (50, 10), (50, 50), (10, 50)], [[(20, 20), (30, 20), (30, 30), (20, 30)]]),
        shapely.MultiPolygon([shapely.box(100, 100, 110, 110), shapely.box(200, 200, 220, 220)]),
        shapely.LineString([(0, 0), (100, 50), (200, 0)]),
        shapely.MultiLineString([[(0, 0), (10, 0)], [(20, 20), (30, 30)]]),
        shapely.Point(7, 9),
        shapely.MultiPoint([(1, 2), (3, 4)]),
    ]
    columns = {
        "name": ["一", "b", "", "d", None, "一"],
        "n": [0, 5, 300, -7, 2**40, None],
        "x": [1.5, -2.25, None, 0.0, 1.0, 2.0],
        "yes": [True, False, None, True, True, False],
    }
    found = encode(shapes, ids=[3, 1, 2**33, 200, 7, 8], **columns)
    assert [f["id"] for f in found] == [3, 1, 2**33, 200, 7, 8]
    for k, f in enumerate(found):
        assert shape(f["geometry"]).equals(shapes[k]), f
        assert f["properties"] == {name: column[k] for name, column in columns.items() if column[k] is not None}
        assert {n: type(v) for n, v in f["properties"].items()} == {
            n: type(c[k]) for n, c in columns.items() if c[k] is not None
        }


def test_what_lies_beyond_the_buffer_is_cut_off():
    (wide,) = encode([shapely.box(-10_000, 100, 10_000, 200)])
    assert shape(wide["geometry"]).equals(shapely.box(-64, 100, 4160, 200))
    (line,) = encode([shapely.LineString([(-1000, 5), (5000, 5)])])
    assert shape(line["geometry"]).equals(shapely.LineString([(-64, 5), (4160, 5)]))
    assert read(layer("t", TILE, [1], {}, np.array([place(shapely.Point(-100, 5))], dtype=object))) == {}
    assert read(layer("t", TILE, [1], {}, np.array([place(shapely.box(5000, 0, 6000, 9))], dtype=object))) == {}


def test_what_rounds_to_nothing_is_left_out():
    shapes = [shapely.box(10, 10, 10.2, 10.2), shapely.box(10, 10, 20, 10.1), shapely.box(1, 1, 3, 3)]
    assert [f["id"] for f in encode(shapes)] == [3]
    holed = shapely.Polygon([(10, 10), (50, 10), (50, 50), (10, 50)], [[(20, 20), (20.1, 20), (20.1, 20.1)]])
    (found,) = encode([holed])
    assert len(shape(found["geometry"]).interiors) == 0


def test_spikes_are_taken_out():
    """Rounding may lay two edges on one another; the ring must not run out and back."""
    spiked = [(10, 10), (50, 10), (50, 30), (80, 30.2), (50, 30.4), (50, 50), (10, 50)]
    (found,) = encode([shapely.Polygon(spiked)])
    assert shape(found["geometry"]).is_valid
    assert shape(found["geometry"]).equals(shapely.box(10, 10, 50, 50))


def test_both_winding_orders_draw_the_same():
    ring = [(10, 10), (50, 10), (50, 50), (10, 50)]
    one, other = encode([shapely.Polygon(ring), shapely.Polygon(ring[::-1])])
    assert shape(one["geometry"]).equals(shape(other["geometry"]))


corner = st.tuples(st.integers(-600, 4700), st.integers(-600, 4700))


@settings(max_examples=150)
@given(st.lists(corner, min_size=3, max_size=9))
def test_area_survives_for_any_polygon(corners):
    drawn = shapely.convex_hull(shapely.MultiPoint(corners))
    if drawn.geom_type != "Polygon":
        return
    exact = shapely.intersection(drawn, shapely.box(-64, -64, 4160, 4160))
    body = layer("t", TILE, [1], {}, np.array([place(drawn)], dtype=object))
    found = read(body).get("t", {}).get("features", [])
    area = sum(shape(f["geometry"]).area for f in found)
    assert area == pytest.approx(exact.area, abs=1.0 + exact.length)


def test_a_coverage_stays_one_when_cut_and_rounded():
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(np.arange(0, 13) * 400.0 - 400, np.arange(0, 13) * 400.0 - 400)
    x, y = x + rng.uniform(-120, 120, x.shape), y + rng.uniform(-120, 120, y.shape)
    cells = [
        shapely.Polygon([(x[a, b], y[a, b]) for a, b in ((j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i))])
        for j in range(12)
        for i in range(12)
    ]
    found = np.array([shape(f["geometry"]) for f in encode(cells)], dtype=object)
    assert shapely.is_valid(found).all()
    whole = shapely.union_all(found)
    assert shapely.area(found).sum() == pytest.approx(whole.area, abs=1e-6)
    assert whole.area == pytest.approx(4224**2, rel=2e-3)
    assert not list(whole.interiors)


def walk(draw, n):
    """A jagged ring around a middle, never crossing itself: radii drawn one by one."""
    radii = draw(st.lists(st.integers(40, 3000), min_size=n, max_size=n))
    angles = 2 * np.pi * np.arange(n) / n
    x, y = draw(st.integers(-500, 4600)), draw(st.integers(-500, 4600))
    return np.round(np.column_stack([x + radii * np.cos(angles), y + radii * np.sin(angles)])), (x, y), min(radii)


@st.composite
def stars(draw):
    """A star-shaped polygon, at times with a hole and with a second part far off."""
    ring, (x, y), least = walk(draw, draw(st.integers(3, 24)))
    holes = []
    if draw(st.booleans()):
        r = least * 0.3
        holes = [[(x - r, y - r), (x + r, y - r), (x, y + r)]]
    made = shapely.Polygon(ring, holes)
    if draw(st.booleans()):
        made = shapely.MultiPolygon([made, shapely.box(9000, 100, 9100, 200)])
    return made


WINDOW = shapely.box(-64, -64, 4160, 4160)


@settings(max_examples=200, deadline=None)
@given(stars())
def test_polygons_are_cut_as_geos_cuts_them(drawn):
    """Holes, several pieces, corners of the tile: the same area as an exact intersection, within its outline."""
    if not drawn.is_valid:
        return
    exact = shapely.intersection(drawn, WINDOW)
    body = layer("t", TILE, [1], {}, np.array([place(drawn)], dtype=object))
    found = read(body).get("t", {}).get("features", [])
    if exact.area < 2:
        return
    (one,) = found
    made = shapely.make_valid(shape(one["geometry"]))
    assert made.symmetric_difference(exact).area <= 1.0 + exact.length
    if exact.area > 50 * exact.length:  # no sliver
        assert made.hausdorff_distance(exact) <= 1.5


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(corner, min_size=2, max_size=12), min_size=1, max_size=3))
def test_lines_are_cut_as_geos_cuts_them(lines):
    drawn = shapely.MultiLineString(lines)
    exact = shapely.intersection(drawn, WINDOW)
    body = layer("t", TILE, [1], {}, np.array([place(drawn)], dtype=object))
    found = [shape(f["geometry"]) for f in read(body).get("t", {}).get("features", [])]
    if exact.length < 2:
        return
    (one,) = found
    assert one.hausdorff_distance(exact) <= 1.5
    assert one.within(WINDOW)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(corner, st.sampled_from(["a", "b", None]), st.booleans()), min_size=1, max_size=30))
def test_chosen_features_are_written_alone(rows):
    """A choice, and the zoom from which each shows, leave the others as they are."""
    points = np.array([place(shapely.Point(p)) for p, _, _ in rows], dtype=object)
    names, chosen = [n for _, n, _ in rows], np.array([c for _, _, c in rows])
    zoom = [14 if k % 3 else 15 for k in range(len(rows))]
    columns = build(range(1, len(rows) + 1), {"name": names}, points, zoom=zoom)
    body = table("t", TILE, columns, chosen=chosen)
    found = read(body).get("t", {}).get("features", [])
    inside = [WINDOW.covers(shapely.Point(p)) for p, _, _ in rows]
    expected = [k + 1 for k in range(len(rows)) if chosen[k] and inside[k] and zoom[k] <= 14]
    assert [f["id"] for f in found] == expected
    assert [f["properties"].get("name") for f in found] == [names[k - 1] for k in expected]


def test_joined_tables_write_what_they_held():
    one = build([1, 2], {"n": [5, 6]}, np.array([place(shapely.Point(1, 1)), place(shapely.box(5, 5, 9, 9))]))
    other = build([3], {"n": [6]}, np.array([place(shapely.LineString([(0, 0), (7, 7)]))]), hidden=None)
    found = read(table("t", TILE, join([one, other])))["t"]["features"]
    assert [(f["id"], f["properties"]["n"], f["geometry"]["type"]) for f in found] == [
        (1, 5, "Point"), (2, 6, "Polygon"), (3, 6, "LineString"),
    ]  # fmt: skip
    assert len(join([one, other])) == 3


def test_hidden_columns_serve_filters_only():
    made = build(
        [1, 2, 3],
        {"name": ["a", "b", None], "yes": [True, False, None]},
        np.array([place(shapely.Point(k, k)) for k in range(3)]),
        hidden={"code": ["7", "8", "7"]},
    )
    assert made.where(["name", "code"], ["b", "7"]).tolist() == [True, True, True]
    assert made.where(["yes"], ["true"]).tolist() == [True, False, False]
    assert made.where(["name"], ["nothing"]).tolist() == [False] * 3
    assert "code" not in read(table("t", TILE, made))["t"]["features"][0]["properties"]
