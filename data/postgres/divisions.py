"""Administrative divisions with their dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from sqlalchemy import Connection, insert, select, update

from data.postgres import schema
from data.staff import Division

#: Since when a division counts whose beginning the sources do not tell.
EVER: Final = date(1900, 1, 1)


def save(connection: Connection, divisions: Iterable[Division], on: date) -> int:
    """Write divisions that are new; one with another name ends on the day ``on``, when the new one begins.

    Parents come before their children. Returns how many were given.
    """
    table = schema.division
    ids: dict[str, int] = {}
    given = list(divisions)
    for division in given:
        values = {"name": division.name, "level": division.level, "parent_id": ids.get(division.parent)}
        old = connection.execute(
            select(table.c.id, table.c.name, table.c.valid_from).where(
                table.c.code == division.code, table.c.valid_to.is_(None)
            )
        ).one_or_none()
        since = EVER
        if old is not None and (old.name == division.name or old.valid_from >= on):
            ids[division.code] = old.id
            connection.execute(update(table).where(table.c.id == old.id).values(**values))
            continue
        if old is not None:
            since = on
            connection.execute(update(table).where(table.c.id == old.id).values(valid_to=on))
        new = insert(table).values(code=division.code, valid_from=since, **values).returning(table.c.id)
        ids[division.code] = connection.execute(new).scalar_one()
    return len(given)
