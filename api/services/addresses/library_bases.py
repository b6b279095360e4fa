"""Libraries of addresses that are too large for a request to make: another process makes them, all workers map them.

A base holds the addresses of one territory as they were at its stamp; what changed since is read beside it
(api/services/addresses/matching.py), so a base may be old and the answer never is.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from data import library_files
from data.postgres.addresses import address_library
from data.postgres.addresses.address_library import Stamp
from data.postgres.connect import engine_of
from gis.addressing.matching.library import Library
from gis.addressing.matching.segment import Segment, pack
from gis.errors import BusyError

#: A library of so many addresses is made where it is asked for: 0.4 s.
SMALL: Final = 20_000
#: A base that lacks more changed addresses than this is of no use.
BEHIND: Final = 20_000
#: Addresses a second that a process makes a base of, as a rule: for those who are told to come again.
_PER_SECOND: Final = 40_000
#: Seconds before what failed is tried again.
_PAUSE: Final = 30.0
#: Raised with every change of what the arrays mean.
_FORMAT: Final = 1
_log = logging.getLogger(__name__)
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Base:
    """The addresses of a territory as of a day and a stamp."""

    segment: Segment
    stamp: Stamp
    day: date

    @cached_property
    def core(self) -> Library:
        """The library of this territory alone."""
        return Library.of([self.segment])

    def turned(self, on: date) -> set[int]:
        """Addresses that are another on a later day."""
        days = self.segment.arrays["upcoming.day"]
        return set(self.segment.arrays["upcoming.id"][days <= on.toordinal()].tolist())


class Bases:
    """Bases of territories, from files in ``folder`` or made. ``wait``: wait for one that is being made."""

    def __init__(self, url: str, folder: Path | None = None, *, small: int = SMALL, wait: bool = False) -> None:
        self._url, self._folder, self._small, self._wait = url, folder, small, wait
        self._lock = threading.Lock()
        self._jobs: dict[int, threading.Thread] = {}
        self._ready: dict[int, Base] = {}
        self._begun: dict[int, float] = {}

    def newer(self, territory: int) -> Base | None:
        """A base that was made in the background and not yet taken."""
        with self._lock:
            return self._ready.pop(territory, None)

    def get(self, connection: Connection, territory: int, on: date) -> Base:
        """A base as good as new, or BusyError while it is being made.

        ``connection`` is in a transaction that sees one state (REPEATABLE READ).
        """
        found = self.newer(territory)
        if found is None and not self._making(territory):
            found = self._stored(connection, territory)
        if found is not None and usable(connection, territory, found, on):
            return found
        count = address_library.count(connection, territory)
        if count <= self._small:
            return base_of(*made(connection, territory, on))
        self.renew(territory)
        job = self._jobs.get(territory)
        if self._wait and job is not None:
            job.join()
            fresh = self.newer(territory)
            # this transaction may be older than what was made; its changes are told by no stamp
            return fresh if fresh is not None else base_of(*made(connection, territory, on))
        left = count / _PER_SECOND - (time.monotonic() - self._begun.get(territory, 0.0))
        raise BusyError("parse.library_making", max(2, round(left)), addresses=f"{count:,}")

    def renew(self, territory: int) -> None:
        """Let a base be made anew, unless that is being done or failed just now."""
        with self._lock:
            job = self._jobs.get(territory)
            if (job is not None and job.is_alive()) or territory in self._ready:
                return
            if time.monotonic() < self._begun.get(territory, -_PAUSE) + (0 if job is None else _PAUSE):
                return
            self._begun[territory] = time.monotonic()
            job = threading.Thread(target=self._make, args=(territory,), name="library", daemon=True)
            self._jobs[territory] = job
            job.start()

    def _making(self, territory: int) -> bool:
        job = self._jobs.get(territory)
        return job is not None and job.is_alive()

    def join(self) -> None:
        """Wait for everything that is being made."""
        for job in list(self._jobs.values()):
            job.join()

    def _stored(self, connection: Connection, territory: int) -> Base | None:
        source = address_library.source(connection)
        if self._folder is None or not source:
            return None
        found = library_files.read(path_of(self._folder, source, territory), _about(source, territory))
        return base_of(*found) if found is not None else None

    def _make(self, territory: int) -> None:
        """In a thread of its own: another process makes the file, this one maps it and reads its names."""
        try:
            with _writable(self._folder) as folder, engine_of(self._url) as engine:
                _process(self._url, folder, territory)
                with engine.connect() as connection:
                    source = address_library.source(connection)
                found = library_files.read(path_of(folder, source, territory), _about(source, territory))
            if found is None:
                raise OSError("the library that was made is not there")
            base = base_of(*found)
            _ = base.core
            with self._lock:
                self._ready[territory] = base
                del self._jobs[territory]
        except Exception:
            _log.exception("library of territory %s not made", territory)


def usable(connection: Connection, territory: int, base: Base, on: date) -> bool:
    """Whether a base with what changed since is worth using, and is of no later day."""
    if base.day > on or not address_library.kept(connection, base.stamp):
        return False
    changed = address_library.changes(connection, territory, base.stamp)
    return sum(len(c.addresses) for c in changed) <= BEHIND


def made(
    connection: Connection, territory: int, on: date, told: Callable[[int], None] = lambda _: None
) -> tuple[Arrays, dict[str, Any]]:
    """The arrays of a base and what they are of; everything in one transaction that sees one state."""
    source = address_library.source(connection)
    stamp = address_library.stamp(connection)
    found = address_library.read(connection, territory, on, told=told)
    arrays = pack(found.entries, found.id, found.texts)
    upcoming = address_library.upcoming(connection, territory, on)
    arrays["upcoming.id"] = np.array([i for i, _ in upcoming], dtype=np.int64)
    arrays["upcoming.day"] = np.array([d.toordinal() for _, d in upcoming], dtype=np.int64)
    about = _about(source, territory) | {
        "day": on.isoformat(), "oldest": stamp.oldest, "top": stamp.top, "seen": list(stamp.seen),
    }  # fmt: skip
    return arrays, about


def base_of(arrays: Arrays, about: Mapping[str, Any]) -> Base:
    """A base from its arrays and what they are of."""
    stamp = Stamp(int(about["oldest"]), int(about["top"]), tuple(about["seen"]))
    return Base(Segment(arrays), stamp, date.fromisoformat(about["day"]))


def path_of(folder: Path, source: str, territory: int) -> Path:
    """Where the base of a territory of a database lies."""
    return folder / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}-{territory}.library"


def _about(source: str, territory: int) -> dict[str, Any]:
    return {"format": _FORMAT, "source": source, "territory": territory}


@contextmanager
def _writable(folder: Path | None) -> Iterator[Path]:
    """The folder, or one for the moment where there is none to write to."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            _log.warning("address libraries are not shared: %s", error)
        else:
            yield folder
            return
    with tempfile.TemporaryDirectory(prefix="wangge-library-") as own:
        yield Path(own)


def _process(url: str, folder: Path, territory: int) -> None:
    root = str(Path(__file__).parents[3])
    paths = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
    subprocess.run(
        [sys.executable, "-m", "api.services.addresses.library_bases", str(folder), str(territory)],
        env={**os.environ, "DATABASE_URL": url, "PYTHONPATH": paths},  # not where `ps` shows it
        check=True,
        stdin=subprocess.DEVNULL,
    )


def main(folder: Path, territory: int) -> None:
    """Make the base of a territory, at low priority; where another process is at it, wait for what it makes."""
    from data.postgres.plans import publications

    os.nice(10)
    began = time.time()
    with engine_of(os.environ["DATABASE_URL"]) as engine:
        seeing_one_state = engine.execution_options(isolation_level="REPEATABLE READ")
        with seeing_one_state.connect() as connection:
            path = path_of(folder, address_library.source(connection), territory)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_mtime > began:
                return
            with seeing_one_state.connect() as connection:
                own = next((t for t in address_library.every(connection) if t.id == territory), None)
                on = publications.today(own) if own is not None else date.min
                arrays, about = made(connection, territory, on)
            library_files.write(path, arrays, about)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
