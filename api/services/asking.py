"""Lookup from the command line: one point or a file, on a database's address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from api.answers import Lookup
from api.services import lookup, pointfiles
from api.services.published import Published
from data.postgres.connect import engine_of
from gis.errors import InputError
from gis.locate import datums


def require(points: Path | None, crs: str | None) -> None:
    """Refuse what can be refused before a database is started."""
    datums.parse(crs)
    if points is not None and not points.is_file():
        raise InputError("lookup.file_missing", file=points)


def answer_point(url: str, x: float, y: float, crs: str | None, accuracy: float, as_of: date | None) -> Lookup:
    """The grid of one point."""
    with _published(url) as published:
        return lookup.one(published, x, y, crs, accuracy, as_of)


def answer_file(url: str, points: Path, output: Path, crs: str | None, accuracy: float, as_of: date | None) -> int:
    """Answer a CSV of points; the number of rows written. The output appears whole or not at all."""
    with _published(url) as published:
        made = pointfiles.answer(published, points.read_bytes(), crs, accuracy, as_of)
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(made)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return made.count(b"\n") - 1


@contextmanager
def _published(url: str) -> Iterator[Published]:
    with engine_of(url) as engine:
        yield Published(engine)
