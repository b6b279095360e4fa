"""``/api/lookup``: which grid is a position in."""

from __future__ import annotations

from typing import Final

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from api.answers import Lookup, LookupBatch, LookupOptions, LookupQuery, Lookups
from api.context import here, language
from api.endpoints import Endpoint, json
from api.services.lookup import lookup, pointfiles


def lookup_one(query: LookupQuery) -> Response:
    """One position."""
    found = lookup.one(here().published, query.lon, query.lat, query.crs, query.accuracy, query.as_of)
    return json(lookup.noted(found, language()))


def lookup_many(query: LookupOptions) -> Response:
    """Many positions as JSON, CSV or Arrow; answered in the form that came unless ``Accept`` names another."""
    form = request.mimetype
    if form not in pointfiles.FORMS:
        raise UnsupportedMediaType
    points = pointfiles.read(request.get_data(), form, query, pointfiles.MOST)
    wanted = request.accept_mimetypes.best_match([form, *pointfiles.FORMS], default=form)
    answer = Response(pointfiles.write(here().published, points, wanted, language()), mimetype=wanted)
    answer.headers["Cache-Control"] = "no-store"
    return answer


ENDPOINTS: Final = (
    Endpoint(
        "/api/lookup",
        lookup_one,
        "The grid of one position",
        {"application/json": Lookup},
        query=LookupQuery,
        faults=(400,),
        tag="lookup",
        shared=True,
    ),
    Endpoint(
        "/api/lookup",
        lookup_many,
        "The grids of many positions",
        {pointfiles.JSON: Lookups, pointfiles.CSV: None, pointfiles.STREAM: None, pointfiles.FILE: None},
        method="POST",
        access="public",
        query=LookupOptions,
        body={pointfiles.JSON: LookupBatch, pointfiles.CSV: None, pointfiles.STREAM: None, pointfiles.FILE: None},
        faults=(400, 413, 415),
        tag="lookup",
    ),
)
