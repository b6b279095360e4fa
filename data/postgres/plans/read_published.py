"""What is published on a day: territories in force, their grids, and who is responsible. Reading only.

Everything the public sees goes through here: drafts are never read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from gis.territory.model import Floats, Geometries, Ints, Texts


@dataclass(frozen=True)
class InForce:
    """A territory and its publication in force on ``day``. ``bounds``: EPSG:3857 metres, west south east north.

    ``generation`` grows with every change of a served layer of the territory. ``revision`` is another number
    after every change of the grids, communities or micro-grids of a publication that was there before.
    """

    territory: int
    name: str
    title: str
    crs: str
    attribution: str
    fictitious: bool
    day: date
    publication: int
    valid_from: date
    generation: int
    bounds: tuple[float, float, float, float]
    revision: int = 0


@dataclass(frozen=True)
class PublishedGrids:
    """The grids of one publication, sorted by ``grid_id``; it never changes.

    ``geometry`` is in the territory's metre CRS, ``mercator`` and ``label`` (n, 2) in EPSG:3857.
    """

    grid_id: Texts
    code: Texts
    name: Texts
    kind: Texts
    community: Texts
    community_code: Texts
    community_id: Ints
    note: Texts
    households: Ints
    counted: Ints
    buildings: Ints
    on_street_share: Floats  # NaN: no border
    compactness: Floats
    geometry: Geometries
    mercator: Geometries
    label: Floats
    tone: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # -1: none was kept

    def __len__(self) -> int:
        return len(self.grid_id)


@dataclass(frozen=True)
class Contact:
    """A responsible person's public contact."""

    name: str
    post: str
    phone: str
    role: str = ""
    fictitious: bool = False


_IN_FORCE = text("""
SELECT t.id, t.name, t.title, t.crs, t.attribution, t.fictitious, d.day, p.id AS publication, p.valid_from,
       (SELECT coalesce(sum(g.number), 0) FROM generation g WHERE g.territory_id = t.id)::bigint AS generation,
       ST_XMin(b.box), ST_YMin(b.box), ST_XMax(b.box), ST_YMax(b.box),
       coalesce((SELECT v.version FROM tile_version v WHERE v.territory_id = t.id AND v.layer = 'grid'
                 AND v.z = 0 AND v.x = 0 AND v.y = 0), 0)
FROM territory t
CROSS JOIN LATERAL (SELECT coalesce(CAST(:day AS date), (now() AT TIME ZONE t.time_zone)::date) AS day) d
CROSS JOIN LATERAL (SELECT Box2D(t.geom_3857) AS box) b  -- from the header: the outline itself stays unread
JOIN publication p ON p.territory_id = t.id AND p.valid_from <= d.day AND (p.valid_to IS NULL OR p.valid_to > d.day)
ORDER BY t.id
""")

_GRIDS = text("""
SELECT g.grid_id::text, g.code, g.name, g.kind, coalesce(nullif(c.name, ''), g.community), coalesce(c.code, ''),
       coalesce(g.community_id, 0), g.note, g.households, g.counted, g.buildings, g.on_street_share, g.compactness,
       ST_AsBinary(g.geom), ST_AsBinary(g.geom_3857), ST_X(g.label_3857), ST_Y(g.label_3857),
       coalesce(g.tone, -1)
FROM grid_version g LEFT JOIN community c ON c.id = g.community_id
WHERE g.publication_id = :publication
ORDER BY g.grid_id
""")

_PEOPLE = text("""
SELECT coalesce(a.grid_id::text, a.building_id::text), p.name, o.title,
       coalesce(nullif(p.public_phone, ''), o.public_phone), o.role, p.fictitious
FROM assignment a JOIN person p ON p.id = a.person_id JOIN post o ON o.id = a.post_id
WHERE (a.grid_id = ANY(CAST(:grids AS uuid[])) OR a.building_id = ANY(CAST(:buildings AS bigint[])))
  AND a.valid_from <= :day AND (a.valid_to IS NULL OR a.valid_to > :day)
ORDER BY array_position(ARRAY['leader','worker','cadre','supervisor','steward'], o.role), p.name, p.staff_id
""")


def in_force(connection: Connection, on: date | None = None) -> tuple[InForce, ...]:
    """Every territory with a publication in force on a day (None: today in the territory's own time zone)."""
    rows = connection.execute(_IN_FORCE, {"day": on})
    return tuple(_in_force(row) for row in rows)


def grids(connection: Connection, publication: int) -> PublishedGrids:
    """The grids of a publication."""
    rows = connection.execute(_GRIDS, {"publication": publication}).all()
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 18

    def texts(k: int) -> Texts:
        return np.array(columns[k], dtype=object)

    def numbers(k: int) -> Ints:
        return np.array(columns[k], dtype=np.int64)

    def floats(k: int) -> Floats:
        return np.array([np.nan if v is None else v for v in columns[k]], dtype=np.float64)

    return PublishedGrids(
        texts(0),
        texts(1),
        texts(2),
        texts(3),
        texts(4),
        texts(5),
        numbers(6),
        texts(7),
        numbers(8),
        numbers(9),
        numbers(10),
        floats(11),
        floats(12),
        _geometries(columns[13]),
        _geometries(columns[14]),
        np.column_stack([floats(15), floats(16)]),
        numbers(17),
    )


def people(
    connection: Connection, day: date, grids: Iterable[str] = (), buildings: Iterable[int] = ()
) -> dict[str, list[Contact]]:
    """Public contacts by grid id and by building id (as text), the leader first."""
    found: dict[str, list[Contact]] = {}
    values = {"day": day, "grids": [UUID(g) for g in grids], "buildings": list(buildings)}
    for target, *contact in connection.execute(_PEOPLE, values):
        found.setdefault(target, []).append(Contact(*contact))
    return found


def publication_of_grid(connection: Connection, grid_id: str, on: date | None = None) -> int | None:
    """The publication in force on a day that holds a grid; None when none does."""
    row = connection.execute(
        text("""
SELECT v.publication_id FROM grid_version v JOIN publication p ON p.id = v.publication_id
JOIN territory t ON t.id = p.territory_id
CROSS JOIN LATERAL (SELECT coalesce(CAST(:day AS date), (now() AT TIME ZONE t.time_zone)::date) AS day) d
WHERE v.grid_id = CAST(:grid AS uuid) AND p.valid_from <= d.day AND (p.valid_to IS NULL OR p.valid_to > d.day)
"""),
        {"grid": UUID(grid_id), "day": on},
    ).first()
    return None if row is None else int(row[0])


def bounds(connection: Connection, publication: int, grid_id: str) -> dict[str, list[list[str]]]:
    """The four bounds of a published grid: side -> [[kind, name], ...]; empty where they are not known."""
    found = connection.execute(
        text("SELECT bounds FROM grid_version WHERE publication_id = :p AND grid_id = CAST(:g AS uuid)"),
        {"p": publication, "g": UUID(grid_id)},
    ).scalar_one_or_none()
    return dict(found or {})


def shares(connection: Connection, publications: Iterable[int]) -> dict[int, tuple[float | None, float | None]]:
    """Share of grids in range and of border on streets, from the plan report of each publication."""
    rows = connection.execute(
        text("""
SELECT p.id, (v.report ->> 'in_range_share')::float8, (v.report ->> 'on_street_share')::float8
FROM publication p JOIN plan_version v ON v.id = p.plan_version_id WHERE p.id = ANY(:publications)
"""),
        {"publications": list(publications)},
    )
    return {int(i): (in_range, on_street) for i, in_range, on_street in rows}


def _in_force(row: tuple[Any, ...]) -> InForce:
    values: list[Any] = [*row[:10], tuple(row[10:14]), row[14]]
    return InForce(*values)


def _geometries(wkb: Iterable[Any]) -> NDArray[np.object_]:
    return np.asarray(shapely.from_wkb(np.array([bytes(b) for b in wkb], dtype=object)), dtype=object)
