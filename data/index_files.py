"""Arrays in one file that many processes map at once: written whole under another name and renamed into place."""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MAGIC: Final = b"WGARRAY1"
_ALIGN: Final = 64  # bytes: a memory line


def write(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays; ``path`` appears whole or not at all."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as file:
            file.write(_head(arrays))
            for array in arrays.values():
                file.write(b"\0" * (-file.tell() % _ALIGN))
                np.ascontiguousarray(array).tofile(file)
            file.flush()
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a file, mapped: their pages are shared with every other process. None where it is no such file.

    The mapping outlives the file's name. It is private: what is written to an array stays in this process.
    """
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    except (OSError, ValueError):  # absent, or empty
        return None
    try:
        return _arrays(mapped)
    except (ValueError, KeyError, TypeError):
        return None


def _head(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Magic, length of the JSON, JSON: name, type, shape and offset of each array, and the size of the file."""
    listed = [[name, array.dtype.str, list(array.shape), array.nbytes] for name, array in arrays.items()]
    text = json.dumps(listed).encode()
    return _MAGIC + len(text).to_bytes(8, "little") + text


def _arrays(mapped: mmap.mmap) -> dict[str, NDArray[Any]]:
    if mapped[:8] != _MAGIC:
        raise ValueError("no file of arrays")
    at = 16 + int.from_bytes(mapped[8:16], "little")
    made: dict[str, NDArray[Any]] = {}
    for name, kind, shape, size in json.loads(mapped[16:at]):
        at += -at % _ALIGN
        if at + size > len(mapped):
            raise ValueError("cut off")
        made[name] = np.frombuffer(mapped, np.dtype(kind), int(np.prod(shape)), at).reshape(shape)
        at += size
    return made
