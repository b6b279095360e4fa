"""Public features answered in front of Flask, byte for byte what Flask would say.

Only the plain case is answered here: one feature without parameters, and a page that is asked for by nothing but its
size, a box and where the page before ended. Everything else (other parameters, conditional requests, faults, no
database) is left to the routes. What a proxy says of the address it was asked at counts only where the service stands
behind one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import psycopg

from api.services.features import feature_descriptions as descriptions
from api.services.features.feature_questions import Asked, question
from api.services.features.features import Features, body_of, headers_of, tag_of
from data.postgres.features.feature_collections import COLLECTIONS
from data.postgres.features.read_features import TODAY
from gis.errors import WanggeError
from gis.features.references import CRS84, LONLAT

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]

#: Where the paths of these answers begin.
UNDER: Final = "/ogc/collections/"
#: Hosts, parameters and ids that mean themselves however they are written or quoted.
_HOST: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,200}(:[1-9][0-9]{0,4})?")
_QUERY: Final = re.compile(r"(limit=[1-9][0-9]{0,4}|bbox=[0-9.,-]{7,200}|cursor=[0-9]{1,18}\.[0-9a-f-]{1,36})")
_ID: Final = re.compile(r"[A-Za-z0-9-]{1,60}")
#: Headers that change the answer in ways only Flask knows.
_UNUSUAL: Final = ("HTTP_IF_NONE_MATCH", "HTTP_AUTHORIZATION")
_SCHEMES: Final = ("http", "https")
_ROUTE: Final = f"{UNDER}<collection>/items"
_ROUTE_ONE: Final = f"{_ROUTE}/<feature>"


class HotFeatures:
    """Answers of ``GET /ogc/collections/...``; for many threads.

    ``common`` are the headers of every answer; ``count`` is told the route, status and seconds of each.
    ``behind_proxy``: the last X-Forwarded-Proto and -Host are heeded, as ProxyFix does for Flask; else none is.
    """

    def __init__(
        self,
        features: Features,
        common: Iterable[tuple[str, str]],
        takes_gzip: Callable[[str], bool],
        count: Callable[[str, int, float], None],
        *,
        behind_proxy: bool = False,
    ) -> None:
        self._features = features
        self._common = list(common)
        self._takes_gzip = lru_cache(maxsize=1000)(takes_gzip)
        self._count = count
        self._behind_proxy = behind_proxy

    def answer(self, environ: Mapping[str, Any]) -> Answer | None:
        """Status, headers and body; None where Flask has to answer."""
        began = time.perf_counter()
        name, items, feature = _parts(environ["PATH_INFO"])
        base = _base(environ, behind_proxy=self._behind_proxy)
        if items != "items" or base is None or name not in COLLECTIONS:
            return None
        query = environ.get("QUERY_STRING", "")
        try:
            if feature is None:
                found = self._page(base, name, query, environ)
            else:
                found = None if query else self._one(base, name, feature)
        except (WanggeError, psycopg.Error):
            return None  # said in full by the routes
        if found is not None:
            self._count(_ROUTE if feature is None else _ROUTE_ONE, 200, time.perf_counter() - began)
        return found

    def _one(self, base: str, name: str, feature: str) -> Answer | None:
        if not _ID.fullmatch(feature):
            return None
        body = self._features.one(
            name,
            feature,
            LONLAT,
            TODAY,
            lambda found: descriptions.feature_links(base, name, found, ()),
            drafts=False,
        )
        return self._answer(body, "", gzipped=False)

    def _page(self, base: str, name: str, query: str, environ: Mapping[str, Any]) -> Answer | None:
        pairs = _pairs(query)
        if pairs is None:
            return None
        given = dict(pairs)
        asked = Asked(int(given.get("limit", 100)), given.get("cursor", ""), given.get("bbox", ""))
        page = self._features.page(question(name, asked))
        links = descriptions.page_links(base, name, pairs, page.following)
        gzipped = self._takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        url = base + environ["PATH_INFO"] + (f"?{query}" if query else "")
        return self._answer(body_of(page, links, gzipped), tag_of(page.mark, url, gzipped), gzipped=gzipped)

    def _answer(self, body: bytes, tag: str, *, gzipped: bool) -> Answer:
        head = [("Content-Type", descriptions.GEOJSON), ("Content-Length", str(len(body)))]
        return 200, [*head, *headers_of(CRS84, tag, gzipped), *self._common], body


def _parts(path: str) -> tuple[str, str, str | None]:
    """Collection, the word that follows it, and the id of a feature (None: none)."""
    parts = path[len(UNDER) :].split("/")
    if len(parts) not in (2, 3):
        return "", "", None
    return parts[0], parts[1], parts[2] if len(parts) == 3 else None


def _base(environ: Mapping[str, Any], *, behind_proxy: bool) -> str | None:
    """Scheme and host as Flask would write them; None where that takes thought."""
    host, scheme = environ.get("HTTP_HOST", ""), environ["wsgi.url_scheme"]
    if behind_proxy:
        host = _last(environ.get("HTTP_X_FORWARDED_HOST", "")) or host
        scheme = _last(environ.get("HTTP_X_FORWARDED_PROTO", "")) or scheme
    if environ.get("SCRIPT_NAME") or any(name in environ for name in _UNUSUAL) or not _HOST.fullmatch(host):
        return None
    if "xn--" in host or host.endswith((":80", ":443")) or scheme not in _SCHEMES:
        return None
    return f"{scheme}://{host}"


def _last(header: str) -> str:
    """The value that the nearest proxy added: anybody may have written what was there before. An odd one stays."""
    return header.rpartition(",")[2].strip() or header


def _pairs(query: str) -> list[tuple[str, str]] | None:
    """The parameters of a page; None for any that is not plain."""
    parts = query.split("&") if query else []
    if not all(_QUERY.fullmatch(part) for part in parts):
        return None
    pairs = [(key, value) for key, _, value in (part.partition("=") for part in parts)]
    return pairs if len(dict(pairs)) == len(pairs) else None
