"""The benchmark of plans: measures on drawn graphs, a row for every bar, a whole run on a tiny city."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import cities, partition, partition_real, partition_rows
from benchmarks.graph_measures import judge, objective, wanted
from benchmarks.partition_adjust_one import changed, count


def four_in_a_row(households=(400, 200, 300, 500)):
    """Squares of 100 m in a row: two in block 0, two in block 1; a residential street between the blocks."""
    return {
        "hh": np.array(households),
        "area": np.full(4, 1e4),
        "perim": np.full(4, 400.0),
        "block": np.array([0, 0, 1, 1]),
        "eu": np.array([0, 1, 2]),
        "ev": np.array([1, 2, 3]),
        "el": np.array([[100.0, 0, 0, 0], [0, 100.0, 0, 0], [100.0, 0, 0, 0]]),
    }


def test_a_border_on_the_street():
    found = judge(four_in_a_row(), np.array([7, 7, 9, 9]))
    assert found["grids"] == 2
    assert found["both"] == 0.5  # 600 and 800 households
    assert found["cost"] == 100.0
    assert found["on_street"] == 1.0
    assert found["pp"] == pytest.approx(4 * np.pi * 2e4 / 600**2)
    assert found["cv"] == pytest.approx(100 / 700)


def test_borders_inside_blocks_are_avoidable_where_the_block_is_small():
    found = judge(four_in_a_row(), np.array([0, 1, 1, 2]))
    assert found["cost"] == 800.0
    assert found["on_street"] == 0.0
    assert found["avoidable"] == 0.5  # the block of 800 households has to be cut


def test_a_grid_in_two_pieces_is_seen():
    assert judge(four_in_a_row(), np.array([0, 1, 0, 1]))["contiguous"] == 0.0


def test_the_objective_by_hand():
    part, weights = np.array([0, 0, 1, 1]), (25.0, 250.0, 400.0)
    balance = 25 * (1.0 + (350 / 150) ** 2)
    shape = 2 * 250 * (1 - 4 * np.pi * 2e4 / 600**2)
    assert objective(four_in_a_row(), part, weights) == pytest.approx(100 + balance + shape + 400 * 200)
    assert wanted(four_in_a_row()) == 3


def test_moved_households_are_counted_and_a_silent_change_is_seen():
    city, home, part = four_in_a_row((400, 250, 100, 500)), np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    found = count(city, home, part, [(0, 1)])
    assert found == {"in_range": 0.5, "moved": 250, "least": 50, "at_fault": 1, "touched": 2, "unchanged": True}
    assert count(city, home, part, [(0,)])["unchanged"] is False


def test_a_twentieth_of_the_atoms_change_by_half():
    before = np.full(400, 40)
    after = changed(before, 3)
    assert sorted(set(after.tolist())) == [20, 40, 60]
    assert (after != before).sum() == 20
    assert (changed(before, 3) == after).all()


def test_what_a_quick_run_leaves_out_is_not_a_bar_missed():
    """A fault of what was run is one."""
    tried = partition.Case("10k", 1, Path("c.npz"), ours={"fault": "broken"})
    left_out = {"queens.osm.pbf": {"ours": {"fault": partition_real.LEFT_OUT}}}
    rows = partition_rows.rows([tried], [], left_out, ["10k", "100k"])
    barred = {
        start: [r for r in rows if r.name.startswith(start) and r.floor is not None]
        for start in ("10k", "100k", "queens")
    }
    assert {r.met for r in barred["10k"]} == {False}
    assert {r.met for r in barred["100k"]} == {r.met for r in barred["queens"]} == {None}
    assert all("--quick" in r.name for r in barred["100k"] + barred["queens"])


def test_every_bar_of_the_issue_has_a_row_even_without_a_result():
    rows = partition_rows.rows([], [], {"queens.osm.pbf": {"ours": {"fault": "not here"}}}, ["1k", "10k", "100k"])
    assert len({r.name for r in rows}) == len(rows)
    barred = [r for r in rows if r.floor is not None]
    assert all(r.value is None and r.met is (None if "see --quick" in r.name else False) for r in barred)
    names = " ".join(r.name for r in barred)
    for size in ("1k", "10k", "100k"):
        for what in (
            "grids in range and contiguous",
            "cost against METIS",
            "border on streets",
            "avoidable off-street",
            "mean Polsby-Popper",
            "CV of households",
            "whole solve",
        ):
            assert f"{size}: {what}" in names
    for what in (
        "8 grids or fewer: gap",
        "1k: gap to the bound",
        "exponent",
        "adjust: households moved",
        "within 10 m",
    ):
        assert what in names


def test_a_city_file_reads_back(tmp_path, monkeypatch):
    monkeypatch.setattr(cities, "GENERATOR", tmp_path / "none.py")
    assert cities.generator_name() == cities.OWN
    city = cities.make_city(60, 2)
    cities.save(city, tmp_path / "c.npz")
    again = cities.load(tmp_path / "c.npz")
    assert all((city[k] == again[k]).all() for k in city)
    atom_set, graph = cities.atom_set_of(again)
    assert len(atom_set.geometry) == len(city["hh"])
    assert graph.metres.sum() == pytest.approx(city["el"].sum())
    assert atom_set.segments.metres.sum() == pytest.approx(city["el"].sum())


@pytest.mark.slow
def test_a_tiny_run_from_city_to_rows(tmp_path):
    said: list[str] = []
    sizes = [partition.Size("1k", 60, (11,), ("metis",), (), (1,))]
    (case,) = partition.solve_cities(sizes, {}, tmp_path, said.append)
    assert "fault" not in case.ours
    assert case.ours["both"] == 1.0
    assert case.peers["metis"] == {"fault": "cannot be installed"}
    assert case.curve[1]["objective"] >= case.ours["objective"] - 1e-6
    rows = {r.name: r for r in partition_rows.rows([case], [], {}, ["1k"])}
    assert rows["1k: grids in range and contiguous, or proven impossible, worst seed"].met is True
    assert rows["1k: cost against METIS, median"].value is None
    assert any("1k seed 11" in line for line in said)
