"""One use case, one transaction: everything is rolled back unless ``commit`` is called."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine

from data.postgres import readers


class UnitOfWork:
    """``with UnitOfWork(engine) as work: ...; work.commit()``; leaving without ``commit`` undoes everything.

    ``connection`` is for the store modules of this package. ``read_only`` and ``isolation`` are PostgreSQL's.
    """

    def __init__(self, engine: Engine, *, read_only: bool = False, isolation: str | None = None) -> None:
        self._engine = engine
        self._options: dict[str, Any] = {}
        if read_only:
            self._options["postgresql_readonly"] = True
        if isolation:
            self._options["isolation_level"] = isolation
        self._connection: Connection | None = None
        self._done = False

    @property
    def connection(self) -> Connection:
        """The transaction's connection; only inside the ``with`` block."""
        if self._connection is None or self._done:
            raise RuntimeError("the unit of work is not open")
        return self._connection

    def commit(self) -> None:
        """Keep what was done; the unit of work is closed for more.

        Returns when every reader that keeps answers in memory has heard of it: what is read next is new.
        """
        connection = self.connection
        served = "postgresql_readonly" not in self._options and readers.changed(connection)
        connection.commit()
        self._done = True
        if served:
            readers.wait_until_heard(connection)

    def __enter__(self) -> Self:
        if self._connection is not None:
            raise RuntimeError("a unit of work is used once")
        self._connection = self._engine.connect().execution_options(**self._options)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._connection is not None
        self._done = True
        try:
            self._connection.rollback()
        finally:
            self._connection.close()
