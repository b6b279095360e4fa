"""Our vector tiles, read back by an independent decoder."""

from __future__ import annotations

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import shape

from gis.tiles.encode import layer
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
