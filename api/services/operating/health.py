"""Whether the service can do its work."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from data.postgres.server import migrate, read_state


def missing(engine: Engine) -> str:
    """ "" when everything is there, else what is missing: ``database`` or ``migration``."""
    try:
        found = read_state.revision(engine)
    except SQLAlchemyError:
        return "database"
    return "" if found in migrate.heads() else "migration"
