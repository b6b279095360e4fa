"""Rendered tiles in a worker's memory: by request the last one, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from typing import Final

from api.services.tiles.tile_request import TileRequest

#: What an entry takes besides its body: request, headers, places in tables.
_ENTRY: Final = 2500

#: Header fields as WSGI wants them.
Headers = list[tuple[str, str]]
MIME: Final = "application/vnd.mapbox-vector-tile"
#: Added to the ETag of a body that is not compressed.
PLAIN: Final = "-plain"


@dataclass(slots=True)
class Kept:
    """A gzipped tile as it is sent. ``state`` names what it was made of, ``etag`` (no quotes) what it holds.

    ``epoch``: the watch's number when the database last confirmed the state. ``body`` is None once it was dropped.
    ``more``: headers that it is sent with besides its own.
    """

    state: str
    etag: str
    body: bytes | None
    epoch: int = -1
    more: InitVar[Iterable[tuple[str, str]]] = ()
    quoted: str = field(init=False)
    headers: Headers = field(init=False)
    unchanged: Headers = field(init=False)

    def __post_init__(self, more: Iterable[tuple[str, str]]) -> None:
        self.quoted = f'"{self.etag}"'
        self.unchanged = [*headers(self.etag), *more]
        self.headers = [
            ("Content-Type", MIME),
            ("Content-Encoding", "gzip"),
            ("Content-Length", str(len(self.body or b""))),
            *self.unchanged,
        ]


def headers(etag: str, *, private: bool = False) -> Headers:
    """What every answer says of a tile, 304 too."""
    return [
        ("ETag", f'"{etag}"'),
        ("Cache-Control", "private, no-store" if private else "no-cache"),
        ("Vary", "Accept-Encoding"),
        ("X-Content-Type-Options", "nosniff"),
    ]


class TileCache:
    """The last rendered tile of each request; the longest unused ones go when there is no room. For many threads.

    ``more``: headers that every tile is sent with besides its own.
    """

    def __init__(self, limit: int = 64 << 20, more: Iterable[tuple[str, str]] = ()) -> None:
        self.limit = limit
        self.more = tuple(more)
        self._held: OrderedDict[TileRequest, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, request: TileRequest) -> Kept | None:
        """What was last kept for a request, in whatever state."""
        with self._lock:
            found = self._held.get(request)
            if found is not None:
                self._held.move_to_end(request)
            return found

    def put(self, request: TileRequest, kept: Kept) -> None:
        """Keep a tile; what was kept for the request is dropped."""
        with self._lock:
            self._drop(self._held.pop(request, None))
            if len(kept.body or b"") + _ENTRY > self.limit:
                kept.body = None  # nobody else may hold on to it either
                return
            self._held[request] = kept
            self._bytes += len(kept.body or b"") + _ENTRY
            while self._bytes > self.limit:
                self._drop(self._held.popitem(last=False)[1])

    def _drop(self, kept: Kept | None) -> None:
        if kept is not None:
            self._bytes -= len(kept.body or b"") + _ENTRY
            kept.body = None

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes(self) -> int:
        """What is held."""
        return self._bytes
