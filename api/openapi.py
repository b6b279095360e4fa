"""The API description (OpenAPI 3.1), made from the endpoints and their typed shapes: it cannot fall behind."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from api.answers import Problem
from api.endpoints import Endpoint
from api.version import VERSION

_REF = "#/components/schemas/{name}"
_SCHEME = "operator"
#: What every operation takes besides its own query (``api.context.language``).
_LANG = {
    "name": "lang",
    "in": "query",
    "required": False,
    "description": "Language of texts for people, zh-CN or en; left out, as Accept-Language says.",
    "schema": {"type": "string"},
}
_PRIMITIVE = {int: "integer", str: "string", float: "number"}


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole description."""
    shapes = {Problem} | {t for e in endpoints for t in (*e.answers.values(), *e.body.values(), e.query) if t}
    ordered = sorted(shapes, key=lambda t: t.__name__)
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    of = dict(zip(ordered, schemas, strict=True))
    queries = {e.query.__name__ for e in endpoints if e.query}
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, of, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wangge 网格",
            "version": VERSION,
            "summary": "Responsibility grids, standard addresses and door plates",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": {k: v for k, v in sorted(components.items()) if k not in queries},
            "securitySchemes": {_SCHEME: {"type": "http", "scheme": "bearer", "description": "The operator's token"}},
        },
    }


def _operation(endpoint: Endpoint, of: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": _path_parameters(endpoint) + _query_parameters(endpoint, components),
        "responses": _responses(endpoint, of),
    }
    if endpoint.body:
        made["requestBody"] = {"required": True, "content": _content(endpoint.body, of)}
    if endpoint.needs != "public":
        made["security"] = [{_SCHEME: []}]
    return made


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = [part.split("}")[0] for part in endpoint.path.split("{")[1:]]
    return [
        {"name": n, "in": "path", "required": True, "schema": {"type": _PRIMITIVE[endpoint.parts.get(n, str)]}}
        for n in names
    ]


def _query_parameters(endpoint: Endpoint, components: dict[str, Any]) -> list[dict[str, Any]]:
    if endpoint.query is None:
        return [_LANG]
    shape = components[endpoint.query.__name__]
    required = set(shape.get("required", ())) | {
        n for n, s in shape["properties"].items() if s.pop("x-required", False)
    }
    made = [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in shape["properties"].items()
    ]
    return made if "lang" in shape["properties"] else [*made, _LANG]


def _responses(endpoint: Endpoint, of: dict[Any, Any]) -> dict[str, Any]:
    content = _content(endpoint.answers, of)
    made: dict[str, Any] = {}
    for status in endpoint.statuses:
        made[str(status)] = {"description": HTTPStatus(status).phrase}
        if status not in (204, 304):
            made[str(status)]["content"] = content
    problem = {"application/problem+json": {"schema": of[Problem]}}
    # a wrong token is told wherever it is sent; a body may be too large, or packed
    of_all = (401, 413, 415, 503) if endpoint.body else (401, 503)
    for status in (*endpoint.faults, *of_all):
        made.setdefault(str(status), {"description": HTTPStatus(status).phrase, "content": problem})
    return made


def _content(shapes: Any, of: dict[Any, Any]) -> dict[str, Any]:
    return {media: {"schema": of[shape]} if shape else {} for media, shape in shapes.items()}
