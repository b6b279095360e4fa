"""Lookup indexes in files that all workers of a machine map: the first that needs one builds it, the others wait.

A file is named by what it is built from, so it is never stale, and never changes once it is there. Without a folder,
or where the folder cannot be written, each process builds its own in memory: slower to start, the same answers.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import shapely

from data import index_files
from gis.territory.model import Geometries

if TYPE_CHECKING:
    from gis.locate.index import Index

#: Raised with every change of what the arrays of an index mean.
_FORMAT: Final = 2
#: A file that nobody opened for this long goes; others may be about to open younger ones.
_IDLE_SECONDS: Final = 3600.0
_log = logging.getLogger(__name__)


class IndexStore:
    """Indexes by what they are built from. ``folder`` None: in memory only."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def index(self, polygons: Geometries) -> Index:
        """The index of grid polygons sorted by ``grid_id``, mapped from its file, which is made if need be."""
        from gis.locate.index import build, of_arrays  # with numba: a worker starts without waiting for it

        if self.folder is None:
            return build(polygons)
        path = self.folder / f"{_digest(polygons)}.index"
        try:
            with _one_at_a_time(self.folder):
                found = index_files.read(path)
                if found is None:
                    index_files.write(path, build(polygons).arrays())
                    found = index_files.read(path)
                os.utime(path)
                self._tidy(path)
        except OSError as error:
            _log.warning("lookup index kept in memory only: %s", error)
            return build(polygons)
        return of_arrays(found) if found is not None else build(polygons)

    def _tidy(self, wanted: Path) -> None:
        """Remove files that no worker opened for long: a process that has one mapped keeps what it has."""
        assert self.folder is not None
        oldest = time.time() - _IDLE_SECONDS
        for file in self.folder.glob("*.index"):
            if file != wanted and file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _digest(polygons: Geometries) -> str:
    made = hashlib.sha256(f"{_FORMAT} {len(polygons)}".encode())
    for shape in shapely.to_wkb(polygons):
        made.update(shape)
    return made.hexdigest()[:32]
