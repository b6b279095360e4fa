"""A WSGI layer in front of Flask for the answers that are asked for most.

It answers only what it is certain of: public answers to GET requests without credentials, while the worker knows that
nothing has changed (``api.services.watch``). Everything else, every doubt and every fault is Flask's.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from werkzeug.http import parse_accept_header

from api.services.tiles.tile_cache import Headers, Kept
from api.services.watch import Watch

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Answers a request, or None where Flask shall.
Answer = Callable[["WSGIEnvironment"], tuple[int, Headers, bytes] | None]

#: The same from a query and the languages accepted, without waiting for anything.
AtOnce = Callable[[str, str], tuple[int, Headers, bytes] | None]

#: A tile by its path, with its body, or None where Flask shall.
Make = Callable[[str], tuple[Kept, bytes] | None]

_ONE_TAG: Final = re.compile('"[0-9a-f]+"')
#: Paths remembered, and spellings of Accept-Encoding: beyond, everything is learned anew.
_MOST_PATHS: Final = 100_000
_MOST_SPELLINGS: Final = 1_000
_STATUS: Final = {200: "200 OK", 304: "304 Not Modified", 400: "400 Bad Request"}


class HotTiles:
    """Tiles by the path they were asked for; bodies belong to the memory cache, which may drop them any time."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.paths: dict[str, Kept] = {}
        self.answered: dict[int, itertools.count[int]] = {200: itertools.count(), 304: itertools.count()}

    def keep(self, environ: WSGIEnvironment, kept: Kept | None) -> None:
        """Remember what a public request without a query got."""
        if kept is None or environ.get("QUERY_STRING"):
            return
        if len(self.paths) >= _MOST_PATHS:
            self.paths.clear()
        self.paths[environ["PATH_INFO"]] = kept


class Front:
    """The layer itself: ``Front(app.wsgi_app, tiles, {path: answer})``; ``make`` gives tiles that are not kept."""

    def __init__(
        self,
        behind: WSGIApplication,
        tiles: HotTiles,
        answers: Mapping[str, Answer] | None = None,
        make: Make | None = None,
        ready: Mapping[str, AtOnce] | None = None,
    ) -> None:
        self._behind = behind
        self._tiles, self._make = tiles, make
        self._watch, self._paths = tiles.watch, tiles.paths
        self._whole, self._unchanged = tiles.answered[200], tiles.answered[304]
        self._answers = answers or {}
        self._under = [(path, answer) for path, answer in self._answers.items() if path.endswith("/")]
        self._gzip: dict[str, bool] = {}
        self.ready = ready or {}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let Flask answer."""
        if environ["REQUEST_METHOD"] != "GET" or "HTTP_AUTHORIZATION" in environ:
            return self._behind(environ, start_response)  # who brings credentials is looked at behind
        path = environ["PATH_INFO"]
        if not environ["QUERY_STRING"]:
            found = self.at_once(path, environ.get("HTTP_ACCEPT_ENCODING", ""), environ.get("HTTP_IF_NONE_MATCH"))
            if found is not None:
                start_response(_STATUS[found[0]], found[1])
                return [found[2]]
        return self._other(path, environ, start_response)

    def at_once(self, path: str, accepts: str, known: str | None) -> tuple[int, Headers, bytes] | None:
        """What a GET without credentials and query gets from memory, None where that is not known to be true.

        ``accepts``: its Accept-Encoding; ``known``: its If-None-Match. In one piece, as calls are most of what a hot
        answer costs.
        """
        kept = self._paths.get(path)
        if kept is None:
            return None
        body, watch = kept.body, self._watch
        if body is None or kept.epoch != watch.epoch or monotonic() >= watch.until or not self._takes_gzip(accepts):
            return None
        if known is not None:
            if known == kept.quoted:
                next(self._unchanged)
                return 304, kept.unchanged, b""
            if kept.etag in known or "*" in known:  # one of several, or weakened by a proxy
                return None
        next(self._whole)
        return 200, kept.headers, body

    def _other(self, path: str, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answers.get(path) or next((a for under, a in self._under if path.startswith(under)), None)
        found = self._made(path, environ) if answer is None else answer(environ)
        if found is None:
            return self._behind(environ, start_response)
        start_response(_STATUS.get(found[0], f"{found[0]} "), found[1])
        return [found[2]]

    def _made(self, path: str, environ: WSGIEnvironment) -> tuple[int, Headers, bytes] | None:
        known = environ.get("HTTP_IF_NONE_MATCH")
        if (
            self._make is None
            or environ["QUERY_STRING"]
            or not self._takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
            or (known is not None and not _ONE_TAG.fullmatch(known))  # several, or weakened by a proxy
        ):
            return None
        made = self._make(path)
        if made is None:
            return None
        kept, body = made
        self._tiles.keep(environ, kept if kept.body is not None else None)
        if known == kept.quoted:
            next(self._unchanged)
            return 304, kept.unchanged, b""
        next(self._whole)
        return 200, kept.headers, body

    def _takes_gzip(self, spelling: str) -> bool:
        found = self._gzip.get(spelling)
        if found is None:
            if len(self._gzip) > _MOST_SPELLINGS:
                self._gzip.clear()
            found = self._gzip[spelling] = takes_gzip(spelling)
        return found


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client takes gzip, as it says."""
    accepts: Any = parse_accept_header(accept_encoding)
    return bool(accepts["gzip"])


def count(counter: itertools.count[int]) -> int:
    """How often ``next`` was called on a counter that began at 0; does not count itself."""
    return int(repr(counter)[6:-1])
