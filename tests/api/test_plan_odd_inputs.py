"""Inputs as they really come: odd places, odd shapes, layers that do not fit. Each gives a plan that stands."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely

from api.services.plans.planning import Job, plan_file, ruleset_of


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


drawn, second = beside("drawn_town"), beside("plan_check")
X, Y = drawn.X, drawn.Y


def somewhere_else(east: float, north: float) -> dict:
    """The drawn town moved by degrees; longitudes beyond the antimeridian wrap round."""

    def move(points):
        x = points[:, 0] + east
        return np.column_stack([np.where(x > 180, x - 360, x), points[:, 1] + north])

    layers = {k: v.to_crs(4326) for k, v in drawn.frames().items()}
    return {k: v.set_geometry(shapely.transform(v.geometry.to_numpy(), move), crs=4326) for k, v in layers.items()}


def with_one_more(layer, geometry, source_id: str):
    row = layer.iloc[[0]].assign(source_id=source_id).set_geometry([geometry], crs=layer.crs)
    return geopandas.GeoDataFrame(pd.concat([layer, row], ignore_index=True), crs=layer.crs)


def at_null_island() -> dict:
    layers = {k: v.to_crs(4326) for k, v in drawn.frames().items()}
    layers["buildings"] = with_one_more(layers["buildings"], shapely.box(0, 0, 1e-4, 1e-4), "zero")
    layers["streets"] = with_one_more(layers["streets"], shapely.LineString([(0, 0), (0.01, 0.01)]), "zero")
    return layers


def buildings(change) -> dict:
    layers = drawn.frames()
    return {**layers, "buildings": change(layers["buildings"])}


def footways() -> dict:
    layers = drawn.frames()
    return {**layers, "streets": layers["streets"].assign(highway="footway")}


def barrier(shape) -> dict:
    layer = geopandas.GeoDataFrame({"kind": ["water"]}, geometry=[shape], crs=drawn.CRS)
    return {**drawn.frames(), "barriers": layer}


WEST_OF_180 = 180 - 115.99


ODD = {
    "southern hemisphere": (lambda: somewhere_else(0, -60), 36, 0),
    "across the antimeridian": (lambda: somewhere_else(WEST_OF_180, 0), 36, 0),
    "far north": (lambda: somewhere_else(-110, 42), 36, 0),
    "a feature at 0, 0": (at_null_island, 36, 1),
    "points for buildings": (lambda: buildings(lambda b: b.set_geometry(b.centroid)), 36, 0),
    "one building": (lambda: buildings(lambda b: b.iloc[:1]), 1, 0),
    "all in one place": (lambda: buildings(lambda b: b.set_geometry([b.geometry[0]] * 36)), 36, 0),
    "overlapping": (lambda: buildings(lambda b: b.set_geometry(b.buffer(70, join_style="mitre"))), 36, 0),
    "across streets": (lambda: buildings(lambda b: b.set_geometry(b.translate(95, 0))), 36, 0),
    "nobody at home": (lambda: buildings(lambda b: b.assign(households=0)), 36, 0),
    "too many in each": (lambda: buildings(lambda b: b.assign(households=100_000)), 36, 0),
    "footways only": (footways, 36, 0),
    "a lake": (lambda: barrier(shapely.box(X + 100, Y + 100, X + 500, Y + 500)), 36, 0),
    "a river": (lambda: barrier(shapely.box(X - 500, Y + 290, X + 1500, Y + 310)), 36, 0),
    "communities apart": (
        lambda: {**drawn.frames(), "communities": drawn.communities([(0, 0, 1, 3), (2, 0, 3, 3)])}, 24, 12,
    ),
    "communities at a corner": (
        lambda: {**drawn.frames(), "communities": drawn.communities([(0, 0, 1, 1), (1, 1, 3, 3)])}, 20, 16,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_an_odd_input_gives_a_plan_that_stands(tmp_path, name):
    make, held, left_out = ODD[name]
    drawn.write(tmp_path / "in.gpkg", make())
    job = Job(ruleset_of("default"), iterations=1)
    plan_file(tmp_path / "in.gpkg", tmp_path / "out.gpkg", job, report=tmp_path / "out.json")
    report = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert second.check_plan(tmp_path / "in.gpkg", tmp_path / "out.gpkg", report) == []
    assert report["buildings"] == held
    assert sum(e["features"] for e in report["excluded"] if e["layer"] == "buildings") == left_out
