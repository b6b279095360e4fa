"""Files for people: written under a temporary name and renamed, so that a reader never sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from gis.errors import InputError


def require_writable(file: Path) -> None:
    """Raise InputError ``plan_file.not_written`` where a file could not be made: asked before long work."""
    folder = file.resolve().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or file.is_dir():
        raise InputError("plan_file.not_written", file=str(file), detail=str(folder))


def unformulated(cell: str) -> str:
    """A cell's text that no office program takes for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") else cell


def write_whole(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    require_writable(file)
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(file)
    except OSError as error:
        raise InputError("plan_file.not_written", file=str(file), detail=error.strerror or str(error)) from None
    finally:
        part.unlink(missing_ok=True)
