"""A territory's tiles as one PMTiles file: the same tiles that the service gives, for use without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Engine

from api.services.published import degrees
from api.services.tiles.tile_content import Tables, content, touching
from api.services.tiles.tile_request import TileRequest, parse, parse_layers
from data import pmtiles
from data.postgres.imported import territories
from data.postgres.plans.read_published import InForce
from data.postgres.tiles import tile_versions
from data.postgres.tiles.read_tiles import Layer
from data.postgres.tiles.tile_versions import Touching
from gis.errors import ConflictError, InputError
from gis.progress import Progress, silent
from gis.tiles import pyramid

#: Layers and deepest zoom where none are named: what the map pages show. Readers enlarge the deepest tiles.
LAYERS: Final = "water,communities,grids,rail,streets,buildings,addresses,labels"
MAXZOOM: Final = 16
#: More tiles than this are a slip in the zooms.
_MOST: Final = 20_000_000


@dataclass(frozen=True)
class Archive:
    """The file that was written, how many tiles it holds, and whom to credit."""

    file: Path
    tiles: int
    attribution: str


def export(
    engine: Engine,
    territory: str,
    output: Path,
    layers: str = LAYERS,
    *,
    minzoom: int | None = None,
    maxzoom: int = MAXZOOM,
    as_of: date | None = None,
    progress: Progress = silent,
) -> Archive:
    """Write the tiles of what is published in a territory on a day (None: today).

    Raises InputError ``tiles.zooms`` or a fault of the layers, NotFoundError ``store.no_territory``, ConflictError
    ``tiles.nothing_published``.
    """
    wanted = parse_layers(layers)
    lowest = min(layer.minzoom for layer in wanted) if minzoom is None else minzoom
    if not 0 <= lowest <= maxzoom <= pyramid.MAX_ZOOM:
        raise InputError("tiles.zooms", minzoom=lowest, maxzoom=maxzoom, deepest=pyramid.MAX_ZOOM)
    # one moment for all tiles: a publication in between shows in none of them
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        number = territories.get(connection, territory).id
        everywhere = tile_versions.touching(connection, (0, 0, 0), on=as_of)
        found = next((t for t in everywhere if t.info.territory == number), None)
        if found is None:
            raise ConflictError("tiles.nothing_published", territory=territory)
        info = found.info
        request = replace(parse(layers, 0, 0, 0), as_of=info.day)
        places = list(_places(info, lowest, maxzoom))
        if len(places) > _MOST:
            raise InputError("tiles.zooms", minzoom=lowest, maxzoom=maxzoom, deepest=pyramid.MAX_ZOOM)
        made = _tiles(connection, request, found, places, progress)
        held = pmtiles.write(output, made, _about(info, wanted, lowest, maxzoom))
    progress("pmtiles", 1.0)
    return Archive(output, held, info.attribution)


def _places(info: InForce, minzoom: int, maxzoom: int) -> Iterator[tuple[int, int, int]]:
    """Every tile that touches the territory's box, in the order of an archive."""
    for z in range(minzoom, maxzoom + 1):
        side = pyramid.unit(z) * pyramid.EXTENT
        spare = pyramid.unit(z) * pyramid.BUFFER
        west, south, east, north = info.bounds
        x0, x1 = int((west - spare + pyramid.HALF) // side), int((east + spare + pyramid.HALF) // side)
        y0, y1 = int((pyramid.HALF - north - spare) // side), int((pyramid.HALF - south + spare) // side)
        last = (1 << z) - 1
        found = [
            (z, x, y) for x in range(max(x0, 0), min(x1, last) + 1) for y in range(max(y0, 0), min(y1, last) + 1)
        ]
        yield from sorted(found, key=lambda place: pyramid.tile_id(*place))


def _tiles(
    connection: Connection,
    request: TileRequest,
    found: Touching,
    places: Sequence[tuple[int, int, int]],
    progress: Progress,
) -> Iterator[tuple[tuple[int, int, int], bytes]]:
    tables = Tables()
    for k, (z, x, y) in enumerate(places):
        asked = replace(request, z=z, x=x, y=y)
        # one moment: what changes with a version stays as it is
        yield (z, x, y), content(tables, connection, asked, touching([found.info], asked), [found])
        progress("pmtiles", k / len(places))


def _about(info: InForce, layers: Sequence[Layer], minzoom: int, maxzoom: int) -> pmtiles.About:
    west, south, east, north = info.bounds
    lon, lat = degrees(np.array([west, east, (west + east) / 2]), np.array([south, north, (south + north) / 2]))
    described: list[dict[str, Any]] = [
        {"id": n.name, "fields": dict(n.fields), "minzoom": max(n.minzoom, minzoom), "maxzoom": maxzoom}
        for n in layers
    ]
    metadata = {
        "name": info.title or info.name,
        "type": "overlay",
        "attribution": info.attribution,
        "vector_layers": described,
        "wangge:territory": info.name,
        "wangge:as_of": info.day.isoformat(),
        "wangge:valid_from": info.valid_from.isoformat(),
    }
    center = (float(lon[2]), float(lat[2]), max(minzoom, min(13, maxzoom)))
    bounds = (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1]))
    return pmtiles.About(bounds, center, minzoom, maxzoom, metadata)
