"""Which plan version is in force when: half-open days, one at a time in a territory.

A version is published from a day on until the next publication that is already planned. What was in force
before ends that day. History is never rewritten: a day that has passed keeps its publication.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, insert, or_, select, update

from data.postgres import schema
from data.postgres.imported.territories import Territory
from gis.errors import ConflictError

P = schema.publication


@dataclass(frozen=True)
class Publication:
    """One row of ``publication``: in force on days ``[valid_from, valid_to)``."""

    id: int
    territory_id: int
    plan_version_id: int
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True)
class Opened:
    """A new publication, what it takes over from (None: the first) and what it took the place of."""

    publication: Publication
    before: Publication | None
    withdrawn: Publication | None


def today(territory: Territory) -> date:
    """The present day where the territory lies."""
    return datetime.now(ZoneInfo(territory.time_zone)).date()


def active(connection: Connection, territory_id: int, on: date) -> Publication | None:
    """The publication in force on a day."""
    row = connection.execute(
        _rows().where(P.c.territory_id == territory_id, P.c.valid_from <= on, _ends_after(on))
    ).one_or_none()
    return None if row is None else Publication(*row)


def nearest(connection: Connection, territory_id: int, on: date) -> Publication | None:
    """The publication in force on a day, else the first one after it: what a new one is compared with."""
    rows = timeline(connection, territory_id)
    return next((p for p in rows if p.valid_to is None or p.valid_to > on), None)


def timeline(connection: Connection, territory_id: int) -> list[Publication]:
    """Every publication of a territory, by date."""
    rows = connection.execute(_rows().where(P.c.territory_id == territory_id).order_by(P.c.valid_from))
    return [Publication(*row) for row in rows]


def open_from(
    connection: Connection, territory: Territory, version_id: int, since: date, now: date, *, actor: str
) -> Opened:
    """Make room for a version from ``since`` on and open its publication; the caller holds the territory's lock.

    One that begins on the same day is withdrawn, unless that day has passed. Raises ConflictError
    ``store.publish_past`` where a day before ``now`` would change.
    """
    rows = timeline(connection, territory.id)
    if since < now and any(p.valid_to is None or p.valid_to > since for p in rows if p.valid_from <= since):
        raise ConflictError("store.publish_past", since=since, today=now)
    same = next((p for p in rows if p.valid_from == since), None)
    before = next((p for p in reversed(rows) if p.valid_from < since), None)
    after = next((p for p in rows if p.valid_from > since), None)
    if same is not None:
        _withdraw(connection, same)
    if before is not None:
        connection.execute(update(P).where(P.c.id == before.id).values(valid_to=since))
    number: int = connection.execute(
        insert(P)
        .values(
            territory_id=territory.id,
            plan_version_id=version_id,
            valid_from=since,
            valid_to=None if after is None else after.valid_from,
            published_by=actor,
        )
        .returning(P.c.id)
    ).scalar_one()
    opened = Publication(*connection.execute(_rows().where(P.c.id == number)).one())
    v = schema.plan_version
    connection.execute(update(v).where(v.c.id == version_id).values(status="published"))
    return Opened(opened, before, same)


def _withdraw(connection: Connection, publication: Publication) -> None:
    connection.execute(delete(P).where(P.c.id == publication.id))
    v = schema.plan_version
    others = select(P.c.plan_version_id)
    connection.execute(
        update(v).where(v.c.id == publication.plan_version_id, v.c.id.not_in(others)).values(status="withdrawn")
    )


def _rows() -> Any:
    return select(*[P.c[f] for f in Publication.__dataclass_fields__])


def _ends_after(on: date) -> Any:
    return or_(P.c.valid_to.is_(None), P.c.valid_to > on)
