"""check, blocks and atoms as commands of their own."""

from __future__ import annotations

import pyogrio
import pytest
import shapely
from click.testing import CliRunner

from api.cli.main import cli
from tests import drawn_town as drawn


@pytest.fixture
def town(tmp_path):
    path = tmp_path / "town.gpkg"
    drawn.write(path, drawn.frames())
    return path


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setenv("WANGGE_LANG", "en")
    return lambda *words: CliRunner().invoke(cli, [str(w) for w in words])


def test_check_says_what_is_there_and_what_is_left_out(run, tmp_path):
    frames = drawn.frames()
    west, south, east, north = frames["buildings"].geometry[0].bounds
    crossing = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    frames["buildings"].loc[0, "geometry"] = crossing
    drawn.write(tmp_path / "t.gpkg", frames)
    answer = run("check", tmp_path / "t.gpkg", "--list")
    assert answer.exit_code == 0, answer.output
    assert f"buildings: {len(frames['buildings']) - 1}" in answer.output
    assert "crosses itself" in answer.output


def test_blocks_hold_all_households(run, town, tmp_path):
    answer = run("blocks", town, "-o", tmp_path / "blocks.gpkg")
    assert answer.exit_code == 0, answer.output
    blocks = pyogrio.read_dataframe(tmp_path / "blocks.gpkg", layer="blocks")
    assert blocks.households.sum() == drawn.frames()["buildings"].households.sum()
    assert shapely.coverage_is_valid(blocks.geometry.to_numpy())


def test_atoms_are_an_input_of_plan_and_edges_have_their_metres(run, town, tmp_path):
    assert run("atoms", town, "-o", tmp_path / "atoms.gpkg").exit_code == 0
    atoms = pyogrio.read_dataframe(tmp_path / "atoms.gpkg", layer="atoms").set_index("source_id")
    edges = pyogrio.read_dataframe(tmp_path / "atoms.gpkg", layer="edges")
    metres = edges.filter(like="m_").sum(axis=1)
    for left, right, length in list(zip(edges.left, edges.right, metres, strict=True))[::7]:
        shared = atoms.geometry[left].boundary.intersection(atoms.geometry[right].boundary).length
        assert shared == pytest.approx(length, abs=1e-6)
    answer = run("plan", tmp_path / "atoms.gpkg", "-o", tmp_path / "plan.gpkg", "--iterations", "1")
    assert answer.exit_code in (0, 3), answer.output
    grids = pyogrio.read_dataframe(tmp_path / "plan.gpkg", layer="grids")
    assert grids.households.sum() == atoms.households.sum()


def test_the_input_is_never_overwritten(run, town):
    before = town.read_bytes()
    answer = run("atoms", town, "-o", town)
    assert answer.exit_code != 0
    assert town.read_bytes() == before
