"""What people send from a plate's page: reports without their sender, and how often one may send on a day."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, insert, text, update

from data.postgres import schema
from data.postgres.imported.territories import Territory

#: Bytes kept of a caller's hash: enough to count, and gone with the day's salt.
HASH_BYTES: Final = 16
#: Advisory lock of whoever deletes what other days left behind.
_FORGETTING: Final = 0x7767_6C65_7465


@dataclass(frozen=True)
class Place:
    """Where a report belongs: its address, that building's grid today, and the day there."""

    territory: int
    address: int
    text: str
    grid_id: str | None
    day: date


@dataclass(frozen=True)
class Report:
    """One report as staff read it; ``photo`` is its size in bytes, 0 for none."""

    number: str
    at: datetime
    kind: str
    status: str
    code: str
    address: str
    grid: str
    text: str
    photo: int


_PLACE = text("""
SELECT a.territory_id, a.id, a.text, b.grid_id::text, d.day
FROM address a JOIN territory t ON t.id = a.territory_id
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE t.time_zone)::date AS day) d
LEFT JOIN publication p ON p.territory_id = t.id AND p.valid_from <= d.day
  AND (p.valid_to IS NULL OR p.valid_to > d.day)
LEFT JOIN building_grid b ON b.publication_id = p.id AND b.building_id = a.building_id
WHERE a.code = :code
""")


def place(connection: Connection, code: str) -> Place | None:
    """Where a code's reports belong."""
    row = connection.execute(_PLACE, {"code": code}).first()
    return None if row is None else Place(*row)


def count(connection: Connection, caller: str, fresh_salt: bytes) -> int:
    """Count one posting of a caller and say which of the day it is.

    The caller is kept as a hash under the day's salt (``fresh_salt`` becomes it when the day has none yet);
    salts and counts of other days are deleted at once.
    """
    forget(connection)
    connection.execute(
        text("INSERT INTO throttle_salt (day, salt) VALUES (current_date, :salt) ON CONFLICT (day) DO NOTHING"),
        {"salt": fresh_salt},
    )
    salt = connection.execute(text("SELECT salt FROM throttle_salt WHERE day = current_date")).scalar_one()
    hashed = hmac.new(bytes(salt), caller.encode(), hashlib.sha256).digest()[:HASH_BYTES]
    number: int = connection.execute(
        text(
            "INSERT INTO throttle_count (day, caller, number) VALUES (current_date, :caller, 1)"
            " ON CONFLICT (day, caller) DO UPDATE SET number = throttle_count.number + 1 RETURNING number"
        ),
        {"caller": hashed},
    ).scalar_one()
    return number


def forget(connection: Connection) -> int:
    """Delete the salts and hashes of every other day; how many hashes went.

    Several may want to at midnight: one does it, and nobody waits.
    """
    if not connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _FORGETTING}).scalar_one():
        return 0
    gone = connection.execute(text("DELETE FROM throttle_count WHERE day <> current_date")).rowcount
    connection.execute(text("DELETE FROM throttle_salt WHERE day <> current_date"))
    return gone


def seconds_left(connection: Connection) -> float:
    """Seconds until the day is over by which callers are counted."""
    left: float = connection.execute(
        text("SELECT CAST(extract(epoch FROM CAST(current_date + 1 AS timestamptz) - now()) AS float8)")
    ).scalar_one()
    return left


def save_report(
    connection: Connection,
    where: Place,
    *,
    number: str,
    kind: str,
    words: str,
    photo: bytes | None,
    plate_id: int | None,
) -> None:
    """Keep a report for the case module; one that says its plate hangs elsewhere also marks the plate."""
    connection.execute(
        insert(schema.report).values(
            territory_id=where.territory,
            number=number,
            channel="plate",
            kind=kind,
            text=words,
            place=where.text,
            address_id=where.address,
            grid_id=where.grid_id,
            photo=photo,
            plate_id=plate_id,
        )
    )
    if kind == "elsewhere" and plate_id is not None:
        connection.execute(update(schema.plate).where(schema.plate.c.id == plate_id).values(elsewhere=True))


def reports(connection: Connection, territory: Territory, *, kind: str = "", limit: int = 100) -> list[Report]:
    """Reports sent from plates of a territory, the newest first."""
    rows = connection.execute(
        text("""
SELECT r.number, r.created_at, r.kind, r.status, coalesce(a.code, ''), r.place,
       coalesce((SELECT v.code FROM grid_version v WHERE v.grid_id = r.grid_id
                 ORDER BY v.publication_id DESC LIMIT 1), ''),
       r.text, coalesce(octet_length(r.photo), 0)
FROM report r LEFT JOIN address a ON a.id = r.address_id
WHERE r.territory_id = :territory AND r.channel = 'plate' AND (:kind = '' OR r.kind = :kind)
ORDER BY r.id DESC LIMIT :limit
"""),
        {"territory": territory.id, "kind": kind, "limit": limit},
    )
    return [Report(*row) for row in rows]


def photos(connection: Connection, territory: Territory) -> Iterator[tuple[str, bytes]]:
    """Number and photo of every report that has one."""
    rows = connection.execution_options(yield_per=10).execute(
        text("SELECT number, photo FROM report WHERE territory_id = :t AND photo IS NOT NULL ORDER BY id"),
        {"t": territory.id},
    )
    for number, photo in rows:
        yield str(number), bytes(photo)
