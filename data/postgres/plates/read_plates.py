"""What a plate's page may say: its address, its building's grid on a day, and the keys that sign. Reading only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Premise:
    """An address as its plate shows it, with its building's grid on ``day`` (None: nothing in force).

    ``status`` is that of the day asked about, or of this moment where none was; ``ended`` is the day from which an
    address is no longer ``issued``, where known.
    """

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
    id: int = 0
    ended: date | None = None


@dataclass(frozen=True)
class PrintedPlate:
    """The plate with one link: what it shows, how it stands and since when.

    The newest with it answers. Of two sizes printed with one link (no longer done), that which may hang answers.
    """

    id: int
    status: str
    since: date | None
    shown: str


@dataclass(frozen=True)
class OtherNames:
    """Other names of an address on a day, and the codes other systems know it by (system, code)."""

    aliases: tuple[str, ...]
    former: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]


_PREMISE = text(
    """
SELECT a.text, a.level, CASE WHEN CAST(:day AS date) < a.valid_to THEN 'issued' ELSE a.status END,
       coalesce(s.code, ''), coalesce(c.name, ''), coalesce(c.code, ''),
       coalesce(nullif(t.title, ''), t.name), t.fictitious, a.building_id, d.day,
       g.grid_id::text, coalesce(g.code, ''), coalesce(g.name, ''), coalesce(nullif(gc.name, ''), g.community, ''),
       a.id, a.valid_to
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

_PRINTED = text("""
SELECT n.id, n.status, n.since, n.shown FROM
  (SELECT DISTINCT ON (b.size) p.id, p.status, p.since, p.shown
   FROM plate p JOIN address a ON a.id = p.address_id JOIN plate_batch b ON b.id = p.batch_id
   WHERE a.code = :code AND p.key_id = :key AND right(p.payload, 30) = :tail ORDER BY b.size, p.id DESC) n
ORDER BY n.status IN ('lost','replaced','revoked'), n.id DESC LIMIT 1
""")

_ALIASES = text("""
SELECT text, kind FROM address_alias
WHERE address_id = :address AND valid_from <= :day
  AND (kind = 'former' OR (kind = 'alias' AND (valid_to IS NULL OR valid_to > :day)))
ORDER BY id LIMIT 12
""")

_CODES = text("""
SELECT system, code FROM foreign_code
WHERE address_id = :address AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)
ORDER BY system, code LIMIT 12
""")

_PARTS = text("""
SELECT a.code, a.text FROM address_succession s JOIN address a ON a.id = s.successor_id
WHERE s.address_id = :address AND s.kind = 'split' ORDER BY s.id LIMIT 100
""")


def premise(connection: Connection, code: str, on: date | None = None) -> Premise | None:
    """The address of a code, revoked ones included; None when the code was never issued."""
    row = connection.execute(_PREMISE, {"code": code, "day": on}).first()
    return None if row is None else Premise(*row)


def printed(connection: Connection, code: str, key_id: str, tag: str) -> PrintedPlate | None:
    """The plate that answers for this code, key and tag; None when no such plate was printed."""
    row = connection.execute(_PRINTED, {"code": code, "key": key_id, "tail": f"/{code}.{key_id}{tag}"}).first()
    return None if row is None else PrintedPlate(*row)


def plate_status(connection: Connection, code: str, key_id: str, tag: str) -> str | None:
    """Status of the newest plate with this code, key and tag; None when no such plate was printed."""
    found = printed(connection, code, key_id, tag)
    return None if found is None else found.status


def other_names(connection: Connection, address: int, day: date) -> OtherNames:
    """Aliases in force on a day, former names, and other systems' codes in force."""
    named = connection.execute(_ALIASES, {"address": address, "day": day}).all()
    known = connection.execute(_CODES, {"address": address, "day": day}).all()
    return OtherNames(
        tuple(t for t, kind in named if kind == "alias"),
        tuple(t for t, kind in named if kind == "former"),
        tuple((s, c) for s, c in known),
    )


def parts(connection: Connection, address: int) -> list[tuple[str, str]]:
    """Code and text of the addresses that one was split into."""
    return [(str(c), str(t)) for c, t in connection.execute(_PARTS, {"address": address})]


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
