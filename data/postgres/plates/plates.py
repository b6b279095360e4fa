"""Plate keys, batches and plates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, text, update

from data.postgres import schema
from data.postgres.bulk import copy_rows
from data.postgres.imported.territories import Territory
from gis.addressing import codes
from gis.errors import NotFoundError


@dataclass(frozen=True)
class Key:
    """A signing key. A retired one signs nothing new and verifies for ever."""

    key_id: str
    host: str
    secret: bytes


@dataclass(frozen=True)
class UsedKey:
    """A key that signed plates of one ``size`` of an address: all of these carry one link. ``voided``: one of them
    was lost, replaced or revoked; ``status`` is that of the newest, which answers for the link."""

    address: int
    key_id: str
    voided: bool
    status: str
    size: str = ""


@dataclass(frozen=True)
class Premise:
    """What a plate shows of an address: road and number, or compound and building; unit and room where it has them.

    ``above`` is the text of the address it hangs below (a room's unit or building).
    """

    id: int
    code: str
    level: str
    text: str
    road: str
    number: str
    compound: str
    building_no: str
    unit: str
    room: str = ""
    above: str = ""


@dataclass(frozen=True)
class Community:
    """A community by its row; ``code`` is "" where it has none. ``id`` None stands for a whole territory."""

    id: int | None
    code: str
    name: str


def host(connection: Connection) -> str:
    """The host plate links name: a setting of the deployment, ``localhost`` until it is set."""
    found = connection.execute(text("SELECT host FROM deployment WHERE id = 1")).scalar_one_or_none()
    return str(found or "localhost")


def set_host(connection: Connection, value: str) -> None:
    """Keep the host that new plates name."""
    connection.execute(
        text("INSERT INTO deployment (id, host) VALUES (1, :host) ON CONFLICT (id) DO UPDATE SET host = :host"),
        {"host": value},
    )


def current_key(connection: Connection, host_: str, series: int = 0) -> Key | None:
    """The key that signs new plates of a host; of a later ``series`` those for plates that the one before signed."""
    row = connection.execute(
        text(
            "SELECT key_id, host, secret FROM plate_key"
            " WHERE host = :host AND series = :series AND retired_at IS NULL"
        ),
        {"host": host_, "series": series},
    ).one_or_none()
    return None if row is None else Key(row.key_id, row.host, bytes(row.secret))


def new_key(connection: Connection, host_: str, secret: bytes) -> Key:
    """Make the next key of first plates and retire those of every series before it."""
    connection.execute(text("LOCK TABLE plate_key IN SHARE ROW EXCLUSIVE MODE"))
    found = current_key(connection, host_)
    if found is not None and found.secret == secret:
        return found
    connection.execute(
        text("UPDATE plate_key SET retired_at = now() WHERE host = :host AND retired_at IS NULL"), {"host": host_}
    )
    return _new_key(connection, host_, secret, 0)


def key_of_series(connection: Connection, host_: str, series: int, secret: bytes) -> Key:
    """The key in use of a host's series; where there is none yet, ``secret`` becomes it."""
    found = current_key(connection, host_, series)
    if found is None:
        connection.execute(text("LOCK TABLE plate_key IN SHARE ROW EXCLUSIVE MODE"))
        found = current_key(connection, host_, series) or _new_key(connection, host_, secret, series)
    return found


def _new_key(connection: Connection, host_: str, secret: bytes, series: int) -> Key:
    used = set(connection.execute(text("SELECT key_id FROM plate_key")).scalars())
    key = Key(codes.next_key_id(used), host_, secret)
    connection.execute(
        insert(schema.plate_key).values(key_id=key.key_id, host=key.host, secret=key.secret, series=series)
    )
    return key


def used_keys(connection: Connection, addresses: Sequence[int]) -> list[UsedKey]:
    """Every key that plates of some addresses were signed with, size by size."""
    rows = connection.execute(
        text("""
SELECT p.address_id, p.key_id, bool_or(p.status IN ('lost','replaced','revoked')),
       (array_agg(p.status ORDER BY p.id DESC))[1], b.size
FROM plate p JOIN plate_batch b ON b.id = p.batch_id
WHERE p.address_id = ANY(:addresses) GROUP BY p.address_id, p.key_id, b.size
"""),
        {"addresses": list(addresses)},
    )
    return [UsedKey(*row) for row in rows]


def communities(connection: Connection, territory: Territory) -> list[Community]:
    """Present communities of a territory that have addresses, in the order of code and name."""
    rows = connection.execute(
        text(
            "SELECT c.id, c.code, c.name FROM community c WHERE c.territory_id = :territory AND c.present"
            " AND EXISTS (SELECT 1 FROM address a WHERE a.community_id = c.id) ORDER BY c.code, c.name, c.id"
        ),
        {"territory": territory.id},
    )
    return [Community(*row) for row in rows]


def community(connection: Connection, territory: Territory, wanted: str) -> Community:
    """A community by code or name; raises NotFoundError ``plates.no_community`` that lists what there is."""
    known = communities(connection, territory)
    for found in known:
        if wanted in (found.code, found.name):
            return found
    listed = ", ".join(f"{c.code} {c.name}".strip() for c in known[:30])
    raise NotFoundError("plates.no_community", name=wanted, known=listed or "-")


_PREMISES = (
    "SELECT a.id, a.code, a.level, a.text, coalesce(t.name, ''), b.number_text, coalesce(c.name, ''),"
    " b.building_no, a.unit, a.room, coalesce(u.text, '') FROM address a LEFT JOIN address u ON u.id = a.parent_id"
    " JOIN address b ON b.id = coalesce(u.parent_id, u.id, a.id)"
    " LEFT JOIN thoroughfare t ON t.id = b.thoroughfare_id LEFT JOIN compound c ON c.id = b.compound_id"
    " WHERE a.status = 'issued' AND a.valid_to IS NULL"
)


def premises(
    connection: Connection, territory: Territory, community_id: int | None, levels: Sequence[str]
) -> list[Premise]:
    """Addresses in force that get plates, along streets and through compounds; of one community or of all."""
    rows = connection.execute(
        text(
            f"{_PREMISES} AND a.territory_id = :territory AND a.level = ANY(:levels)"
            " AND (CAST(:community AS bigint) IS NULL OR a.community_id = CAST(:community AS bigint))"
            " ORDER BY c.name NULLS FIRST, t.name NULLS LAST, t.place, b.number, b.number_text,"
            " length(b.building_no), b.building_no, length(a.unit), a.unit, length(a.room), a.room, a.id"
        ),
        {"territory": territory.id, "community": community_id, "levels": list(levels)},
    )
    return [Premise(*row) for row in rows]


def premise(connection: Connection, code: str) -> Premise | None:
    """The address of a code in force."""
    row = connection.execute(text(f"{_PREMISES} AND a.code = :code"), {"code": code}).first()
    return None if row is None else Premise(*row)


@dataclass(frozen=True)
class Batch:
    """A batch: its size, and its plates in the order of its sheets as (address id, link, words shown)."""

    id: int
    size: str
    plates: tuple[tuple[int, str, str], ...]


def batch(connection: Connection, number: int) -> Batch:
    """A batch by its number; raises NotFoundError ``plates.no_batch``."""
    size = connection.execute(
        text("SELECT size FROM plate_batch WHERE id = :id"), {"id": number}
    ).scalar_one_or_none()
    if size is None:
        raise NotFoundError("plates.no_batch", number=number)
    rows = connection.execute(
        text("SELECT address_id, payload, shown FROM plate WHERE batch_id = :id ORDER BY id"), {"id": number}
    )
    return Batch(number, size, tuple((address, link, shown) for address, link, shown in rows))


def premises_of(connection: Connection, addresses: Sequence[int]) -> dict[int, Premise]:
    """Those of some addresses that are in force, by id."""
    rows = connection.execute(text(f"{_PREMISES} AND a.id = ANY(:ids)"), {"ids": list(addresses)})
    return {row[0]: Premise(*row) for row in rows}


def save_batch(
    connection: Connection,
    territory: Territory,
    community_id: int | None,
    *,
    size: str,
    ordered_by: str,
    sha256: str,
    plates: Sequence[tuple[int, str, str]],
    shown: Sequence[str] = (),
    printed_by: str = "",
    purpose: str = "new",
) -> int:
    """Write a batch whose every plate was read back; ``plates`` are (address id, key id, link), ``shown`` the
    addresses' texts of this moment. Its id."""
    table = schema.plate_batch
    batch = insert(table).values(
        territory_id=territory.id,
        community_id=community_id,
        size=size,
        ordered_by=ordered_by,
        plates=len(plates),
        verified=len(plates),
        sha256=sha256,
        printed_by=printed_by,
        purpose=purpose,
    )
    number: int = connection.execute(batch.returning(table.c.id)).scalar_one()
    copy_rows(
        connection,
        schema.plate,
        {
            "address_id": [address for address, _, _ in plates],
            "batch_id": [number] * len(plates),
            "key_id": [key_id for _, key_id, _ in plates],
            "payload": [link for _, _, link in plates],
            "status": ["printed"] * len(plates),
            "shown": list(shown) or [""] * len(plates),
        },
    )
    connection.execute(update(table).where(table.c.id == number).values(printed_at=text("now()")))
    connection.execute(
        text(
            "UPDATE plate p SET since = (now() AT TIME ZONE t.time_zone)::date FROM address a"
            " JOIN territory t ON t.id = a.territory_id WHERE p.batch_id = :batch AND a.id = p.address_id"
        ),
        {"batch": number},
    )
    return number
