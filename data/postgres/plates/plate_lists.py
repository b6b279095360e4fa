"""What a signed list of plates holds, and the keys that sign lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, text

from data.postgres import schema
from data.postgres.imported.territories import Territory
from data.postgres.plates.plates import Key


@dataclass(frozen=True)
class Listed:
    """One address that ever had a plate; ``links`` are (link, state) of the newest plate of each link and size, that
    which answers for its link last."""

    code: str
    state: str
    into: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    lon: float
    lat: float
    radius: float
    text: str


@dataclass(frozen=True)
class ListKey:
    """A key that signs lists; ``secret`` and ``public`` are 32 bytes each."""

    secret: bytes
    public: bytes
    created_at: datetime
    retired_at: datetime | None


@dataclass(frozen=True)
class PlateKey:
    """A key that signs plates, without its secret; ``plates`` counts those it signed. ``series`` 0 is that of first
    plates, 1 of those printed in place of plates of series 0, and so on."""

    key_id: str
    host: str
    created_at: datetime
    retired_at: datetime | None
    plates: int
    series: int = 0


@dataclass(frozen=True)
class Quoted:
    """An address whose link stands on a notice board, and the key that signed it there."""

    code: str
    key: Key


def quoted(connection: Connection, territory: Territory) -> list[Quoted]:
    """Every link that boards of a territory were printed with."""
    rows = connection.execute(
        text("""
SELECT DISTINCT b.content->>'code', k.key_id, k.host, k.secret
FROM board_print b JOIN plate_key k ON k.key_id = b.content->>'key' AND k.host = b.content->>'host'
WHERE b.territory_id = :territory AND b.kind = 'board' ORDER BY 1, 2
"""),
        {"territory": territory.id},
    )
    return [Quoted(code, Key(key_id, host, bytes(secret))) for code, key_id, host, secret in rows]


def listed(connection: Connection, territory: Territory, also: Sequence[str] = ()) -> list[Listed]:
    """Every address of a territory that ever had a plate, and those of the codes ``also``, in the order of codes."""
    rows = connection.execute(
        text("""
WITH newest AS (
  SELECT DISTINCT ON (p.address_id, p.payload, b.size) p.address_id, p.payload, p.status, p.id,
         p.status NOT IN ('lost','replaced','revoked') AS good
  FROM plate p JOIN address a ON a.id = p.address_id JOIN plate_batch b ON b.id = p.batch_id
  WHERE a.territory_id = :territory ORDER BY p.address_id, p.payload, b.size, p.id DESC),
plates AS (
  SELECT n.address_id, array_agg(n.payload ORDER BY n.good, n.id) AS links,
         array_agg(n.status ORDER BY n.good, n.id) AS states
  FROM newest n GROUP BY n.address_id)
SELECT a.code, a.status,
       coalesce((SELECT array_agg(s.code ORDER BY u.id) FROM address_succession u JOIN address s
                 ON s.id = u.successor_id WHERE u.address_id = a.id),
                CASE WHEN m.code IS NULL THEN '{}' ELSE ARRAY[m.code] END),
       coalesce(p.links, '{}'), coalesce(p.states, '{}'),
       ST_X(c.point), ST_Y(c.point), ST_MaxDistance(ST_Centroid(b.geom), b.geom), a.text
FROM address a LEFT JOIN plates p ON p.address_id = a.id JOIN building b ON b.id = a.building_id
LEFT JOIN address m ON m.id = a.successor_id
CROSS JOIN LATERAL (SELECT ST_Transform(ST_Centroid(b.geom_3857), 4326) AS point) c
WHERE a.territory_id = :territory AND (p.address_id IS NOT NULL OR a.code = ANY(:also))
ORDER BY a.code
"""),
        {"territory": territory.id, "also": list(also)},
    )
    return [
        Listed(code, state, tuple(into), tuple(zip(links, states, strict=True)), lon, lat, radius, words)
        for code, state, into, links, states, lon, lat, radius, words in rows
    ]


def list_keys(connection: Connection) -> list[ListKey]:
    """Every key that ever signed lists, the oldest first; the last without ``retired_at`` signs."""
    rows = connection.execute(text("SELECT secret, public, created_at, retired_at FROM list_key ORDER BY id"))
    return [ListKey(bytes(s), bytes(p), created, retired) for s, p, created, retired in rows]


def new_list_key(connection: Connection, secret: bytes, public: bytes) -> None:
    """Make the key that signs lists from now on and retire the one before it."""
    connection.execute(text("LOCK TABLE list_key IN SHARE ROW EXCLUSIVE MODE"))
    connection.execute(text("UPDATE list_key SET retired_at = now() WHERE retired_at IS NULL"))
    connection.execute(insert(schema.list_key).values(secret=secret, public=public))


def plate_keys(connection: Connection) -> list[PlateKey]:
    """Every key that ever signed plates, in the order in which they were made."""
    rows = connection.execute(
        text("""
SELECT k.key_id, k.host, k.created_at, k.retired_at, (SELECT count(*) FROM plate p WHERE p.key_id = k.key_id),
       k.series
FROM plate_key k ORDER BY k.created_at, k.key_id
""")
    )
    return [PlateKey(*row) for row in rows]


def signing_hosts(connection: Connection) -> list[str]:
    """Hosts that plates were ever signed for."""
    return list(connection.execute(text("SELECT DISTINCT host FROM plate_key ORDER BY host")).scalars())
