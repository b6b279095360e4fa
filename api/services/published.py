"""Published grids in memory: one immutable snapshot a publication, shared by lookup, tiles and search.

A publication never changes, so a snapshot never goes stale; which publication is in force is asked of the
database every time. Snapshots not asked for lately are dropped.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np
import shapely
from sqlalchemy import Connection, Engine

from api.services.lookup.index_store import IndexStore
from data.postgres.plans import read_published
from data.postgres.plans.read_published import Contact, InForce, PublishedGrids
from gis.locate import datums
from gis.territory.model import Floats, Geometries, Ints, Texts
from gis.tiles.colour import tones
from gis.tiles.coverage import ZOOMS, dissolve, simplify

if TYPE_CHECKING:
    from gis.locate.index import Index

_T = TypeVar("_T")
#: Grids whose people are read at once.
_BLOCK: Final = 1000


@dataclass(frozen=True)
class Communities:
    """The communities of a snapshot, in the order of their ids; ``member`` gives each grid's."""

    ids: Ints
    member: Ints
    name: list[str]
    code: list[str]


class Snapshot:
    """The grids of one publication with what is derived from them, each made once, when first needed."""

    def __init__(self, crs: str, grids: PublishedGrids, store: IndexStore | None = None) -> None:
        self.crs = crs
        self.grids = grids
        self._store = store or IndexStore()
        self._lock = threading.RLock()
        self._made: dict[Hashable, Any] = {}

    def _once(self, key: Hashable, make: Callable[[], _T]) -> _T:
        """What ``make`` gives, made by the first thread that asks."""
        if key not in self._made:
            with self._lock:
                if key not in self._made:
                    self._made[key] = make()
        made: _T = self._made[key]
        return made

    @property
    def index(self) -> Index:
        """Point to grid, in the territory's metre CRS; positions are rows of ``grids``."""
        return self._once("index", lambda: self._store.index(self.grids.geometry))

    @property
    def tone(self) -> Ints:
        """A number 0-5 for each grid such that neighbours differ."""
        return self._once("tone", self._tone)

    def _tone(self) -> Ints:
        kept = self.grids.tone
        return kept if len(kept) and kept.min() >= 0 else tones(self.grids.geometry)

    @property
    def communities(self) -> Communities:
        """Grids by community."""
        return self._once("communities", self._communities)

    def _communities(self) -> Communities:
        ids, first, member = np.unique(self.grids.community_id, return_index=True, return_inverse=True)
        name, code = self.grids.community[first].tolist(), self.grids.community_code[first].tolist()
        return Communities(ids, member.astype(np.int64), name, code)

    @property
    def community_label(self) -> Floats:
        """(n, 2) a point inside each community, EPSG:3857."""
        return self._once("community_label", self._community_label)

    def _community_label(self) -> Floats:
        _, whole = self.coverage(max(ZOOMS) + 1)
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(whole)))

    @property
    def bounds_wgs84(self) -> Floats:
        """(n, 4) west, south, east, north of each grid in degrees."""
        return self._once("bounds_wgs84", self._bounds_wgs84)

    def _bounds_wgs84(self) -> Floats:
        west, south, east, north = shapely.bounds(self.grids.mercator).T
        lon0, lat0 = degrees(west, south)
        lon1, lat1 = degrees(east, north)
        return np.column_stack([lon0, lat0, lon1, lat1])

    def coverage(self, z: int) -> tuple[Geometries, Geometries]:
        """Grids and communities at a zoom, EPSG:3857: simplified together up to zoom 13, exact beyond."""
        z = max(min(z, max(ZOOMS) + 1), min(ZOOMS))
        return self._once(("coverage", z), lambda: self._coverage(z))

    def _coverage(self, z: int) -> tuple[Geometries, Geometries]:
        grids = simplify(self.grids.mercator, z) if z in ZOOMS else self.grids.mercator
        return grids, dissolve(grids, self.communities.member, len(self.communities.ids))

    def warm(self) -> None:
        """Make what every reader needs."""
        # made on first access and kept
        _ = (self.index, self.tone, self.community_label)


def _with_neighbours(grid_id: Texts, wanted: set[str]) -> set[str]:
    """Some grids and those listed beside them: while nothing changes, one question serves many readers."""
    blocks = np.unique(np.searchsorted(grid_id, np.array(sorted(wanted), dtype=object)) // _BLOCK)
    return wanted.union(*(grid_id[b * _BLOCK : (b + 1) * _BLOCK].tolist() for b in blocks))


def degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """EPSG:3857 metres to WGS84 degrees."""
    return datums.to_wgs84(np.asarray(x), np.asarray(y), datums.parse("EPSG:3857"))


@dataclass(frozen=True)
class Standing:
    """What was in force when it was asked: a snapshot for each territory, and people as they are asked for.

    ``epoch`` is the watch's, read before anything else: ``Published.standing`` takes it as good while it stands.
    """

    epoch: int
    infos: tuple[InForce, ...]
    snapshots: tuple[Snapshot, ...]
    people: dict[tuple[int, str], list[Contact]] = field(default_factory=dict)


class Freshness(Protocol):
    """What tells whether something read earlier is still true: ``api.services.watch.Watch``."""

    epoch: int

    def fresh(self, epoch: int) -> bool:
        """Nothing changed since ``epoch`` was read here."""
        ...


class Published:
    """Snapshots by publication; safe to share between threads.

    ``watch`` tells when what is in memory may be taken for true; without one the database is asked every time.
    ``store`` keeps lookup indexes for all workers.
    """

    def __init__(
        self, engine: Engine, keep: int = 8, store: IndexStore | None = None, watch: Freshness | None = None
    ) -> None:
        # reading needs no transaction: a publication never changes, and one question tells which is in force
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._keep = keep
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._held: OrderedDict[tuple[int, int], Snapshot] = OrderedDict()
        self._store = store or IndexStore()
        self._watch = watch
        self._standing: Standing | None = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection for reading, given back at the end."""
        with self._engine.connect() as connection:
            yield connection

    def in_force(self, connection: Connection, on: date | None = None) -> tuple[InForce, ...]:
        """Territories with what is in force on a day."""
        return read_published.in_force(connection, on)

    def standing(self, on: date | None = None) -> Standing:
        """What is in force on a day (None: today), from memory while nothing changed since it was read."""
        watch = self._watch
        held = self.known() if on is None else None
        if held is not None:
            return held
        epoch = watch.epoch if watch is not None else 0
        with self.reading() as connection:
            infos = self.in_force(connection, on)
            snapshots = tuple(self.snapshot(connection, i.publication, i.crs, i.revision) for i in infos)
        made = Standing(epoch, infos, snapshots)
        if on is None:
            self._standing = made
        return made

    def known(self) -> Standing | None:
        """What is in force today where memory has it; None where the database has to be asked."""
        held, watch = self._standing, self._watch
        return held if held is not None and watch is not None and watch.fresh(held.epoch) else None

    def people(self, standing: Standing, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], list[Contact]]:
        """Who is responsible for grids, each given as the place of its territory in ``standing`` and its id."""
        missing: dict[int, set[str]] = {}
        for k, grid in set(wanted):
            if (k, grid) not in standing.people:
                missing.setdefault(k, set()).add(grid)
        if missing:
            if self._watch is not None and self._watch.fresh(standing.epoch):
                missing = {k: _with_neighbours(standing.snapshots[k].grids.grid_id, of) for k, of in missing.items()}
            with self.reading() as connection:
                for k, grids in missing.items():
                    found = read_published.people(connection, standing.infos[k].day, grids)
                    standing.people.update({(k, g): found.get(g, []) for g in grids})
        return standing.people

    def snapshot(self, connection: Connection, publication: int, crs: str, revision: int = 0) -> Snapshot:
        """The grids of a publication, from memory when they were asked for before and nobody changed them since."""
        key = publication, revision
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
                return found
        with self._loading:  # one thread reads, the others wait for it
            with self._lock:
                if key in self._held:
                    return self._held[key]
            made = Snapshot(crs, read_published.grids(connection, publication), self._store)
            standing = self._standing
            least = len(standing.infos) + self._keep if standing is not None else self._keep
            with self._lock:
                self._held[key] = made
                while len(self._held) > least:
                    self._held.popitem(last=False)
        return made

    def warm(self) -> None:
        """Load what is in force, so that the first reader does not wait for it."""
        for snapshot in self.standing().snapshots:
            snapshot.warm()
