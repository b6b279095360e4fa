"""Plates after printing: hung, lost, replaced, revoked, checked on the spot; what to do next and to print again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import Connection, Engine

from data import photos
from data.outputs import require_writable, write_whole
from data.postgres.imported import territories
from data.postgres.plates import plate_life as store
from data.postgres.plates.plate_life import BatchRow, PlateRow
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes, life
from gis.addressing.life import Sighting
from gis.errors import InputError, NotFoundError
from gis.locate import datums

#: States that a person may give a plate; ``installed`` comes with ``install``.
MARKS: Final = ("lost", "replaced", "revoked")


@dataclass(frozen=True)
class Position:
    """Where somebody stands: coordinates in a datum that is named, ``accuracy`` in metres."""

    lon: float
    lat: float
    crs: str
    accuracy: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of a plate. ``distance`` metres from its building (None: no position), ``nearness`` of that."""

    code: str
    text: str
    batch: int
    status: str
    on: date
    distance: float | None = None
    nearness: str = ""
    replaced: int = 0


@dataclass(frozen=True)
class Todo:
    """A plate somebody should look at or print again, and why: a key of ``life.why.*`` in the catalogues.

    ``size`` is the kind of plate that hung or was to hang there.
    """

    code: str
    text: str
    why: str
    status: str
    day: date | None
    distance: float | None = None
    payload: str = ""
    size: str = ""


def install(
    engine: Engine,
    text: str,
    *,
    on: date | None = None,
    by: str = "",
    position: Position | None = None,
    photo: bytes = b"",
    note: str = "",
    actor: str = "",
) -> Outcome:
    """Record that a plate (its link, or the newest one of a code) hangs; older plates of the address are replaced.

    A position is compared with the building: one far from it is recorded and flagged, not refused.
    """
    kept = photos.cleaned(photo) if photo else None
    with UnitOfWork(engine) as work:
        done = install_in(work.connection, text, on=on, by=by, position=position, photo=kept, note=note, actor=actor)
        work.commit()
    return done


def install_in(
    connection: Connection,
    text: str,
    *,
    on: date | None,
    by: str,
    position: Position | None,
    photo: bytes | None,
    note: str,
    actor: str,
) -> Outcome:
    """``install`` inside a transaction; ``photo`` is already made anew."""
    plate = plate_of(connection, text)
    spot = store.spot(connection, plate.territory_id)
    day = _day(on, spot.today)
    life.require_move(codes.printed(plate.code), plate.status, "installed")
    more = {"installed_on": day, "installed_by": by or actor} | ({"photo": photo} if photo else {})
    store.move(connection, plate, "installed", day, actor=actor, note=note, **more)
    metres, verdict = None, ""
    if position is not None:
        metres, verdict = _seen(connection, plate, position, day, by or actor, note="", photo=None, placed=True)
    replaced = [p for p in store.older(connection, plate) if p.status in life.LIVE]
    for p in replaced:
        store.move(connection, p, "replaced", day, actor=actor, note=f"plate:{plate.id}")
    return Outcome(plate.code, plate.text, plate.batch, "installed", day, metres, verdict, len(replaced))


def mark(
    engine: Engine, text: str, status: str, *, on: date | None = None, note: str = "", actor: str = ""
) -> Outcome:
    """Record that a plate was lost, replaced or revoked. Raises ConflictError where it cannot come to that."""
    if status not in MARKS:
        raise InputError("life.status", status=status, known=", ".join(MARKS))
    with UnitOfWork(engine) as work:
        plate = plate_of(work.connection, text)
        day = _day(on, store.spot(work.connection, plate.territory_id).today)
        life.require_move(codes.printed(plate.code), plate.status, status)
        store.move(work.connection, plate, status, day, actor=actor, note=note)
        work.commit()
    return Outcome(plate.code, plate.text, plate.batch, status, day)


def check(
    engine: Engine,
    text: str,
    position: Position,
    *,
    on: date | None = None,
    by: str = "",
    note: str = "",
    photo: bytes = b"",
    actor: str = "",
) -> Outcome:
    """Record where staff saw a plate, and say how far that is from its building."""
    kept = photos.cleaned(photo) if photo else None
    with UnitOfWork(engine) as work:
        plate = plate_of(work.connection, text)
        day = _day(on, store.spot(work.connection, plate.territory_id).today)
        metres, verdict = _seen(
            work.connection, plate, position, day, by or actor, note=note, photo=kept, placed=False
        )
        work.commit()
    return Outcome(plate.code, plate.text, plate.batch, plate.status, day, metres, verdict)


def settle(engine: Engine, text: str, *, note: str = "", actor: str = "") -> Outcome:
    """Staff looked into a suspicion: what was seen and reported until now is done with."""
    with UnitOfWork(engine) as work:
        plate = plate_of(work.connection, text)
        day = store.spot(work.connection, plate.territory_id).today
        store.settle(work.connection, plate, actor=actor, note=note)
        work.commit()
    return Outcome(plate.code, plate.text, plate.batch, plate.status, day)


def batches(engine: Engine, name: str) -> list[BatchRow]:
    """Batches of a territory: who ordered and printed them, and how far their plates are."""
    with UnitOfWork(engine, read_only=True) as work:
        return store.batches(work.connection, territories.get(work.connection, name))


def listing(engine: Engine, name: str, *, batch: int | None = None, status: str = "") -> list[PlateRow]:
    """Plates of a territory."""
    if status and status not in life.PLATE_MOVES:
        raise InputError("life.status", status=status, known=", ".join(life.PLATE_MOVES))
    with UnitOfWork(engine, read_only=True) as work:
        return store.listing(work.connection, territories.get(work.connection, name), batch=batch, status=status)


def save_photo(engine: Engine, text: str, file: Path) -> None:
    """Write the photo that was taken when a plate was hung; NotFoundError ``life.no_photo`` where there is none."""
    require_writable(file)
    with UnitOfWork(engine, read_only=True) as work:
        plate = plate_of(work.connection, text)
        photo = store.photo(work.connection, plate.id)
    if photo is None:
        raise NotFoundError("life.no_photo", value=codes.printed(plate.code))
    write_whole(file, photo)


def reprints(engine: Engine, name: str) -> list[Todo]:
    """Addresses in force whose plate has to be printed again: lost, revoked, or it no longer shows their text."""
    with UnitOfWork(engine, read_only=True) as work:
        rows = store.newest(work.connection, territories.get(work.connection, name))
    return reprints_of(rows)


def reprints_of(rows: Sequence[PlateRow]) -> list[Todo]:
    """Of the newest plate of each address, those to be printed again."""
    made = []
    for p in rows:
        if p.address_status != "issued":
            continue
        why = p.status if p.status in ("lost", "revoked", "replaced") else ""
        if not why and p.shown and p.shown != p.text:
            why = "renamed"
        if why:
            made.append(Todo(p.code, p.text, why, p.status, p.since, p.distance, p.payload, p.size))
    return made


def suspicious(engine: Engine, name: str) -> list[Todo]:
    """Plates to look at: moved, copied, said to hang elsewhere, or left hanging where the address has ended."""
    with UnitOfWork(engine, read_only=True) as work:
        territory = territories.get(work.connection, name)
        seen = store.seen(work.connection, territory)
        newest = {p.code: p for p in store.newest(work.connection, territory)}
        elsewhere = {p.code for p in store.listing(work.connection, territory) if p.elsewhere}
    sightings: dict[str, list[Sighting]] = {}
    for s in seen:
        sightings.setdefault(s.code, []).append(Sighting(s.day, s.distance, s.verdict))
    made = []
    for code, plate in newest.items():
        mine = sightings.get(code, [])
        found: str = life.suspicion(mine)
        why = found or ("reported" if code in elsewhere else "")
        if not why and plate.address_status != "issued" and plate.status == "installed":
            why = "ended"
        if why:
            far = [s for s in mine if s.verdict == "far"]
            last = max(far, key=lambda s: s.day) if far else None
            made.append(
                Todo(
                    code,
                    plate.text,
                    why,
                    plate.status,
                    last.day if last else plate.since,
                    last.distance if last else None,
                    plate.payload,
                    plate.size,
                )
            )
    return made


def plate_of(connection: Connection, text: str) -> PlateRow:
    """The plate of a link, or the newest plate of a code; the tag of a link must be that of a printed plate.

    Raises InputError ``plates.no_code`` for a text that is no code, NotFoundError ``life.no_plate``.
    """
    link = codes.parse(text)
    if link is None or not codes.is_code(link.code):
        raise InputError("life.no_code", value=text[:60])
    found = (
        store.by_link(connection, link.code, link.key_id, link.tag)
        if link.key_id
        else store.by_code(connection, link.code)
    )
    if found is None:
        raise NotFoundError("life.no_plate", value=codes.printed(link.code))
    return found


def _seen(
    connection: Connection,
    plate: PlateRow,
    position: Position,
    day: date,
    by: str,
    *,
    note: str,
    photo: bytes | None,
    placed: bool,
) -> tuple[float, str]:
    spot = store.spot(connection, plate.territory_id)
    if not 0 <= position.accuracy <= 100_000:
        raise InputError("life.accuracy", value=position.accuracy)
    lon, lat = datums.to_wgs84(np.array([position.lon]), np.array([position.lat]), datums.parse(position.crs))
    x, y = (float(v[0]) for v in datums.project(lon, lat, spot.crs))
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputError("life.position", lon=position.lon, lat=position.lat, crs=position.crs)
    metres = store.distance(connection, plate.address_id, x, y, spot.srid)
    verdict = life.nearness(metres, position.accuracy)
    store.save_check(
        connection, address_id=plate.address_id, plate_id=plate.id, on=day, by=by, x=x, y=y, srid=spot.srid,
        accuracy=position.accuracy, metres=metres, verdict=verdict, note=note, photo=photo,
    )  # fmt: skip
    if placed:
        store.place(connection, plate.id, x, y, spot.srid)
    return metres, verdict


def _day(on: date | None, today: date) -> date:
    """The day of what happened: today unless given, and never one that is still to come."""
    if on is not None and on > today:
        raise InputError("life.future", day=on, today=today)
    return on or today
