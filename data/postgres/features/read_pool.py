"""Connections for reading only, without a layer between: one question costs one journey to the database.

The engine's pool asks each connection whether it is still there before it is used, and sets it up anew: four
journeys more, which is most of the time of a short answer. Here a connection that turns out broken is replaced and
the question asked again: reading twice does no harm.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import Engine, event

_T = TypeVar("_T")
#: Connections that one process may hold at a time.
MOST: Final = 8
#: Starting another process to help takes longer than any short answer. A prepared question is planned once: planning
#: for its values takes longer than answering it, and goes astray while a new publication is not in the statistics.
_SET_UP: Final = "SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan"


class ReadPool:
    """Connections in autocommit, each used by one thread at a time; closed with the engine they belong to."""

    def __init__(self, engine: Engine, most: int = MOST) -> None:
        self._arguments: dict[str, Any] = dict(engine.dialect.create_connect_args(engine.url)[1])
        self._free = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection[Any]] = []
        event.listen(engine, "engine_disposed", lambda _: self.close())

    def read(self, ask: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        """What ``ask`` finds out. Raises psycopg.OperationalError where the database cannot be reached."""
        with self._free:
            connection = self._take()
            if connection is not None:
                try:
                    return ask(connection)
                except psycopg.OperationalError:
                    if not connection.broken:
                        raise
                    self.close()  # what one lost, the others lost too
                finally:
                    self._give(connection)
            return self._anew(ask)

    def _anew(self, ask: Callable[[psycopg.Connection[Any]], _T]) -> _T:
        connection = psycopg.connect(**self._arguments, autocommit=True)
        try:
            connection.execute(_SET_UP)
            return ask(connection)
        finally:
            self._give(connection)

    def _take(self) -> psycopg.Connection[Any] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give(self, connection: psycopg.Connection[Any]) -> None:
        if connection.broken or connection.closed:
            connection.close()
            return
        with self._lock:
            self._idle.append(connection)

    def close(self) -> None:
        """Close what nobody uses at the moment."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
