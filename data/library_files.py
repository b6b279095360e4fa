"""Libraries of addresses in files that all workers of a machine map: whole, checked, known by what they are of."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data import index_files

_ABOUT: Final = "about"
Arrays = Mapping[str, NDArray[Any]]


def write(path: Path, arrays: Arrays, about: Mapping[str, Any]) -> None:
    """Write arrays and what they are of (JSON); ``path`` appears whole or not at all."""
    told = {**about, "check": _check(arrays)}
    path.parent.mkdir(parents=True, exist_ok=True)
    index_files.write(path, {**arrays, _ABOUT: np.frombuffer(json.dumps(told).encode(), dtype=np.uint8)})


def read(path: Path, about: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]] | None:
    """The arrays of a file, mapped, and what they are of; None where it is broken or of something else than asked."""
    arrays = index_files.read(path)
    if arrays is None or _ABOUT not in arrays:
        return None
    try:
        told = json.loads(arrays.pop(_ABOUT).tobytes())
    except ValueError:
        return None
    if not isinstance(told, dict) or any(told.get(k) != v for k, v in about.items()):
        return None
    return (arrays, told) if told.get("check") == _check(arrays) else None


def _check(arrays: Arrays) -> int:
    """A checksum of names, types and contents."""
    made = 0
    for name, array in sorted(arrays.items()):
        made = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), made)
        made = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"", made)
    return made
