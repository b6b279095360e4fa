"""Files for people: written under a temporary name and renamed, so that a reader never sees half of one."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gis.errors import InputError

#: Moment that every file of an archive bears: the same content gives the same bytes.
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
#: Kinds of files that are compressed already.
_PACKED: Final = (".png", ".jpg", ".pdf")


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


def require_collectable(place: Path) -> None:
    """Raise InputError where ``write_collection`` could not write: asked before long work."""
    if place.suffix.lower() == ".zip" or not place.exists():
        require_writable(place)
    elif place.is_dir() and not any(place.iterdir()):
        require_writable(place / "x")
    else:
        raise InputError("output.exists", file=str(place))


def write_collection(place: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write many files, whole or not at all: as a ZIP where the name ends so, else as a new (or empty) folder.

    ``files`` are names, with / between folders, and contents; they are taken one at a time. How many there were.
    """
    require_collectable(place)
    packed = place.suffix.lower() == ".zip"
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        count = _zip(part, files) if packed else _folder(part, files)
        if place.is_dir():
            place.rmdir()
        part.replace(place)
    except OSError as error:
        raise InputError("plan_file.not_written", file=str(place), detail=error.strerror or str(error)) from None
    finally:
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)
    return count


def _zip(part: Path, files: Iterable[tuple[str, bytes]]) -> int:
    count = 0
    with zipfile.ZipFile(part, "w") as archive:
        for count, (name, content) in enumerate(files, 1):  # noqa: B007 - the last one is the number of files
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.compress_type = zipfile.ZIP_STORED if name.endswith(_PACKED) else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return count


def _folder(part: Path, files: Iterable[tuple[str, bytes]]) -> int:
    count = 0
    part.mkdir()
    for count, (name, content) in enumerate(files, 1):  # noqa: B007 - as above
        file = part / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return count
