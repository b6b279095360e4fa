"""``/ogc/...``: OGC API Features: Core, GeoJSON, coordinates by reference (Part 2), filters in CQL2 text (Part 3)."""

from __future__ import annotations

from typing import Final

import msgspec
from flask import Response, request
from werkzeug.datastructures import ETags

from api.context import caller, here, say
from api.endpoints import Endpoint
from api.feature_answers import (
    CollectionInfo,
    CollectionList,
    Conformance,
    FeatureListOut,
    FeatureOut,
    ItemQuery,
    ItemsQuery,
    Landing,
    PlainQuery,
    Queryables,
)
from api.services.features import feature_descriptions as descriptions
from api.services.features import feature_questions as questions
from api.services.features.feature_descriptions import GEOJSON, JSON, SCHEMA
from api.services.features.feature_questions import Asked
from api.services.features.features import body_of, headers_of, tag_of
from gis.errors import InputError

_ITEMS: Final = frozenset(f.encode_name for f in msgspec.structs.fields(ItemsQuery))
_ITEM: Final = frozenset(f.encode_name for f in msgspec.structs.fields(ItemQuery))
_PLAIN: Final = frozenset(f.encode_name for f in msgspec.structs.fields(PlainQuery))


def features_landing(query: PlainQuery) -> Response:
    """The landing page."""
    _known(_PLAIN)
    return _json(descriptions.landing(_base(), say))


def features_conformance(query: PlainQuery) -> Response:
    """The conformance classes."""
    _known(_PLAIN)
    return _json(descriptions.conformance())


def features_collections(query: PlainQuery) -> Response:
    """Every collection."""
    _known(_PLAIN)
    return _json(descriptions.collections(_base(), here().features.state(), say))


def features_collection(collection: str, query: PlainQuery) -> Response:
    """One collection."""
    _known(_PLAIN)
    found = questions.collection_of(collection)
    return _json(descriptions.collection(_base(), found, here().features.state(), say))


def features_queryables(collection: str, query: PlainQuery) -> Response:
    """What filters of a collection may ask for."""
    _known(_PLAIN)
    return _json(descriptions.queryables(_base(), questions.collection_of(collection), say), SCHEMA)


def features_schema(collection: str, query: PlainQuery) -> Response:
    """The shape of a collection's features."""
    _known(_PLAIN)
    return _json(descriptions.schema(_base(), questions.collection_of(collection), say), SCHEMA)


def features_items(collection: str, query: ItemsQuery) -> Response:
    """A page of features; 304 while what the caller has is still so."""
    _once()
    others = questions.others(request.args.items(multi=True), _ITEMS)
    asked = Asked(
        query.limit, query.cursor, query.bbox, query.bbox_crs, query.crs, query.datetime, query.filter,
        query.filter_lang, query.filter_crs, others,
    )  # fmt: skip
    question = questions.question(collection, asked, drafts=caller().may_see_drafts())
    features = here().features
    gzipped = bool(request.accept_encodings["gzip"])
    held = request.if_none_match
    if held and (tag := _tag(features.mark(question), gzipped)) and _holds(held, tag):
        return _answer(b"", 304, question.crs.uri, tag, gzipped)
    page = features.page(question)
    links = descriptions.page_links(_base(), collection, list(request.args.items(multi=True)), page.following)
    return _answer(body_of(page, links, gzipped), 200, question.crs.uri, _tag(page.mark, gzipped), gzipped)


def features_item(collection: str, feature: str, query: ItemQuery) -> Response:
    """One feature."""
    _known(_ITEM)
    crs, days = questions.reference(query.crs), questions.days_of(query.datetime)
    base, pairs = _base(), list(request.args.items(multi=True))
    body = here().features.one(
        collection, feature, crs, days,
        lambda found: descriptions.feature_links(base, collection, found, pairs),
        drafts=caller().may_see_drafts(),
    )  # fmt: skip
    return _answer(body, 200, crs.uri, "", False)


def _once() -> None:
    """Refuse a parameter that is said twice: only one of its values would be heeded."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InputError("features.twice", name=name[:40])


def _known(names: frozenset[str]) -> None:
    """Refuse parameters that nobody would heed, as the standard asks."""
    _once()
    for name in request.args:
        if name not in names:
            raise InputError("features.parameter", name=name[:40])


def _base() -> str:
    return request.host_url.rstrip("/")


def _tag(mark: str, gzipped: bool) -> str:
    return tag_of(mark, request.url, gzipped)


def _holds(held: ETags, tag: str) -> bool:
    return held.contains(tag) or held.contains_weak(tag)


def _json(answer: msgspec.Struct, media: str = JSON) -> Response:
    made = Response(msgspec.json.encode(answer), mimetype=media)
    made.headers["Cache-Control"] = "no-cache"
    made.headers["Vary"] = "Accept-Language"
    return made


def _answer(body: bytes, status: int, crs: str, tag: str, gzipped: bool) -> Response:
    made = Response(body, status, mimetype=GEOJSON)
    made.headers.extend(headers_of(crs, tag, gzipped and status == 200))
    return made


ENDPOINTS: Final = (
    Endpoint("/ogc", features_landing, "OGC API Features: landing page", {JSON: Landing}, query=PlainQuery,
             faults=(400,), tag="features", slash=True, shared=True),
    Endpoint("/ogc/conformance", features_conformance, "Conformance classes", {JSON: Conformance}, query=PlainQuery,
             faults=(400,), tag="features", slash=True, shared=True),
    Endpoint("/ogc/collections", features_collections, "Collections of features", {JSON: CollectionList},
             query=PlainQuery, faults=(400,), tag="features", slash=True, shared=True),
    Endpoint("/ogc/collections/{collection}", features_collection, "One collection", {JSON: CollectionInfo},
             query=PlainQuery, faults=(400, 404), tag="features", slash=True, shared=True),
    Endpoint("/ogc/collections/{collection}/queryables", features_queryables, "What filters may ask for",
             {SCHEMA: Queryables}, query=PlainQuery, faults=(400, 404), tag="features", shared=True),
    Endpoint("/ogc/collections/{collection}/schema", features_schema, "Shape of the features",
             {SCHEMA: Queryables}, query=PlainQuery, faults=(400, 404), tag="features", shared=True),
    Endpoint("/ogc/collections/{collection}/items", features_items, "A page of features",
             {GEOJSON: FeatureListOut}, query=ItemsQuery, statuses=(200, 304), faults=(400, 401, 404, 409),
             tag="features", slash=True, shared=True),
    Endpoint("/ogc/collections/{collection}/items/{feature}", features_item, "One feature",
             {GEOJSON: FeatureOut}, query=ItemQuery, faults=(400, 401, 404), tag="features", shared=True),
)  # fmt: skip
