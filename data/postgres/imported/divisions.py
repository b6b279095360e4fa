"""Administrative divisions with their dates."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

from sqlalchemy import Connection, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from data.postgres import schema
from data.postgres.imported.territories import Territory
from data.staff import Division

#: Since when a division counts whose beginning the sources do not tell.
EVER: Final = date(1900, 1, 1)


def save(connection: Connection, divisions: Iterable[Division], on: date) -> int:
    """Write divisions that are new; one with another name ends on the day ``on``, when the new one begins.

    Parents come before their children. Returns how many were given.
    """
    table = schema.division
    given = list(divisions)
    ids = _ids(connection, sorted({d.parent for d in given if d.parent}))
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


def place_communities(connection: Connection, territory: Territory, on: date) -> int:
    """Make the communities of a territory divisions, under that whose code begins theirs; how many are placed.

    The territory's jurisdiction becomes the set of the towns (or other divisions) they lie in, from ``on`` at the
    latest; a division that no community lies in any more leaves the set on that day.
    """
    rows = connection.execute(
        text(
            "SELECT id, code, name FROM community WHERE territory_id = :t AND present AND code ~ '^[0-9]{12,15}$'"
            " AND name <> '' ORDER BY code, id"
        ),
        {"t": territory.id},
    ).all()
    towns = sorted({code[:9] for _, code, _ in rows})
    known = _ids(connection, towns)
    save(connection, [Division(code, name, "community", code[:9]) for _, code, name in rows], on)
    placed = connection.execute(
        text(
            "UPDATE community c SET division_id = d.id FROM division d WHERE d.code = c.code AND d.valid_to IS NULL"
            " AND c.territory_id = :t AND c.present"
        ),
        {"t": territory.id},
    ).rowcount
    if known:
        _set_jurisdiction(connection, territory, list(known.values()), on)
    return placed


def _ids(connection: Connection, codes: list[str]) -> dict[str, int]:
    table = schema.division
    rows = connection.execute(
        select(table.c.code, table.c.id).where(table.c.code.in_(codes), table.c.valid_to.is_(None))
    )
    found: dict[str, int] = dict(rows.all())
    return found


def _set_jurisdiction(connection: Connection, territory: Territory, members: list[int], on: date) -> None:
    j, of, t = schema.jurisdiction, schema.jurisdiction_division, schema.territory
    add = upsert(j).values(name=territory.name)
    number: int = connection.execute(
        add.on_conflict_do_update(index_elements=["name"], set_={"name": territory.name}).returning(j.c.id)
    ).scalar_one()
    connection.execute(update(t).where(t.c.id == territory.id).values(jurisdiction_id=number))
    still = of.c.valid_to.is_(None) & (of.c.jurisdiction_id == number)
    connection.execute(
        update(of).where(still, of.c.division_id.not_in(members), of.c.valid_from < on).values(valid_to=on)
    )
    there = set(connection.execute(select(of.c.division_id).where(still)).scalars())
    for member in members:
        if member not in there:
            connection.execute(insert(of).values(jurisdiction_id=number, division_id=member, valid_from=on))
