"""Versions by tile: what is in force where, and which change touched a tile last. Triggers write them (0010).

A version is a random number: it never comes again, also not after a restore, so it may be part of a cache key.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from data.postgres.connect import driver_of
from data.postgres.plans.read_published import InForce
from gis.tiles.pyramid import BUFFER, bounds

#: Deeper tiles have the version of their ancestor here.
DEEPEST: Final = 16
#: Metres around a territory's box within which others are beside it: two tile units of zoom 7, where simplified
#: borders of both are laid together (``gis.tiles.coverage``), and some to spare.
_BESIDE: Final = 200
#: Every table with versions of its own, as ``tile_version.layer`` names it.
TABLES: Final = ("grid", "building", "street", "barrier", "address")

Place = tuple[int, int, int]


@dataclass(frozen=True)
class Beside:
    """A neighbour in force, with the versions of its grids (None: as published) and of its list of publications."""

    territory: int
    publication: int
    grids: int | None
    publications: int | None


@dataclass(frozen=True)
class Touching:
    """A territory in force that touches a tile.

    ``versions``: by table and tile, for the tiles asked for (at most zoom 16) and 0/0/0, which changes with
    every change; None where nothing changed since versions are kept. ``publications``: changes when the list of
    publications does. ``beside``: its neighbours by number, as far as their boxes tell.
    """

    info: InForce
    publications: int | None
    versions: Mapping[tuple[str, Place], int]
    beside: tuple[Beside, ...] = ()

    def version(self, table: str, place: Place) -> int | None:
        """The version of what a table shows in a tile that was asked for."""
        return self.versions.get((table, ancestor(place)))


def ancestor(place: Place) -> Place:
    """The tile whose version a tile has: itself down to zoom 16."""
    z, x, y = place
    up = max(0, z - DEEPEST)
    return z - up, x >> up, y >> up


_TOUCHING: Final = """
SELECT t.id, t.name, t.title, t.crs, t.attribution, t.fictitious, d.day, p.id, p.valid_from,
       b.w, b.s, b.e, b.n, v.layers, v.places, v.versions, n.beside
FROM territory t
CROSS JOIN LATERAL (SELECT coalesce(%s::date, (now() AT TIME ZONE t.time_zone)::date) AS day) d
CROSS JOIN LATERAL (SELECT ST_XMin(x) AS w, ST_YMin(x) AS s, ST_XMax(x) AS e, ST_YMax(x) AS n
                    FROM (SELECT Box2D(t.geom_3857)) AS box (x)) b
JOIN publication p ON p.territory_id = t.id AND p.valid_from <= d.day AND (p.valid_to IS NULL OR p.valid_to > d.day)
CROSS JOIN LATERAL (
  SELECT array_agg(v.layer) AS layers, array_agg(a.place) AS places, array_agg(v.version) AS versions
  FROM unnest(%s::int[], %s::int[], %s::int[]) WITH ORDINALITY a (z, x, y, place)
  JOIN tile_version v ON v.territory_id = t.id AND v.layer = ANY(%s::text[]) AND v.z = a.z AND v.x = a.x AND v.y = a.y
) v
CROSS JOIN LATERAL (
  SELECT array_agg(ARRAY[n.id, q.id, g.version, l.version] ORDER BY n.id) AS beside
  FROM territory n
  CROSS JOIN LATERAL (SELECT coalesce(%s::date, (now() AT TIME ZONE n.time_zone)::date) AS day) nd
  JOIN publication q
    ON q.territory_id = n.id AND q.valid_from <= nd.day AND (q.valid_to IS NULL OR q.valid_to > nd.day)
  LEFT JOIN tile_version g ON (g.territory_id, g.layer, g.z, g.x, g.y) = (n.id, 'grid', 0, 0, 0)
  LEFT JOIN tile_version l ON (l.territory_id, l.layer, l.z, l.x, l.y) = (n.id, 'publication', 0, 0, 0)
  WHERE n.id <> t.id AND n.geom_3857 && ST_Expand(ST_MakeEnvelope(b.w, b.s, b.e, b.n, 3857), %s)
) n
WHERE b.w <= %s AND b.e >= %s AND b.s <= %s AND b.n >= %s
ORDER BY t.id
"""


def touching(
    connection: Connection, tile: Place, near: Collection[Place] = (), on: date | None = None
) -> tuple[Touching, ...]:
    """Territories in force on a day (None: today where they lie) that touch a tile, with versions, in one question.

    Versions are those of ``tile``, of the tiles in ``near`` and of 0/0/0.
    """
    west, south, east, north = bounds(*tile, buffer=BUFFER)
    places = list(dict.fromkeys([ancestor(tile), *(ancestor(p) for p in near), (0, 0, 0)]))
    z, x, y = (list(c) for c in zip(*places, strict=True))
    values = (on, z, x, y, [*TABLES, "publication"], on, _BESIDE, east, west, north, south)
    with driver_of(connection) as driver:
        rows = driver.execute(_TOUCHING, values, prepare=True, binary=True).fetchall()
    return tuple(_touching(row, places) for row in rows)


def _touching(row: tuple[Any, ...], places: list[Place]) -> Touching:
    versions = {
        (layer, places[k - 1]): version
        for layer, k, version in zip(row[13] or (), row[14] or (), row[15] or (), strict=True)
    }
    values: list[Any] = [*row[:9], 0, tuple(row[9:13]), versions.get(("grid", (0, 0, 0)), 0)]
    beside = tuple(Beside(*n) for n in row[16] or ())
    return Touching(InForce(*values), versions.pop(("publication", (0, 0, 0)), None), versions, beside)
