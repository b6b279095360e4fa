"""What opens when a plate is scanned, or its code is typed: the address, today's grid and whom to call."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import Connection

from api.answers import Plate, PlateGrid
from api.services.lookup import persons
from api.services.published import Published
from data.postgres import read_plates, read_published
from data.postgres.read_plates import Premise
from gis.addressing import codes
from gis.addressing.codes import Link, Verdict

#: HTTP status of each verdict that is no answer; everything else is 200.
STATUS: Final = {"not_a_code": 404, "mistyped": 404, "unknown": 404, "forged": 403, "revoked": 410, "throttled": 429}
#: Printed plates in these states no longer speak for their address.
_VOID: Final = frozenset({"revoked", "replaced"})


def plate(published: Published, text: str, as_of: date | None = None) -> Plate:
    """The page of a scanned or typed text. Refusals carry a verdict and nothing else."""
    link = codes.parse(text)
    with published.reading() as connection:
        verdict, code = _judge(connection, text, link)
        if verdict not in (Verdict.SIGNED, Verdict.TYPED):
            return Plate(verdict.value, code)
        premise = read_plates.premise(connection, code, as_of)
        if premise is None:
            return Plate("unknown", code)
        printed = read_plates.plate_status(connection, code, link.key_id, link.tag) if link and link.key_id else None
        if premise.status != "issued" or printed in _VOID:
            return Plate("revoked", code, successor=premise.successor)
        return _answer(connection, verdict.value, code, premise)


def _judge(connection: Connection, text: str, link: Link | None) -> tuple[Verdict, str]:
    """Check against the key that the link names; the host signed is the key's own, so old plates stay good."""
    found = read_plates.key(connection, link.key_id) if link and link.key_id else None
    host, secrets = (found[0], {link.key_id: found[1]}) if found and link else ("localhost", {})
    return codes.verify(text, host=host, secrets=secrets)


def _answer(connection: Connection, verdict: str, code: str, premise: Premise) -> Plate:
    grid = None
    contacts = read_published.people(
        connection, premise.day, [premise.grid_id] if premise.grid_id else [], [premise.building]
    )
    if premise.grid_id:
        grid = PlateGrid(premise.grid_id, premise.grid_code, premise.grid_name, premise.grid_community)
    people = contacts.get(premise.grid_id or "", []) + contacts.get(str(premise.building), [])
    return Plate(
        verdict,
        code,
        address=premise.text,
        division=premise.community,
        territory=premise.territory,
        grid=grid,
        people=persons(list(dict.fromkeys(people))),
        as_of=premise.day,
        fictitious=premise.fictitious,
        fictitious_people=any(p.fictitious for p in people),
    )
