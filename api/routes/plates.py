"""``/api/plates/…``, ``/api/addresses/{code}/end``, ``/api/foreign-codes``: plates and codes in use, for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import Response, request
from werkzeug.exceptions import TooManyRequests

from api.context import here
from api.endpoints import Endpoint, json
from api.plate_answers import (
    BatchesQuery,
    EndAddress,
    EndedAddress,
    ForeignLink,
    ForeignLinks,
    ForeignQuery,
    Hung,
    LinkForeign,
    Marked,
    PlateBatch,
    PlateBatches,
    PlateOutcome,
    PlateTodo,
    PlateTodos,
    SeenPlate,
    Settled,
    TerritoryName,
    TodosQuery,
)
from api.services.addresses import address_life, foreign_codes
from api.services.plates import plate_life, plate_lists
from api.services.plates.plate_life import Outcome, Position, Todo
from gis.errors import InputError

if TYPE_CHECKING:
    from data.postgres.addresses.address_life import ForeignCode
    from data.postgres.plates.plate_life import BatchRow

#: Who does it, for the record of events.
_ACTOR: Final = "api:operator"
_JSON: Final = "application/json"


def install_plate(body: Hung) -> Response:
    """Record that a plate hangs."""
    position = None
    if body.lon is not None or body.lat is not None:
        if body.lon is None or body.lat is None or not body.crs:
            raise InputError("life.whole_position")
        position = Position(body.lon, body.lat, body.crs, body.accuracy)
    done = plate_life.install(
        here().engine, body.plate, on=body.on, by=body.by, position=position, photo=body.photo, note=body.note,
        actor=_ACTOR, size=body.size,
    )  # fmt: skip
    return json(_outcome(done))


def check_plate(body: SeenPlate) -> Response:
    """Record where a plate was seen."""
    done = plate_life.check(
        here().engine, body.plate, Position(body.lon, body.lat, body.crs, body.accuracy), on=body.on, by=body.by,
        note=body.note, photo=body.photo, actor=_ACTOR, size=body.size,
    )  # fmt: skip
    return json(_outcome(done))


def mark_plate(body: Marked) -> Response:
    """Record that a plate was lost, replaced or revoked."""
    done = plate_life.mark(
        here().engine, body.plate, body.status, on=body.on, note=body.note, actor=_ACTOR, size=body.size
    )
    return json(_outcome(done))


def settle_plate(body: Settled) -> Response:
    """Staff looked into a plate."""
    return json(_outcome(plate_life.settle(here().engine, body.plate, note=body.note, actor=_ACTOR)))


def plate_todos(query: TodosQuery) -> Response:
    """Plates to print again, or to look at."""
    found = (plate_life.suspicious if query.what == "look" else plate_life.reprints)(here().engine, query.territory)
    end = query.after + query.limit
    asked = {"territory": query.territory, "what": query.what, "limit": query.limit, "after": end}
    more = f"/api/plates/todo?{urlencode(asked)}" if len(found) > end else None
    return json(PlateTodos([_todo(t) for t in found[query.after : end]], more))


def plate_batches(query: BatchesQuery) -> Response:
    """Batches of a territory."""
    rows = [b for b in plate_life.batches(here().engine, query.territory) if b.id > query.after]
    page = rows[: query.limit]
    asked = {"territory": query.territory, "limit": query.limit, "after": page[-1].id if page else 0}
    more = f"/api/plates/batches?{urlencode(asked)}" if len(rows) > query.limit else None
    return json(PlateBatches([_batch(b) for b in page], more))


def plate_list(query: TerritoryName) -> Response:
    """The signed list of a territory's plates."""
    made = plate_lists.make(here().engine, query.territory, actor=_ACTOR)
    answer = Response(made.data, mimetype="application/octet-stream")
    answer.headers["Content-Disposition"] = 'attachment; filename="plates.wgl"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def end_address(code: str, body: EndAddress) -> Response:
    """Revoke, merge or split an address."""
    engine = here().engine
    if body.status == "merged" and len(body.into) != 1:
        raise InputError("life.one")
    if body.status == "revoked":
        done = address_life.revoke(engine, code, on=body.on, with_parts=body.with_parts, note=body.note, actor=_ACTOR)
    elif body.status == "merged":
        done = address_life.merge(
            engine, code, body.into[0], on=body.on, with_parts=body.with_parts, note=body.note, actor=_ACTOR
        )
    else:
        done = address_life.split(
            engine, code, body.into, on=body.on, with_parts=body.with_parts, note=body.note, actor=_ACTOR
        )
    return json(EndedAddress(done.code, done.text, done.status, done.on, list(done.into), done.parts, done.plates))


def find_foreign(query: ForeignQuery) -> Response:
    """The address a code of another system belongs to. Counted like codes typed at ``/d/``."""
    if not here().throttle.allows(request.remote_addr or ""):
        raise TooManyRequests
    found = foreign_codes.find(here().engine, query.code, query.system, published=True)
    return json(ForeignLinks([_link(f) for f in found]))


def link_foreign(body: LinkForeign) -> Response:
    """Link a code of another system to an address."""
    done = foreign_codes.link(
        here().engine, body.address_code, body.system, body.code, since=body.valid_from, until=body.valid_to,
        actor=_ACTOR,
    )  # fmt: skip
    return json(_link(done))


def _outcome(o: Outcome) -> PlateOutcome:
    return PlateOutcome(o.code, o.text, o.batch, o.status, o.on, o.distance, o.nearness, o.replaced, o.size)


def _batch(b: BatchRow) -> PlateBatch:
    printed = b.printed_at.date() if b.printed_at else None
    return PlateBatch(
        b.id, b.community, b.size, b.purpose, b.ordered_by, b.ordered_at.date(), b.printed_by, printed, b.plates,
        b.verified, b.states,
    )  # fmt: skip


def _todo(t: Todo) -> PlateTodo:
    return PlateTodo(t.code, t.text, t.why, t.status, t.day, t.distance, t.size)


def _link(f: ForeignCode) -> ForeignLink:
    return ForeignLink(f.system, f.code, f.address, f.text, f.valid_from, f.valid_to)


_WRITE: Final = (400, 404, 409, 413, 415)

ENDPOINTS: Final = (
    Endpoint("/api/plates/install", install_plate, "Record that a plate hangs", {_JSON: PlateOutcome},
             method="POST", body={_JSON: Hung}, faults=_WRITE, tag="plates"),
    Endpoint("/api/plates/check", check_plate, "Record where a plate was seen, and how far from its building",
             {_JSON: PlateOutcome}, method="POST", body={_JSON: SeenPlate}, faults=_WRITE, tag="plates"),
    Endpoint("/api/plates/mark", mark_plate, "Record that a plate was lost, replaced or revoked",
             {_JSON: PlateOutcome}, method="POST", body={_JSON: Marked}, faults=_WRITE, tag="plates"),
    Endpoint("/api/plates/settle", settle_plate, "What was seen and said of a plate until now is done with",
             {_JSON: PlateOutcome}, method="POST", body={_JSON: Settled}, faults=_WRITE, tag="plates"),
    Endpoint("/api/plates/todo", plate_todos, "Plates to look at, or to print again",
             {_JSON: PlateTodos}, query=TodosQuery, faults=(400, 404), access="drafts", tag="plates"),
    Endpoint("/api/plates/batches", plate_batches, "Batches of plates", {_JSON: PlateBatches},
             query=BatchesQuery, faults=(400, 404), access="drafts", tag="plates"),
    Endpoint("/api/plates/list", plate_list, "The signed list by which staff verify plates offline",
             {"application/octet-stream": None}, query=TerritoryName, faults=(400, 404), access="drafts",
             tag="plates"),
    Endpoint("/api/addresses/{code}/end", end_address, "Revoke, merge or split an address", {_JSON: EndedAddress},
             method="POST", body={_JSON: EndAddress}, faults=_WRITE, tag="addresses"),
    Endpoint("/api/foreign-codes", find_foreign, "The address that a code of another system belongs to",
             {_JSON: ForeignLinks}, query=ForeignQuery, faults=(400, 404, 429), tag="addresses"),
    Endpoint("/api/foreign-codes", link_foreign, "Link a code of another system to an address",
             {_JSON: ForeignLink}, method="POST", body={_JSON: LinkForeign}, faults=_WRITE, tag="addresses"),
)  # fmt: skip
