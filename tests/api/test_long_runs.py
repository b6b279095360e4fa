"""Long runs as a person meets them: killed and given again, stopped by Ctrl-C, with a worker lost on the way."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyogrio
import pytest
import shapely

from api.cli import main as command_line
from api.services.plans.partitioning import checkpoint_of
from data.plan_files import read_plan
from data.postgres.connect import new_engine

ROOT = Path(__file__).parents[2]
PATIENCE = 240.0


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


#: Every run that a test started.
RUNS: list[subprocess.Popen] = []


@pytest.fixture(autouse=True)
def _no_run_goes_on():
    """A test that fails leaves no run behind, which would plan for hours."""
    yield
    while RUNS:
        run = RUNS.pop()
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """Nine communities, each some hundredths of a second a round."""
    path = tmp_path_factory.mktemp("board") / "town.gpkg"
    beside("board_town").write_board(path, communities=3, side=16)
    return path


@pytest.fixture(scope="module")
def whole(town, tmp_path_factory) -> bytes:
    """The plan of twelve rounds, made in one go."""
    out = tmp_path_factory.mktemp("whole") / "out.gpkg"
    run = start(town, out, "--iterations", "12")
    assert run.wait(PATIENCE) in (0, 3), words(run, out)
    return grid_column(out)


def start(town: Path, out: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "api.cli.main", "plan", str(town), "-o", str(out), *options]
    report = ["--report", str(out.with_suffix(".json"))]
    environment = {**os.environ, "WANGGE_LANG": "en", "PYTHONPATH": str(ROOT)}
    # a shell's background job ignores Ctrl-C, and so would all that it starts
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with out.with_suffix(".log").open("w") as log:
        run = subprocess.Popen(
            [*command, *report], cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    signal.signal(signal.SIGINT, before)
    RUNS.append(run)
    return run


def words(run: subprocess.Popen, out: Path) -> str:
    """All that a run said, when it has ended."""
    run.wait(PATIENCE)
    return out.with_suffix(".log").read_text("utf-8")


def grid_column(plan: Path) -> bytes:
    return "\n".join(pyogrio.read_dataframe(plan, layer="atoms", columns=["grid"])["grid"]).encode()


def checkpoint(out: Path) -> Path:
    return out.with_name(f".{out.name}.resume")


def until(happened: Callable[[], bool], run: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert run.poll() is None, "it ended before that"
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


def answers_kept(out: Path, size: int = 1500) -> Callable[[], bool]:
    """Whether the solving has begun and some pieces are done."""
    return lambda: checkpoint(out).exists() and checkpoint(out).stat().st_size > size


def workers_of(run: subprocess.Popen) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
            line = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(text.rpartition(")")[2].split()[1]) == run.pid and b"spawn_main" in line:
            found.append(int(stat.parent.name))
    return found


def test_a_killed_run_goes_on_to_the_same_bytes(town, whole, tmp_path):
    out = tmp_path / "out.gpkg"
    run = start(town, out, "--iterations", "12")
    until(answers_kept(out), run)
    run.kill()
    run.wait()
    assert not out.exists()
    again = start(town, out, "--iterations", "12", "--resume")
    said = words(again, out)
    assert again.returncode in (0, 3), said
    assert "answers of an earlier run are used" in said
    assert grid_column(out) == whole
    assert not checkpoint(out).exists()


def test_a_run_of_another_seed_is_not_mixed_in(town, tmp_path):
    out = tmp_path / "out.gpkg"
    run = start(town, out, "--iterations", "12", "--seed", "2")
    until(answers_kept(out), run)
    run.kill()
    run.wait()
    refused = start(town, out, "--iterations", "12", "--resume")
    said = words(refused, out)
    assert refused.returncode == 2
    assert "these differ: seed" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not out.exists()
    afresh = start(town, out, "--iterations", "1")
    said = words(afresh, out)
    assert afresh.returncode in (0, 3), said
    assert "is of another job and is not used; these differ: seed" in said
    assert not checkpoint(out).exists()


def test_a_worker_killed_in_mid_run_changes_nothing(town, whole, tmp_path):
    out = tmp_path / "out.gpkg"
    run = start(town, out, "--iterations", "12", "--workers", "2")
    until(answers_kept(out), run)
    victims = workers_of(run)
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    said = words(run, out)
    assert run.returncode in (0, 3), said
    assert grid_column(out) == whole


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one process", "two workers"])
def test_ctrl_c_keeps_the_best_plan_so_far(town, tmp_path, options):
    out = tmp_path / "out.gpkg"
    run = start(town, out, "--iterations", "100000", *options)
    until(answers_kept(out), run)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to every process
    said = words(run, out)
    assert run.returncode in (0, 3), said
    assert "Traceback" not in said
    assert "Stopped by Ctrl-C" in said
    report = json.loads(out.with_suffix(".json").read_text("utf-8"))
    assert report["stopped"] is True
    assert report["contiguous_share"] == 1.0
    assert report["seamless"] is True
    atoms = read_plan(out).layers["atoms"]
    assert len(atoms) == len(pyogrio.read_dataframe(town, layer="atoms"))
    grids = read_plan(out).layers["grids"]
    assert int(grids["households"].sum()) == int(atoms["households"].sum())
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert not workers_of(run)


def test_the_same_job_on_two_databases_keeps_its_answers_apart():
    """Both may be at work on this machine at the same moment."""
    paths = {
        checkpoint_of(new_engine(f"postgresql+psycopg://someone:{secret}@localhost/{name}"), {"seed": "1"})
        for name, secret in (("one", "a"), ("one", "b"), ("two", "a"))
    }
    assert len(paths) == 2


def test_ctrl_c_while_reading_writes_nothing(town, tmp_path, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("api.services.plans.planning.read_sources", interrupted)
    monkeypatch.setenv("WANGGE_LANG", "en")
    monkeypatch.setattr(sys, "argv", ["wangge", "plan", str(town), "-o", str(tmp_path / "out.gpkg")])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "Interrupted: nothing was written.\n"
    assert not list(tmp_path.iterdir())


def test_workers_or_a_cluster_not_both(town, tmp_path, monkeypatch, capsys):
    both = ["--workers", "2", "--scheduler", "tcp://127.0.0.1:1"]
    monkeypatch.setenv("WANGGE_LANG", "en")
    monkeypatch.setattr(sys, "argv", ["wangge", "plan", str(town), "-o", str(tmp_path / "out.gpkg"), *both])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2
    assert "not both" in capsys.readouterr().err


# ------------------------------------------------------------------------------ numbers of grids asked for


def asked(monkeypatch, town: Path, out: Path, *options: str) -> int:
    monkeypatch.setenv("WANGGE_LANG", "en")
    command = ["wangge", "plan", str(town), "-o", str(out), "--iterations", "1", *options]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    return int(ended.value.code or 0)


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """One row of the drawn town: two communities of 720 households each."""
    drawn = beside("drawn_town")
    path = tmp_path_factory.mktemp("two") / "town.gpkg"
    layers = drawn.frames(60)
    drawn.write(path, {**layers, "communities": drawn.communities([(0, 0, 1, 3), (1, 0, 3, 3)])})
    return path


def test_the_number_of_grids_can_be_given(two, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out.gpkg"
    assert asked(monkeypatch, two, out, "--grids", "2", "--grids", "430104007001=3") == 0
    grids = read_plan(out).layers["grids"]
    assert grids.groupby("community").size().to_dict() == {"430104007000": 2, "430104007001": 3}
    capsys.readouterr()
    assert asked(monkeypatch, two, tmp_path / "no.gpkg", "--grids", "430104007001=9") == 2
    assert "cannot have 9 grids" in capsys.readouterr().err
    assert asked(monkeypatch, two, tmp_path / "no.gpkg", "--grids", "1=2") == 2
    assert "no community of the input has this code" in capsys.readouterr().err
    assert asked(monkeypatch, two, tmp_path / "no.gpkg", "--grids", "many") == 2
    assert "give a number of grids" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.glob("no*")) == []
