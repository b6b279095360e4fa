"""A real Dask cluster on this machine: a scheduler and two worker processes, one of which is killed in mid-run."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyogrio
import pytest

from api.services.plans import cluster
from api.services.plans.cluster import on_cluster
from api.services.plans.fingerprint import fingerprint
from api.services.plans.planning import Job, plan_file, ruleset_of
from api.services.plans.workers import WorkerError
from tests.ports import free_port
from tests.running_server import PATIENCE

ROOT = Path(__file__).parents[2]
# Dask's own event loops warn of things that are not ours
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _as_slow_as_it_may_be(monkeypatch) -> None:
    """A scheduler and a worker that start beside all other tests take their time."""
    monkeypatch.setattr(cluster, "CONNECT", PATIENCE)
    monkeypatch.setattr(cluster, "FIRST_WORKER", PATIENCE)


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass
class Local:
    """Processes of a cluster; all are ended with it."""

    folder: Path
    url: str = ""
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    def scheduler(self) -> None:
        port = free_port()
        self.url = f"tcp://127.0.0.1:{port}"
        self._start("scheduler", "dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")

    def worker(self, name: str, **environment: str) -> subprocess.Popen:
        options = ["--nthreads", "1", "--no-nanny", "--no-dashboard", "--name", name]
        folder = ["--local-directory", str(self.folder / name)]
        return self._start(name, "dask_worker", self.url, *options, *folder, **environment)

    def _start(self, name: str, module: str, *options: str, **environment: str) -> subprocess.Popen:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
        with (self.folder / f"{name}.log").open("w") as log:
            run = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *options],
                cwd=self.folder, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes[name] = run
        return run


@contextlib.contextmanager
def local(folder: Path) -> Iterator[Local]:
    made = Local(folder)
    made.scheduler()
    try:
        yield made
    finally:
        for process in made.processes.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("board") / "town.gpkg"
    beside("board_town").write_board(path, communities=3, side=12)
    return path


def grid_column(plan: Path) -> bytes:
    return "\n".join(pyogrio.read_dataframe(plan, layer="atoms", columns=["grid"])["grid"]).encode()


def test_a_worker_of_the_cluster_killed_in_mid_run_changes_nothing(town, tmp_path, monkeypatch):
    rules = ruleset_of("default")
    plan_file(town, tmp_path / "here.gpkg", Job(rules, iterations=2))
    killed = []

    with local(tmp_path) as made:
        victim = made.worker("first")
        made.worker("second")
        answer = cluster._Cluster._answer

        def unlucky(self, future):
            found = answer(self, future)
            if not killed and len(self.client.scheduler_info()["workers"]) == 2:
                victim.send_signal(signal.SIGKILL)  # tasks it holds and answers it has not given are lost with it
                killed.append(victim.wait())
            return found

        monkeypatch.setattr(cluster._Cluster, "_answer", unlucky)
        wait_for_workers(made.url, 2)
        plan_file(town, tmp_path / "there.gpkg", Job(rules, iterations=2, scheduler=made.url))
    assert killed == [-signal.SIGKILL]
    assert grid_column(tmp_path / "there.gpkg") == grid_column(tmp_path / "here.gpkg")
    assert not list(tmp_path.glob(".*"))


def wait_for_workers(url: str, count: int) -> None:
    from distributed import Client

    with Client(url, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=PATIENCE)


def test_tasks_and_errors_travel(tmp_path):
    with local(tmp_path) as made:
        made.worker("only")
        with on_cluster(made.url) as runner:
            assert sorted(runner(eval, [f"{i} ** 2" for i in range(12)])) == [(i, i * i) for i in range(12)]
            with pytest.raises(ZeroDivisionError):
                list(runner(eval, ["1 / 0"]))
            listening = runner(eval, ["1", "__import__('time').sleep(30)"])
            assert next(listening) == (0, 1)
            listening.close()
            assert list(runner(eval, [])) == []


def test_a_worker_of_another_version_is_refused(tmp_path, monkeypatch):
    ours = {**fingerprint(), "numba": "0.1"}
    with local(tmp_path) as made:
        made.worker("only")
        monkeypatch.setattr(cluster, "fingerprint", lambda: ours)
        with pytest.raises(WorkerError, match=r"other_version.*numba"), on_cluster(made.url):
            pass


def test_a_worker_without_the_package_is_refused(tmp_path):
    with local(tmp_path) as made:
        made.worker("only", PYTHONPATH="")
        with pytest.raises(WorkerError, match=r"no_package.*No module named"), on_cluster(made.url):
            pass


def test_no_worker_no_scheduler(tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT", 2)
    monkeypatch.setattr(cluster, "FIRST_WORKER", 1)
    for url in ("tcp://127.0.0.1:1", "nonsense://here", "what is this"):
        with pytest.raises(WorkerError, match=r"no_scheduler"), on_cluster(url):
            pass
    monkeypatch.setattr(cluster, "CONNECT", PATIENCE)
    with local(tmp_path) as made, pytest.raises(WorkerError, match=r"workers.none"), on_cluster(made.url):
        pass


def test_a_scheduler_that_dies_ends_the_run_in_one_line(tmp_path):
    with local(tmp_path) as made:
        made.worker("only")
        with on_cluster(made.url) as runner:
            listening = runner(eval, ["1", *["__import__('time').sleep(2)"] * 50])
            assert next(listening) == (0, 1)
            made.processes["scheduler"].kill()
            with pytest.raises(WorkerError, match=r"scheduler_gone"):
                list(listening)
