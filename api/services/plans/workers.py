"""Runners of tasks on local processes: any number, the same answers; a process that dies takes nothing with it."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Final

from gis.errors import WanggeError
from gis.tasks import Runner, one_by_one

#: A task whose process ended so often is not tried again: the machine has no room for it, or it is at fault.
MOST_DEATHS: Final = 3
#: Libraries that would each start a thread a core in every process.
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class WorkerError(WanggeError, RuntimeError):
    """Work that cannot be done on the processes asked for; what is finished stays in the checkpoint."""


class _Worker:
    """One process and the pipe to it. ``task`` is the position of what it works on, None when it is idle."""

    def __init__(self) -> None:
        # fresh, not forked: a fork of a process with threads (HiGHS, Arrow, numba) may stand still for ever
        context = get_context("spawn")
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far,), daemon=True)
        with _one_thread(), _no_interrupt():
            self.process.start()
        far.close()
        self.task: int | None = None

    def end(self) -> None:
        """End the process at once, and wait for it, so that what it used is counted."""
        self.pipe.close()
        self.process.kill()
        self.process.join()


class Workers:
    """A runner over ``count`` processes. Each holds one task at a time, sent when it is free.

    A process that dies (killed, out of memory) is replaced and its task given out again; ``lost`` counts them.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.lost = 0
        self._idle: list[_Worker] = []
        self._busy: list[_Worker] = []

    @property
    def pids(self) -> list[int]:
        """Process ids at present."""
        return [w.process.pid for w in [*self._idle, *self._busy] if w.process.pid is not None]

    def __call__(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """See ``gis.tasks.Runner``. What is left undone when the caller stops listening is dropped."""
        waiting = deque(range(len(tasks)))
        deaths: Counter[int] = Counter()
        try:
            while waiting or self._busy:
                while waiting and len(self._busy) < self.count:
                    self._give(function, tasks, waiting)
                for worker in self._ready():
                    answer = self._answer(worker, waiting, deaths)
                    if answer is not None:
                        yield answer
        finally:
            while self._busy:
                self._busy.pop().end()

    def close(self) -> None:
        """End every process."""
        for workers in (self._busy, self._idle):
            while workers:
                workers.pop().end()

    def _give(self, function: Callable[[Any], Any], tasks: Sequence[Any], waiting: deque[int]) -> None:
        worker = self._idle.pop() if self._idle else _Worker()
        self._busy.append(worker)
        worker.task = waiting.popleft()
        with suppress(OSError):  # it died while idle: its pipe is at its end, which is seen next
            worker.pipe.send((function, tasks[worker.task]))

    def _ready(self) -> list[_Worker]:
        found = wait([w.pipe for w in self._busy])
        return [w for w in self._busy if w.pipe in found]

    def _answer(self, worker: _Worker, waiting: deque[int], deaths: Counter[int]) -> tuple[int, Any] | None:
        self._busy.remove(worker)
        task = worker.task
        assert task is not None
        try:
            done, answer = worker.pipe.recv()
        except (EOFError, OSError):
            worker.end()
            self.lost += 1
            deaths[task] += 1
            if deaths[task] >= MOST_DEATHS:
                raise WorkerError("workers.died", times=MOST_DEATHS, workers=self.count) from None
            waiting.appendleft(task)
            return None
        worker.task = None
        self._idle.append(worker)
        if not done:
            raise answer
        return task, answer


@contextmanager
def running(workers: int | None) -> Iterator[Runner]:
    """The runner for a number of processes: None or 1 is this process itself."""
    if workers is None or workers == 1:
        yield one_by_one
        return
    pool = Workers(workers)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Processes started inside use one thread each: there are as many of them as cores already."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Processes started inside are deaf to Ctrl-C: it reaches every process of a terminal, one answers it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """A worker's whole life: take a task, answer it, until the pipe is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            function, task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            answer = True, function(task)
        except Exception as error:
            error.add_note("".join(traceback.format_exception(error)))
            answer = False, error
        try:
            pipe.send(answer)
        except (BrokenPipeError, OSError):
            return


def _end_with_parent() -> None:
    """A task may take hours: where the process that gave it out was killed, nobody would hear the answer."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
