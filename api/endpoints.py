"""A route declared once: its rule, its typed query and body, its answer. Flask and the API description read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from flask import Blueprint, Response, request

View = Callable[..., Response]
_PART: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Endpoint:
    """One operation. ``path`` as OpenAPI writes it; ``parts`` types its placeholders (str when not named).

    ``query`` is a struct filled from the query string and passed to the view as ``query``. ``answers`` maps media
    types to a struct, or to None for anything that is no JSON of ours; ``body`` does the same for request bodies.
    ``faults`` lists the statuses that end in a problem document.
    """

    path: str
    view: View
    summary: str
    answers: Mapping[str, type[msgspec.Struct] | None]
    method: str = "GET"
    parts: Mapping[str, type] = field(default_factory=dict)
    query: type[msgspec.Struct] | None = None
    body: Mapping[str, type[msgspec.Struct] | None] = field(default_factory=dict)
    faults: Sequence[int] = ()
    statuses: Sequence[int] = (200,)
    tag: str = "service"

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return _PART.sub(lambda m: f"<{'int:' if self.parts.get(m[1]) is int else ''}{m[1]}>", self.path)

    @property
    def name(self) -> str:
        """Name of the operation, unique: Flask's endpoint and OpenAPI's ``operationId``."""
        return f"{self.method.lower()}_{self.view.__name__}"


def blueprint(name: str, endpoints: Sequence[Endpoint]) -> Blueprint:
    """A Flask blueprint that answers some endpoints."""
    made = Blueprint(name, __name__)
    for endpoint in endpoints:
        made.add_url_rule(endpoint.rule, endpoint.name, _wrap(endpoint), methods=[endpoint.method])
    return made


def _wrap(endpoint: Endpoint) -> View:
    if endpoint.query is None:
        return endpoint.view
    query = endpoint.query

    def view(**parts: Any) -> Response:
        return endpoint.view(query=msgspec.convert(request.args.to_dict(), query, strict=False), **parts)

    return view


def json(answer: msgspec.Struct, status: int = 200) -> Response:
    """A struct as JSON. Nobody keeps it: answers change with every publication, and questions hold positions."""
    made = Response(msgspec.json.encode(answer), status, mimetype="application/json")
    made.headers["Cache-Control"] = "no-store"
    return made
