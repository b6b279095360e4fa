"""What the answers of the engine depend on besides their input: its own code, the libraries, the machine's kind."""

from __future__ import annotations

import hashlib
import platform
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Final

import gis
from api.version import VERSION

LIBRARIES: Final = ("numpy", "numba", "scipy", "highspy", "shapely")


@cache
def fingerprint() -> dict[str, str]:
    """Version of every part, by name: two processes with the same one give the same answers."""
    return {
        "wangge": VERSION,
        "code": _code(),
        "python": ".".join(map(str, sys.version_info[:2])),
        **{name: metadata.version(name) for name in LIBRARIES},
        "machine": platform.machine(),
    }


def _code() -> str:
    """Digest of the engine's sources."""
    top = Path(gis.__file__).parent
    found = hashlib.sha256()
    for file in sorted(top.rglob("*.py")):
        found.update(str(file.relative_to(top)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:16]
