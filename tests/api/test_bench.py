"""The benchmark command: bars, rows for every bar, words in both languages."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from api.cli.bench import NAMES, bench, line_of
from benchmarks import atoms
from benchmarks.runner import Figure, figure, report, write_json


@pytest.mark.parametrize(
    ("value", "better", "floor", "met"),
    [
        (19.0, "low", 20.0, True),
        (21.0, "low", 20.0, False),
        (0.9, "high", 0.8, True),
        (True, "equal", True, True),
        (False, "equal", True, False),
        (None, "low", 20.0, False),
        (5, "low", None, None),
    ],
)
def test_a_figure_is_held_against_its_floor(value, better, floor, met):
    assert figure("f", value, "s", better=better, floor=floor).met is met


def test_a_figure_that_a_quick_run_leaves_out_is_neither_met_nor_missed():
    left_out = figure("f", None, "s", better="low", floor=20.0, left_out=True)
    assert (left_out.floor, left_out.met) == (20.0, None)


def test_every_bar_has_a_row_even_without_a_result():
    rows = atoms._rows(atoms.QUEENS, {}, {})
    floors = {r.name.split(": ")[1]: r.floor for r in rows if r.floor is not None}
    assert floors == {
        "file to atoms and graph, one core": 20.0,
        "peak memory": 600.0,
        "coverage valid": True,
        "holes": 0,
        "multiparts": 0,
        "buildings unaccounted for": 0,
        "footprints cut by more than 5 %": 0.002,
        "atoms under 2 m wide, share of area": 1e-6,
        "graph against a slow exact method": 1e-6,
    }
    assert all(r.met is False for r in rows if r.floor is not None)


def test_the_peers_figures_stand_beside_ours():
    ours = {"cpu_s": 12.0, "peak_mb": 500.0, "valid": True, "unaccounted": 0}
    rows = atoms._rows(atoms.QUEENS, ours, {"cpu_s": 112.0, "peak_mb": 691, "valid": False, "lost": 7})
    assert [(r.peer, r.peer_value) for r in rows[:3]] == [("momepy", 112.0), ("momepy", 691), ("momepy", False)]


def test_the_report_has_the_contracts_shape(tmp_path):
    content = report([Figure("a", 1.0, "s")], 1.26, {"python": "3"}, (0.1, 0.2, 0.3))
    assert set(content) == {"figures", "machine", "versions", "seconds"}
    assert set(content["figures"][0]) == {"name", "value", "unit", "peer", "peer_value", "floor", "aim", "met"}
    write_json(tmp_path / "r.json", content)
    assert json.loads((tmp_path / "r.json").read_text())["seconds"] == 1.3
    assert [p.name for p in tmp_path.iterdir()] == ["r.json"]


def test_lines_for_people_in_both_languages():
    row = {"name": "x", "value": 21.0, "unit": "s", "floor": 20.0, "met": False, "peer": "p", "peer_value": None}
    assert line_of(row, "en") == "x: 21 s · bar 20: MISSED · p: not measured"
    assert "未达到" in line_of(row, "zh-CN")
    row = {**row, "value": None, "met": None}
    assert line_of(row, "en") == "x: not measured s · bar 20: left out by --quick · p: not measured"


def test_an_unknown_benchmark_is_refused_with_the_names():
    result = CliRunner().invoke(bench, ["nonsense"])
    assert result.exit_code == 2
    assert all(name in result.output for name in NAMES)
