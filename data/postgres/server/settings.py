"""What the deployment remembers about itself, by key: the ``settings`` of its one row."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB


def read(connection: Connection, key: str) -> Any:
    """The value of a key; None where it was never set."""
    return connection.execute(text("SELECT settings -> :key FROM deployment WHERE id = 1"), {"key": key}).scalar()


def write(connection: Connection, key: str, value: Any) -> None:
    """Keep a JSON value under a key."""
    statement = text("""
INSERT INTO deployment (id, settings) VALUES (1, jsonb_build_object(CAST(:key AS text), CAST(:value AS jsonb)))
ON CONFLICT (id) DO UPDATE SET settings = deployment.settings || excluded.settings
""").bindparams(bindparam("value", type_=JSONB))
    connection.execute(statement, {"key": key, "value": value})
