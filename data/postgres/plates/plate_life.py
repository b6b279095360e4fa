"""What becomes of printed plates: installed, lost, replaced, revoked, and where they were seen. All of it stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert, text, update

from data.postgres import events, schema
from data.postgres.imported.territories import Territory


@dataclass(frozen=True)
class PlateRow:
    """One plate with its address. ``distance``: metres from the building where it was installed, None if unknown;
    ``size`` is its kind (medium, room …)."""

    id: int
    batch: int
    code: str
    text: str
    address_status: str
    payload: str
    key_id: str
    status: str
    since: date | None
    shown: str
    installed_on: date | None
    installed_by: str
    distance: float | None
    photo: int
    elsewhere: bool
    address_id: int
    territory_id: int
    size: str = ""


@dataclass(frozen=True)
class BatchRow:
    """One batch and how far its plates are; ``states`` counts plates by state."""

    id: int
    community: str
    size: str
    purpose: str
    ordered_by: str
    ordered_at: datetime
    printed_by: str
    printed_at: datetime | None
    plates: int
    verified: int
    sha256: str
    states: dict[str, int]


@dataclass(frozen=True)
class Spot:
    """A position in a territory: its metre CRS, its EPSG number there (0: none), and today."""

    crs: str
    srid: int
    today: date


@dataclass(frozen=True)
class Seen:
    """One sighting of a plate of an address; ``size`` is the plate's."""

    code: str
    text: str
    day: date
    distance: float
    verdict: str
    by: str
    size: str = ""


_PLATE = """
SELECT p.id, p.batch_id, a.code, a.text, a.status, p.payload, p.key_id, p.status, p.since, p.shown, p.installed_on,
       p.installed_by, ST_Distance(b.geom, p.installed_at), coalesce(octet_length(p.photo), 0), p.elsewhere,
       a.id, a.territory_id, h.size
FROM plate p JOIN address a ON a.id = p.address_id JOIN building b ON b.id = a.building_id
JOIN plate_batch h ON h.id = p.batch_id
"""


def by_size(connection: Connection, code: str, key_id: str = "", tag: str = "") -> list[PlateRow]:
    """The newest plate of every size of an address, or of those printed with one link, the newest first."""
    return _many(
        connection,
        "WHERE p.id = ANY(SELECT max(q.id) FROM plate q JOIN plate_batch g ON g.id = q.batch_id"
        " JOIN address c ON c.id = q.address_id WHERE c.code = :code"
        " AND (:key = '' OR (q.key_id = :key AND right(q.payload, 30) = :tail)) GROUP BY g.size) ORDER BY p.id DESC",
        code=code,
        key=key_id,
        tail=f"/{code}.{key_id}{tag}",
    )


def by_code(connection: Connection, code: str) -> PlateRow | None:
    """The newest plate of an address."""
    return _one(connection, "WHERE a.code = :code ORDER BY p.id DESC LIMIT 1", code=code)


def older(connection: Connection, plate: PlateRow, *, same_size: bool = False) -> list[PlateRow]:
    """Plates of the same address printed before, of its size or of all, the newest first."""
    return _many(
        connection,
        "WHERE p.address_id = :address AND p.id < :plate AND h.size = coalesce(nullif(:size, ''), h.size)"
        " ORDER BY p.id DESC",
        address=plate.address_id,
        plate=plate.id,
        size=plate.size if same_size else "",
    )


def listing(
    connection: Connection, territory: Territory, *, batch: int | None = None, status: str = ""
) -> list[PlateRow]:
    """Plates of a territory, or of one batch, or in one state, in the order of printing."""
    return _many(
        connection,
        "WHERE a.territory_id = :territory AND (CAST(:batch AS bigint) IS NULL OR p.batch_id = :batch)"
        " AND (:status = '' OR p.status = :status) ORDER BY p.id",
        territory=territory.id,
        batch=batch,
        status=status,
    )


def newest(connection: Connection, territory: Territory) -> list[PlateRow]:
    """The newest plate of every size that an address has plates of."""
    return _many(
        connection,
        "WHERE a.territory_id = :territory AND NOT EXISTS"
        " (SELECT 1 FROM plate q JOIN plate_batch g ON g.id = q.batch_id"
        " WHERE q.address_id = p.address_id AND q.id > p.id AND g.size = h.size) ORDER BY p.id",
        territory=territory.id,
    )


def batches(connection: Connection, territory: Territory) -> list[BatchRow]:
    """Every batch of a territory, the oldest first."""
    rows = connection.execute(
        text("""
SELECT b.id, coalesce(c.name, ''), b.size, b.purpose, b.ordered_by, b.ordered_at, b.printed_by, b.printed_at,
       b.plates, b.verified, b.sha256,
       coalesce((SELECT jsonb_object_agg(s.status, s.n) FROM
         (SELECT status, count(*) AS n FROM plate WHERE batch_id = b.id GROUP BY status) s), '{}')
FROM plate_batch b LEFT JOIN community c ON c.id = b.community_id
WHERE b.territory_id = :territory ORDER BY b.id
"""),
        {"territory": territory.id},
    )
    return [BatchRow(*row) for row in rows]


def spot(connection: Connection, territory_id: int) -> Spot:
    """Where positions of a territory are measured, and which day it is there."""
    row = connection.execute(
        text("SELECT crs, srid, (now() AT TIME ZONE time_zone)::date FROM territory WHERE id = :t"),
        {"t": territory_id},
    ).one()
    return Spot(*row)


def move(
    connection: Connection, plate: PlateRow, status: str, on: date, *, actor: str, note: str = "", **more: Any
) -> None:
    """Set a plate's state from a day on, and record what it was before."""
    table = schema.plate
    connection.execute(update(table).where(table.c.id == plate.id).values(status=status, since=on, **more))
    body = {"before": plate.status, "after": status, "on": on.isoformat(), "batch": plate.batch, "note": note}
    events.record(
        connection, f"plate_{status}", f"plate:{plate.id}", actor=actor, territory_id=plate.territory_id, body=body
    )


def place(connection: Connection, plate_id: int, x: float, y: float, srid: int) -> None:
    """Keep where a plate was installed, in the territory's metre CRS."""
    connection.execute(
        text("UPDATE plate SET installed_at = ST_SetSRID(ST_MakePoint(:x, :y), :srid) WHERE id = :id"),
        {"x": x, "y": y, "srid": srid, "id": plate_id},
    )


def distance(connection: Connection, address_id: int, x: float, y: float, srid: int) -> float:
    """Metres between a position and the outline of an address's building (0 inside)."""
    metres: float = connection.execute(
        text("""
SELECT ST_Distance(b.geom, ST_SetSRID(ST_MakePoint(:x, :y), :srid))
FROM address a JOIN building b ON b.id = a.building_id WHERE a.id = :address
"""),
        {"x": x, "y": y, "srid": srid, "address": address_id},
    ).scalar_one()
    return metres


def save_check(
    connection: Connection,
    *,
    address_id: int,
    plate_id: int | None,
    on: date,
    by: str,
    x: float,
    y: float,
    srid: int,
    accuracy: float,
    metres: float,
    verdict: str,
    note: str = "",
    photo: bytes | None = None,
) -> None:
    """Append a sighting."""
    connection.execute(
        insert(schema.plate_check).values(
            address_id=address_id,
            plate_id=plate_id,
            seen_on=on,
            seen_by=by,
            geom=text("ST_SetSRID(ST_MakePoint(:x, :y), :srid)").bindparams(x=x, y=y, srid=srid),
            accuracy=accuracy,
            distance=metres,
            verdict=verdict,
            note=note,
            photo=photo,
        )
    )


def photo(connection: Connection, plate_id: int) -> bytes | None:
    """The photo of a plate on its wall."""
    found = connection.execute(text("SELECT photo FROM plate WHERE id = :id"), {"id": plate_id}).scalar_one()
    return None if found is None else bytes(found)


def seen(connection: Connection, territory: Territory) -> list[Seen]:
    """Every sighting since an address was last settled, the oldest first."""
    rows = connection.execute(
        text("""
SELECT a.code, a.text, k.seen_on, k.distance, k.verdict, k.seen_by, coalesce(h.size, '')
FROM plate_check k JOIN address a ON a.id = k.address_id
LEFT JOIN plate p ON p.id = k.plate_id LEFT JOIN plate_batch h ON h.id = p.batch_id
LEFT JOIN LATERAL (SELECT max(e.at) AS at FROM event e
                   WHERE e.subject = 'address:' || a.code AND e.kind = 'plates_settled') s ON true
WHERE a.territory_id = :territory AND (s.at IS NULL OR k.created_at > s.at) ORDER BY k.id
"""),
        {"territory": territory.id},
    )
    return [Seen(*row) for row in rows]


def settle(connection: Connection, plate: PlateRow, *, actor: str, note: str = "") -> None:
    """Staff looked into it: what was reported and seen of an address's plates before is done with."""
    connection.execute(
        text("UPDATE plate SET elsewhere = false WHERE address_id = :a AND elsewhere"), {"a": plate.address_id}
    )
    events.record(
        connection, "plates_settled", f"address:{plate.code}", actor=actor, territory_id=plate.territory_id,
        body={"note": note},
    )  # fmt: skip


@dataclass(frozen=True)
class Happened:
    """One entry of a history."""

    at: datetime
    actor: str
    kind: str
    subject: str
    body: dict[str, Any]


def history(connection: Connection, address_id: int, code: str) -> list[Happened]:
    """Everything recorded of an address and its plates, the oldest first."""
    rows = connection.execute(
        text("""
SELECT at, actor, kind, subject, body FROM event
WHERE subject = :address OR subject IN
  (SELECT 'plate:' || p.id FROM plate p WHERE p.address_id = :id
   UNION SELECT 'plate_batch:' || p.batch_id FROM plate p WHERE p.address_id = :id) ORDER BY id
"""),
        {"address": f"address:{code}", "id": address_id},
    )
    return [Happened(*row) for row in rows]


def _one(connection: Connection, where: str, **values: Any) -> PlateRow | None:
    found = _many(connection, where, **values)
    return found[0] if found else None


def _many(connection: Connection, where: str, **values: Any) -> list[PlateRow]:
    rows: Sequence[Any] = connection.execute(text(_PLATE + where), values).all()
    return [PlateRow(*row) for row in rows]
