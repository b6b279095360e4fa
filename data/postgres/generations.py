"""Counters that change with a served layer, in the same transaction: the heart of every cache key."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

from data.postgres.schema import generation

#: Channel of NOTIFY; its payload is the territory's id.
CHANNEL = "generation"


def bump(connection: Connection, territory_id: int, layers: Iterable[str]) -> None:
    """Count up the generation of layers; workers hear of it when the transaction is committed."""
    rows = [{"territory_id": territory_id, "layer": layer} for layer in sorted(set(layers))]
    add = insert(generation).values(rows)
    connection.execute(
        add.on_conflict_do_update(
            index_elements=["territory_id", "layer"],
            set_={"number": generation.c.number + 1, "changed_at": func.now()},
        )
    )
    connection.execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": str(territory_id)}
    )


def current(connection: Connection, territory_id: int) -> dict[str, int]:
    """The generation of every layer that was ever written."""
    rows = connection.execute(
        select(generation.c.layer, generation.c.number).where(generation.c.territory_id == territory_id)
    )
    return dict(rows.all())
