"""A town, a community or a grid as a file: what is published of it on a day, in one of the usual formats."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any, Final

import pyproj
from sqlalchemy import Engine

from api.messages import text
from data import export_files
from data.export_files import FORMATS, Stream
from data.postgres.features import read_exports
from data.postgres.features.feature_collections import COLLECTIONS, Collection
from data.postgres.features.feature_filters import Conditions
from data.postgres.features.read_exports import LAYERS, Part
from data.postgres.features.read_features import Reader, Scope, driver_of
from data.postgres.imported import territories
from data.postgres.unit_of_work import UnitOfWork
from gis.errors import ConflictError, InputError, NotFoundError
from gis.features import references
from gis.progress import Progress, silent

#: Formats that are in degrees whatever is asked for: their readers expect it.
DEGREES: Final = ("geojson", "xlsx")
#: Characters of a file's name: of Chinese ones this is as much as a disk takes, with what is added while writing.
_LONGEST_NAME: Final = 64
#: Territories that are named where one is not found.
_MOST_NAMED: Final = 20
#: Dimension of the geometry -> what a shapefile of buildings is called besides; it holds one kind of shape.
_KINDS: Final = {2: ("MultiPolygon", ""), 0: ("Point", "_points")}


@dataclass(frozen=True)
class Order:
    """What is to be exported; ``srid`` None: in the territory's CRS.

    ``territory`` is its name or its title, ``community`` a code or name, ``grid`` a code or permanent id.
    """

    territory: str
    kind: str
    community: str = ""
    grid: str = ""
    layers: tuple[str, ...] = LAYERS
    as_of: date | None = None
    srid: int | None = None
    encoding: str = "utf-8"
    language: str = "zh-CN"


@dataclass(frozen=True)
class Exported:
    """The file that was written, and how many features of each layer it holds."""

    file: Path
    counts: dict[str, int]
    attribution: str


def srid_of(crs: str) -> int | None:
    """EPSG number of a CRS that was named; None where none was."""
    return references.parse(crs).srid if crs else None


def file_name(order: Order) -> str:
    """A name for the file that says what it holds."""
    parts = [order.territory, order.community, order.grid]
    stem = "-".join(p for p in parts if p) or "export"
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in stem).strip(".")
    ending = ".zip" if export_files.zipped(order.kind, len(order.layers)) else FORMATS[order.kind]
    return (safe[:_LONGEST_NAME] or "export") + ending


def export(engine: Engine, order: Order, path: Path, progress: Progress = silent) -> Exported:
    """Write what is published to a file, whole or not at all.

    Raises NotFoundError for a territory, community or grid that is not published, InputError for all that is wrong.
    """
    check(order)
    with UnitOfWork(engine, read_only=True, isolation="REPEATABLE READ") as work:
        connection = driver_of(work.connection)
        scope = _scope(connection, order)
        part = _part(connection, scope, order)
        attribution = territories.get(work.connection, scope.name).attribution
        counts: dict[str, int] = {}
        streams = [
            stream
            for n, name in enumerate(order.layers)
            for stream in _streams(connection, scope, part, order, name, counts, _told(progress, name, n, order))
        ]
        if not any(_has(s) for s in streams):
            raise NotFoundError("export.empty", territory=order.territory)
        if order.kind == "shapefile":
            streams = [s for s in streams if not s.name.endswith("_points") or _has(s)]
        counts.clear()
        file = export_files.write(order.kind, path, streams, encoding=order.encoding, attribution=attribution)
    return Exported(file, counts, attribution)


def check(order: Order) -> None:
    """Refuse an order that no territory could meet."""
    if order.kind not in FORMATS:
        raise InputError("export.format", format=order.kind[:40], known=", ".join(FORMATS))
    unknown = next((name for name in order.layers if name not in LAYERS), None)
    if unknown is not None or not order.layers:
        raise InputError("export.layer", layer=(unknown or "")[:40], known=", ".join(LAYERS))
    if order.encoding not in export_files.ENCODINGS:
        raise InputError("export.unknown_encoding", encoding=order.encoding[:40])
    if order.encoding != "utf-8" and order.kind != "shapefile":
        raise InputError("export.only_shapefile")
    if order.srid is not None:
        references.of(order.srid)
        if order.kind in DEGREES and order.srid not in references.DEGREES:
            raise InputError("export.degrees", format=order.kind)


def _scope(connection: Reader, order: Order) -> Scope:
    there = read_exports.scopes_on(connection, order.as_of)
    called = [s for s in there if s.name == order.territory] or [s for s in there if s.title == order.territory]
    if len(called) != 1:  # several may have the same title
        known = ", ".join(s.name for s in (called or there)[:_MOST_NAMED]) or "-"
        raise NotFoundError("export.unpublished", territory=order.territory[:60], known=known)
    return called[0]


def _part(connection: Reader, scope: Scope, order: Order) -> Part:
    community = grid = None
    if order.community:
        found = read_exports.communities_called(connection, scope, order.community)
        if not found:
            raise NotFoundError("export.no_community", community=order.community[:60], territory=scope.name)
        if len(found) > 1:
            raise InputError("export.many_communities", community=order.community[:60])
        community = found[0]
    if order.grid:
        grid = read_exports.grid_called(connection, scope, order.grid)
        if grid is None:
            raise NotFoundError("export.no_grid", grid=order.grid[:60], territory=scope.name)
    return Part(community, grid)


def _streams(
    connection: Reader,
    scope: Scope,
    part: Part,
    order: Order,
    name: str,
    counts: dict[str, int],
    told: Callable[[int], None],
) -> list[Stream]:
    """One layer; two where a format wants points and polygons apart."""
    collection = COLLECTIONS[name]
    srid = 4326 if order.kind in DEGREES else order.srid
    crs = scope.crs if srid is None else f"EPSG:{srid}"
    mixed = name == "buildings"
    fields = [(f.name, f.kind) for f in collection.fields]
    headings = [text(f"features.field_{f.name}", order.language) for f in collection.fields]

    def stream(title: str, shape: str, wanted: Conditions) -> Stream:
        rows = _counted(connection, collection, scope, wanted, srid, title, counts, told)
        return Stream(title, fields, shape, pyproj.CRS.from_user_input(crs).to_wkt(), rows, headings)

    if mixed and order.kind == "shapefile":
        return [
            stream(name + ending, shape, read_exports.conditions(name, part, dimension))
            for dimension, (shape, ending) in _KINDS.items()
        ]
    return [stream(name, "Unknown" if mixed else collection.shape, read_exports.conditions(name, part))]


def _counted(
    connection: Reader,
    collection: Collection,
    scope: Scope,
    wanted: Conditions,
    srid: int | None,
    name: str,
    counts: dict[str, int],
    told: Callable[[int], None],
) -> Callable[[], Iterator[list[tuple[Any, ...]]]]:
    def rows() -> Iterator[list[tuple[Any, ...]]]:
        counts[name] = 0
        for batch in read_exports.rows(connection, collection, scope, wanted, srid):
            counts[name] += len(batch)
            told(counts[name])
            yield batch

    return rows


def _has(stream: Stream) -> bool:
    rows = stream.rows()
    found = next(rows, None)
    rows.close()  # type: ignore[attr-defined]  # a generator: its cursor is closed with it
    return bool(found)


def _told(progress: Progress, name: str, number: int, order: Order) -> Callable[[int], None]:
    total: Sequence[str] = order.layers

    def told(count: int) -> None:
        progress("export", number / len(total), f"{name} {count:,}")

    return told


class Downloads:
    """Files made for readers, a few at a time: the others are told to come again."""

    def __init__(self, engine: Engine, at_once: int = 2) -> None:
        self._engine = engine
        self._free = threading.BoundedSemaphore(at_once)

    def make(self, order: Order) -> tuple[IO[bytes], str]:
        """An open file, gone from the disk once it is closed, and a name for it.

        Raises ConflictError ``export.busy`` where enough are being made.
        """
        check(order)
        if not self._free.acquire(blocking=False):
            raise ConflictError("export.busy")
        try:
            with tempfile.TemporaryDirectory(prefix="wangge-") as folder:
                name = file_name(order)
                # opened before its folder goes: the system keeps it until it is closed
                return export(self._engine, order, Path(folder) / name).file.open("rb"), name
        finally:
            self._free.release()
