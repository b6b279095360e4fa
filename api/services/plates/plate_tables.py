"""Many plates hung up at once: a crew's table and its folder of photos, every fault of a row told by its number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sqlalchemy import Engine

from api import messages
from api.services.plates import plate_life
from api.services.plates.plate_life import Outcome, Position
from data import code_tables, photos
from data.code_tables import HUNG, Row
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.errors import InputError, WanggeError


@dataclass(frozen=True)
class Fault:
    """A row that could not be recorded."""

    row: int
    error: WanggeError

    def said(self, language: str) -> str:
        """The reason in words."""
        return messages.of_error(self.error, language)


@dataclass
class Installed:
    """What a crew's table came to; nothing is written while there are faults, unless they are to be skipped."""

    outcomes: list[Outcome] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


@dataclass(frozen=True)
class _Hung:
    plate: str
    on: date | None
    by: str
    position: Position | None
    photo: Path | None
    note: str
    size: str = ""


def install_file(
    engine: Engine,
    path: Path,
    *,
    photos: Path | None = None,
    skip_faults: bool = False,
    by: str = "",
    crs: str | None = None,
    actor: str = "",
) -> Installed:
    """Record the plates of a CSV or XLSX table as installed, in one transaction.

    Columns: plate (link or code); on, by, lon, lat, crs, accuracy, photo (a file of ``photos``), note, size as
    far as they are there. ``by`` and ``crs`` fill empty cells.
    """
    rows = code_tables.read_rows(path, HUNG, ("plate",))
    done = Installed()
    with UnitOfWork(engine) as work:
        for row in rows:
            try:
                hung = _hung(row, photos, by, crs)
                picture = _cleaned(hung.photo) if hung.photo else None
                with work.connection.begin_nested():  # a row that fails leaves nothing behind
                    outcome = plate_life.install_in(
                        work.connection, hung.plate, on=hung.on, by=hung.by, position=hung.position, photo=picture,
                        note=hung.note, actor=actor, size=hung.size,
                    )  # fmt: skip
                done.outcomes.append(outcome)
            except WanggeError as error:
                done.faults.append(Fault(row.number, error))
        if skip_faults or not done.faults:
            work.commit()
    return done


def photo_of(file: Path) -> bytes:
    """The bytes of a photo; raises InputError for none or one that is too large, before it is read."""
    try:
        if file.stat().st_size > photos.LARGEST_BYTES:
            raise InputError("photo.too_large", most=photos.LARGEST_BYTES >> 20)
        return file.read_bytes()
    except OSError:
        raise InputError("input.missing_file", file=str(file)) from None


def _cleaned(file: Path) -> bytes:
    return photos.cleaned(photo_of(file))


def _hung(row: Row, folder: Path | None, by: str, crs: str | None) -> _Hung:
    cells = row.cells
    try:
        on = code_tables.day(cells.get("on", ""))
    except (ValueError, OverflowError):
        raise InputError("life.bad_day", value=cells["on"][:40]) from None
    plate = cells["plate"]
    if plate.isdigit() and len(plate) > 9:
        plate = plate.zfill(codes.CODE_DIGITS)  # spreadsheets drop leading zeros
    lon, lat = _number(cells.get("lon", "")), _number(cells.get("lat", ""))
    position = None
    if lon is not None or lat is not None:
        datum = cells.get("crs", "") or crs
        if lon is None or lat is None or not datum:
            raise InputError("life.whole_position")
        position = Position(lon, lat, datum, _number(cells.get("accuracy", "")) or 0.0)
    picture = cells.get("photo", "")
    if picture and (folder is None or Path(picture).name != picture):
        raise InputError("life.photo_folder", file=picture[:80])
    photo = folder / picture if picture and folder else None
    return _Hung(plate, on, cells.get("by", "") or by, position, photo, cells.get("note", ""), cells.get("size", ""))


def _number(said: str) -> float | None:
    if not said:
        return None
    try:
        value = float(said)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError("life.number", value=said[:40])
    return value
