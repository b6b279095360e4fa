"""Vector tiles of what is published, with a version that changes with every change they could show."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from api.answers import TileJson, VectorLayer
from api.services import tile_content
from api.services.published import Published, degrees
from api.services.tile_content import Part
from api.services.tile_request import TileRequest, parse, parse_layers
from api.version import VERSION

#: Deepest zoom of the tiles; maps scale them beyond.
DEEPEST: Final = 17


@dataclass(frozen=True)
class Tile:
    """A gzipped tile with its strong ETag (without quotes)."""

    etag: str
    body: bytes


class TileCache:
    """Rendered tiles by their ETag, bounded in bytes; the ETag holds every version, so nothing goes stale."""

    def __init__(self, limit: int = 64 << 20) -> None:
        self._limit = limit
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> bytes | None:
        """The body kept under a key."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._held.move_to_end(key)
            return found

    def put(self, key: str, body: bytes) -> None:
        """Keep a body; the longest unused ones go when there is no room."""
        with self._lock:
            self._bytes += len(body) - len(self._held.pop(key, b""))
            self._held[key] = body
            while self._bytes > self._limit and self._held:
                _, gone = self._held.popitem(last=False)
                self._bytes -= len(gone)


def tile(
    published: Published, cache: TileCache, layers: str, z: int, x: int, y: int, known: Container[str] = ()
) -> Tile:
    """One tile; ``known`` are the ETags the caller has: the body is empty when one still holds."""
    request = parse(layers, z, x, y)
    with published.reading() as connection:
        of = tile_content.parts(published, connection, request)
        etag = _etag(request, of)
        if etag in known:
            return Tile(etag, b"")
        body = cache.get(etag)
        if body is None:
            body = gzip.compress(tile_content.content(published, connection, request, of), 6, mtime=0)
            cache.put(etag, body)
    return Tile(etag, body)


def _etag(request: TileRequest, of: Sequence[Part]) -> str:
    return hashlib.sha256(repr((VERSION, request, of)).encode()).hexdigest()[:24]


def tilejson(published: Published, layers: str, base: str) -> TileJson:
    """TileJSON 3.0 of a set of layers; ``base`` is the service's own address without a final slash."""
    wanted = parse_layers(layers)
    with published.reading() as connection:
        infos = published.in_force(connection)
    box = (-180.0, -85.0511287, 180.0, 85.0511287)
    middle = (0.0, 0.0)
    if infos:
        # territories may lie a continent apart: a viewer opens on the first, not between them
        west, south, east, north = infos[0].bounds
        lon, lat = degrees(np.array([(west + east) / 2]), np.array([(south + north) / 2]))
        middle = (round(float(lon[0]), 6), round(float(lat[0]), 6))
        west, south = np.min([i.bounds[:2] for i in infos], axis=0)
        east, north = np.max([i.bounds[2:] for i in infos], axis=0)
        lon, lat = degrees(np.array([west, east]), np.array([south, north]))
        box = (round(float(lon[0]), 6), round(float(lat[0]), 6), round(float(lon[1]), 6), round(float(lat[1]), 6))
    lowest = min(layer.minzoom for layer in wanted)
    return TileJson(
        tilejson="3.0.0",
        name=layers,
        tiles=[f"{base}/tiles/{','.join(n.name for n in wanted)}/{{z}}/{{x}}/{{y}}.mvt"],
        minzoom=lowest,
        maxzoom=DEEPEST,
        bounds=box,
        center=(*middle, min(13, DEEPEST)),
        attribution=" · ".join(dict.fromkeys(i.attribution for i in infos if i.attribution)),
        scheme="xyz",
        vector_layers=[VectorLayer(n.name, n.minzoom, DEEPEST, dict(n.fields)) for n in wanted],
    )
