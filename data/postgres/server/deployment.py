"""What a server must hold before the schema can be made: extensions, and a role without rights to change it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from data.postgres.connect import engine_of
from data.postgres.server import migrate
from gis.errors import SetupError

#: The running service works under this role (or a login that was granted it): rows yes, tables no.
SERVICE_ROLE: Final = "wangge_service"

#: The lock that says that somebody makes this database ready ("wgprep").
_PREPARING: Final = 0x7767_7072_6570


def missing(url: str) -> list[str]:
    """Statements the database still needs, in order, as an administrator would type them; empty when it is ready."""
    with engine_of(url) as engine, engine.connect() as connection:
        return [*_extensions(connection), *_role(connection)]


def apply(url: str, statements: list[str]) -> None:
    """Run the statements in one transaction. Raises SetupError naming the one this user may not run."""
    with engine_of(url) as engine, engine.begin() as connection:
        for statement in statements:
            try:
                connection.execute(text(statement))
            except ProgrammingError as error:
                reason = str(error.orig).splitlines()[0]
                raise SetupError("setup_statement_refused", statement=statement, reason=reason) from None


def grants(url: str) -> list[str]:
    """Statements that give the service role the rows of every table there is and that will be made."""
    with engine_of(url) as engine, engine.connect() as connection:
        schema = _quoted(connection, connection.execute(text("SELECT current_schema()")).scalar_one())
    rows = "SELECT, INSERT, UPDATE, DELETE"
    return [
        f"GRANT USAGE ON SCHEMA {schema} TO {SERVICE_ROLE}",
        f"GRANT {rows} ON ALL TABLES IN SCHEMA {schema} TO {SERVICE_ROLE}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {SERVICE_ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT {rows} ON TABLES TO {SERVICE_ROLE}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE ON SEQUENCES TO {SERVICE_ROLE}",
    ]


def prepare(url: str) -> None:
    """Extensions, role, newest schema and the role's rights: from an empty database to one that is ready.

    Two servers that start at once on one database take turns: the second finds it ready.
    """
    with engine_of(url) as engine, engine.connect() as turn:
        turn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _PREPARING})
        apply(url, missing(url))
        migrate.upgrade(url)
        apply(url, grants(url))


def _extensions(connection: Connection) -> list[str]:
    have = set(connection.execute(text("SELECT extname FROM pg_extension")).scalars())
    return [f"CREATE EXTENSION IF NOT EXISTS {name}" for name in migrate.EXTENSIONS if name not in have]


def _role(connection: Connection) -> list[str]:
    there = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": SERVICE_ROLE}).first()
    return [] if there else [f"CREATE ROLE {SERVICE_ROLE} LOGIN"]


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
