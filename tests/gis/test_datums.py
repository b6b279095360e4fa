"""Datums: exact inverses against an independent implementation, axis order, refusals."""

from __future__ import annotations

import numpy as np
import prcoords
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InputError
from gis.locate.datums import (
    Datum,
    bd09_to_gcj02,
    from_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    parse,
    point_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)

METRE = 1.0 / 111_320.0  # degrees of latitude


def metres(lon0, lat0, lon1, lat1):
    return np.hypot((lon1 - lon0) * np.cos(np.radians(lat0)), lat1 - lat0) / METRE


@pytest.fixture
def points():
    rng = np.random.default_rng(7)
    return rng.uniform(75, 134, 4000), rng.uniform(19, 53, 4000)


def test_forward_agrees_with_prcoords(points):
    lon, lat = points
    x, y = wgs84_to_gcj02(lon, lat)
    bx, by = gcj02_to_bd09(x, y)
    for k in range(0, len(lon), 40):
        theirs = prcoords.wgs_gcj(prcoords.Coords(lat[k], lon[k]))
        assert metres(theirs.lon, theirs.lat, x[k], y[k]) < 1e-3
        theirs = prcoords.gcj_bd(theirs)
        assert metres(theirs.lon, theirs.lat, bx[k], by[k]) < 1e-3


@pytest.mark.parametrize("name", ["gcj02", "bd09"])
def test_inverse_within_a_centimetre(points, name):
    lon, lat = points
    datum = Datum(name)
    back = to_wgs84(*from_wgs84(lon, lat, datum), datum)
    assert metres(lon, lat, *back).max() < 1e-5
    forward = prcoords.wgs_gcj if name == "gcj02" else prcoords.wgs_bd
    x, y = from_wgs84(lon, lat, datum)
    for k in range(0, len(lon), 20):  # their forward shift of our answer must meet the input again
        theirs = forward(prcoords.Coords(back[1][k], back[0][k]))
        assert metres(theirs.lon, theirs.lat, x[k], y[k]) < 1e-3


def test_inverse_agrees_with_the_independent_inverse(points):
    """prcoords stops its own iteration a little early for BD-09 (1.5 cm far north); GCJ-02 is within 1 cm."""
    lon, lat = points
    x, y = wgs84_to_gcj02(lon, lat)
    ours = gcj02_to_wgs84(x, y)
    for k in range(0, len(lon), 40):
        theirs = prcoords.gcj_wgs_bored(prcoords.Coords(y[k], x[k]))
        assert metres(theirs.lon, theirs.lat, ours[0][k], ours[1][k]) < 0.01


def test_the_shift_is_what_makes_a_guess_wrong():
    lon, lat = np.array([112.94]), np.array([28.19])
    assert 538 < metres(lon, lat, *wgs84_to_gcj02(lon, lat))[0] < 676
    assert 1128 < metres(lon, lat, *from_wgs84(lon, lat, Datum("bd09")))[0] < 1283


@given(st.floats(73, 136), st.floats(3, 53.5))
def test_round_trip_everywhere(lon, lat):
    x, y = np.array([lon]), np.array([lat])
    assert metres(x, y, *gcj02_to_wgs84(*wgs84_to_gcj02(x, y)))[0] < 1e-4
    assert metres(x, y, *bd09_to_gcj02(*gcj02_to_bd09(x, y)))[0] < 1e-4


@pytest.mark.parametrize("name", ["gcj02", "bd09", "wgs84", "cgcs2000"])
def test_outside_china_nothing_moves(name):
    lon, lat = to_wgs84(np.array([24.94]), np.array([60.17]), parse(name))
    assert (lon[0], lat[0]) == (24.94, 60.17)


def test_easting_comes_first_whatever_the_axis_order():
    """EPSG:4547 prints northing first, EPSG:4490 latitude first: neither matters."""
    datum = parse("EPSG:4547")
    assert datum.projected
    lon, lat = to_wgs84(np.array([394964.0]), np.array([3123286.0]), datum)
    assert 112 < lon[0] < 114
    assert 28 < lat[0] < 29
    lon, lat = to_wgs84(np.array([112.9]), np.array([28.2]), parse("epsg:4490"))
    assert (lon[0], lat[0]) == pytest.approx((112.9, 28.2))


@pytest.mark.parametrize("name", ["wgs84", "cgcs2000", "gcj02", "bd09", "EPSG:4547", "EPSG:3857"])
def test_one_position_is_read_like_many(points, name):
    datum = parse(name)
    x, y = (v[:200] for v in from_wgs84(*points, datum))
    lon, lat = to_wgs84(x, y, datum)
    for k in range(200):
        assert point_to_wgs84(float(x[k]), float(y[k]), datum) == (lon[k], lat[k])
    assert point_to_wgs84(float("nan"), 1.0, datum) is None
    assert point_to_wgs84(1.0, float("inf"), datum) is None


def test_impossible_coordinates_are_nan():
    lon, lat = to_wgs84(np.array([28.2, 500000.0]), np.array([112.9, 1.0]), parse("wgs84"))
    assert np.isnan(lon).all()
    assert np.isnan(lat).all()
    assert np.isnan(to_wgs84(np.array([np.nan]), np.array([1.0]), parse("gcj02"))[0]).all()


@pytest.mark.parametrize("text", [None, "", "  "])
def test_datum_is_required(text):
    with pytest.raises(InputError, match=r"lookup[.]datum_missing"):
        parse(text)


@pytest.mark.parametrize("text", ["gps", "EPSG:", "EPSG:999999", "EPSG:12x", "ESRI:102100", "EPSG:4978", "EPSG:٤٣٢٦"])
def test_unknown_datum_is_refused(text):
    with pytest.raises(InputError, match=r"lookup[.]datum_unknown"):
        parse(text)
