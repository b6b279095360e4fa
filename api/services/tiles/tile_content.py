"""What a tile holds: from a request and what is in force to the bytes of a vector tile, not compressed.

How tiles are kept, versioned and sent is ``api.services.tiles.tiles``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from api.services.published import Published
from api.services.tiles.tile_request import TileRequest
from api.services.tiles.tile_tables import Tables, cell_of
from data.postgres.plans.read_published import InForce
from data.postgres.tiles import read_tile_plans, read_tiles
from data.postgres.tiles.read_tiles import LAYERS, Layer, Shown
from data.postgres.tiles.tile_versions import Touching
from gis.errors import NotFoundError, UnauthorizedError
from gis.tiles import pyramid
from gis.tiles.columns import Columns, Flags, join

__all__ = ["Part", "Tables", "cell_of", "content", "parts", "touching"]

#: What is known of the versions of tables, by territory.
Versions = Mapping[int, Touching]
#: The tile whose versions change with every change.
_WORLD: Final = (0, 0, 0)


@dataclass(frozen=True)
class Part:
    """What one territory gives to a tile. Hashable; with the versions of the tables read, it names the content.

    ``publication`` is the one that is shown; None for a plan ``version`` that was never published.
    """

    territory: int
    publication: int | None
    version: int | None
    day: date
    generation: int


def parts(published: Published, connection: Connection, request: TileRequest) -> tuple[Part, ...]:
    """What a tile is made of, by territory; empty where nothing lies.

    Raises UnauthorizedError for a plan version that is not published, or does not exist, unless ``request.drafts``;
    NotFoundError then.
    """
    if request.plan is None:
        return touching(published.in_force(connection, request.as_of), request)
    found = read_tile_plans.version(connection, request.plan)
    if found is None or found.publication is None:
        if not request.drafts:
            raise UnauthorizedError("http.token_missing")
        if found is None:
            raise NotFoundError("tiles.plan", plan=request.plan)
    return (Part(found.territory, found.publication, found.version, found.day, 0),)


def touching(infos: Sequence[InForce], request: TileRequest) -> tuple[Part, ...]:
    """The parts of a request without ``plan``, from what is in force on its day."""
    west, south, east, north = pyramid.bounds(*request.tile, pyramid.BUFFER)
    return tuple(
        Part(i.territory, i.publication, None, i.day, i.generation)
        for i in infos
        if i.bounds[0] <= east and i.bounds[2] >= west and i.bounds[1] <= north and i.bounds[3] >= south
    )


def content(
    tables: Tables,
    connection: Connection,
    request: TileRequest,
    of: Sequence[Part],
    found: Iterable[Touching] = (),
) -> bytes:
    """The tile of a request, made of ``of`` (see ``parts``); b"" when nothing shows.

    ``connection`` is asked only for what ``tables`` do not hold yet. ``found``: versions of the territories, asked
    with ``near=[cell_of(request.tile)]``; left out, ``Part.generation`` has to change with every change.
    """
    versions = {t.info.territory: t for t in found}
    shown = [LAYERS[name] for name in request.layers if request.z >= LAYERS[name].minzoom]
    return b"".join(_layer(tables, connection, layer, request, of, versions) for layer in shown)


def _layer(
    tables: Tables,
    connection: Connection,
    layer: Layer,
    request: TileRequest,
    of: Sequence[Part],
    versions: Versions,
) -> bytes:
    from gis.tiles import encode  # with numba: a worker starts without waiting for it

    found = [_columns(tables, connection, layer, request.tile, part, versions) for part in of]
    held = [c for c in found if c is not None and len(c)]
    if len(held) < len(found) and any(c is None for c in found):
        return _by_postgis(connection, layer, request, of)
    if not held:
        return b""
    columns = join(held)
    chosen = _chosen(layer, columns, request)
    if layer.name == "labels":  # in the tile itself, without a buffer: in exactly one tile of a zoom
        inside = _within(columns, request.tile)
        chosen = inside if chosen is None else chosen & inside
    return encode.table(layer.name, request.tile, columns, chosen=chosen)


def _columns(
    tables: Tables,
    connection: Connection,
    layer: Layer,
    tile: tuple[int, int, int],
    part: Part,
    versions: Versions,
) -> Columns | None:
    shown = Shown(part.territory, part.publication, part.version, part.day)
    known = None
    if part.publication is None and part.version is not None:
        version: Hashable = read_tile_plans.stamp(connection, part.version), part.generation
    else:
        place = cell_of(tile) if layer.rows else _WORLD
        known = versions.get(part.territory)
        read = None if known is None else [known.version(table, place) for table in layer.tables]
        version = part.generation if read is None else tuple(read)
    if not layer.rows and known is not None:
        return tables.seamed(connection, shown, version, known.beside, layer.name, tile[0])
    if not layer.rows:
        return tables.plan(connection, shown, version).layer(layer.name, tile[0])
    return tables.cell(connection, layer, tile, shown, version)


def _by_postgis(connection: Connection, layer: Layer, request: TileRequest, of: Sequence[Part]) -> bytes:
    """Cells too full to be kept: PostGIS makes the tile, that of each territory behind the other."""
    filters = {name: [v for n, v in request.filters if n == name] for name, _ in request.filters}
    shown = [Shown(p.territory, p.publication, p.version, p.day) for p in of]
    made = [read_tiles.from_tables(connection, layer, request.tile, s, filters) for s in shown]
    return b"".join(made)


def _chosen(layer: Layer, columns: Columns, request: TileRequest) -> Flags | None:
    """Features that the filters let through; layers without the property stay whole."""
    chosen: Flags | None = None
    for name in dict.fromkeys(name for name, _ in request.filters):
        keys = [key for key in layer.keys_of(name) if key in columns.keys]
        if keys:
            passes = columns.where(keys, [value for n, value in request.filters if n == name])
            chosen = passes if chosen is None else chosen & passes
    return chosen


def _within(columns: Columns, tile: tuple[int, int, int]) -> Any:
    """Points in a tile, its west and north edge included."""
    west, south, east, north = pyramid.bounds(*tile)
    x, y = columns.box[:, 0], columns.box[:, 1]
    return np.asarray((x >= west) & (x < east) & (y > south) & (y <= north))
