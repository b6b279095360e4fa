"""What opens when a plate is scanned, or its code is typed: the address, today's grid and whom to call."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Final

import msgspec
from sqlalchemy import Connection

from api.answers import Plate, PlateCode, PlateGrid, PlatePart
from api.services.lookup.lookup import persons
from api.services.published import Published
from data.postgres.plans import read_published
from data.postgres.plates import read_plates
from data.postgres.plates.read_plates import Premise, PrintedPlate
from gis.addressing import codes
from gis.addressing.codes import Link, Verdict

#: HTTP status of each verdict that is no answer; everything else is 200.
STATUS: Final = {
    "not_a_code": 404, "mistyped": 404, "unknown": 404, "forged": 403,
    "revoked": 410, "lost": 410, "replaced": 410, "throttled": 429,
}  # fmt: skip
#: Printed plates in these states no longer speak for their address.
VOID: Final = frozenset({"revoked", "replaced", "lost"})
#: A chain of mergers longer than this is a fault of the data.
_MERGERS: Final = 20


@dataclass(frozen=True)
class Judged:
    """What a text turned out to be. ``printed`` is the plate it was read from, where one was printed."""

    verdict: str
    code: str
    scanned: bool
    printed: PrintedPlate | None


def plate(published: Published, text: str, as_of: date | None = None) -> Plate:
    """The page of a scanned or typed text. Refusals carry a verdict and nothing else of the address."""
    with published.reading() as connection:
        found = judge(connection, text)
        if found.verdict not in ("signed", "typed"):
            return Plate(found.verdict, found.code, scanned=found.scanned)
        premise = read_plates.premise(connection, found.code, as_of)
        if premise is None:
            return Plate("unknown", found.code, scanned=found.scanned)
        said = _said(connection, found, premise, as_of)
    return msgspec.structs.replace(said, scanned=found.scanned)


def judge(connection: Connection, text: str) -> Judged:
    """Whether a text is a plate of ours: check digits, tag, and the plate that was printed with it."""
    link = codes.parse(text)
    verdict, code = _verdict(connection, text, link)
    tagged = link is not None and bool(link.key_id)
    printed = None
    if link is not None and verdict is Verdict.SIGNED:
        printed = read_plates.printed(connection, code, link.key_id, link.tag)
    return Judged(verdict.value, code, tagged, printed)


def _verdict(connection: Connection, text: str, link: Link | None) -> tuple[Verdict, str]:
    """Check against the key that the link names; the host signed is the key's own, so old plates stay good."""
    found = read_plates.key(connection, link.key_id) if link and link.key_id else None
    host, secrets = (found[0], {link.key_id: found[1]}) if found and link else ("localhost", {})
    return codes.verify(text, host=host, secrets=secrets)


def _said(connection: Connection, found: Judged, premise: Premise, as_of: date | None) -> Plate:
    printed, code = found.printed, found.code
    if premise.status == "split":
        parts = [PlatePart(c, t) for c, t in read_plates.parts(connection, premise.id)]
        return Plate("split", code, shown=premise.text, since=_ended(premise), parts=parts)
    if printed is not None and printed.status in VOID:
        return Plate(printed.status, code, successor=_successor(premise, code), since=printed.since)
    if premise.status == "merged":
        return _merged(connection, found, premise, as_of)
    if premise.status != "issued":
        return Plate("revoked", code, successor=premise.successor, since=_ended(premise))
    shown = printed.shown if printed is not None and _folded(printed.shown) != _folded(premise.text) else ""
    return _answer(connection, found.verdict, code, premise, shown=shown)


def _ended(premise: Premise) -> date | None:
    """Since when an address is no longer in force: one that was issued and ended on one day ends with that day."""
    return None if premise.ended is None else min(premise.ended, premise.day)


def _successor(premise: Premise, code: str) -> str:
    """The code at which the address of a void plate is found: its own, while the address is in force."""
    return code if premise.status == "issued" else premise.successor


def _merged(connection: Connection, found: Judged, premise: Premise, as_of: date | None) -> Plate:
    """The address that a merged one went up in, through any number of mergers."""
    survivor, code = premise, found.code
    for _ in range(_MERGERS):
        if survivor.status != "merged" or not survivor.successor:
            break
        code = survivor.successor
        following = read_plates.premise(connection, code, as_of)
        if following is None:
            break
        survivor = following
    if survivor.status != "issued":
        return Plate("revoked", found.code, successor=code, since=_ended(premise))
    said = _answer(connection, "merged", found.code, survivor, shown=premise.text)
    return msgspec.structs.replace(said, successor=code, since=_ended(premise))


def _answer(connection: Connection, verdict: str, code: str, premise: Premise, *, shown: str = "") -> Plate:
    grid = None
    contacts = read_published.people(
        connection, premise.day, [premise.grid_id] if premise.grid_id else [], [premise.building]
    )
    if premise.grid_id:
        grid = PlateGrid(premise.grid_id, premise.grid_code, premise.grid_name, premise.grid_community)
    people = contacts.get(premise.grid_id or "", []) + contacts.get(str(premise.building), [])
    names = read_plates.other_names(connection, premise.id, premise.day)
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
        shown=shown,
        aliases=list(names.aliases),
        former=list(names.former),
        codes=[PlateCode(system, other) for system, other in names.codes],
    )


def _folded(words: str) -> str:
    """Words without their gaps, for telling whether a plate still says what the address is called."""
    return "".join(unicodedata.normalize("NFKC", words).split())
