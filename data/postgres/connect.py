"""Engines for a database URL: the caller opens and closes them, nothing is kept in modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine

from data.postgres.cluster import sqlalchemy_url


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
