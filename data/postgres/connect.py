"""Engines for a database URL: the caller opens and closes them, nothing is kept in modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import OperationalError

from data.postgres.server.cluster import sqlalchemy_url


def new_engine(url: str, **options: Any) -> Engine:
    """An engine with psycopg 3 for any spelling of a PostgreSQL URL."""
    return create_engine(sqlalchemy_url(url), **options)


@contextmanager
def engine_of(url: str) -> Iterator[Engine]:
    """An engine for one job; its connections are closed at the end."""
    engine = new_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def driver_of(connection: Connection) -> Iterator[Any]:
    """The driver's own connection, for questions that go past SQLAlchemy. Raises what SQLAlchemy would.

    SQLAlchemy does not see that such a question lost the connection: it is told, or it would try to tidy up what is
    gone, and log that it cannot.
    """
    driver = connection.connection.driver_connection
    try:
        yield driver
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        connection.invalidate(error)
        raise OperationalError(None, None, error) from error
