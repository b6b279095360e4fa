"""adjust, repair, rebase and score on files: six atoms in a row, so that every answer is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
from click.testing import CliRunner

from api.cli.main import cli
from api.services.plans import planning
from api.services.plans.adjusting import Change, change_file
from gis.errors import InputError

RULES = planning.ruleset_of("default")
JOB = planning.Job(RULES)
ROOT = Path(__file__).resolve().parents[2]
CRS = "EPSG:32650"
LEFT, BOTTOM = 500_000, 3_000_000
HOUSEHOLDS = [250, 200, 100, 100, 150, 200]  # 550 | 450


def row(n=6, wide=100):
    return [shapely.box(LEFT + i * wide, BOTTOM, LEFT + (i + 1) * wide, BOTTOM + 100) for i in range(n)]


def write_atoms(path, households, **columns):
    table = {"households": households, "block": [f"b{i}" for i in range(len(households))], **columns}
    geopandas.GeoDataFrame(table, geometry=row(len(households)), crs=CRS).to_file(path, layer="atoms")
    return path


def grids_of(path):
    return geopandas.read_file(path, layer="grids").set_index("code")


def atoms_of(path):
    return geopandas.read_file(path, layer="atoms").grid.tolist()


@pytest.fixture
def planned(tmp_path):
    """A repaired drawing of two grids, which is a plan file."""
    drawn = write_atoms(tmp_path / "drawn.gpkg", HOUSEHOLDS, grid=["W", "W", "W", "E", "E", "E"])
    out = tmp_path / "plan.gpkg"
    done = change_file(drawn, drawn, out, JOB, Change(), task="repair")
    assert (done.report["moved_households"], done.exit_status) == (0, 0)
    return out


def test_a_drawing_keeps_its_codes(planned):
    assert atoms_of(planned) == ["W", "W", "W", "E", "E", "E"]
    assert sorted(grids_of(planned).index) == ["E", "W"]


def test_adjust_moves_the_fewest_and_keeps_ids(planned, tmp_path):
    new = write_atoms(tmp_path / "new.gpkg", [300, 250, 100, 100, 150, 200])  # 650 | 450
    out, report = tmp_path / "out.gpkg", tmp_path / "r.json"
    done = CliRunner().invoke(
        cli, ["adjust", str(planned), str(new), "-o", str(out), "--report", str(report), "--choose", "least"]
    )
    assert done.exit_code == 0, done.output
    said = json.loads(report.read_text("utf-8"))
    assert (said["excess"], said["moved_lower_bound"], said["moved_households"]) == (50, 50, 100)
    assert said["at_fault"] == ["W"]
    assert [(s["from"], s["to"], s["households"]) for c in said["chains"] for s in c["steps"]] == [("W", "E", 100)]
    assert atoms_of(out) == ["W", "W", "E", "E", "E", "E"]
    assert grids_of(out).grid_id.to_dict() == grids_of(planned).grid_id.to_dict()


def test_a_new_grid_gets_the_next_code_and_an_id(planned, tmp_path):
    new = write_atoms(tmp_path / "new.gpkg", [500, 400, 100, 100, 150, 200])
    out = tmp_path / "out.gpkg"
    done = change_file(planned, new, out, JOB, Change(choose="least"), task="adjust")
    assert len(done.report["opened"]) == 1
    assert done.report["in_range_share"] == 1.0
    grids = grids_of(out)
    assert {"W", "E"} < set(grids.index)
    assert grids.grid_id.is_unique


def test_repair_mends_a_loose_piece_and_what_is_in_no_grid(tmp_path):
    drawn = write_atoms(tmp_path / "drawn.gpkg", HOUSEHOLDS, grid=["W", "W", "E", "", "E", "W"])
    done = change_file(drawn, drawn, tmp_path / "out.gpkg", JOB, Change(choose="least"), task="repair")
    assert done.report["contiguous_share"] == 1.0
    assert done.report["in_range_share"] == 1.0
    assert done.report["carried"]["untold"] == 1
    assert done.report["moved_households"] == 200  # the loose atom at the east end


def test_score_measures_gaps_and_overlaps_first(tmp_path):
    given = write_atoms(tmp_path / "in.gpkg", HOUSEHOLDS)
    foreign = tmp_path / "foreign.geojson"
    shapes = [
        shapely.box(LEFT, BOTTOM, LEFT + 310, BOTTOM + 100),
        shapely.box(LEFT + 300, BOTTOM, LEFT + 590, BOTTOM + 120),
    ]
    frame = geopandas.GeoDataFrame({"编码": ["A1", "A2"], "名称": ["甲", "乙"]}, geometry=shapes, crs=CRS)
    frame.to_file(foreign)
    done = change_file(foreign, given, None, JOB, Change(mend=False), task="score")
    drawn = done.report["as_drawn"]
    assert drawn["overlap_m2"] == pytest.approx(1000, abs=1)
    assert drawn["gap_m2"] == pytest.approx(1000, abs=1)
    assert drawn["outside_m2"] == pytest.approx(290 * 20, abs=1)
    assert not drawn["seamless"]
    assert done.plan.grids.code.tolist() == ["A1", "A2"]
    assert done.plan.grids.name.tolist() == ["甲", "乙"]
    assert done.plan.grids.counted.tolist() == [550, 450]


def test_rebase_follows_buildings_then_area(tmp_path):
    homes = shapely.buffer(shapely.centroid(np.array(row())), 10, cap_style="square")

    def write(path, ids, atoms, **columns):
        columns = {"households": [100] * len(ids), "source_id": ids, **columns}
        write_atoms(path, HOUSEHOLDS, **atoms)
        geopandas.GeoDataFrame(columns, geometry=homes[: len(ids)], crs=CRS).to_file(path, layer="buildings")
        return path

    old = write(tmp_path / "old.gpkg", list("abcdef"), {"grid": ["W", "W", "W", "E", "E", "E"]})
    plan = tmp_path / "plan.gpkg"
    change_file(old, old, plan, JOB, Change(), task="repair")
    new = write(tmp_path / "new.gpkg", ["a", "b", "x", "c", "d"], {})  # c and d stand one further east now
    moves = tmp_path / "moves.csv"
    done = change_file(plan, new, tmp_path / "out.gpkg", JOB, Change(mend=False), task="rebase", moves=moves)
    assert atoms_of(tmp_path / "out.gpkg") == ["W", "W", "W", "W", "E", "E"]
    assert done.report["carried"] == {"by_building": 4, "by_area": 2, "untold": 0}
    assert done.report["buildings"] == {"moved": 0, "new": 1, "gone": 2}
    with moves.open(encoding="utf-8-sig", newline="") as file:
        assert [(r[0], r[-1]) for r in list(csv.reader(file))[1:]] == [("x", "new"), ("e", "gone"), ("f", "gone")]


def test_bad_input_is_named_and_nothing_written(planned, tmp_path):
    new = write_atoms(tmp_path / "new.gpkg", HOUSEHOLDS)
    out = tmp_path / "out.gpkg"
    nameless = tmp_path / "nameless.geojson"
    geopandas.GeoDataFrame({"x": [1]}, geometry=row(1), crs=CRS).to_file(nameless)
    far = tmp_path / "far.geojson"
    geopandas.GeoDataFrame({"code": ["1"]}, geometry=[shapely.box(6e5, 3e6, 6e5 + 9, 3e6 + 9)], crs=CRS).to_file(far)
    for drawn, code in ((nameless, "no_code"), (far, "elsewhere")):
        with pytest.raises(InputError, match=code):
            change_file(drawn, new, out, JOB, Change(), task="repair")
    with pytest.raises(InputError, match="unknown_locked"):
        change_file(planned, new, out, JOB, Change(locked=["nowhere"]), task="adjust")
    assert not out.exists()
    done = CliRunner().invoke(cli, ["adjust", str(planned), str(new)])
    assert done.exit_code == 2


@pytest.mark.slow
def test_micro_grids_of_a_plan_are_made_again_for_the_next(tmp_path):
    town = ROOT / "data" / "samples" / "town.gpkg"
    plan, out = tmp_path / "plan.gpkg", tmp_path / "next.gpkg"
    planning.plan_file(town, plan, planning.Job(planning.ruleset_of("default", micro=True)))
    done = change_file(plan, town, out, JOB, Change(frontier=False), task="adjust")
    before, after = (geopandas.read_file(file, layer="micro_grids") for file in (plan, out))
    assert sorted(after.code) == sorted(before.code)
    assert done.report["micro"]["micro_grids"] == len(after)
