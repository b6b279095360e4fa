"""Whether the service can do its work."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from data.postgres import migrate, read_state
from data.postgres.connect import engine_of


def missing(engine: Engine) -> str:
    """ "" when everything is there, else what is missing: ``database`` or ``migration``."""
    try:
        found = read_state.revision(engine)
    except SQLAlchemyError:
        return "database"
    return "" if found in migrate.heads() else "migration"


def missing_at(url: str) -> str:
    """The same for a database's address."""
    with engine_of(url) as engine:
        return missing(engine)
