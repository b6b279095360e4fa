"""Rendered tiles in a folder, shared by the workers of a machine. It may vanish, fill up or be read-only any time."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from pathlib import Path
from typing import Final

_log = logging.getLogger(__name__)

#: Seconds without another try after a fault of the disk.
_REST: Final = 30.0
#: The folder is measured, and old files go, after this part of the limit was written.
_PART: Final = 16
_DIGEST: Final = 16
#: A temporary file this old (seconds) was left by a worker that is gone.
_ABANDONED: Final = 600.0


class TileStore:
    """Bodies by key, at most about ``limit`` bytes in ``folder``; the oldest go first. For many threads.

    A body is written beside its place and renamed, and its digest is checked when it is read: half a file is none.
    Faults of the disk are logged once and are nobody else's: nothing is found, nothing is kept.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._written = limit  # measured before the first file is written
        self._rest = 0.0
        self._told = False

    def get(self, key: str) -> bytes | None:
        """The body kept under a key (hexadecimal)."""
        try:
            found = self._path(key).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._fault(error)
            return None
        body = found[_DIGEST:]
        return body if found[:_DIGEST] == _digest(body) else None

    def put(self, key: str, body: bytes) -> None:
        """Keep a body."""
        if len(body) > self._limit // _PART or time.monotonic() < self._rest:
            return
        path = self._path(key)
        beside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
        try:
            self._make_room(len(body) + _DIGEST)
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                beside.write_bytes(_digest(body) + body)
                beside.replace(path)
            except OSError:
                beside.unlink(missing_ok=True)
                raise
        except OSError as error:
            self._fault(error)

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / key[2:]

    def _fault(self, error: OSError) -> None:
        self._rest = time.monotonic() + _REST
        if not self._told:
            self._told = True
            _log.warning("tiles are not kept on disk: %s", error)

    def _make_room(self, more: int) -> None:
        with self._lock:
            self._written += more
            if self._written < self._limit // _PART:
                return
            self._written = 0
        # other workers write too: each leaves room for its own next part
        files = sorted(_files(self._folder))
        held = sum(size for _, size, _ in files)
        for _, size, path in files:
            if held <= self._limit - self._limit // 4:
                break
            Path(path).unlink(missing_ok=True)
            held -= size


def _digest(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST).digest()


def _files(folder: Path) -> list[tuple[float, int, str]]:
    """Time, size and path of every file; temporary files left behind are removed."""
    found = []
    now = time.time()
    for below in [entry.path for entry in _entries(str(folder)) if entry.is_dir(follow_symlinks=False)]:
        for entry in _entries(below):
            try:
                about = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # another worker made room
                continue
            if entry.name.endswith(".tmp") and about.st_mtime < now - _ABANDONED:
                Path(entry.path).unlink(missing_ok=True)
                continue
            found.append((about.st_mtime, about.st_size, entry.path))
    return found


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
