"""Lookup from the command line: one point or a file, on a database's address."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from api import messages
from api.answers import Lookup, LookupOptions
from api.services.lookup import lookup, pointcolumns, pointfiles
from api.services.lookup.index_store import IndexStore
from api.services.published import Published
from data.machine import places
from data.postgres.connect import engine_of
from gis.errors import InputError
from gis.locate import datums
from gis.territory.model import Floats, Texts


def require(points: Path | None, crs: str | None, output: Path | None = None) -> None:
    """Refuse what can be refused before a database is started."""
    datums.parse(crs)
    for file in (points, output):
        if file is not None and file.suffix.lower() not in pointfiles.ENDINGS:
            raise InputError("lookup.file_kind", file=file.name, known=" ".join(pointfiles.ENDINGS))
    if points is not None and not points.is_file():
        raise InputError("lookup.file_missing", file=points)


def answer_point(url: str, x: float, y: float, crs: str | None, accuracy: float, as_of: date | None) -> Lookup:
    """The grid of one point."""
    with _published(url) as published:
        return lookup.one(published, x, y, crs, accuracy, as_of)


def answer_arrays(
    url: str, x: Floats, y: Floats, crs: str, accuracy: float = 0.0, as_of: date | None = None
) -> dict[str, Texts | Floats]:
    """Grids of positions given as arrays, as arrays by the names of ``pointcolumns.NAMES``. Raises InputError."""
    with _published(url) as published:
        return pointcolumns.columns(published, x, y, crs, accuracy, as_of)


def answer_file(url: str, points: Path, output: Path, crs: str | None, accuracy: float, as_of: date | None) -> int:
    """Answer a file of points; the number of points. The output appears whole or not at all."""
    options = LookupOptions(crs, accuracy, as_of)
    with _published(url) as published:
        given = pointfiles.read(points.read_bytes(), pointfiles.ENDINGS[points.suffix.lower()], options)
        made = pointfiles.write(
            published, given, pointfiles.ENDINGS[output.suffix.lower()], messages.shell_language()
        )
    partial = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(made)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    return len(given.x)


@contextmanager
def _published(url: str) -> Iterator[Published]:
    with engine_of(url) as engine:
        cache = os.environ.get("WANGGE_CACHE", str(places.state() / "cache"))
        yield Published(engine, store=IndexStore(Path(cache) / "locate" if cache else None))
