"""The life of an address code: revoked, merged, split, known by other names; its history in one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine

from data.postgres import generations
from data.postgres.addresses import address_life as store
from data.postgres.addresses.address_life import AddressRow, ForeignCode
from data.postgres.plates import plate_life
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.addressing.life import LIVE
from gis.errors import ConflictError, InputError

#: Kinds of other names that people give; what the numbering makes itself is an ``alias``.
NAMES = ("alias", "former", "misprint", "variant")


@dataclass(frozen=True)
class Ended:
    """What became of an address: its new state, the codes in its place, and how many parts ended with it."""

    code: str
    text: str
    status: str
    on: date
    into: tuple[str, ...]
    parts: int
    plates: int


@dataclass(frozen=True)
class Entry:
    """One line of a history, at the territory's own time."""

    at: datetime
    actor: str
    kind: str
    body: dict[str, object]


@dataclass(frozen=True)
class History:
    """Everything known of a code, the oldest first."""

    address: AddressRow
    entries: tuple[Entry, ...]
    foreign: tuple[ForeignCode, ...]


def revoke(
    engine: Engine, code: str, *, on: date | None = None, with_parts: bool = False, note: str = "", actor: str = ""
) -> Ended:
    """End an address without a successor (a building pulled down); its plates are revoked with it.

    Raises ConflictError ``life.parts`` where units or rooms are still in force and ``with_parts`` is not set.
    """
    with UnitOfWork(engine) as work:
        connection = work.connection
        address, day = _in_force(connection, code, on)
        parts = _parts(connection, address, day, with_parts, actor, note)
        store.end(connection, address, "revoked", day, actor=actor, note=note)
        plates = _revoke_plates(connection, address, day, actor)
        generations.bump(connection, address.territory_id, ["addresses"])
        work.commit()
    return Ended(address.code, address.text, "revoked", day, (), parts, plates)


def merge(
    engine: Engine,
    code: str,
    into: str,
    *,
    on: date | None = None,
    with_parts: bool = False,
    note: str = "",
    actor: str = "",
) -> Ended:
    """Let one address go up in another: from then on its code and plates lead to the survivor.

    Its text becomes a former name of the survivor, so that it is still found.
    """
    with UnitOfWork(engine) as work:
        connection = work.connection
        first, second = sorted((_code(code), _code(into)))
        if first == second:
            raise InputError("life.itself", address=codes.printed(first))
        store.get(connection, first)  # rows are held in the order of their codes: two mergers never wait in a ring
        address, day = _in_force(connection, code, on)
        survivor, _ = _in_force(connection, into, on)
        _same_territory(address, [survivor])
        parts = _parts(connection, address, day, with_parts, actor, note)
        store.end(connection, address, "merged", day, successor=survivor, actor=actor, note=note)
        store.succeed(connection, address, [survivor], "merged", day)
        store.name(connection, survivor, address.text, "former", day, actor=actor)
        generations.bump(connection, address.territory_id, ["addresses"])
        work.commit()
    return Ended(address.code, address.text, "merged", day, (survivor.code,), parts, 0)


def split(
    engine: Engine,
    code: str,
    into: Sequence[str],
    *,
    on: date | None = None,
    with_parts: bool = False,
    note: str = "",
    actor: str = "",
) -> Ended:
    """Let several addresses, issued before, take the place of one: its code names them from then on."""
    wanted = list(dict.fromkeys(_code(c) for c in into))
    if len(wanted) < 2 or _code(code) in wanted:
        raise InputError("life.into", count=2)
    with UnitOfWork(engine) as work:
        connection = work.connection
        for each in sorted([*wanted, _code(code)]):
            store.get(connection, each)
        address, day = _in_force(connection, code, on)
        successors = [_in_force(connection, c, on)[0] for c in wanted]
        _same_territory(address, successors)
        parts = _parts(connection, address, day, with_parts, actor, note)
        store.split(connection, address, successors, day, actor=actor, note=note)
        generations.bump(connection, address.territory_id, ["addresses"])
        work.commit()
    return Ended(address.code, address.text, "split", day, tuple(wanted), parts, 0)


def name(
    engine: Engine,
    code: str,
    words: str,
    kind: str = "alias",
    *,
    since: date | None = None,
    until: date | None = None,
    actor: str = "",
) -> AddressRow:
    """Give an address another name (its other branch, a former name, a misprint, a variant) for some days."""
    words = " ".join(words.split())
    if kind not in NAMES:
        raise InputError("life.kind", kind=kind, known=", ".join(NAMES))
    if not 0 < len(words) <= 200:
        raise InputError("life.words", most=200)
    with UnitOfWork(engine) as work:
        address = store.get(work.connection, _code(code))
        first = since or address.today
        if until is not None and until <= first:
            raise InputError("life.days", since=first, until=until)
        if not store.name(work.connection, address, words, kind, first, until, actor=actor):
            raise ConflictError("life.named", address=codes.printed(address.code), name=words)
        generations.bump(work.connection, address.territory_id, ["addresses"])
        work.commit()
    return address


def history(engine: Engine, code: str) -> History:
    """Everything recorded of a code: issue, names, foreign codes, plates, mergers and its end."""
    with UnitOfWork(engine) as work:
        address = store.get(work.connection, _code(code))
        happened = plate_life.history(work.connection, address.id, address.code)
        foreign = store.foreign_of(work.connection, address.id)
    zone = ZoneInfo(address.time_zone)
    entries = tuple(Entry(h.at.astimezone(zone), h.actor, h.kind, {**h.body, "subject": h.subject}) for h in happened)
    return History(address, entries, tuple(foreign))


def _code(code: str) -> str:
    link = codes.parse(code)
    if link is None or not codes.is_code(link.code):
        raise InputError("life.no_code", value=code[:60])
    return link.code


def _in_force(connection: Connection, code: str, on: date | None) -> tuple[AddressRow, date]:
    address = store.get(connection, _code(code))
    if address.status != "issued" or address.valid_to is not None:
        raise ConflictError("life.ended", address=codes.printed(address.code), status=address.status)
    day = on or address.today
    if day > address.today:
        raise InputError("life.future", day=day, today=address.today)
    if day < address.valid_from:
        raise InputError("life.before", day=day, since=address.valid_from)
    return address, day


def _same_territory(address: AddressRow, others: Sequence[AddressRow]) -> None:
    for other in others:
        if other.territory_id != address.territory_id:
            raise ConflictError("life.territory", address=codes.printed(other.code))


def _parts(connection: Connection, address: AddressRow, day: date, with_parts: bool, actor: str, note: str) -> int:
    if not address.parts:
        return 0
    if not with_parts:
        raise ConflictError("life.parts", address=codes.printed(address.code), count=address.parts)
    return store.end_parts(connection, address, day, actor=actor, note=note)


def _revoke_plates(connection: Connection, address: AddressRow, day: date, actor: str) -> int:
    newest = plate_life.by_code(connection, address.code)
    if newest is None:
        return 0
    live = [p for p in (newest, *plate_life.older(connection, newest)) if p.status in (*LIVE, "lost")]
    for plate in live:
        plate_life.move(connection, plate, "revoked", day, actor=actor, note="address")
    return len(live)
