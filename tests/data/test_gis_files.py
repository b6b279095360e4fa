"""Reading GeoPackages as they are found: other spellings, other types, other CRSs, single faults."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from data.files import read_sources
from data.gis_files import read_geopackage, read_territory


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawn = beside("drawn_town")


@pytest.fixture
def read(tmp_path):
    def go(**changed):
        layers = {**drawn.frames(), **changed}
        drawn.write(tmp_path / "a.gpkg", {k: v for k, v in layers.items() if v is not None})
        return read_geopackage(tmp_path / "a.gpkg")

    return go


def test_ids_are_source_id_else_osm_id_else_the_feature_s(read):
    buildings = drawn.frames()["buildings"]
    assert read().buildings.source_id[0] == "b0"
    osm = buildings.drop(columns="source_id").assign(osm_id=np.arange(36) + 4_000_000_000)
    assert read(buildings=osm).buildings.source_id[0] == "4000000000"
    assert (
        read(buildings=osm.assign(osm_id=lambda f: f["osm_id"].astype(float))).buildings.source_id[0] == "4000000000"
    )
    assert read(buildings=osm.drop(columns="osm_id")).buildings.source_id[0] == "1"
    osm.loc[0, "osm_id"] = np.nan
    assert read(buildings=osm).buildings.source_id[0] == "fid:1"


def test_spellings_of_openstreetmap_exports(read):
    buildings = drawn.frames()["buildings"].rename(columns={"use": "Building"})
    buildings = buildings.assign(**{"addr:housenumber": "12", "addr_street": "梨园巷", "building:levels": "6"})
    streets = drawn.frames()["streets"].assign(is_bridge=1.0, is_tunnel=np.nan, oneway="no", layer="-1")
    found = read(buildings=buildings, streets=streets)
    b, s = found.buildings, found.streets
    assert (b.use[0], b.housenumber[0], b.street[0], b.levels[0]) == ("apartments", "12", "梨园巷", 6)
    assert (s.bridge[0], s.tunnel[0], s.oneway[0], s.layer[0]) == (True, False, False, -1)


def test_numbers_written_as_text(read):
    buildings = drawn.frames()["buildings"].assign(households="40", height="18 m", levels="about six", work_shops="2")
    b = read(buildings=buildings).buildings
    assert (b.households[0], b.height[0], b.work["work_shops"][0]) == (40, 18, 2)
    assert np.isnan(b.levels[0])


def test_lines_in_parts_and_heights(read):
    streets = drawn.frames()["streets"]
    x, y = drawn.X, drawn.Y
    two = shapely.MultiLineString([[(x, y, 5), (x + 9, y, 5)], [(x + 20, y, 5), (x + 30, y, 5)]])
    streets.loc[0, "geometry"] = two
    s = read(streets=streets).streets
    assert list(s.source_id[:2]) == ["s0", "s0"]
    assert not shapely.has_z(s.geometry).any()


def test_kinds_of_barriers(read):
    x, y = drawn.X, drawn.Y
    line, area = shapely.LineString([(x, y), (x + 9, y)]), shapely.box(x, y, x + 9, y + 9)
    kinds = ["river", "RAIL", "fence", "hope", None, "water"]
    frame = geopandas.GeoDataFrame(
        {"source_id": [f"k{i}" for i in range(6)], "kind": kinds, "waterway": [None] * 4 + ["canal", None]},
        geometry=[line] * 5 + [area],
        crs=drawn.CRS,
    )
    found = read(barriers=frame)
    told = dict(zip(found.barriers.source_id, found.barriers.kind, strict=True))
    assert told == {"k0": "water", "k1": "rail", "k2": "wall", "k4": "water", "k5": "water"}
    assert [(e.source_id, e.reason) for e in found.excluded] == [("k3", "unknown_kind")]


def test_every_layer_comes_out_in_one_crs(read):
    layers = drawn.frames()
    found = read(streets=layers["streets"].to_crs(4547), communities=drawn.communities([(0, 0, 3, 3)]).to_crs(4326))
    assert found.crs == "EPSG:32650"
    assert shapely.hausdorff_distance(found.streets.geometry[0], layers["streets"].geometry[0]) < 1e-3
    assert found.communities.code[0] == "430104007000"


def test_a_crs_that_has_no_code(read):
    local = "+proj=tmerc +lat_0=0 +lon_0=117 +k=1 +x_0=500000 +y_0=0 +ellps=GRS80 +units=m +no_defs"
    layers = {k: v.to_crs(local) for k, v in drawn.frames().items()}
    assert len(read(**layers).buildings) == 36


def test_points_are_buildings_too(read):
    buildings = drawn.frames()["buildings"]
    buildings = buildings.set_geometry(buildings.centroid)
    assert (shapely.get_type_id(read(buildings=buildings).buildings.geometry) == 0).all()


def test_layer_names_in_capitals(tmp_path):
    layers = drawn.frames()
    drawn.write(tmp_path / "a.gpkg", {"Buildings": layers["buildings"], "STREETS": layers["streets"]})
    assert len(read_geopackage(tmp_path / "a.gpkg").buildings) == 36


def test_the_digest_covers_input_and_territory(tmp_path):
    drawn.write(tmp_path / "a.gpkg", drawn.frames())
    drawn.write(tmp_path / "t.gpkg", {"area": drawn.communities([(0, 0, 1, 3)])})
    alone, both = read_sources(tmp_path / "a.gpkg"), read_sources(tmp_path / "a.gpkg", tmp_path / "t.gpkg")
    assert alone.digest != both.digest
    assert len(alone.digest) == 64
    assert alone.territory is None
    assert both.territory.area == pytest.approx(200 * 600)


def test_a_territory_in_any_format(tmp_path):
    area = drawn.communities([(0, 0, 1, 3), (1, 0, 2, 3)]).to_crs(4326)
    area.to_file(tmp_path / "t.geojson", driver="GeoJSON")
    found = read_territory(tmp_path / "t.geojson", drawn.CRS)
    assert found.geom_type == "Polygon"
    assert found.area == pytest.approx(400 * 600, rel=1e-4)
