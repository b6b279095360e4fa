"""Memory does not grow with the number of communities: a worker holds one piece, the coordinator the territory."""

from __future__ import annotations

import importlib.util
import tracemalloc
from pathlib import Path

import pytest

from api.services.plans.planning import Job, communities_of, cut, ruleset_of
from api.services.plans.workers import Workers
from data.files import read_sources
from gis.districting.plan import make_plan
from gis.territory.check import prepare

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]
#: Of this program alone: ``ru_maxrss`` begins with what the process held that started the worker.
PEAK = "__import__('re').search('VmHWM:[^0-9]*([0-9]+)', open('/proc/self/status').read())[1]"


def beside(name: str):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parents[1] / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def memory(path: Path, communities: int) -> tuple[int, float, float]:
    """Atoms, peak megabytes of the one worker, and peak bytes an atom that planning took in this process."""
    atoms = beside("board_town").write_board(path, communities, side=45)
    job = Job(ruleset_of("default"), iterations=2)
    made = cut(prepare(read_sources(path)), job.ruleset)
    areas = communities_of(made)
    workers = Workers(1)
    tracemalloc.start()
    try:
        make_plan(
            made.atom_set, made.graph, made.households, made.counted, made.work, areas, job.ruleset,
            iterations=2, runner=workers,
        )  # fmt: skip
        peak = tracemalloc.get_traced_memory()[1]
        (resident,) = dict(workers(eval, [PEAK])).values()
    finally:
        tracemalloc.stop()
        workers.close()
    return atoms, int(resident) / 1024, peak / atoms


def test_four_times_the_communities_take_no_more_memory(tmp_path):
    """Communities of 2,025 atoms: 4 of them, then 16."""
    few, worker_few, each_few = memory(tmp_path / "few.gpkg", 2)
    many, worker_many, each_many = memory(tmp_path / "many.gpkg", 4)
    assert (few, many) == (8_100, 32_400)
    assert worker_many < 1.1 * worker_few
    assert each_many < 1.1 * each_few
