"""What becomes of addresses after they were issued: revoked, merged, split, known by other names and codes.

Nothing is deleted: an address ends on a day, its code stays taken and says where it went.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, insert, text, update

from data.postgres import events, schema
from data.postgres.imported.territories import Territory
from gis.errors import NotFoundError


@dataclass(frozen=True)
class AddressRow:
    """An address as its life is changed. ``parts`` counts addresses in force below it (units, rooms)."""

    id: int
    territory_id: int
    code: str
    text: str
    level: str
    status: str
    valid_from: date
    valid_to: date | None
    successor: str
    parts: int
    today: date
    time_zone: str


@dataclass(frozen=True)
class ForeignCode:
    """A code of another system with the address it is linked to."""

    system: str
    code: str
    address: str
    text: str
    valid_from: date
    valid_to: date | None


_ADDRESS = text("""
SELECT a.id, a.territory_id, a.code, a.text, a.level, a.status, a.valid_from, a.valid_to, coalesce(s.code, ''),
       (SELECT count(*) FROM address p WHERE p.parent_id = a.id AND p.status = 'issued' AND p.valid_to IS NULL),
       (now() AT TIME ZONE t.time_zone)::date, t.time_zone
FROM address a JOIN territory t ON t.id = a.territory_id LEFT JOIN address s ON s.id = a.successor_id
WHERE a.code = :code FOR UPDATE OF a
""")


def get(connection: Connection, code: str) -> AddressRow:
    """The address of a code, held until the transaction ends; raises NotFoundError ``life.no_address``."""
    row = connection.execute(_ADDRESS, {"code": code}).first()
    if row is None:
        raise NotFoundError("life.no_address", value=code)
    return AddressRow(*row)


def end(
    connection: Connection,
    address: AddressRow,
    status: str,
    on: date,
    *,
    successor: AddressRow | None = None,
    actor: str,
    note: str = "",
) -> None:
    """Let an address end on a day, with what takes its place; the day after its first at the earliest."""
    last = max(on, address.valid_from + timedelta(days=1))
    table = schema.address
    connection.execute(
        update(table)
        .where(table.c.id == address.id)
        .values(status=status, valid_to=last, successor_id=successor.id if successor else None)
    )
    body = {"on": on.isoformat(), "note": note} | ({"into": [successor.code]} if successor else {})
    _record(connection, address, f"address_{status}", actor, body)


def end_parts(connection: Connection, address: AddressRow, on: date, *, actor: str, note: str = "") -> int:
    """Revoke every address in force below one (units, rooms); how many."""
    rows = connection.execute(
        text("""
WITH RECURSIVE below(id) AS (
  SELECT id FROM address WHERE parent_id = :id UNION SELECT a.id FROM address a JOIN below b ON a.parent_id = b.id)
UPDATE address a SET status = 'revoked', valid_to = greatest(CAST(:on AS date), a.valid_from + 1)
FROM below b WHERE a.id = b.id AND a.status = 'issued' AND a.valid_to IS NULL RETURNING a.code
"""),
        {"id": address.id, "on": on},
    )
    ended = list(rows.scalars())
    for code in sorted(ended):
        events.record(
            connection, "address_revoked", f"address:{code}", actor=actor, territory_id=address.territory_id,
            body={"on": on.isoformat(), "note": note, "with": address.code},
        )  # fmt: skip
    return len(ended)


def succeed(connection: Connection, address: AddressRow, by: Iterable[AddressRow], kind: str, on: date) -> None:
    """Record which addresses took the place of one."""
    rows = [{"address_id": address.id, "successor_id": b.id, "kind": kind, "valid_from": on} for b in by]
    connection.execute(insert(schema.address_succession), rows)


def split(
    connection: Connection, address: AddressRow, into: list[AddressRow], on: date, *, actor: str, note: str = ""
) -> None:
    """Let an address end on a day, its place taken by several."""
    last = max(on, address.valid_from + timedelta(days=1))
    table = schema.address
    connection.execute(update(table).where(table.c.id == address.id).values(status="split", valid_to=last))
    succeed(connection, address, into, "split", on)
    body = {"on": on.isoformat(), "note": note, "into": [a.code for a in into]}
    _record(connection, address, "address_split", actor, body)


def name(
    connection: Connection,
    address: AddressRow,
    words: str,
    kind: str,
    since: date,
    until: date | None = None,
    *,
    actor: str,
) -> bool:
    """Give an address another name for some days; False where it has that name on one of them already."""
    known = connection.execute(
        text(
            "SELECT 1 FROM address_alias WHERE address_id = :a AND text = :words"
            " AND daterange(valid_from, valid_to, '[)')"
            " && daterange(CAST(:since AS date), CAST(:until AS date), '[)')"
        ),
        {"a": address.id, "words": words, "since": since, "until": until},
    ).first()
    if known is not None:
        return False
    connection.execute(
        insert(schema.address_alias).values(
            address_id=address.id, text=words, kind=kind, valid_from=since, valid_to=until
        )
    )
    body = {"text": words, "name_kind": kind, "since": since.isoformat(), "until": until and until.isoformat()}
    _record(connection, address, "address_named", actor, body)
    return True


def link(
    connection: Connection,
    address: AddressRow,
    system: str,
    code: str,
    since: date,
    until: date | None = None,
    *,
    actor: str,
) -> None:
    """Link a code of another system to an address for some days. The caller has seen to it that it is free then."""
    connection.execute(
        insert(schema.foreign_code).values(
            address_id=address.id, system=system, code=code, valid_from=since, valid_to=until
        )
    )
    body = {"system": system, "code": code, "since": since.isoformat(), "until": until and until.isoformat()}
    _record(connection, address, "code_linked", actor, body)


def unlink(connection: Connection, system: str, code: str, on: date, *, actor: str) -> ForeignCode | None:
    """End the link of a foreign code on a day; what it was linked to, None where it was not."""
    found = [f for f in foreign(connection, system, code) if f.valid_to is None or f.valid_to > on]
    if not found:
        return None
    last = max(on, found[-1].valid_from + timedelta(days=1))
    connection.execute(
        text(
            "UPDATE foreign_code SET valid_to = :on WHERE system = :system AND code = :code"
            " AND valid_from = :since AND (valid_to IS NULL OR valid_to > :on)"
        ),
        {"on": last, "system": system, "code": code, "since": found[-1].valid_from},
    )
    address = get(connection, found[-1].address)
    _record(connection, address, "code_unlinked", actor, {"system": system, "code": code, "on": on.isoformat()})
    return found[-1]


_FOREIGN = """
SELECT f.system, f.code, a.code, a.text, f.valid_from, f.valid_to
FROM foreign_code f JOIN address a ON a.id = f.address_id
"""


_OF_CODE = """
WHERE f.code = :code AND (:system = '' OR f.system = :system)
  AND (NOT :published OR EXISTS (SELECT 1 FROM publication p WHERE p.territory_id = a.territory_id))
ORDER BY f.system, f.valid_from
"""
_AMONG = "WHERE (f.system, f.code) IN (SELECT * FROM unnest(CAST(:systems AS text[]), CAST(:codes AS text[])))"


def foreign(connection: Connection, system: str, code: str, *, published: bool = False) -> list[ForeignCode]:
    """Every link a foreign code ever had, the oldest first; ``system`` "" stands for any.

    ``published``: only in territories that were ever published, as the public may see them.
    """
    rows = connection.execute(
        text(_FOREIGN + _OF_CODE),
        {"system": system, "code": code, "published": published},
    )
    return [ForeignCode(*row) for row in rows]


def foreign_of(connection: Connection, address: int) -> list[ForeignCode]:
    """Every foreign code an address ever had."""
    rows = connection.execute(
        text(_FOREIGN + "WHERE f.address_id = :a ORDER BY f.system, f.valid_from, f.code"), {"a": address}
    )
    return [ForeignCode(*row) for row in rows]


def linked(connection: Connection, pairs: Collection[tuple[str, str]]) -> list[ForeignCode]:
    """Links of many foreign codes (system, code)."""
    rows = connection.execute(
        text(_FOREIGN + _AMONG),
        {"systems": [s for s, _ in pairs], "codes": [c for _, c in pairs]},
    )
    return [ForeignCode(*row) for row in rows]


def codes_of(
    connection: Connection, territory: Territory, codes: Collection[str], texts: Collection[str]
) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Addresses of a territory: code -> code for those that exist, and text or alias -> codes in force."""
    known = connection.execute(
        text("SELECT code FROM address WHERE territory_id = :t AND code = ANY(:codes)"),
        {"t": territory.id, "codes": list(codes)},
    ).scalars()
    named: dict[str, set[str]] = {}
    rows = connection.execute(
        text("""
SELECT a.text, a.code FROM address a
WHERE a.territory_id = :t AND a.status = 'issued' AND a.valid_to IS NULL AND a.text = ANY(:texts)
UNION SELECT x.text, a.code FROM address a JOIN address_alias x ON x.address_id = a.id
WHERE a.territory_id = :t AND a.status = 'issued' AND a.valid_to IS NULL AND x.text = ANY(:texts)
"""),
        {"t": territory.id, "texts": list(texts)},
    )
    for words, code in rows:
        named.setdefault(words, set()).add(code)
    return {c: c for c in known}, named


def link_many(
    connection: Connection, territory: Territory, rows: list[tuple[str, str, str, date, date | None]], *, actor: str
) -> None:
    """Link many foreign codes: (address code, system, code, since, until)."""
    connection.execute(
        text("""
INSERT INTO foreign_code (address_id, system, code, valid_from, valid_to)
SELECT a.id, r.system, r.code, r.since, r.until
FROM unnest(CAST(:addresses AS text[]), CAST(:systems AS text[]), CAST(:codes AS text[]), CAST(:since AS date[]),
            CAST(:until AS date[])) AS r(address, system, code, since, until)
JOIN address a ON a.code = r.address
"""),
        {
            "addresses": [r[0] for r in rows],
            "systems": [r[1] for r in rows],
            "codes": [r[2] for r in rows],
            "since": [r[3] for r in rows],
            "until": [r[4] for r in rows],
        },
    )
    events.record(
        connection, "codes_imported", f"territory:{territory.id}", actor=actor, territory_id=territory.id,
        body={"codes": len(rows), "systems": sorted({r[1] for r in rows})},
    )  # fmt: skip


def _record(connection: Connection, address: AddressRow, kind: str, actor: str, body: Mapping[str, object]) -> None:
    events.record(
        connection, kind, f"address:{address.code}", actor=actor, territory_id=address.territory_id, body=body
    )
