"""Ctrl-C while compiled code runs: kept until it may be raised, and no process dies of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gis.districting import partition
from gis.interrupts import gentle, held

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _ctrl_c_as_usual() -> Iterator[None]:
    """Whoever started the tests may have switched it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_is_kept_until_the_end_of_the_block() -> None:
    reached = []

    def work() -> None:
        with held() as pressed:
            reached.append(pressed())
            signal.raise_signal(signal.SIGINT)
            reached.append(pressed())

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == [False, True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_nothing_changes_without_ctrl_c_in_another_thread_or_where_it_is_ignored() -> None:
    with held() as pressed:
        assert not pressed()

    seen = []

    def elsewhere() -> None:
        with held() as pressed:
            seen.append((pressed(), signal.getsignal(signal.SIGINT)))

    other = threading.Thread(target=elsewhere)
    other.start()
    other.join()
    assert seen == [(False, signal.default_int_handler)]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held() as pressed:
        signal.raise_signal(signal.SIGINT)
        assert not pressed()


def test_the_solver_is_asked_to_stop_and_ends_by_itself() -> None:
    said = []

    class Solver:
        def setCallback(self, ask, _data) -> None:
            self.ask = ask

        def startCallback(self, _kind) -> None:
            pass

        def run(self) -> None:
            for press in (False, True):
                if press:
                    signal.raise_signal(signal.SIGINT)
                reply = SimpleNamespace(user_interrupt=False)
                self.ask(None, "", None, reply, None)
                said.append(reply.user_interrupt)
            said.append("ended")

    with pytest.raises(KeyboardInterrupt):
        partition._run(Solver(), 10)
    assert said == [False, True, "ended"]


def test_a_long_loop_that_is_interrupted_ends_in_an_exception() -> None:
    """The loop lists for a second or so; numba's own making of a named tuple after it died of a pending Ctrl-C."""
    code = """
import os, signal, threading, time
import numpy as np
from gis.districting.kernels import Terms, UnitArrays
from gis.districting.regions import regions
from gis.interrupts import gentle

side = 7
n = side * side
pairs = [(v, u) for v in range(n) for u in (v - side, v - 1, v + 1, v + side)
         if 0 <= u < n and (abs(u - v) == side or u // side == v // side)]
start = np.searchsorted([v for v, _ in pairs], np.arange(n + 1)).astype(np.int64)
one = np.ones(len(pairs))
units = UnitArrays(start, np.array([u for _, u in pairs]), one, one, np.full(n, 10), np.full(n, 10.0),
                   np.ones(n), np.full(n, 4.0), np.arange(n))
terms = Terms(100.0, 120.0, 110.0, 10.0, 1.0, 1.0)
regions(units, terms, 10, 1000, n)

def press():
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)

try:
    with gentle():
        threading.Thread(target=press).start()
        regions(units, terms, 1 << 40, 10_000_000, n)
        time.sleep(60)
except KeyboardInterrupt:
    print("interrupted")
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "interrupted\n"), run.stderr


def test_it_comes_at_once_in_our_own_lines() -> None:
    with pytest.raises(KeyboardInterrupt), gentle():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("library", ["numba.core.caching", "llvmlite.binding", "highspy"])
def test_it_waits_until_the_library_is_done(library: str) -> None:
    space = {"__name__": library, "press": lambda: signal.raise_signal(signal.SIGINT), "done": []}
    exec("def work():\n    press()\n    done.append(True)", space)

    def command() -> None:
        with gentle():
            space["work"]()
            time.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        command()
    assert space["done"] == [True]


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with gentle():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
