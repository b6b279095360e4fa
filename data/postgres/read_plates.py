"""What a plate's page may say: its address, its building's grid on a day, and the keys that sign. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Premise:
    """An address as its plate shows it, with its building's grid on ``day`` (None: nothing in force)."""

    text: str
    level: str
    status: str
    successor: str
    community: str
    community_code: str
    territory: str
    fictitious: bool
    building: int
    day: date
    grid_id: str | None
    grid_code: str
    grid_name: str
    grid_community: str


_PREMISE = text(
    """
SELECT a.text, a.level, a.status, coalesce(s.code, ''), coalesce(c.name, ''), coalesce(c.code, ''),
       coalesce(nullif(t.title, ''), t.name), t.fictitious, a.building_id, d.day,
       g.grid_id::text, coalesce(g.code, ''), coalesce(g.name, ''), coalesce(nullif(gc.name, ''), g.community, '')
FROM address a JOIN territory t ON t.id = a.territory_id
CROSS JOIN LATERAL (SELECT coalesce(CAST(:day AS date), (now() AT TIME ZONE t.time_zone)::date) AS day) d
LEFT JOIN address s ON s.id = a.successor_id
LEFT JOIN community c ON c.id = a.community_id
LEFT JOIN publication p ON p.territory_id = t.id AND p.valid_from <= d.day
  AND (p.valid_to IS NULL OR p.valid_to > d.day)
LEFT JOIN building_grid b ON b.publication_id = p.id AND b.building_id = a.building_id
LEFT JOIN grid_version g ON g.publication_id = p.id AND g.grid_id = b.grid_id
LEFT JOIN community gc ON gc.id = g.community_id
WHERE a.code = :code
"""
)


def premise(connection: Connection, code: str, on: date | None = None) -> Premise | None:
    """The address of a code, revoked ones included; None when the code was never issued."""
    row = connection.execute(_PREMISE, {"code": code, "day": on}).first()
    return None if row is None else Premise(*row)


def plate_status(connection: Connection, code: str, key_id: str, tag: str) -> str | None:
    """Status of the printed plate with this code, key and tag; None when no such plate was printed."""
    row = connection.execute(
        text("""
SELECT p.status FROM plate p JOIN address a ON a.id = p.address_id
WHERE a.code = :code AND p.key_id = :key AND right(p.payload, 30) = :tail ORDER BY p.id DESC LIMIT 1
"""),
        {"code": code, "key": key_id, "tail": f"/{code}.{key_id}{tag}"},
    ).first()
    return None if row is None else str(row[0])


def key(connection: Connection, key_id: str) -> tuple[str, bytes] | None:
    """Host and secret of a key, retired ones included."""
    row = connection.execute(text("SELECT host, secret FROM plate_key WHERE key_id = :key"), {"key": key_id}).first()
    return None if row is None else (str(row[0]), bytes(row[1]))


def printed_links(connection: Connection, territory: int, limit: int) -> list[str]:
    """Links of the newest plates of a territory."""
    rows = connection.execute(
        text("""
SELECT p.payload FROM plate p JOIN address a ON a.id = p.address_id
WHERE a.territory_id = :territory ORDER BY p.id DESC LIMIT :limit
"""),
        {"territory": territory, "limit": limit},
    )
    return [str(row[0]) for row in rows]
