"""Bring a database to the newest schema, and check that the migrations say what the schema says."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from data.postgres import migrations
from data.postgres.connect import engine_of
from gis.errors import SetupError

#: Extensions the schema needs. PostGIS must be made by a superuser; the others are trusted.
EXTENSIONS: Final[tuple[str, ...]] = ("postgis", "btree_gist", "pg_trgm")


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings without an ini file: the scripts lie beside this module, also in a wheel."""
    settings = Config(stdout=io.StringIO())
    settings.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def heads() -> tuple[str, ...]:
    """Newest revisions; more than one is a fault."""
    return tuple(ScriptDirectory.from_config(config()).get_heads())


def revision(url: str) -> str | None:
    """The revision a database is at, None when it is empty. SetupError ``db_unreachable`` when nobody answers."""
    try:
        with engine_of(url) as engine, engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        raise SetupError("db_unreachable", reason=str(error.orig).strip().splitlines()[0]) from None


def upgrade(url: str, to: str = "head") -> None:
    """Apply every missing migration in one transaction."""
    with engine_of(url) as engine, engine.begin() as connection:
        command.upgrade(config(connection), to)


def downgrade(url: str, to: str) -> None:
    """Undo migrations down to ``to`` ("base": all of them)."""
    with engine_of(url) as engine, engine.begin() as connection:
        command.downgrade(config(connection), to)


def check(url: str) -> None:
    """Raise ``alembic.util.CommandError`` when the migrations lack something that the schema says."""
    with engine_of(url) as engine, engine.begin() as connection:
        command.check(config(connection))
