"""What one application holds: made in ``create_app``, reached by routes through ``here()``."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Final, cast

from flask import current_app, g, request
from sqlalchemy import Engine

from api import authorisation, messages
from api.authorisation import Caller
from api.config import Config
from api.front.wsgi import HotTiles
from api.languages import chosen
from api.services.addresses.matching import Addresses
from api.services.features.exporting import Downloads
from api.services.features.features import Features
from api.services.published import Published
from api.services.tiles.tiles import Tiles
from api.services.watch import Watch

KEY: Final = "wangge"


class Throttle:
    """At most ``limit`` events a minute for each caller.

    Callers are held as hashes under a salt of the minute, in memory only, and forgotten with it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._minute = 0
        self._salt = b""
        self._seen: Counter[bytes] = Counter()

    def allows(self, caller: str) -> bool:
        """Count one event; False when it is one too many."""
        if self._limit <= 0:
            return True
        with self._lock:
            minute = int(time.monotonic() // 60)
            if minute != self._minute or len(self._seen) > 100_000:
                self._minute = minute
                self._salt = secrets.token_bytes(16)
                self._seen.clear()
            hashed = hashlib.blake2b(caller.encode(), key=self._salt, digest_size=16).digest()
            self._seen[hashed] += 1
            return self._seen[hashed] <= self._limit


@dataclass
class Context:
    """The parts of one application."""

    config: Config
    engine: Engine
    published: Published
    tiles: Tiles
    throttle: Throttle
    addresses: Addresses
    watch: Watch
    front: HotTiles
    requests: Counter[tuple[str, int]] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lock: threading.Lock = field(default_factory=threading.Lock)
    features: Features = field(init=False)
    downloads: Downloads = field(init=False)

    def __post_init__(self) -> None:
        self.features = Features(self.engine, self.config.tile_cache_bytes // 4, self.watch)
        self.downloads = Downloads(self.engine)

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count an answer for ``/metrics``."""
        with self.lock:
            self.requests[route, status] += 1
            self.seconds[route] += seconds


def here() -> Context:
    """The context of the application that answers this request."""
    return cast(Context, current_app.extensions[KEY])


def caller() -> Caller:
    """Who asks, found out once a request. Raises UnauthorizedError for a token that is no good."""
    if "caller" not in g:
        g.caller = authorisation.caller_of(here().engine, request.headers.get("Authorization"))
    return cast(Caller, g.caller)


def language() -> str:
    """Chinese unless the reader prefers English (``Accept-Language``, or ``?lang=``)."""
    return chosen(request.args.get("lang", ""), request.headers.get("Accept-Language", ""))


def say(code: str, **values: object) -> str:
    """A message in the reader's language."""
    return messages.text(code, language(), **values)
