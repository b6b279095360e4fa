"""Answers of a long run kept in a file beside its output, so that a run that was killed goes on where it was.

A run is a fixed sequence of calls to a runner (``gis.tasks``), and an answer depends on its task alone: it is known
by the number of the call and the position of the task, and taking it from the file changes nothing of the result.
"""

from __future__ import annotations

import fcntl
import io
import json
import pickle
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from gis.errors import ConflictError, InputError
from gis.tasks import Runner

#: First line of a file, before the words that say whose it is.
MAGIC: Final = b"wangge checkpoint 1\n"
#: Call, position, bytes of the answer, and their CRC-32.
_RECORD: Final = struct.Struct("<IIQI")
#: What of numpy an array is made with.
_ARRAYS: Final = ("_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar")


class Checkpoint:
    """The answers of one job. ``about`` says what the answers depend on; a file about anything else is not used.

    ``stale`` names what differs in a file found that was not used; ``found`` counts the answers it brought.
    Raises ``InputError`` when ``required`` and there is none for this job, ``ConflictError`` when another run has it.
    """

    def __init__(self, path: Path, about: Mapping[str, str], *, required: bool = False) -> None:
        self.path = path
        self.stale: list[str] = []
        self._calls = 0
        self._places: dict[tuple[int, int], tuple[int, int]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if required and not path.exists():
            raise InputError("checkpoint.missing", file=str(path))
        try:
            self._file = _opened(path)
        except BlockingIOError:
            raise ConflictError("checkpoint.in_use", file=str(path)) from None
        except OSError as error:
            raise InputError("plan_file.not_written", file=str(path), detail=error.strerror or "") from None
        self._take_up(dict(about), required)
        self.found = len(self._places)

    def around(self, runner: Runner) -> Runner:
        """A runner that answers from the file what it can, and keeps what the other answers."""

        def remembering(function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
            call, self._calls = self._calls, self._calls + 1
            missing = []
            for i in range(len(tasks)):
                if (call, i) in self._places:
                    yield i, self._read(call, i)
                else:
                    missing.append(i)
            for at, answer in runner(function, [tasks[i] for i in missing]) if missing else ():
                self._write(call, missing[at], answer)
                yield missing[at], answer

        return remembering

    def close(self, *, remove: bool) -> None:
        """Let the file go; ``remove``: the job is done, or what it holds is not worth keeping."""
        if remove:
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _take_up(self, about: dict[str, str], required: bool) -> None:
        found = _about(self._file)
        if found == about:
            self._index()
            return
        if found is not None:
            self.stale = sorted(k for k in {*found, *about} if found.get(k) != about.get(k))
        if required:
            differs = ", ".join(self.stale) or "?"
            self._file.close()
            raise InputError("checkpoint.stale", file=str(self.path), differs=differs)
        self._file.seek(0)
        self._file.truncate()
        self._file.write(MAGIC + json.dumps(about, sort_keys=True).encode() + b"\n")
        self._file.flush()

    def _index(self) -> None:
        """Find every whole answer; what a killed run left half-written at the end is cut off."""
        while True:
            at = self._file.tell()
            head = self._file.read(_RECORD.size)
            if len(head) < _RECORD.size:
                break
            call, position, size, check = _RECORD.unpack(head)
            payload = self._file.read(size)
            if len(payload) < size or zlib.crc32(payload) != check:
                break
            self._places[call, position] = at + _RECORD.size, size
        self._file.seek(at)
        self._file.truncate()

    def _read(self, call: int, position: int) -> Any:
        at, size = self._places[call, position]
        self._file.seek(at)
        payload = self._file.read(size)
        self._file.seek(0, io.SEEK_END)
        return _Known(io.BytesIO(zlib.decompress(payload))).load()

    def _write(self, call: int, position: int, answer: Any) -> None:
        payload = zlib.compress(pickle.dumps(answer, pickle.HIGHEST_PROTOCOL), 1)
        try:
            self._file.write(_RECORD.pack(call, position, len(payload), zlib.crc32(payload)) + payload)
            self._file.flush()
        except OSError as error:  # no space left: better told now than after hours
            raise InputError("plan_file.not_written", file=str(self.path), detail=error.strerror or "") from None


class _Known(pickle.Unpickler):
    """Reads nothing but the engine's own classes and arrays: a file may have been put there by anybody."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuse every class that an answer does not hold."""
        top = module.partition(".")[0]
        if "." in name or not (top == "gis" or (top == "numpy" and name in _ARRAYS)):
            raise pickle.UnpicklingError(f"{module}.{name}")
        return super().find_class(module, name)


def _opened(path: Path) -> BinaryIO:
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    file.seek(0)
    return file


def _about(file: BinaryIO) -> dict[str, str] | None:
    """What a file says of itself; None: it is new, or no checkpoint of this kind."""
    if file.readline() != MAGIC:
        return None
    try:
        found = json.loads(file.readline())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
