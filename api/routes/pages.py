"""Pages for people: the map, the worker's page, and what a scanned plate opens (no script)."""

from __future__ import annotations

import unicodedata
from typing import Final

import msgspec
from flask import Response, render_template, request

from api.answers import AsOfQuery, Plate
from api.context import here, language, say
from api.endpoints import Endpoint
from api.services import pages
from gis.addressing import codes

HTML: Final = "text/html"


def map_page() -> Response:
    """The map."""
    return _html(render_template("map.html", lang=language(), t=say))


def locate_page() -> Response:
    """The worker's page: which grid am I in."""
    return _html(render_template("locate.html", lang=language(), t=say))


def plate_page(code: str, query: AsOfQuery) -> Response:
    """What a plate says. The page works without script and says nothing about residents."""
    found = _plate(code, query)
    page = render_template("plate.html", lang=language(), t=say, plate=found, printed=_printed(found.code))
    answer = _html(page, pages.STATUS.get(found.verdict, 200))
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def plate_json(code: str, query: AsOfQuery) -> Response:
    """The same as JSON."""
    found = _plate(code, query)
    status = pages.STATUS.get(found.verdict, 200)
    return Response(msgspec.json.encode(found), status, mimetype="application/json")


def _plate(text: str, query: AsOfQuery) -> Plate:
    context = here()
    link = codes.parse(text)
    # a code without its tag may be guessed: typing is for people, not for programs that try them all
    if (link is None or not link.key_id) and not context.throttle.allows(request.remote_addr or ""):
        return Plate("throttled", "")
    return pages.plate(context.published, text, query.as_of)


def _printed(code: str) -> str:
    return codes.printed(code) if code else ""


def _html(page: str, status: int = 200) -> Response:
    answer = Response(unicodedata.normalize("NFC", page), status, mimetype=HTML)
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Language"] = language()
    answer.headers["Vary"] = "Accept-Language"
    return answer


_PLATE_STATUSES: Final = (200, *sorted(set(pages.STATUS.values())))

ENDPOINTS: Final = (
    Endpoint("/", map_page, "The map", {HTML: None}, tag="pages"),
    Endpoint("/locate", locate_page, "Which grid am I in?", {HTML: None}, tag="pages"),
    Endpoint(
        "/d/{code}.json",
        plate_json,
        "What a plate says, as JSON",
        {"application/json": Plate},
        query=AsOfQuery,
        statuses=_PLATE_STATUSES,
        faults=(400,),
        tag="pages",
    ),
    Endpoint(
        "/d/{code}",
        plate_page,
        "What a scanned plate opens",
        {HTML: None},
        query=AsOfQuery,
        statuses=_PLATE_STATUSES,
        faults=(400,),
        tag="pages",
    ),
)
