"""How a tile is kept and sent: from a request to its version, through the caches, to the content.

What a tile was made of (publications in force, versions of the tables it shows, our own code) is its state. The state
is asked of the database in one question, or known to be unchanged because the worker hears of every change
(``api.services.watch``). The ETag is of the content: a tile made anew that shows the same is the same tile, and every
worker agrees. What it holds is ``api.services.tiles.tile_content``.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import numpy as np
from isal import isal_zlib
from sqlalchemy import Connection

import gis.tiles
from api.answers import TileJson, VectorLayer
from api.services import published as published_module
from api.services.published import Published, degrees
from api.services.tiles import tile_content, tile_request, tile_tables
from api.services.tiles.tile_cache import Kept, TileCache
from api.services.tiles.tile_content import Tables, cell_of, content, parts, touching
from api.services.tiles.tile_memory import DatabaseNeededError, Versions, no_connection, reading_later
from api.services.tiles.tile_request import TileRequest, parse, parse_layers
from api.services.watch import Watch
from api.version import VERSION
from data.postgres.tiles import read_tiles, tile_layers, tile_versions
from data.postgres.tiles.read_tiles import LAYERS
from data.postgres.tiles.tile_versions import TABLES, Touching
from data.tile_store import TileStore
from gis.tiles.coverage import ZOOMS

#: Deepest zoom of the tiles; maps scale them beyond.
DEEPEST: Final = 17
#: ISA-L's usual level: as small as zlib's first in a seventh of the time, which was half of the work on a tile. One
#: level for all, so that equal tiles have equal bytes.
_LEVEL: Final = 1
#: What zlib calls a window of 32 kB with a gzip header.
_GZIP: Final = 16 + 15
#: Layers that change with the day, whatever is in force.
_DAILY: Final = ("addresses",)
#: Layers whose low zooms fit those of the neighbours.
_LAID: Final = ("grids", "communities")
_ETAG: Final = 24
#: Threads that would make the same tile at once wait for the first.
_LOCKS: Final = 64


@dataclass(frozen=True)
class Tile:
    """A gzipped tile with its strong ETag (without quotes); ``body`` is b"" when the caller has it.

    ``private``: nobody but the caller may keep it. ``kept``: the entry of the memory cache, if it is in there.
    """

    etag: str
    body: bytes
    private: bool = False
    kept: Kept | None = None


class Tiles:
    """Tiles with their caches; for many threads. A ``cache`` of 0 bytes keeps no rendered tile anywhere."""

    def __init__(
        self,
        published: Published,
        cache: TileCache,
        store: TileStore | None,
        watch: Watch,
        tables: Tables | None = None,
    ) -> None:
        self.published = published
        self.cache = cache
        self.tables = tables or Tables()
        self.watch = watch
        self._store = store if cache.limit else None
        self._versions = Versions(watch)
        self._making = [threading.Lock() for _ in range(_LOCKS)]
        self.hits, self.stored, self.made = itertools.count(), itertools.count(), itertools.count()

    def tile(self, request: TileRequest, known: Container[str] = ()) -> Tile:
        """One tile; ``known`` are the ETags the caller has.

        Raises what ``tile_content.parts`` raises for a plan that the caller may not see.
        """
        if request.plan is not None:
            return self._of_plan(request, known)
        request = replace(request, drafts=False)  # what is published is the same for everyone
        epoch = self.watch.epoch
        with reading_later(self.published) as connection:
            found = self._versions.known(request)
            if found is None:
                found = self._versions.ask(connection, request)
            kept, body = self._of(connection, request, found)
        kept.epoch = epoch
        return Tile(kept.etag, b"" if kept.etag in known else body, kept=kept if kept.body is not None else None)

    def at_once(self, request: TileRequest) -> tuple[Kept, bytes] | None:
        """A tile of what is published today, with its body; None where the database has to be asked."""
        epoch = self.watch.epoch
        found = self._versions.known(request)
        if found is None:
            return None
        try:
            kept, body = self._of(no_connection(), request, found)
        except DatabaseNeededError:
            return None
        kept.epoch = epoch
        return kept, body

    def _of(self, connection: Connection, request: TileRequest, found: Sequence[Touching]) -> tuple[Kept, bytes]:
        if not self.cache.limit:  # made for each request: nobody waits for another's
            return self._make(connection, request, found, "")
        state = state_of(request, found)
        kept, body = self._remembered(request, state)
        if body is None:
            with self._making[hash(state) % _LOCKS]:
                kept, body = self._remembered(request, state)
                if body is None:
                    kept, body = self._make(connection, request, found, state)
        else:
            next(self.hits)
        return kept, body

    def _remembered(self, request: TileRequest, state: str) -> tuple[Kept, bytes | None]:
        kept = self.cache.get(request)
        if kept is None or kept.state != state:
            return _NOTHING, None
        return kept, kept.body  # read once: another thread may drop it

    def _make(
        self, connection: Connection, request: TileRequest, found: Sequence[Touching], state: str
    ) -> tuple[Kept, bytes]:
        stored = None if self._store is None or not found else self._store.get(state)
        if stored is not None:
            next(self.stored)
            etag, body = stored[:_ETAG].decode("ascii"), stored[_ETAG:]
        else:
            of = touching([t.info for t in found], request)
            etag, body = _packed(content(self.tables, connection, request, of, found))
            next(self.made)
            if self._store is not None and found:
                self._store.put(state, etag.encode("ascii") + body)
        kept = Kept(state, etag, body, more=self.cache.more)
        self.cache.put(request, kept)
        return kept, body

    def _of_plan(self, request: TileRequest, known: Container[str]) -> Tile:
        """Drafts change in place and are for few: made for each request, kept nowhere.

        What a published version is made of is kept: anyone may ask for it.
        """
        with self.published.reading() as connection:
            of = parts(self.published, connection, request)
            if any(p.publication is None for p in of):
                etag, body = _packed(content(Tables(), connection, request, of))
            else:
                found = tile_versions.touching(connection, request.tile, [cell_of(request.tile)], of[0].day)
                there = [p for p in of if p.territory in {t.info.territory for t in found}]
                etag, body = _packed(content(self.tables, connection, request, there, found))
        return Tile(etag, b"" if etag in known else body, private=True)


_NOTHING: Final = Kept("", "", None)


def _packed(raw: bytes) -> tuple[str, bytes]:
    etag = hashlib.blake2b(raw, digest_size=_ETAG // 2).hexdigest()
    return etag, isal_zlib.compress(raw, _LEVEL, _GZIP)


def state_of(request: TileRequest, found: Iterable[Touching]) -> str:
    """Everything a tile is made of, as a digest: request, publications, versions of tables, our own code."""
    tables = tables_of(request.layers)
    daily = any(layer in _DAILY for layer in request.layers)
    laid = request.z <= max(ZOOMS) and any(layer in _LAID for layer in request.layers)
    made_of = (
        code(),
        request,
        [
            (
                t.info.territory,
                t.info.publication,
                t.publications,
                t.info.day if daily else None,
                [t.version(table, request.tile) for table in tables],
                t.beside if laid else (),
            )
            for t in found
        ],
    )
    return hashlib.blake2b(repr(made_of).encode(), digest_size=20).hexdigest()


def tables_of(layers: Iterable[str]) -> list[str]:
    """The versioned tables that layers show, in their own order."""
    shown = {table for layer in layers for table in LAYERS[layer].tables}
    return [table for table in TABLES if table in shown]


@cache
def code() -> str:
    """Digest of the sources that say what a tile holds: a new release never finds an old one's tiles."""
    found = hashlib.blake2b(VERSION.encode(), digest_size=8)
    modules = (tile_content, tile_request, tile_tables, published_module, read_tiles, tile_layers)
    beside = {p for m in modules for p in Path(m.__file__ or "").parent.glob(f"{Path(m.__file__ or '').stem}*.py")}
    for file in sorted(beside | set(Path(gis.tiles.__file__ or "").parent.glob("*.py"))):
        found.update(file.read_bytes())
    return found.hexdigest()


def uncached(published: Published) -> Tiles:
    """For one job of this process: nothing rendered is kept."""
    return Tiles(published, TileCache(0), None, Watch(""))


def tilejson(published: Published, layers: str, base: str, query: Iterable[tuple[str, str]] = ()) -> TileJson:
    """TileJSON 3.0 of a set of layers; ``base`` is the service's own address without a final slash.

    ``query``: what every tile of the set is asked with (plan, day, filters), as ``tile_request.parse`` has it.
    """
    wanted = parse_layers(layers)
    pairs = [pair for pair in query if pair[0] != "lang"]  # of messages, not of tiles
    parse(layers, 0, 0, 0, pairs)
    asked = f"?{urlencode(pairs)}" if pairs else ""
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
        tiles=[f"{base}/tiles/{','.join(n.name for n in wanted)}/{{z}}/{{x}}/{{y}}.mvt{asked}"],
        minzoom=lowest,
        maxzoom=DEEPEST,
        bounds=box,
        center=(*middle, min(13, DEEPEST)),
        attribution=" · ".join(dict.fromkeys(i.attribution for i in infos if i.attribution)),
        scheme="xyz",
        vector_layers=[VectorLayer(n.name, n.minzoom, DEEPEST, dict(n.fields)) for n in wanted],
    )
