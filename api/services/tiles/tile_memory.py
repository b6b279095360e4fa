"""What makes a tile without asking the database: versions of tiles in memory, and connections opened when needed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import Any, Final, cast

from sqlalchemy import Connection

from api.services.published import Published
from api.services.tiles.tile_request import TileRequest
from api.services.tiles.tile_tables import cell_of
from api.services.watch import Watch
from data.postgres.tiles import tile_versions
from data.postgres.tiles.tile_versions import Place, Touching
from gis.tiles import pyramid

#: Tiles whose versions are asked for at once: those that share the ancestor so many zooms up.
_UP: Final = 3
#: Blocks of tiles in memory, about 40 kB each and territory; the longest unused go.
_MOST: Final = 256

Found = tuple[Touching, ...]
_Key = tuple[Place, int, date | None]


class Versions:
    """What is in force where and its versions, remembered while the watch's epoch stands. For many threads."""

    def __init__(self, watch: Watch, most: int = _MOST) -> None:
        self._watch = watch
        self._most = most
        self._held: OrderedDict[_Key, tuple[int, Found]] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, request: TileRequest) -> Found | None:
        """As ``ask``, from memory; None where the database has to be asked."""
        with self._lock:
            key = _key(request)
            held = self._held.get(key)
            if held is None or not self._watch.fresh(held[0]):
                return None
            self._held.move_to_end(key)
        return _there(held[1], request.tile)

    def ask(self, connection: Connection, request: TileRequest) -> Found:
        """Territories that touch a tile, with the versions of the tile and its cell; neighbours are asked along."""
        epoch = self._watch.epoch  # read before the question: a change after it is another epoch's
        tile = request.tile
        if not self._watch.fresh(epoch):  # nothing may be remembered
            return tile_versions.touching(connection, tile, [cell_of(tile)], request.as_of)
        key = _key(request)
        tiles = _block(key[0], request.z)
        near = dict.fromkeys([*tiles, *(cell_of(t) for t in tiles)])
        found = tile_versions.touching(connection, key[0], near, request.as_of)
        with self._lock:
            self._held[key] = epoch, found
            self._held.move_to_end(key)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return _there(found, tile)

    def __len__(self) -> int:
        return len(self._held)


def _key(request: TileRequest) -> _Key:
    up = min(request.z, _UP)
    return (request.z - up, request.x >> up, request.y >> up), request.z, request.as_of


def _block(place: Place, z: int) -> list[Place]:
    """All tiles of a zoom in a tile above."""
    up = z - place[0]
    west, north = place[1] << up, place[2] << up
    return [(z, west + i, north + j) for i in range(1 << up) for j in range(1 << up)]


def _there(found: Iterable[Touching], tile: Place) -> Found:
    """Those that touch the tile itself, as ``tile_versions.touching`` has it."""
    west, south, east, north = pyramid.bounds(*tile, buffer=pyramid.BUFFER)
    return tuple(
        t
        for t in found
        if t.info.bounds[0] <= east
        and t.info.bounds[2] >= west
        and t.info.bounds[1] <= north
        and t.info.bounds[3] >= south
    )


class DatabaseNeededError(Exception):
    """Something is not in memory."""


class _Later:
    """Stands for what ``make`` gives, which is called when it is first used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)


@contextmanager
def reading_later(published: Published) -> Iterator[Connection]:
    """A connection that is opened when it is first used; most tiles need none."""
    with ExitStack() as stack:
        yield cast(Connection, _Later(lambda: stack.enter_context(published.reading())))


def no_connection() -> Connection:
    """In place of a connection: whoever uses it gets DatabaseNeededError."""

    def refuse() -> Any:
        raise DatabaseNeededError

    return cast(Connection, _Later(refuse))
