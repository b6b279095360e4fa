"""What people send from a plate's page: a problem, or that this plate hangs elsewhere. Nobody is asked who they are.

Who posts too often is known by a hash under a salt of the day; hash and salt are deleted within a day.
"""

from __future__ import annotations

import random
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.services.plates.pages import judge
from data import photos
from data.outputs import require_writable, write_whole
from data.postgres import events
from data.postgres.imported import territories
from data.postgres.plates import scans
from data.postgres.plates.scans import Report
from data.postgres.unit_of_work import UnitOfWork
from gis.errors import InputError, NotFoundError, ThrottledError

#: Longest text of a report, in characters.
LONGEST: Final = 2000
KINDS: Final = ("problem", "elsewhere")
#: Characters of a report's number: none that is read as another.
_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


@dataclass(frozen=True)
class Posted:
    """What came from the form. ``caller`` is the network address it came from, kept nowhere as it is."""

    kind: str
    words: str
    photo: bytes = b""
    caller: str = ""


def post(engine: Engine, text: str, posted: Posted, *, a_day: int = 0) -> str:
    """Keep a report about the place of a scanned or typed code; its number.

    ``a_day``: postings one caller may make on a day (0: any). Raises ThrottledError beyond that, NotFoundError
    ``report.no_plate`` for a text that is no code of ours, InputError for words or a photo that cannot be kept.
    """
    _count(engine, posted.caller, a_day)
    words = _words(posted.words)
    if not words:
        if posted.kind != "elsewhere":
            raise InputError("report.empty")
        words = "-"
    with UnitOfWork(engine, read_only=True) as work:
        found = judge(work.connection, text)
        where = scans.place(work.connection, found.code) if found.verdict in ("signed", "typed") else None
    if where is None:
        raise NotFoundError("report.no_plate")
    photo = photos.cleaned(posted.photo) if posted.photo else None
    number = _number(where.day)
    with UnitOfWork(engine) as work:
        plate = found.printed.id if found.printed else None
        scans.save_report(
            work.connection, where, number=number, kind=posted.kind, words=words, photo=photo, plate_id=plate
        )
        events.record(
            work.connection, f"report_{posted.kind}", f"address:{found.code}", actor="public",
            territory_id=where.territory, body={"number": number, "photo": photo is not None},
        )  # fmt: skip
        work.commit()
    return number


def forget(engine: Engine) -> int:
    """Delete the hashes and salts of days that are over; how many hashes went."""
    with UnitOfWork(engine) as work:
        gone = scans.forget(work.connection)
        work.commit()
    return gone


class Forgetting:
    """Forgets what a day left behind as soon as it is over, for as long as the service runs.

    It looks when it starts, at the end of every day, and every ``every`` seconds besides (a machine may sleep).
    """

    def __init__(self, engine: Engine, every: float = 900.0) -> None:
        self._engine = engine
        self._every = every
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Forget from now on, beside everything else."""
        self._thread = threading.Thread(target=self._run, name="forgetting", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Forget no longer."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def once(self) -> float:
        """Forget, and say in how many seconds to look again."""
        try:
            with UnitOfWork(self._engine) as work:
                scans.forget(work.connection)
                left = scans.seconds_left(work.connection)
                work.commit()
        except SQLAlchemyError:  # a database that is read-only or away: it is asked again
            return self._every
        return min(left + 1.0, self._every)

    def _run(self) -> None:
        while not self._stop.wait(self.once()):
            pass


def reports(engine: Engine, name: str, *, kind: str = "", limit: int = 100) -> list[Report]:
    """Reports sent from plates of a territory, the newest first."""
    with UnitOfWork(engine, read_only=True) as work:
        return scans.reports(work.connection, territories.get(work.connection, name), kind=kind, limit=limit)


def save_photos(engine: Engine, name: str, folder: Path) -> int:
    """Write the photos of a territory's reports as ``NUMBER.jpg``; how many."""
    written = 0
    with UnitOfWork(engine, read_only=True) as work:
        for number, photo in scans.photos(work.connection, territories.get(work.connection, name)):
            if not folder.is_dir():
                require_writable(folder)
                if folder.exists():
                    raise InputError("output.exists", file=str(folder))
                folder.mkdir()
            write_whole(folder / f"{number}.jpg", photo)
            written += 1
    return written


def _count(engine: Engine, caller: str, a_day: int) -> None:
    with UnitOfWork(engine) as work:
        number = scans.count(work.connection, caller, secrets.token_bytes(32))
        work.commit()
    if 0 < a_day < number:
        raise ThrottledError("report.throttled", most=a_day)


def _words(words: str) -> str:
    """What a person wrote: line ends as one character, no control or private characters, not too long."""
    plain = unicodedata.normalize("NFC", words.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(c for c in plain if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn", "Cf"))
    kept = kept.strip()
    if len(kept) > LONGEST:
        raise InputError("report.too_long", most=LONGEST)
    return kept


def _number(day: date) -> str:
    """A number to quote on the phone: the day and six characters drawn by lot."""
    lots = random.SystemRandom()
    return f"{day:%y%m%d}-" + "".join(lots.choice(_LETTERS) for _ in range(6))
