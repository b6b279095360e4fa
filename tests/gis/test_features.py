"""GeoJSON written by compiled code, and filters in CQL2 text."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import InputError
from gis.features import cql2, geojson, references
from gis.features.boxes import Boxes

SHAPES = [
    shapely.Point(1.5, -2),
    shapely.LineString([(0, 0), (1, 0.25)]),
    shapely.Polygon([(0, 0), (9, 0), (9, 9)], [[(5, 1), (6, 1), (6, 2)]]),
    shapely.MultiPoint([(0, 0), (1, 2)]),
    shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]]),
    shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]),
    shapely.Polygon(),
]


def test_every_kind_of_geometry():
    written = geojson.geometries([s.wkb for s in SHAPES], mercator=False, decimals=4)
    assert written[0] == b'{"type":"Point","coordinates":[1.5,-2]}'
    for text, shape in zip(written, SHAPES, strict=True):
        assert json.loads(text)["type"] == shape.geom_type
        assert shapely.equals_exact(shapely.from_geojson(text), shape)
    swapped = geojson.geometries([SHAPES[0].wkb], mercator=False, decimals=4, swap=True)
    assert swapped == [b'{"type":"Point","coordinates":[-2,1.5]}']
    assert geojson.geometries([], mercator=True, decimals=8) == []


def test_what_geojson_cannot_hold_is_refused():
    for bad in (shapely.GeometryCollection([SHAPES[0]]).wkb, SHAPES[1].wkb + b"\0"):
        with pytest.raises(ValueError, match="cannot hold"):
            geojson.geometries([bad], mercator=False, decimals=4)


@settings(deadline=None, max_examples=100)
@given(st.floats(-2e7, 2e7), st.floats(-2e7, 2e7), st.sampled_from([0, 1, 4, 8]))
def test_numbers_are_rounded_as_python_rounds_them(x, y, decimals):
    (text,) = geojson.geometries([shapely.Point(x, y).wkb], mercator=False, decimals=decimals)
    got = json.loads(text)["coordinates"]
    assert np.abs(np.array(got) - [x, y]).max() <= 0.5 * 10.0**-decimals + 1e-8
    assert b"-0," not in text
    assert not any(p.endswith("0") and "." in p for p in text.decode().strip("]}").split("[")[1].split(","))


@settings(deadline=None, max_examples=50)
@given(st.floats(-180, 180), st.floats(-85, 85))
def test_mercator_to_degrees_and_back(lon, lat):
    from gis.locate.datums import transformer

    x, y = transformer("EPSG:4326", "EPSG:3857").transform(lon, lat)
    (text,) = geojson.geometries([shapely.Point(x, y).wkb], mercator=True, decimals=8)
    assert json.loads(text)["coordinates"] == pytest.approx([lon, lat], abs=1e-8)


def test_filters_bind_as_the_standard_says():
    found = cql2.parse("a = 1 OR b < 2 AND NOT c LIKE 'x%'")
    assert isinstance(found, cql2.Either)
    assert isinstance(found.terms[1], cql2.All)
    assert found.terms[1].terms[1] == cql2.Not(cql2.Like(cql2.Property("c"), cql2.Literal("x%")))
    assert cql2.parse("(a = 1 OR b < 2) AND c IS NULL").terms[1] == cql2.IsNull(cql2.Property("c"))
    assert cql2.parse("\"and\" = 'it''s'") == cql2.Comparison("=", cql2.Property("and"), cql2.Literal("it's"))
    assert cql2.parse("a NOT IN (1, -2.5, 3e2)").term.values == (
        cql2.Literal(1), cql2.Literal(-2.5), cql2.Literal(300.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "(", "a", "a =", "a = 1 AND", "a = 'x", "S_INTERSECTS(a, b)", "a LIKE 5", "a IN ()", "1e999 = a", "a = 1; b",
     "POINT(1 2)", "S_INTERSECTS(g, POLYGON((0 0, 1 0)))", "a LIKE 'x\\'", "a -- b", "TRUE =", "a NOT", "a = \0",
     "S_WITHIN(g, BBOX(3,3,1,1))", "DATE('2020-13-01') = a", "a BETWEEN 1", "NOT", "a = b = c"],
)  # fmt: skip
def test_filters_that_cannot_be_read_name_the_place(text):
    with pytest.raises(InputError, match=r"features\.filter"):
        cql2.parse(text)


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="abANDORNOT()=<>'\"%\\,. 10S_INTERSECTS(POINT", max_size=60))
def test_no_text_does_more_than_fail(text):
    with contextlib.suppress(InputError):
        cql2.parse(text)


def test_references():
    assert references.parse(references.CRS84) == references.LONLAT
    assert references.parse("http://www.opengis.net/def/crs/EPSG/0/4547").swap
    assert not references.parse("EPSG:32650").swap
    (box,) = references.box("112,28,113,29", references.LONLAT)
    assert shapely.bounds(box) == pytest.approx((12467782.97, 3248973.79, 12579102.46, 3375646.03), abs=0.5)
    assert len(references.box("170,-10,-170,10", references.LONLAT)) == 2


@settings(deadline=None)
@given(
    drawn=st.lists(st.tuples(*[st.integers(-50, 50)] * 4), max_size=300),
    around=st.tuples(*[st.integers(-50, 50)] * 4),
    lacking=st.sets(st.integers(0, 299), max_size=5),
)
def test_meeting_boxes_are_those_of_a_plain_search(drawn, around, lacking):
    made = np.array([(min(w, e), min(s, n), max(w, e), max(s, n)) for w, s, e, n in drawn], float).reshape(-1, 4)
    made[[k for k in lacking if k < len(made)]] = np.nan
    west, south, east, north = min(around[::2]), min(around[1::2]), max(around[::2]), max(around[1::2])
    found, inside = Boxes(made).meeting((west, south, east, north))
    w, s, e, n = made.T
    meets = (w <= east) & (e >= west) & (s <= north) & (n >= south)
    lies_in = (w >= west) & (e <= east) & (s >= south) & (n <= north)
    assert found.tolist() == np.flatnonzero(meets).tolist()
    assert inside.tolist() == lies_in[found].tolist()


def test_boxes_on_paper():
    boxes = Boxes(np.array([[0, 0, 1, 1], [2, 2, 3, 3], [1, 1, 4, 4], [9, 9, 9, 9]], float))
    found, inside = boxes.meeting((1, 1, 3, 3))  # touches the first, holds the second, is crossed by the third
    assert (found.tolist(), inside.tolist()) == ([0, 1, 2], [False, True, False])
    assert len(Boxes(np.empty((0, 4))).meeting((0, 0, 9, 9))[0]) == 0
