"""``/api/parse``, ``/api/match``, ``/api/reverse``: free text to parts and to the address; a point to addresses."""

from __future__ import annotations

from typing import Final

import msgspec
from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from api.address_answers import (
    MatchedAddress,
    MatchedAddresses,
    NearAddresses,
    NearQuery,
    ParsedAddress,
    ParsedAddresses,
    TerritoryOption,
    TextBatch,
    TextQuery,
)
from api.context import here, language
from api.endpoints import Endpoint, json
from api.services.addresses import matching, matching_files
from api.services.addresses.matching import Scope
from gis.errors import NotFoundError


def parse_one(query: TextQuery) -> Response:
    """The labelled parts of one text."""
    return json(matching.parse(_scope(query.territory).parser, query.q))


def parse_many() -> Response:
    """The labelled parts of many texts."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    batch = msgspec.json.decode(request.get_data(), type=TextBatch)
    parser = _scope(batch.territory).parser
    return json(ParsedAddresses([matching.parse(parser, t) for t in batch.texts]))


def match_one(query: TextQuery) -> Response:
    """The address one text means."""
    return json(matching.match(_scope(query.territory), query.q, language()))


def match_many() -> Response:
    """The addresses many texts mean: JSON in, JSON out; CSV in, CSV out."""
    if request.mimetype == "application/json":
        batch = msgspec.json.decode(request.get_data(), type=TextBatch)
        scope = _scope(batch.territory)
        return json(MatchedAddresses([matching.match(scope, t, language()) for t in batch.texts]))
    if request.mimetype == "text/csv":
        options = msgspec.convert(request.args.to_dict(), TerritoryOption, strict=False)
        body = matching_files.answer(_scope(options.territory), request.get_data(), language())
        return Response(body, mimetype="text/csv")
    raise UnsupportedMediaType


def reverse(query: NearQuery) -> Response:
    """Addresses around a point, those of its street first."""
    return json(matching.near(_scope(query.territory), query.lon, query.lat, query.crs, query.limit))


def _scope(territory: int | None) -> Scope:
    """The library of the territories that are published."""
    context = here()
    published = [i.territory for i in context.published.standing().infos]
    if territory is not None and territory not in published:
        raise NotFoundError("store.no_territory", name=territory, known=", ".join(map(str, published)))
    return context.addresses.scope([t for t in published if territory in (None, t)])


ENDPOINTS: Final = (
    Endpoint("/api/parse", parse_one, "Labelled parts of one text", {"application/json": ParsedAddress},
             query=TextQuery, faults=(400, 404), tag="addresses"),
    Endpoint("/api/parse", parse_many, "Labelled parts of many texts", {"application/json": ParsedAddresses},
             method="POST", access="public", body={"application/json": TextBatch},
             faults=(400, 404, 413, 415), tag="addresses"),
    Endpoint("/api/match", match_one, "The address one text means, or candidates and the reason",
             {"application/json": MatchedAddress}, query=TextQuery, faults=(400, 404), tag="addresses"),
    Endpoint("/api/match", match_many, "The addresses many texts mean",
             {"application/json": MatchedAddresses, "text/csv": None}, method="POST", access="public",
             body={"application/json": TextBatch, "text/csv": None}, faults=(400, 404, 413, 415), tag="addresses"),
    Endpoint("/api/reverse", reverse, "Addresses around a point, those of its street first",
             {"application/json": NearAddresses}, query=NearQuery, faults=(400, 404), tag="addresses"),
)  # fmt: skip
