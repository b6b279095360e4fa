"""The database as every use case gets it: an engine at the newest schema."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from api.services.operating import database
from data.postgres.connect import engine_of
from gis.progress import Progress, silent

__all__ = ["Engine", "engine"]


@contextmanager
def engine(progress: Progress = silent) -> Iterator[Engine]:
    """An engine for one job, on a database that is made, started and brought to the newest schema first."""
    with engine_of(database.ready(progress)) as opened:
        yield opened
