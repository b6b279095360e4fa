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
from gis.addressing.plates.layout import SIZES
from gis.errors import ConflictError, InputError, NotFoundError
from gis.locate import datums

#: States that a person may give a plate; ``installed`` comes with ``install``.
MARKS: Final = ("lost", "replaced", "revoked")
#: Plates in these states may be meant by whoever names an address's plate.
_OPEN: Final = (*life.LIVE, "lost")


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
    size: str = ""


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
    size: str = "",
) -> Outcome:
    """Record that a plate (its link, or the newest one of a code) hangs; older ones of its size are replaced.

    A position is compared with the building: one far from it is recorded and flagged, not refused. ``size`` says
    which plate is meant where an address has plates of several (see ``plate_of``).
    """
    kept = photos.cleaned(photo) if photo else None
    with UnitOfWork(engine) as work:
        done = install_in(
            work.connection, text, on=on, by=by, position=position, photo=kept, note=note, actor=actor, size=size
        )
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
    size: str = "",
) -> Outcome:
    """``install`` inside a transaction; ``photo`` is already made anew."""
    plate = plate_of(connection, text, size)
    spot = store.spot(connection, plate.territory_id)
    day = _day(on, spot.today)
    life.require_move(codes.printed(plate.code), plate.status, "installed")
    more = {"installed_on": day, "installed_by": by or actor} | ({"photo": photo} if photo else {})
    store.move(connection, plate, "installed", day, actor=actor, note=note, **more)
    metres, verdict = None, ""
    if position is not None:
        metres, verdict = _seen(connection, plate, position, day, by or actor, note="", photo=None, placed=True)
    replaced = [p for p in store.older(connection, plate, same_size=True) if p.status in life.LIVE]
    for p in replaced:
        store.move(connection, p, "replaced", day, actor=actor, note=f"plate:{plate.id}")
    return Outcome(plate.code, plate.text, plate.batch, "installed", day, metres, verdict, len(replaced), plate.size)


def mark(
    engine: Engine, text: str, status: str, *, on: date | None = None, note: str = "", actor: str = "", size: str = ""
) -> Outcome:
    """Record that a plate was lost, replaced or revoked. Raises ConflictError where it cannot come to that."""
    if status not in MARKS:
        raise InputError("life.status", status=status, known=", ".join(MARKS))
    with UnitOfWork(engine) as work:
        plate = plate_of(work.connection, text, size)
        day = _day(on, store.spot(work.connection, plate.territory_id).today)
        life.require_move(codes.printed(plate.code), plate.status, status)
        store.move(work.connection, plate, status, day, actor=actor, note=note)
        work.commit()
    return Outcome(plate.code, plate.text, plate.batch, status, day, size=plate.size)


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
    size: str = "",
) -> Outcome:
    """Record where staff saw a plate, and say how far that is from its building."""
    kept = photos.cleaned(photo) if photo else None
    with UnitOfWork(engine) as work:
        plate = plate_of(work.connection, text, size)
        day = _day(on, store.spot(work.connection, plate.territory_id).today)
        metres, verdict = _seen(
            work.connection, plate, position, day, by or actor, note=note, photo=kept, placed=False
        )
        work.commit()
    return Outcome(plate.code, plate.text, plate.batch, plate.status, day, metres, verdict, size=plate.size)


def settle(engine: Engine, text: str, *, note: str = "", actor: str = "") -> Outcome:
    """Staff looked into a suspicion: what was seen and reported of all plates of an address is done with."""
    with UnitOfWork(engine) as work:
        plate = _plates_of(work.connection, text)[0]
        day = store.spot(work.connection, plate.territory_id).today
        store.settle(work.connection, plate, actor=actor, note=note)
        work.commit()
    return Outcome(plate.code, plate.text, plate.batch, plate.status, day, size=plate.size)


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


def save_photo(engine: Engine, text: str, file: Path, *, size: str = "") -> None:
    """Write the photo that was taken when a plate was hung; NotFoundError ``life.no_photo`` where there is none."""
    require_writable(file)
    with UnitOfWork(engine, read_only=True) as work:
        plate = plate_of(work.connection, text, size)
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
    """Of the newest plate of each address and size, those to be printed again.

    One that was ``replaced`` has to be printed again only where its address has no other plate.
    """
    made = []
    served = {p.code for p in rows if p.status in life.LIVE}
    for p in rows:
        if p.address_status != "issued" or (p.status == "replaced" and p.code in served):
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
        newest = {(p.code, p.size): p for p in store.newest(work.connection, territory)}
        elsewhere = {(p.code, p.size) for p in store.listing(work.connection, territory) if p.elsewhere}
    sightings: dict[tuple[str, str], list[Sighting]] = {}
    for s in seen:
        sightings.setdefault((s.code, s.size), []).append(Sighting(s.day, s.distance, s.verdict))
    made = []
    for key, plate in newest.items():
        mine = sightings.get(key, [])
        found: str = life.suspicion(mine)
        why = found or ("reported" if key in elsewhere else "")
        if not why and plate.address_status != "issued" and plate.status == "installed":
            why = "ended"
        if why:
            far = [s for s in mine if s.verdict == "far"]
            last = max(far, key=lambda s: s.day) if far else None
            made.append(
                Todo(
                    plate.code,
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


def plate_of(connection: Connection, text: str, size: str = "") -> PlateRow:
    """The plate of a link, or the newest plate of a code; the tag of a link must be that of a printed plate.

    ``size`` says which plate is meant where one text names several that may hang: ConflictError ``life.which_size``
    asks for it. Raises InputError ``life.no_code`` for a text that is no code, NotFoundError ``life.no_plate``.
    """
    found = _plates_of(connection, text, size)
    meant = [p for p in found if p.status in _OPEN]
    if len(meant) > 1:
        sizes = ", ".join(p.size for p in meant)
        raise ConflictError("life.which_size", value=codes.printed(meant[0].code), sizes=sizes)
    return (meant or found)[0]


def _plates_of(connection: Connection, text: str, size: str = "") -> list[PlateRow]:
    """The newest plate of each size that a link or code names, the newest first; never none."""
    link = codes.parse(text)
    if link is None or not codes.is_code(link.code):
        raise InputError("life.no_code", value=text[:60])
    if size and size not in SIZES:
        raise InputError("plates.size", size=size[:40], known=", ".join(SIZES))
    named = store.by_size(connection, link.code, link.key_id or "", link.tag or "")
    found = [p for p in named if size in ("", p.size)]
    if not found:
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
