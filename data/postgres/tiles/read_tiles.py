"""What tiles show, read from the tables: a cell's features as columns at once, or a tile through ``ST_AsMVT``.

A cell is a tile of a low zoom; all tiles in it are made from its features. ``ST_AsMVT`` serves cells too full to be
kept, and is what ``gis.tiles.encode`` is compared with. ``MATERIALIZED`` matters there: without it ``ST_AsMVTGeom``
is computed twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection

from data.postgres.connect import driver_of
from data.postgres.tiles.tile_layers import LAYERS, Layer
from gis.territory.model import Geometries
from gis.tiles.columns import Columns, build
from gis.tiles.pyramid import BUFFER, EXTENT, bounds

__all__ = ["LAYERS", "Layer", "Shown", "cell", "from_arrays", "from_tables"]

#: The most features a cell may hold as columns (some 300 MB of buildings).
FULL: Final = 1_000_000


@dataclass(frozen=True)
class Shown:
    """What of one territory is shown: a publication, or else a plan version that was never published (a draft)."""

    territory: int
    publication: int | None
    version: int | None
    day: date


_CELL: Final = """
SELECT array_agg(id), array_agg(zoom), array_agg(ST_AsBinary(geom)), {columns}
FROM (SELECT r.* FROM (SELECT ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857) AS box) e
      CROSS JOIN LATERAL ({rows}) r WHERE r.zoom <= %(deepest)s LIMIT %(most)s) r
"""


def cell(
    connection: Connection, layer: Layer, tile: tuple[int, int, int], shown: Shown, deepest: int, most: int = FULL
) -> Columns | None:
    """The features of a cell that show at zoom ``deepest`` or before, with the buffer around it; None: too many."""
    names = (*layer.fields, *layer.hidden)
    columns = ", ".join(f'array_agg("{name}")' for name in names)
    west, south, east, north = bounds(*tile, buffer=BUFFER)
    values = _values(shown) | {"west": west, "south": south, "east": east, "north": north}
    values |= {"deepest": deepest, "most": most + 1}
    sql = _CELL.format(columns=columns, rows=layer.rows_of(draft=shown.publication is None))
    ids, zoom, wkb, *held = _one(connection, sql, values)
    if ids is None:
        ids, zoom, wkb, held = [], [], [], [[] for _ in names]
    if len(ids) > most:
        return None
    table = dict(zip(names, held, strict=True))
    hidden = {name: table.pop(name) for name in layer.hidden}
    geometry = np.asarray(shapely.from_wkb(np.array(wkb, dtype=object)), dtype=object)
    return build(ids, table, geometry, zoom=zoom, hidden=hidden)


_FROM_TABLES: Final = """
WITH e AS MATERIALIZED (SELECT ST_MakeEnvelope(%(west)s, %(south)s, %(east)s, %(north)s, 3857) AS box,
                               ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 3857) AS tile),
m AS MATERIALIZED (
  SELECT r.*, ST_AsMVTGeom(r.geom, e.tile, {extent}, {buffer}, true) AS mvt
  FROM e CROSS JOIN LATERAL ({rows}) r WHERE r.zoom <= %(z)s{filters})
SELECT ST_AsMVT(q, '{name}', {extent}, 'mvt', 'id') FROM (SELECT id, {fields}, mvt FROM m WHERE mvt IS NOT NULL) q
"""


def from_tables(
    connection: Connection,
    layer: Layer,
    tile: tuple[int, int, int],
    shown: Shown,
    filters: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """One layer of one tile by PostGIS alone; ``filters``: values of a property that may show."""
    w, s, e, n = bounds(*tile)
    west, south, east, north = bounds(*tile, buffer=BUFFER)
    values = _values(shown) | {"w": w, "s": s, "e": e, "n": n, "z": tile[0]}
    values |= {"west": west, "south": south, "east": east, "north": north}
    asked = ""
    for k, (name, texts) in enumerate((filters or {}).items()):
        keys = [key for key in layer.keys_of(name) if key in layer.fields or key in layer.hidden]
        asked += " AND (" + " OR ".join(f'r."{key}"::text = ANY(%(f{k})s)' for key in keys) + ")" if keys else ""
        values[f"f{k}"] = list(texts)
    fields = ", ".join(f'"{name}"' for name in layer.fields)
    rows = layer.rows_of(draft=shown.publication is None)
    sql = _FROM_TABLES.format(
        rows=rows, fields=fields, name=layer.name, extent=EXTENT, buffer=BUFFER, filters=asked
    )  # fmt: skip
    return bytes(_one(connection, sql, values)[0] or b"")


_FROM_ARRAYS: Final = """
WITH m AS MATERIALIZED (
  SELECT {fields}, id,
         ST_AsMVTGeom(ST_GeomFromWKB(wkb, 3857), ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 3857),
                      {extent}, {buffer}, true) AS mvt
  FROM unnest({arrays}, %(id)s::bigint[], %(wkb)s::bytea[]) AS f({fields}, id, wkb))
SELECT ST_AsMVT(q, %(layer)s, {extent}, 'mvt', 'id') FROM (SELECT * FROM m WHERE mvt IS NOT NULL) q
"""

_TYPES: Final = {"String": "text[]", "Number": "bigint[]", "Boolean": "boolean[]"}


def from_arrays(
    connection: Connection,
    name: str,
    fields: Mapping[str, str],
    tile: tuple[int, int, int],
    ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    geometry: Geometries,
) -> bytes:
    """One layer of one tile from features at hand (EPSG:3857): what ``gis.tiles.encode`` is compared with."""
    if not len(geometry):
        return b""
    w, s, e, n = bounds(*tile)
    arrays = ", ".join(f"%(f_{key})s::{_TYPES[kind]}" for key, kind in fields.items())
    quoted = ", ".join(f'"{key}"' for key in fields)
    sql = _FROM_ARRAYS.format(fields=quoted, arrays=arrays, extent=EXTENT, buffer=BUFFER)
    values: dict[str, Any] = {f"f_{key}": list(columns[key]) for key in fields}
    values |= {"id": list(ids), "wkb": list(shapely.to_wkb(geometry)), "layer": name}
    values |= {"w": w, "s": s, "e": e, "n": n}
    return bytes(_one(connection, sql, values)[0] or b"")


def _values(shown: Shown) -> dict[str, Any]:
    return {
        "territory": shown.territory,
        "publication": shown.publication,
        "version": shown.version,
        "day": shown.day,
    }


def _one(connection: Connection, sql: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
    """The one row of a question, asked of the driver itself: binary, so that shapes come as they lie."""
    with driver_of(connection) as driver, driver.cursor(binary=True) as cursor:
        row: tuple[Any, ...] = cursor.execute(sql, values, prepare=True).fetchone()
        return row
