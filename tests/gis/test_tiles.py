"""Tile arithmetic against known tiles, and simplification that leaves no gap."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InputError
from gis.tiles.colour import tones
from gis.tiles.coverage import ZOOMS, dissolve, simplify
from gis.tiles.pyramid import HALF, bounds, check, covering, mercator, tile_at, unit


def test_known_tiles():
    assert tile_at(0, 0, 0) == (0, 0)
    assert tile_at(1, -0.001, 0.001) == (0, 0)
    assert tile_at(18, 139.7006793, 35.6590699) == (232798, 103246)  # the example of OpenStreetMap's wiki
    assert bounds(0, 0, 0) == (-HALF, -HALF, HALF, HALF)
    assert bounds(1, 1, 0) == (0.0, 0.0, HALF, HALF)
    assert unit(0) == pytest.approx(2 * HALF / 4096)


@given(st.floats(-179.9, 179.9), st.floats(-85, 85), st.integers(0, 18))
def test_a_position_lies_in_its_tile(lon, lat, z):
    west, south, east, north = bounds(z, *tile_at(z, lon, lat))
    x, y = mercator(np.array([lon]), np.array([lat]))
    assert west - 1e-6 <= x[0] <= east + 1e-6
    assert south - 1e-6 <= y[0] <= north + 1e-6


def test_covering_goes_row_by_row():
    assert covering(1, -10, -10, 10, 10) == [(0, 0), (1, 0), (0, 1), (1, 1)]


@pytest.mark.parametrize("tile", [(-1, 0, 0), (19, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0)])
def test_no_such_tile(tile):
    with pytest.raises(InputError, match=r"tiles[.]unknown"):
        check(*tile)


def test_simplified_grids_leave_no_gap_and_no_overlap():
    rng = np.random.default_rng(5)
    n = 12
    x, y = np.meshgrid(np.arange(n + 1) * 335.0, np.arange(n + 1) * 335.0)
    x, y = x + rng.uniform(-80, 80, x.shape), y + rng.uniform(-80, 80, y.shape)
    seams = {}

    def seam(a, b):
        """The wiggly line between two lattice corners, the same from both sides."""
        key = (min(a, b), max(a, b))
        if key not in seams:
            (j0, i0), (j1, i1) = key
            t = np.linspace(0, 1, 12)[:, None]
            line = np.array([x[j0, i0], y[j0, i0]]) * (1 - t) + np.array([x[j1, i1], y[j1, i1]]) * t
            line[1:-1] += rng.uniform(-6, 6, (10, 2))
            seams[key] = np.round(line, 2)
        return seams[key] if a < b else seams[key][::-1]

    areas = []
    for j in range(n):
        for i in range(n):
            corners = [(j, i), (j, i + 1), (j + 1, i + 1), (j + 1, i), (j, i)]
            areas.append(shapely.Polygon(np.vstack([seam(a, b) for a, b in itertools.pairwise(corners)])))
    areas = np.array(areas, dtype=object)
    assert shapely.coverage_is_valid(areas)
    for z in ZOOMS:
        simpler = simplify(areas, z)
        assert shapely.coverage_is_valid(simpler)
        assert not shapely.is_empty(simpler).any()
        whole = shapely.union_all(simpler)
        assert shapely.area(simpler).sum() == pytest.approx(shapely.area(whole), rel=1e-12)
        assert not list(whole.interiors)
    assert shapely.get_num_coordinates(simplify(areas, 12)).sum() < shapely.get_num_coordinates(areas).sum() / 3


def test_neighbours_differ_in_tone():
    """A board of squares needs two tones; squares that meet at a corner only are no neighbours."""
    board = np.array([shapely.box(x, y, x + 1, y + 1) for y in range(20) for x in range(20)], dtype=object)
    tone = tones(board).reshape(20, 20)
    assert (tone[:, 1:] != tone[:, :-1]).all()
    assert (tone[1:] != tone[:-1]).all()
    assert tone.min() >= 0
    assert tone.max() <= 5


def test_dissolve_keeps_shared_borders_only():
    board = np.array([shapely.box(x, 0, x + 1, 1) for x in range(4)], dtype=object)
    whole = dissolve(board, np.array([1, 0, 0, 1]), 2)
    assert [g.geom_type for g in whole] == ["Polygon", "MultiPolygon"]
    assert shapely.area(whole).tolist() == [2.0, 2.0]
