"""Pages for people: the map and the worker's page."""

from __future__ import annotations

import unicodedata
from typing import Final

from flask import Response, render_template

from api.context import language, say
from api.endpoints import Endpoint

HTML: Final = "text/html"


def map_page() -> Response:
    """The map."""
    return html(render_template("map.html", lang=language(), t=say))


def locate_page() -> Response:
    """The worker's page: which grid am I in."""
    return html(render_template("locate.html", lang=language(), t=say))


def html(page: str, status: int = 200) -> Response:
    """A page in the reader's language."""
    answer = Response(unicodedata.normalize("NFC", page), status, mimetype=HTML)
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Content-Language"] = language()
    answer.headers["Vary"] = "Accept-Language"
    return answer


ENDPOINTS: Final = (
    Endpoint("/", map_page, "The map", {HTML: None}, tag="pages"),
    Endpoint("/locate", locate_page, "Which grid am I in?", {HTML: None}, tag="pages"),
)
