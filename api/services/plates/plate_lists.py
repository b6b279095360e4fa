"""Signed lists of plates, made from the database, and the keys behind them (``plate_verify`` reads lists)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from data.outputs import require_writable, write_whole
from data.postgres import events
from data.postgres.imported import territories
from data.postgres.imported.territories import Territory
from data.postgres.plates import plate_lists as store
from data.postgres.plates.plate_lists import Listed, ListKey, PlateKey
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes, signed_list
from gis.addressing.signed_list import Record


@dataclass(frozen=True)
class Made:
    """A list: its bytes, how many addresses it holds, and the public key it is checked with."""

    data: bytes
    records: int
    key: str
    made: datetime


@dataclass(frozen=True)
class Keys:
    """Keys of plates, and public keys of lists with their days."""

    plates: tuple[PlateKey, ...]
    lists: tuple[tuple[str, datetime, datetime | None], ...]


def make(engine: Engine, name: str, *, now: datetime | None = None, actor: str = "") -> Made:
    """The signed list of a territory's plates as they stand. The first use makes the key that signs lists."""
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        key = _key(connection)
        boards = _boards(connection, territory)
        rows = store.listed(connection, territory, list(boards))
        data = signed_list.write(
            [_record(row, boards.get(row.code, ())) for row in rows], territory=territory.title or territory.name,
            hosts=store.signing_hosts(connection), made=moment.isoformat(), secret=key.secret,
        )  # fmt: skip
        text = signed_list.key_text(key.public)
        events.record(
            connection, "plate_list_made", f"territory:{territory.id}", actor=actor, territory_id=territory.id,
            body={"records": len(rows), "key": text},
        )  # fmt: skip
        work.commit()
    return Made(data, len(rows), text, moment)


def make_file(engine: Engine, name: str, file: Path, *, actor: str = "") -> Made:
    """``make``, written to a file."""
    require_writable(file)
    made = make(engine, name, actor=actor)
    write_whole(file, made.data)
    return made


def keys(engine: Engine) -> Keys:
    """Every key of plates and lists, without secrets."""
    with UnitOfWork(engine) as work:
        _key(work.connection)
        lists = store.list_keys(work.connection)
        plates = store.plate_keys(work.connection)
        work.commit()
    return Keys(tuple(plates), tuple((signed_list.key_text(k.public), k.created_at, k.retired_at) for k in lists))


def rotate_list_key(engine: Engine, *, actor: str = "") -> str:
    """Make a new key for lists; staff need its public half, which is returned. Lists of before stay readable."""
    with UnitOfWork(engine) as work:
        secret = secrets.token_bytes(32)
        public = signed_list.public_of(secret)
        store.new_list_key(work.connection, secret, public)
        text = signed_list.key_text(public)
        events.record(work.connection, "list_key_made", "list_key", actor=actor, body={"key": text})
        work.commit()
    return text


def _key(connection: Connection) -> ListKey:
    known = [k for k in store.list_keys(connection) if k.retired_at is None]
    if not known:
        secret = secrets.token_bytes(32)
        store.new_list_key(connection, secret, signed_list.public_of(secret))
        known = [k for k in store.list_keys(connection) if k.retired_at is None]
    return known[-1]


def _boards(connection: Connection, territory: Territory) -> dict[str, list[str]]:
    """Links that notice boards quote, by address code."""
    found: dict[str, list[str]] = {}
    for q in store.quoted(connection, territory):
        found.setdefault(q.code, []).append(codes.plate_url(q.key.host, q.code, q.key.key_id, q.key.secret))
    return found


def _record(row: Listed, boards: Iterable[str]) -> Record:
    """``boards`` are links on notice boards: good ones, where no plate with the same link says otherwise."""
    printed = {link for link, _ in row.links}
    known = [*((link, "issued") for link in boards if link not in printed), *row.links]
    links = tuple(
        (signed_list.digest(*link.removeprefix("https://").split("/d/", 1)), state) for link, state in known
    )
    return Record(row.code, row.state, row.into, links, row.lon, row.lat, row.radius, row.text)
