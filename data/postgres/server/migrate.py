"""Bring a database to the newest schema, and check that the migrations say what the schema says.

Alembic is imported only where something changes: every command asks for the revision first, and starts fast.
"""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from data.postgres import migrations
from data.postgres.connect import engine_of
from data.postgres.server import read_state
from gis.errors import SetupError

if TYPE_CHECKING:
    from alembic.config import Config

#: Extensions the schema needs. PostGIS must be made by a superuser; the others are trusted.
EXTENSIONS: Final[tuple[str, ...]] = ("postgis", "btree_gist", "pg_trgm")
_FOLDER: Final = Path(migrations.__file__).parent
_LINKS: Final = re.compile(r'^(revision|down_revision)(?:: [^=]+)? = (?:"(\w+)"|None)$', re.MULTILINE)


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings without an ini file: the scripts lie beside this module, also in a wheel."""
    from alembic.config import Config

    settings = Config(stdout=io.StringIO())
    settings.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


@functools.cache
def heads() -> tuple[str, ...]:
    """Newest revisions; more than one is a fault. Read from the scripts' texts: none of them is run."""
    found = [dict(_LINKS.findall(file.read_text(encoding="utf-8"))) for file in (_FOLDER / "versions").glob("*.py")]
    before = {links.get("down_revision") for links in found}
    return tuple(sorted(links["revision"] for links in found if links.get("revision", "") not in {"", *before}))


def revision(url: str) -> str | None:
    """The revision a database is at, None when it is empty. SetupError ``db_unreachable`` when nobody answers."""
    try:
        with engine_of(url) as engine:
            return read_state.revision(engine)
    except OperationalError as error:
        raise SetupError("db_unreachable", reason=str(error.orig).strip().splitlines()[0]) from None


def upgrade(url: str, to: str = "head") -> None:
    """Apply every missing migration in one transaction."""
    from alembic import command

    with engine_of(url) as engine, engine.begin() as connection:
        command.upgrade(config(connection), to)


def downgrade(url: str, to: str) -> None:
    """Undo migrations down to ``to`` ("base": all of them)."""
    from alembic import command

    with engine_of(url) as engine, engine.begin() as connection:
        command.downgrade(config(connection), to)


def check(url: str) -> None:
    """Raise ``alembic.util.CommandError`` when the migrations lack something that the schema says."""
    from alembic import command

    with engine_of(url) as engine, engine.begin() as connection:
        command.check(config(connection))
