"""Tasks on worker processes: all answers, whatever dies; and answers kept in a file."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from api.services.plans.solving import depends_on
from api.services.plans.workers import MOST_DEATHS, WorkerError, Workers, running
from data.checkpoints import Checkpoint
from data.machine import processes
from gis.districting.search import Search
from gis.errors import ConflictError, InputError
from gis.tasks import one_by_one

ROOT = Path(__file__).parents[2]
#: Tasks are source text and the function is ``eval``: a fresh process can import both.
SQUARES = [f"{i} ** 2" for i in range(20)]
DIE = "__import__('os').kill(__import__('os').getpid(), 9)"


@pytest.fixture(scope="module")
def pair():
    with running(2) as workers:
        yield workers


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_task_is_answered_once(pair):
    assert sorted(pair(eval, SQUARES)) == [(i, i * i) for i in range(20)]
    assert len(pair.pids) <= 2
    assert list(pair(eval, [])) == []


def test_one_worker_is_this_process():
    with running(1) as runner:
        assert runner is one_by_one
    assert list(one_by_one(eval, SQUARES)) == [(i, i * i) for i in range(20)]


def test_each_worker_uses_one_thread_and_is_deaf_to_ctrl_c(pair):
    threads = dict(pair(eval, ["__import__('os').environ['OMP_NUM_THREADS']"]))
    assert threads == {0: "1"}
    (pid,) = dict(pair(eval, ["__import__('os').getpid()"])).values()
    os.kill(pid, signal.SIGINT)
    assert dict(pair(eval, ["1 + 1"])) == {0: 2}
    assert pid in pair.pids


def test_what_a_killed_worker_held_is_done_by_another(pair, tmp_path):
    once = tmp_path / "once"
    path = f"__import__('pathlib').Path({str(once)!r})"
    tasks = [*SQUARES, f"7 if {path}.exists() else ({path}.touch(), {DIE})"]
    lost = pair.lost
    assert sorted(pair(eval, tasks)) == [(i, i * i) for i in range(20)] + [(20, 7)]
    assert pair.lost == lost + 1


def test_an_idle_worker_that_was_killed_is_not_missed(pair):
    list(pair(eval, SQUARES))
    for pid in pair.pids:
        os.kill(pid, signal.SIGKILL)
    assert sorted(pair(eval, SQUARES)) == [(i, i * i) for i in range(20)]


def test_a_task_that_kills_every_worker_is_given_up():
    workers = Workers(2)
    with pytest.raises(WorkerError, match=r"workers.died"):
        list(workers(eval, [DIE]))
    assert workers.lost == MOST_DEATHS
    workers.close()


def test_an_error_of_a_task_is_raised_here(pair):
    with pytest.raises(ZeroDivisionError):
        list(pair(eval, ["1 / 0"]))
    assert dict(pair(eval, ["3"])) == {0: 3}


def test_who_stops_listening_leaves_no_process_behind():
    workers = Workers(2)
    answers = workers(eval, ["1", "__import__('time').sleep(600)", "2"])
    assert next(answers) == (0, 1)
    pids = workers.pids
    answers.close()
    workers.close()
    assert pids
    assert not any(map(alive, pids))


ORPHANS = """
from api.services.plans.workers import running
if __name__ == "__main__":
    with running(2) as workers:
        answers = workers(eval, ["1", "__import__('time').sleep(600)"])
        next(answers)
        print(*workers.pids, flush=True)
        next(answers)
"""


def test_workers_end_with_the_process_that_was_killed(tmp_path):
    program = tmp_path / "orphans.py"
    program.write_text(ORPHANS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(program)], env=environment, stdout=subprocess.PIPE) as run:
        pids = [int(word) for word in run.stdout.readline().split()]
        run.kill()
    assert pids
    end = time.monotonic() + 120
    while any(map(processes.alive, pids)):
        assert time.monotonic() < end, "they work on"
        time.sleep(0.02)


# ------------------------------------------------------------------------------ checkpoints

ABOUT = {"input": "a", "seed": "1"}


def answers(n: int):
    return [Search(np.arange(i + 1), float(i), 1) for i in range(n)]


def given(tasks):
    """A runner that must not be asked for anything else."""

    def runner(function, wanted):
        assert wanted == tasks
        yield from one_by_one(function, wanted)

    return runner


def same(found, expected) -> bool:
    return all(
        a.cost == b.cost and (a.part == b.part).all() for (_, a), b in zip(sorted(found), expected, strict=True)
    )


def test_answers_are_not_asked_for_twice(tmp_path):
    plans = answers(4)
    first = Checkpoint(tmp_path / "run.resume", ABOUT)
    listening = first.around(one_by_one)(lambda i: plans[i], [0, 1, 2, 3])
    assert [next(listening)[0], next(listening)[0]] == [0, 1]
    first.close(remove=False)

    second = Checkpoint(tmp_path / "run.resume", ABOUT, required=True)
    assert second.found == 2
    assert same(second.around(given([2, 3]))(lambda i: plans[i], [0, 1, 2, 3]), plans)
    # another call of the same run is another matter
    assert same(second.around(given([1]))(lambda i: plans[i], [1]), plans[1:2])
    second.close(remove=True)
    assert not list(tmp_path.iterdir())


def test_a_record_half_written_is_cut_off(tmp_path):
    path, plans = tmp_path / "run.resume", answers(3)
    first = Checkpoint(path, ABOUT)
    list(first.around(one_by_one)(lambda i: plans[i], [0, 1, 2]))
    first.close(remove=False)
    whole = path.read_bytes()
    for cut in (1, 5, 30):
        path.write_bytes(whole[:-cut])
        again = Checkpoint(path, ABOUT)
        assert again.found == 2
        assert same(again.around(given([2]))(lambda i: plans[i], [0, 1, 2]), plans)
        again.close(remove=False)
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [b"", b"something else\n", b"wangge checkpoint 1\n{", b"wangge checkpoint 1\n[]\n"]
)
def test_a_file_of_another_kind_is_replaced(tmp_path, content):
    (tmp_path / "run.resume").write_bytes(content)
    found = Checkpoint(tmp_path / "run.resume", ABOUT)
    assert (found.found, found.stale) == (0, [])
    found.close(remove=False)
    Checkpoint(tmp_path / "run.resume", ABOUT, required=True).close(remove=True)


def test_a_checkpoint_of_another_job_is_refused_by_name(tmp_path):
    Checkpoint(tmp_path / "run.resume", ABOUT).close(remove=False)
    with pytest.raises(InputError, match=r"checkpoint.stale.*seed"):
        Checkpoint(tmp_path / "run.resume", {**ABOUT, "seed": "2"}, required=True)
    other = Checkpoint(tmp_path / "run.resume", {**ABOUT, "seed": "2"})
    assert other.stale == ["seed"]
    with pytest.raises(ConflictError, match=r"checkpoint.in_use"):
        Checkpoint(tmp_path / "run.resume", ABOUT)
    other.close(remove=True)
    with pytest.raises(InputError, match=r"checkpoint.missing"):
        Checkpoint(tmp_path / "run.resume", ABOUT, required=True)


class Evil:
    def __reduce__(self):
        return eval, ("1 + 1",)


def test_a_checkpoint_runs_no_foreign_code(tmp_path):
    first = Checkpoint(tmp_path / "run.resume", ABOUT)
    list(first.around(one_by_one)(lambda task: task, [Evil()]))
    first.close(remove=False)
    second = Checkpoint(tmp_path / "run.resume", ABOUT)
    with pytest.raises(pickle.UnpicklingError, match=r"builtins.eval"):
        list(second.around(one_by_one)(lambda task: task, [0]))
    second.close(remove=True)


def test_a_job_depends_on_every_array_and_word():
    arrays = (np.arange(3), np.array(["a", "b"], object))
    first = depends_on("rules", 1, *arrays)
    assert first == depends_on("rules", 1, np.arange(3), np.array(["a", "b"], object))
    assert first["input"] != depends_on("rules", 1, np.arange(3), np.array(["a", "c"], object))["input"]
    assert first["input"] != depends_on("rules", 1, np.arange(3.0), arrays[1])["input"]
    assert first["seed"] != depends_on("rules", 2, *arrays)["seed"]
