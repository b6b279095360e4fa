"""A runner of tasks on a Dask cluster: the same function over the same tasks, on machines elsewhere."""

from __future__ import annotations

import gc
import importlib
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, Final

from api.services.plans.fingerprint import fingerprint
from api.services.plans.workers import WorkerError
from gis.tasks import Runner

#: Seconds to reach the scheduler, and to wait for its first worker.
CONNECT: Final = 20
FIRST_WORKER: Final = 60
#: Tasks given out for each thread of the cluster: enough to keep all busy, few enough to keep the scheduler small.
AHEAD: Final = 2


@contextmanager
def on_cluster(url: str) -> Iterator[Runner]:
    """The runner of the Dask scheduler at ``url`` (``tcp://host:8786``, ``tls://…``).

    Raises ``WorkerError`` where there is no scheduler, no worker, or workers of another version.
    """
    dask, distributed = _library("dask"), _library("distributed")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # its retries are told by our own words
    with dask.config.set({"distributed.admin.large-graph-warning-threshold": "10GB"}):
        client = _connected(distributed, url)
        try:
            _check(client, url)
            yield _Cluster(client, url)
        finally:
            client.close(timeout=2)


def _connected(distributed: Any, url: str) -> Any:
    try:
        return distributed.Client(url, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        fault = _one_line(error)
    # the half-made client closes itself now; left to a later collection, which may come while another client
    # starts, it would wait for that one's lock for ever
    gc.collect()
    raise WorkerError("workers.no_scheduler", url=url, detail=fault)


class _Cluster:
    """See ``gis.tasks.Runner``. A task whose worker dies is given to another by Dask."""

    def __init__(self, client: Any, url: str) -> None:
        self.client = client
        self.url = url

    def __call__(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        run = uuid.uuid4().hex[:12]
        place: dict[str, int] = {}

        def give(i: int) -> Any:
            key = f"{function.__name__.strip('_')}-{run}-{i}"
            place[key] = i
            return self.client.submit(_checked, fingerprint(), function, tasks[i], key=key, pure=False)

        ahead = min(len(tasks), AHEAD * max(1, sum(self.client.nthreads().values())))
        given = ahead
        running = _library("distributed").as_completed([give(i) for i in range(ahead)], loop=self.client.loop)
        left = len(tasks)
        try:
            for future in running:
                answer = self._answer(future)
                left -= 1
                if given < len(tasks):
                    running.add(give(given))
                    given += 1
                yield place.pop(future.key), answer
                future.release()
        finally:
            if place:
                self.client.cancel([f for f in running.futures if not f.done()], force=True)
        if left:
            raise WorkerError("workers.scheduler_gone", url=self.url)

    def _answer(self, future: Any) -> Any:
        try:
            return future.result()
        except _library("distributed").KilledWorker as error:
            raise WorkerError("workers.died_on_cluster", detail=_one_line(error)) from None
        except (CancelledError, OSError) as error:
            raise WorkerError("workers.scheduler_gone", url=self.url) from error
        except Exception as error:
            _require_package(error, self.url)
            raise


def _check(client: Any, url: str) -> None:
    """Refuse a cluster without workers, or with workers that would give other answers."""
    try:
        client.wait_for_workers(1, timeout=FIRST_WORKER)
    except TimeoutError:
        raise WorkerError("workers.none", url=url, seconds=FIRST_WORKER) from None
    try:
        found = client.run(_fingerprint)
    except Exception as error:
        _require_package(error, url)
        raise
    for worker, theirs in found.items():
        _compare(worker, theirs, fingerprint())


def _require_package(error: Exception, url: str) -> None:
    """Raise in our words what a worker says that cannot import this program; Dask wraps it in various ways."""
    if isinstance(error, ImportError) or "No module named" in str(error):
        raise WorkerError("workers.no_package", url=url, detail=_one_line(error)) from None


def _compare(worker: str, theirs: dict[str, str], ours: dict[str, str]) -> None:
    name = next((k for k in ours if theirs.get(k) != ours[k]), None)
    if name is not None:
        raise WorkerError("workers.other_version", worker=worker, part=name, there=theirs.get(name), here=ours[name])


def _fingerprint() -> dict[str, str]:
    return fingerprint()


def _checked(ours: dict[str, str], function: Callable[[Any], Any], task: Any) -> Any:
    """Work on one task, on a worker that may have joined after the others were compared."""
    if fingerprint() != ours:
        _compare(str(_library("distributed").get_worker().address), fingerprint(), ours)
    return function(task)


def _library(name: str) -> Any:
    """Dask is imported where it is used, and only there."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise WorkerError("workers.no_dask", detail=str(error)) from None


def _one_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
