"""Which answers browsers let pages of other hosts read (CORS, https://fetch.spec.whatwg.org/#http-cors-protocol).

Only what anybody may read without a word about who he is: routes declared ``shared``, asked without credentials. The
answer is for every host alike, so that caches keep one of it. Credentials are never invited, and an answer to one who
brings them says nothing, whether or not a draft was in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from api.endpoints import Endpoint
from api.services.tiles.tile_cache import Headers

#: Of every shared answer. Scripts see a few plain headers unless more are named.
SHARED: Final = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Content-Crs, ETag, Retry-After"),
)
#: What a browser is told that asks beforehand; two hours are the most that Chromium remembers it.
_BEFOREHAND: Final = (
    ("Access-Control-Allow-Methods", "GET, HEAD"),
    ("Access-Control-Allow-Headers", "If-None-Match"),
    ("Access-Control-Max-Age", "7200"),
)


def shared_rules(endpoints: Iterable[Endpoint]) -> frozenset[str]:
    """The rules, as Flask writes them, of endpoints that are shared."""
    return frozenset(e.rule for e in endpoints if e.shared)


def headers_for(method: str, *, credentials: bool) -> Headers:
    """What the answer of a shared route says besides; ``credentials``: whether it was asked with any."""
    if credentials:
        return []
    if method == "OPTIONS":
        return [*SHARED, *_BEFOREHAND]
    return list(SHARED) if method in ("GET", "HEAD") else []
