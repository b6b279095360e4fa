"""Codes of other systems (police plates, GB/T 39609), linked many to one to our addresses, with dates."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from data import code_tables
from data.code_tables import FOREIGN, Row
from data.outputs import unformulated, write_whole
from data.postgres.addresses import address_life as store
from data.postgres.addresses.address_life import ForeignCode
from data.postgres.imported import territories
from data.postgres.imported.territories import Territory
from data.postgres.plates import plate_life
from data.postgres.unit_of_work import UnitOfWork
from gis.addressing import codes
from gis.errors import ConflictError, InputError, NotFoundError

#: Longest name of a system and longest code.
LONGEST: Final = (40, 100)
_FOREVER: Final = date.max


@dataclass(frozen=True)
class Fault:
    """A row that cannot be linked: its number, the reason (``codes.fault.*``) and what it says there."""

    row: int
    reason: str
    value: str


@dataclass
class Imported:
    """What a table of codes came to. ``known`` rows said what was linked already."""

    rows: int
    linked: int = 0
    known: int = 0
    faults: list[Fault] = field(default_factory=list)
    written: bool = False


@dataclass(frozen=True)
class _Link:
    row: int
    system: str
    foreign: str
    code: str
    since: date
    until: date | None


def link(
    engine: Engine,
    code: str,
    system: str,
    foreign: str,
    *,
    since: date | None = None,
    until: date | None = None,
    actor: str = "",
) -> ForeignCode:
    """Link one foreign code to an address. Raises ConflictError ``codes.taken`` where another has it then."""
    system, foreign = _checked(system, LONGEST[0]), _checked(foreign, LONGEST[1])
    if not system or not foreign:
        raise InputError("codes.words", system=LONGEST[0], most=LONGEST[1])
    with UnitOfWork(engine) as work:
        address = store.get(work.connection, _code(code))
        first = since or address.today
        if until is not None and until <= first:
            raise InputError("life.days", since=first, until=until)
        for other in store.foreign(work.connection, system, foreign):
            if _meet((first, until), (other.valid_from, other.valid_to)):
                raise ConflictError("codes.taken", system=system, value=foreign, address=codes.printed(other.address))
        store.link(work.connection, address, system, foreign, first, until, actor=actor)
        work.commit()
    return ForeignCode(system, foreign, address.code, address.text, first, until)


def unlink(engine: Engine, system: str, foreign: str, *, on: date | None = None, actor: str = "") -> ForeignCode:
    """End the link of a foreign code on a day (today where none is given); the link stays in the history."""
    system, foreign = _checked(system, LONGEST[0]), _checked(foreign, LONGEST[1])
    with UnitOfWork(engine) as work:
        links = store.foreign(work.connection, system, foreign)
        day = on or (store.get(work.connection, links[-1].address).today if links else date.min)
        ended = store.unlink(work.connection, system, foreign, day, actor=actor) if links else None
        if ended is None:
            raise NotFoundError("codes.unlinked", system=system, value=foreign)
        work.commit()
    return ended


def find(engine: Engine, foreign: str, system: str = "", *, published: bool = False) -> list[ForeignCode]:
    """Every link a foreign code ever had; raises NotFoundError ``codes.unlinked`` where it had none.

    ``published``: only in territories that are published.
    """
    wanted = _checked(system, LONGEST[0]), _checked(foreign, LONGEST[1])
    with UnitOfWork(engine, read_only=True) as work:
        found = store.foreign(work.connection, *wanted, published=published)
    if not found:
        raise NotFoundError("codes.unlinked", system=system or "-", value=foreign)
    return found


def import_file(
    engine: Engine,
    name: str,
    path: Path,
    *,
    system: str = "",
    skip_faults: bool = False,
    encoding: str | None = None,
    sheet: str | None = None,
    actor: str = "",
) -> Imported:
    """Link the foreign codes of a CSV or XLSX table to addresses, by address code or by the address's own text.

    ``system`` names the system where the table has no such column. One faulty row stops the import and nothing is
    written, unless ``skip_faults``; every fault is in the result.
    """
    rows = code_tables.read_rows(path, FOREIGN, ("foreign",), encoding=encoding, sheet=sheet)
    with UnitOfWork(engine) as work:
        territory = territories.get(work.connection, name)
        territories.lock(work.connection, territory.id)
        today = plate_life.spot(work.connection, territory.id).today
        done = Imported(len(rows))
        links = _resolved(work.connection, territory, rows, system, today, done)
        fresh = _free(work.connection, links, done)
        done.faults.sort(key=lambda f: f.row)
        if fresh and (skip_faults or not done.faults):
            made = [(k.code, k.system, k.foreign, k.since, k.until) for k in fresh]
            store.link_many(work.connection, territory, made, actor=actor)
            done.linked, done.written = len(made), True
            work.commit()
    return done


def faults_file(path: Path, faults: Sequence[Fault], words: Callable[[str], str]) -> None:
    """Write the faults of an import as CSV, in the reader's words."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["row", "reason", "explanation", "value"])
    for fault in faults:
        writer.writerow([fault.row, fault.reason, words(fault.reason), unformulated(fault.value)])
    write_whole(path, out.getvalue().encode("utf-8-sig"))


def _resolved(
    connection: Connection, territory: Territory, rows: Sequence[Row], system: str, today: date, done: Imported
) -> list[_Link]:
    """Rows that mean one address and have good days; the others become faults."""
    codes_given = {_given(r) for r in rows} - {""}
    texts = {r.cells.get("address", "") for r in rows} - {""}
    known, named = store.codes_of(connection, territory, codes_given, texts)
    links = []
    for row in rows:
        cells = row.cells
        named_system = _checked(cells.get("system", "") or system, LONGEST[0])
        foreign = _checked(cells["foreign"], LONGEST[1])
        if not named_system or not foreign:
            done.faults.append(Fault(row.number, "system" if not named_system else "foreign", cells["foreign"][:60]))
            continue
        address = _address(row, known, named, done)
        days = _days(row, today, done) if address else None
        if address and days:
            links.append(_Link(row.number, named_system, foreign, address, *days))
    return links


def _given(row: Row) -> str:
    """The address code of a row; spreadsheets drop the (few) leading zeros of what they take for a number."""
    said = "".join(unicodedata.normalize("NFKC", row.cells.get("code", "")).split())
    if not said:
        return ""
    link = codes.parse(said.zfill(codes.CODE_DIGITS) if said.isdigit() and len(said) > 9 else said)
    return link.code if link is not None else said[:60]


def _address(row: Row, known: dict[str, str], named: dict[str, set[str]], done: Imported) -> str:
    code, words = _given(row), row.cells.get("address", "")
    found = named.get(words, set()) if words else set()
    if code:
        if not codes.is_code(code):
            done.faults.append(Fault(row.number, "mistyped", code))
        elif code not in known:
            done.faults.append(Fault(row.number, "no_address", code))
        elif found and code not in found:
            done.faults.append(Fault(row.number, "contradiction", f"{code} {words}"))
        else:
            return code
        return ""
    if len(found) == 1:
        return next(iter(found))
    reason = "ambiguous" if found else "no_text" if words else "empty"
    done.faults.append(Fault(row.number, reason, words[:60]))
    return ""


def _days(row: Row, today: date, done: Imported) -> tuple[date, date | None] | None:
    try:
        since = code_tables.day(row.cells.get("since", "")) or today
        until = code_tables.day(row.cells.get("until", ""))
    except (ValueError, OverflowError):
        said = " ".join(row.cells.get(n, "") for n in ("since", "until"))
        done.faults.append(Fault(row.number, "day", said[:60]))
        return None
    if until is not None and until <= since:
        done.faults.append(Fault(row.number, "days", f"{since} {until}"))
        return None
    return since, until


def _free(connection: Connection, links: Sequence[_Link], done: Imported) -> list[_Link]:
    """Links whose code nobody else has on any of their days, neither in the database nor earlier in the table."""
    taken: dict[tuple[str, str], list[tuple[date, date | None, str]]] = {}
    for f in store.linked(connection, {(k.system, k.foreign) for k in links}):
        taken.setdefault((f.system, f.code), []).append((f.valid_from, f.valid_to, f.address))
    fresh = []
    for k in links:
        others = taken.setdefault((k.system, k.foreign), [])
        met = [o for o in others if _meet((k.since, k.until), (o[0], o[1]))]
        if not met:
            others.append((k.since, k.until, k.code))
            fresh.append(k)
        elif all(o[2] == k.code for o in met):
            done.known += 1
        else:
            done.faults.append(Fault(k.row, "taken", f"{k.foreign} {codes.printed(met[0][2])}"))
    return fresh


def _meet(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    return one[0] < (other[1] or _FOREVER) and other[0] < (one[1] or _FOREVER)


def _checked(words: str, most: int) -> str:
    """Words of a system or code in one form: no full-width letters, no gaps at the ends; "" when too long."""
    plain = unicodedata.normalize("NFKC", words).strip()
    return plain if len(plain) <= most and plain.isprintable() else ""


def _code(code: str) -> str:
    link = codes.parse(code)
    if link is None or not codes.is_code(link.code):
        raise InputError("life.no_code", value=code[:60])
    return link.code
