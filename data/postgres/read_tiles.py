"""Vector tiles through PostGIS (``ST_AsMVT``); the layers of one tile are simply joined.

Layers that form a coverage at low zooms (grids, communities) and labels are encoded by ``gis.tiles.encode`` from
arrays, simplified together; everything else is read from the published tables here. ``MATERIALIZED`` matters: without
it ``ST_AsMVTGeom`` is computed twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from sqlalchemy import Connection, text

from gis.territory.model import Geometries
from gis.tiles.pyramid import BUFFER, EXTENT, bounds

_MAIN: Final = "('motorway','trunk','primary','motorway_link','trunk_link','primary_link')"
_MIDDLE: Final = "('secondary','tertiary','secondary_link','tertiary_link')"
_PATHS: Final = "('footway','path','steps','cycleway','track','bridleway','corridor','service')"


@dataclass(frozen=True)
class Layer:
    """A served layer: from which zoom on, its properties, and the rows (``id, <properties>, geom``) to encode.

    ``rows`` is "" for layers that come as arrays.
    """

    name: str
    minzoom: int
    fields: Mapping[str, str]
    rows: str = ""


_BARRIER: Final = """
SELECT b.id, b.name, b.geom_3857 AS geom FROM barrier b
WHERE b.geom_3857 && e.box AND b.kind = '{kind}' AND NOT b.tunnel AND b.territory_id = ANY(:territories)
"""

#: Every layer in drawing order. ``e.box`` is the tile with its buffer; ``:z`` the zoom.
LAYERS: Final[Mapping[str, Layer]] = {
    layer.name: layer
    for layer in (
        Layer("water", 8, {"name": "String"}, _BARRIER.format(kind="water")),
        Layer("communities", 8, {"code": "String", "name": "String", "households": "Number", "grids": "Number"}),
        Layer(
            "grids",
            8,
            {
                "grid_id": "String",
                "code": "String",
                "name": "String",
                "kind": "String",
                "community": "String",
                "households": "Number",
                "tone": "Number",
            },
        ),
        Layer(
            "blocks",
            13,
            {"block": "Number", "households": "Number"},
            """
SELECT a.block::bigint AS id, a.block, sum(a.households)::int AS households, ST_Union(a.geom_3857) AS geom
FROM publication p JOIN plan_version v ON v.id = p.plan_version_id JOIN atom a ON a.atom_set_id = v.atom_set_id
WHERE p.id = ANY(:publications) AND a.geom_3857 && e.box GROUP BY a.atom_set_id, a.block
""",
        ),
        Layer(
            "atoms",
            14,
            {"position": "Number", "block": "Number", "households": "Number", "grid": "String"},
            """
SELECT a.position::bigint AS id, a.position, a.block, a.households, g.code AS grid, a.geom_3857 AS geom
FROM publication p JOIN plan_version v ON v.id = p.plan_version_id JOIN atom a ON a.atom_set_id = v.atom_set_id
LEFT JOIN grid_version g ON g.publication_id = p.id AND g.number = v.grid_of_atom[a.position + 1]
WHERE p.id = ANY(:publications) AND a.geom_3857 && e.box
""",
        ),
        Layer("rail", 10, {"name": "String"}, _BARRIER.format(kind="rail")),
        Layer(
            "streets",
            10,
            {"name": "String", "highway": "String", "bridge": "Boolean"},
            f"""
SELECT s.id, s.name, s.highway, s.bridge, s.geom_3857 AS geom FROM street s
WHERE s.geom_3857 && e.box AND s.territory_id = ANY(:territories) AND NOT s.tunnel
  AND (:z >= 15 OR s.highway NOT IN {_PATHS})
  AND (:z >= 13 OR s.highway IN {_MAIN} OR s.highway IN {_MIDDLE})
  AND (:z >= 12 OR s.highway IN {_MAIN})
ORDER BY s.highway IN {_MAIN}, s.highway IN {_MIDDLE}, s.id
""",  # noqa: S608  constants above
        ),
        Layer(
            "buildings",
            13,
            {"name": "String", "use": "String", "households": "Number", "grid_id": "String"},
            """
SELECT b.id, b.name, b.use, b.households, bg.grid_id::text AS grid_id, b.geom_3857 AS geom FROM building b
LEFT JOIN building_grid bg ON bg.building_id = b.id AND bg.publication_id = ANY(:publications)
WHERE b.geom_3857 && e.box AND b.present AND b.territory_id = ANY(:territories)
  AND (:z >= 14 OR ST_Area(b.geom_3857) > 300)
""",
        ),
        Layer(
            "addresses",
            15,
            {"code": "String", "label": "String", "text": "String"},
            """
SELECT a.id, a.code, a.text,
       CASE WHEN a.level = 'building' AND a.building_no <> ''
            THEN a.building_no || CASE WHEN a.text LIKE '%栋%' THEN '栋' ELSE '' END
            ELSE coalesce(nullif(a.number_text, ''), a.building_no) END AS label,
       a.geom_3857 AS geom FROM address a JOIN territory t ON t.id = a.territory_id
WHERE a.geom_3857 && e.box AND a.level IN ('premise', 'building') AND a.status = 'issued'
  AND a.territory_id = ANY(:territories) AND a.valid_to IS NULL
  AND a.valid_from <= (now() AT TIME ZONE t.time_zone)::date
""",
        ),
        Layer("labels", 8, {"kind": "String", "code": "String", "name": "String", "grid_id": "String"}),
    )
}

_ENVELOPE: Final = """
WITH e AS MATERIALIZED (SELECT ST_MakeEnvelope(:west, :south, :east, :north, 3857) AS box,
                               ST_MakeEnvelope(:w, :s, :e, :n, 3857) AS tile)
SELECT {layers}
"""

_FROM_TABLES: Final = """(
WITH m AS MATERIALIZED (
  SELECT r.*, ST_AsMVTGeom(r.geom, e.tile, {extent}, {buffer}, true) AS mvt
  FROM e CROSS JOIN LATERAL ({rows}) r)
SELECT coalesce(ST_AsMVT(q, '{name}', {extent}, 'mvt', 'id'), ''::bytea)
FROM (SELECT id, {fields}, mvt FROM m WHERE mvt IS NOT NULL) q)"""

_FROM_ARRAYS: Final = """
WITH m AS MATERIALIZED (
  SELECT {fields}, id,
         ST_AsMVTGeom(ST_GeomFromWKB(wkb, 3857), ST_MakeEnvelope(:w, :s, :e, :n, 3857),
                      {extent}, {buffer}, true) AS mvt
  FROM unnest({arrays}, CAST(:id AS bigint[]), CAST(:wkb AS bytea[])) AS f({fields}, id, wkb))
SELECT ST_AsMVT(q, :layer, {extent}, 'mvt', 'id') FROM (SELECT * FROM m WHERE mvt IS NOT NULL) q
"""

_TYPES: Final = {"String": "text[]", "Number": "bigint[]", "Boolean": "boolean[]"}


def from_tables(
    connection: Connection,
    layers: Sequence[Layer],
    tile: tuple[int, int, int],
    territories: Sequence[int],
    publications: Sequence[int],
) -> bytes:
    """Layers of one tile from the published tables, in one question; b"" when they hold nothing."""
    if not layers:
        return b""
    w, s, e, n = bounds(*tile)
    west, south, east, north = bounds(*tile, buffer=BUFFER)
    parts = [
        _FROM_TABLES.format(
            rows=layer.rows, fields=", ".join(layer.fields), name=layer.name, extent=EXTENT, buffer=BUFFER
        )
        for layer in layers
    ]
    sql = _ENVELOPE.format(layers=" || ".join(parts))
    values = {"z": tile[0], "territories": list(territories), "publications": list(publications)}
    values |= {"w": w, "s": s, "e": e, "n": n, "west": west, "south": south, "east": east, "north": north}
    return bytes(connection.execute(text(sql), values).scalar_one() or b"")


def from_arrays(
    connection: Connection,
    layer: Layer,
    tile: tuple[int, int, int],
    ids: Sequence[int],
    columns: Mapping[str, Sequence[Any]],
    geometry: Geometries,
) -> bytes:
    """One layer of one tile from features at hand (EPSG:3857): what ``gis.tiles.encode`` is compared with."""
    if not len(geometry):
        return b""
    w, s, e, n = bounds(*tile)
    arrays = ", ".join(f"CAST(:f_{name} AS {_TYPES[kind]})" for name, kind in layer.fields.items())
    sql = _FROM_ARRAYS.format(fields=", ".join(layer.fields), arrays=arrays, extent=EXTENT, buffer=BUFFER)
    values: dict[str, Any] = {f"f_{name}": list(columns[name]) for name in layer.fields}
    values |= {"id": list(ids), "wkb": list(shapely.to_wkb(geometry)), "layer": layer.name}
    values |= {"w": w, "s": s, "e": e, "n": n}
    return bytes(connection.execute(text(sql), values).scalar_one() or b"")
