"""The state of the database itself. Reading only."""

from __future__ import annotations

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine


def revision(engine: Engine) -> str | None:
    """The migration the database is at; None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
