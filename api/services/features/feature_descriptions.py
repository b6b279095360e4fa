"""What ``/ogc`` says of itself: landing page, conformance, collections, queryables, and every link between them.

``base`` is where ``/ogc`` lies, with scheme and host; ``words`` gives a message in the reader's language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

import numpy as np

from api.feature_answers import (
    CollectionInfo,
    CollectionList,
    Conformance,
    Extent,
    Landing,
    Link,
    Queryables,
    SpatialExtent,
    TemporalExtent,
)
from api.services.published import degrees
from data.postgres.features.feature_collections import COLLECTIONS, Collection, Field
from data.postgres.features.read_features import EDGE, State
from gis.features import references

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
#: The description is OpenAPI 3.1; map programs look for this very type and read it all the same.
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
_REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"
_FEATURES: Final = "http://www.opengis.net/spec/ogcapi-features-{part}/1.0/conf/{name}"
_CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf/{name}"
CONFORMANCE: Final = (
    *(_FEATURES.format(part=1, name=n) for n in ("core", "geojson")),
    _FEATURES.format(part=2, name="crs"),
    *(_FEATURES.format(part=3, name=n) for n in (
        "queryables", "queryables-query-parameters", "filter", "features-filter",
    )),
    *(_CQL2.format(name=n) for n in (
        "cql2-text", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
        "basic-spatial-functions", "basic-spatial-functions-plus", "spatial-functions", "property-property",
    )),
)  # fmt: skip
_TYPES: Final[dict[str, dict[str, Any]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}
Words = Callable[[str], str]


def landing(base: str, words: Words) -> Landing:
    """The landing page."""
    return Landing(
        words("features.title"),
        words("features.description"),
        [
            Link(f"{base}/ogc", "self", JSON),
            Link(f"{base}/api/openapi.json", "service-desc", OPENAPI),
            Link(f"{base}/ogc/conformance", "conformance", JSON),
            Link(f"{base}/ogc/collections", "data", JSON),
            Link(f"{base}/ogc/conformance", f"{_REL}conformance", JSON),
            Link(f"{base}/ogc/collections", f"{_REL}data", JSON),
        ],
    )


def conformance() -> Conformance:
    """The conformance classes."""
    return Conformance(list(CONFORMANCE))


def collections(base: str, state: State, words: Words) -> CollectionList:
    """Every collection."""
    return CollectionList(
        [collection(base, c, state, words) for c in COLLECTIONS.values()],
        [Link(f"{base}/ogc/collections", "self", JSON), Link(f"{base}/ogc", "root", JSON)],
        systems(state),
    )


def collection(base: str, c: Collection, state: State, words: Words) -> CollectionInfo:
    """One collection: where it lies, in which CRS it can be had and is kept."""
    own = f"{base}/ogc/collections/{c.name}"
    kept = {s.srid for s in state.scopes}
    storage = references.of(kept.pop()) if len(kept) == 1 and 0 not in kept else references.of(references.MERCATOR)
    return CollectionInfo(
        c.name,
        words(f"features.{c.name}"),
        words(f"features.{c.name}_description"),
        [
            Link(own, "self", JSON),
            Link(f"{own}/items", "items", GEOJSON),
            Link(f"{own}/queryables", f"{_REL}queryables", SCHEMA),
            Link(f"{own}/schema", "describedby", SCHEMA),
            Link(f"{base}/ogc/collections", "up", JSON),
        ],
        Extent(_spatial(state), TemporalExtent([(None, None)]) if c.dated else None),
        systems(state),
        storage.uri,
        "feature",
    )


def systems(state: State) -> list[str]:
    """CRS in which features can be had."""
    own = sorted({s.srid for s in state.scopes} - {0})
    return [references.CRS84, *(references.of(n).uri for n in (*references.DEGREES, references.MERCATOR, *own))]


def _spatial(state: State) -> SpatialExtent:
    boxes = np.array([s.bounds for s in state.scopes]).reshape(-1, 4)
    if not len(boxes):
        boxes = np.array([[-EDGE, -EDGE, EDGE, EDGE]])
    around = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
    lon, lat = degrees(around[::2], around[1::2])
    box = (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1]))
    return SpatialExtent([box], references.CRS84)


def queryables(base: str, c: Collection, words: Words) -> Queryables:
    """What filters of a collection may ask for."""
    properties = {f.name: _TYPES[f.kind] | {"title": _title(f, words)} for f in c.fields}
    place = {"title": words("features.field_geometry"), "format": "geometry-any", "x-ogc-role": "primary-geometry"}
    return Queryables(
        "https://json-schema.org/draft/2020-12/schema",
        f"{base}/ogc/collections/{c.name}/queryables",
        "object",
        words(f"features.{c.name}"),
        {"geometry": place, **properties},
        False,
    )


def schema(base: str, c: Collection, words: Words) -> Queryables:
    """The shape of a collection's features."""
    columns = {f.name: {**_TYPES[f.kind], "title": _title(f, words)} for f in c.fields}
    return Queryables(
        "https://json-schema.org/draft/2020-12/schema",
        f"{base}/ogc/collections/{c.name}/schema",
        "object",
        words(f"features.{c.name}"),
        {
            "type": {"type": "string"},
            "id": {"type": "integer" if c.id_kind == "bigint" else "string"},
            "geometry": {"type": "object"},
            "properties": {"type": "object", "properties": columns},
        },
    )


def _title(column: Field, words: Words) -> str:
    return words(f"features.field_{column.name}")


def page_links(base: str, name: str, pairs: Sequence[tuple[str, str]], following: str | None) -> list[Link]:
    """Links of a page of items that was asked for with ``pairs``; ``following`` is the cursor of the next."""
    own = f"{base}/ogc/collections/{name}"
    links = [Link(_with(f"{own}/items", pairs), "self", GEOJSON), Link(own, "collection", JSON)]
    if following is not None:
        onward = [*(p for p in pairs if p[0] != "cursor"), ("cursor", following)]
        links.append(Link(_with(f"{own}/items", onward), "next", GEOJSON))
    return links


def feature_links(base: str, name: str, feature: str, pairs: Sequence[tuple[str, str]]) -> tuple[Link, ...]:
    """Links of one feature."""
    own = f"{base}/ogc/collections/{name}"
    return (
        Link(_with(f"{own}/items/{quote(feature, safe='')}", pairs), "self", GEOJSON),
        Link(own, "collection", JSON),
    )


def _with(url: str, pairs: Sequence[tuple[str, str]]) -> str:
    return f"{url}?{urlencode(pairs)}" if pairs else url
