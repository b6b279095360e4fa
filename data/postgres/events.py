"""The append-only record of what was done, by whom, to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from data.postgres.schema import event


def record(
    connection: Connection,
    kind: str,
    subject: str,
    *,
    actor: str,
    territory_id: int | None = None,
    body: Mapping[str, Any] | None = None,
) -> None:
    """Append an event, in the transaction of what it tells of. ``subject`` is like ``grid:<uuid>``."""
    connection.execute(
        insert(event).values(
            kind=kind, subject=subject, actor=actor, territory_id=territory_id, body=dict(body or {})
        )
    )
