"""A route declared once: its rule, its typed query and body, its answer. Flask and the API description read it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from api.authorisation import Access, require
from api.context import caller

View = Callable[..., Response]
JSON: Final = "application/json"
_PART: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Endpoint:
    """One operation. ``path`` as OpenAPI writes it; ``parts`` types its placeholders (str when not named).

    ``query`` is a struct filled from the query string and passed to the view as ``query``. ``answers`` maps media
    types to a struct, or to None for anything that is no JSON of ours; ``body`` does the same for request bodies:
    a view that takes ``body`` gets the JSON one decoded, any other media type is then refused with 415.
    ``faults`` lists the statuses that end in a problem document. ``access`` is what the caller needs; left out,
    everything but GET is held to write and needs the operator's token. ``slash``: a slash at the end of the path does
    not matter. ``shared``: pages of other hosts may read the answer (``api.front.sharing``).
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
    access: Access | None = None
    slash: bool = False
    shared: bool = False

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return _PART.sub(lambda m: f"<{'int:' if self.parts.get(m[1]) is int else ''}{m[1]}>", self.path)

    @property
    def name(self) -> str:
        """Name of the operation, unique: Flask's endpoint and OpenAPI's ``operationId``."""
        return f"{self.method.lower()}_{self.view.__name__}"

    @property
    def needs(self) -> Access:
        """What the caller needs."""
        return self.access or ("public" if self.method == "GET" else "write")


def blueprint(name: str, endpoints: Sequence[Endpoint]) -> Blueprint:
    """A Flask blueprint that answers some endpoints."""
    made = Blueprint(name, __name__)
    for endpoint in endpoints:
        view, strict = _wrap(endpoint), not endpoint.slash
        made.add_url_rule(endpoint.rule, endpoint.name, view, methods=[endpoint.method], strict_slashes=strict)
    return made


def _wrap(endpoint: Endpoint) -> View:
    """The view behind its access check, with query and body decoded."""
    takes_body = "body" in inspect.signature(endpoint.view).parameters

    def view(**parts: Any) -> Response:
        require(caller(), endpoint.needs)
        if endpoint.body and request.content_encoding not in (None, "", "identity"):
            raise PackedBody
        if endpoint.query is not None:
            parts["query"] = msgspec.convert(request.args.to_dict(), endpoint.query, strict=False)
        if takes_body:
            parts["body"] = _body(endpoint)
        return endpoint.view(**parts)

    return view


class PackedBody(UnsupportedMediaType):
    """A body that is compressed: it could unfold to any size."""

    def get_headers(self, *given: Any) -> list[tuple[str, str]]:
        """With what is taken instead (RFC 9110, 15.5.16)."""
        return [*super().get_headers(*given), ("Accept-Encoding", "identity")]


def _body(endpoint: Endpoint) -> Any:
    shape = endpoint.body.get(JSON)
    if shape is None or request.mimetype != JSON:
        raise UnsupportedMediaType
    return msgspec.json.decode(request.get_data(), type=shape)


def json(answer: msgspec.Struct, status: int = 200) -> Response:
    """A struct as JSON. Nobody keeps it: answers change with every publication, and questions hold positions."""
    made = Response(msgspec.json.encode(answer), status, mimetype=JSON)
    made.headers["Cache-Control"] = "no-store"
    return made
