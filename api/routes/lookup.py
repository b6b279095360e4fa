"""``/api/lookup``: which grid is a position in."""

from __future__ import annotations

from typing import Final

import msgspec
from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from api.answers import Lookup, LookupBatch, LookupOptions, LookupQuery, Lookups
from api.context import here, say
from api.endpoints import Endpoint, json
from api.services import lookup, pointfiles


def lookup_one(query: LookupQuery) -> Response:
    """One position."""
    found = lookup.one(here().published, query.lon, query.lat, query.crs, query.accuracy, query.as_of)
    return json(_noted(found))


def lookup_many() -> Response:
    """Many positions: JSON in, JSON out; CSV in, CSV out (options in the query string)."""
    if request.mimetype == "application/json":
        batch = msgspec.json.decode(request.get_data(), type=LookupBatch)
        found = lookup.many(here().published, batch.points, batch.crs, batch.accuracy, batch.as_of)
        return json(Lookups([_noted(f) for f in found]))
    if request.mimetype == "text/csv":
        options = msgspec.convert(request.args.to_dict(), LookupOptions, strict=False)
        body = pointfiles.answer(here().published, request.get_data(), options.crs, options.accuracy, options.as_of)
        return Response(body, mimetype="text/csv")
    raise UnsupportedMediaType


def _noted(found: Lookup) -> Lookup:
    """Say in words what was converted."""
    if found.datum not in ("gcj02", "bd09"):
        return found
    return msgspec.structs.replace(found, note=say("lookup.converted", datum=found.datum))


ENDPOINTS: Final = (
    Endpoint(
        "/api/lookup",
        lookup_one,
        "The grid of one position",
        {"application/json": Lookup},
        query=LookupQuery,
        faults=(400,),
        tag="lookup",
    ),
    Endpoint(
        "/api/lookup",
        lookup_many,
        "The grids of many positions",
        {"application/json": Lookups, "text/csv": None},
        method="POST",
        access="public",
        body={"application/json": LookupBatch, "text/csv": None},
        faults=(400, 413, 415),
        tag="lookup",
    ),
)
