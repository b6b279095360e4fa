"""Features ready for the tile encoder, kept in memory: cells of what lies in tables, and whole plans by zoom.

Everything is kept under what it was read from and its version, so nothing goes stale; what was not used for long goes
when there is no room.
"""

from __future__ import annotations

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import shapely
from sqlalchemy import Connection

from data.postgres.tiles import read_tile_plans, read_tiles
from data.postgres.tiles.read_tile_plans import PlanShapes
from data.postgres.tiles.read_tiles import Layer, Shown
from data.postgres.tiles.tile_versions import Beside
from gis.territory.model import Geometries, Ints
from gis.tiles.colour import tones
from gis.tiles.columns import Columns, build
from gis.tiles.coverage import ZOOMS, dissolve, lay, rim, simplify, thin

#: Zooms of the cells: tiles from NEAR on are made of the cell that holds them, others of the one at FAR.
NEAR: Final = 13
FAR: Final = 8
#: Deepest zoom that tiles of a far cell have; and of any.
_DEEPEST_FAR: Final = NEAR - 1
_DEEPEST: Final = 30


class _Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


_T = TypeVar("_T", bound=_Sized)


def cell_of(tile: tuple[int, int, int]) -> tuple[int, int, int]:
    """The cell that a tile is made of; tiles above the far zoom are their own."""
    z, x, y = tile
    up = max(0, z - (NEAR if z >= NEAR else FAR))
    return z - up, x >> up, y >> up


class Tables:
    """Features by layer and place, read once and shared by threads; bounded in bytes."""

    def __init__(self, limit: int = 256 << 20) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._loading: dict[Hashable, threading.Lock] = {}
        self._held: OrderedDict[Hashable, tuple[Hashable, Any]] = OrderedDict()

    def cell(
        self, connection: Connection, layer: Layer, tile: tuple[int, int, int], shown: Shown, version: Hashable
    ) -> Columns | None:
        """Features of the cell a tile lies in, at this version; None where there are too many to keep."""
        place = cell_of(tile)
        deepest = _DEEPEST if place[0] >= NEAR else _DEEPEST_FAR

        def make() -> Full | Columns:
            found = read_tiles.cell(connection, layer, place, shown, deepest)
            return Full() if found is None else found

        # most layers are the same on every day of a publication
        key = shown if layer.daily else (shown.territory, shown.publication, shown.version)
        found = self._get((layer.name, place, key), version, make)
        return None if isinstance(found, Full) else found

    def plan(self, connection: Connection, shown: Shown, version: Hashable) -> Sheet:
        """The grids of a plan, at this version."""

        def make() -> Sheet:
            return Sheet(read_tile_plans.shapes(connection, shown))

        # of which territory and day does not matter
        return self._get(("plan", shown.publication, shown.version), version, make)

    def seamed(
        self,
        connection: Connection,
        shown: Shown,
        version: Hashable,
        beside: Sequence[Beside],
        layer: str,
        z: int,
    ) -> Columns:
        """Grids, communities or labels of what is published, at a zoom: low ones fit those of the neighbours."""
        sheet = self.plan(connection, shown, version)
        if not beside or layer == "labels" or z > max(ZOOMS):
            return sheet.layer(layer, z)
        z = max(z, min(ZOOMS))

        def make() -> Seamed:
            around = [
                (n.territory, self.plan(connection, Shown(n.territory, n.publication, None, shown.day), (n.grids,)))
                for n in beside
            ]
            before = [other.thin(z) for territory, other in around if territory < shown.territory]
            after = [other.thin(z) for territory, other in around if territory > shown.territory]
            return Seamed(sheet.seamed(before, after, z))

        key = ("seamed", z, shown.publication)
        return self._get(key, (version, tuple(beside)), make).layers[layer]

    def _get(self, key: Hashable, version: Hashable, make: Callable[[], _T]) -> _T:
        with self._lock:
            held = self._known(key, version)
            if held is not None:
                return held  # type: ignore[no-any-return]  # a key is always of one kind
            loading = self._loading.setdefault(key, threading.Lock())
        with loading:  # one thread reads, the others wait for it
            with self._lock:
                held = self._known(key, version)
            if held is not None:
                return held  # type: ignore[no-any-return]  # as above
            made = make()
            with self._lock:
                self._keep(key, version, made)
                self._loading.pop(key, None)
        return made

    def _known(self, key: Hashable, version: Hashable) -> Any:
        held = self._held.get(key)
        if held is None or held[0] != version:
            return None
        self._held.move_to_end(key)
        return held[1]

    def _keep(self, key: Hashable, version: Hashable, made: _Sized) -> None:
        self._held.pop(key, None)
        self._held[key] = (version, made)
        size = sum(value.nbytes for _, value in self._held.values())
        while size > self._limit and len(self._held) > 1:
            _, (_, gone) = self._held.popitem(last=False)
            size -= gone.nbytes


class Full:
    """In place of a cell that holds too much."""

    nbytes: Final = 100


class Seamed:
    """Grids and communities of one plan at a zoom, laid together with what borders on them."""

    def __init__(self, layers: dict[str, Columns]) -> None:
        self.layers = layers
        self.nbytes: Final = sum(c.nbytes for c in layers.values())


class Sheet:
    """The grids of one plan, their communities and labels, simplified together for each zoom when first asked for."""

    def __init__(self, plan: PlanShapes) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._made: dict[tuple[str, int], Columns] = {}
        self._thin: dict[int, Geometries] = {}
        self._tones: Ints | None = None

    @property
    def nbytes(self) -> int:
        """Memory taken, about; it grows with the zooms asked for."""
        held = [self._plan.geometry, *list(self._thin.values())]
        own = sum(int(shapely.get_num_coordinates(g).sum()) * 20 + 1000 * len(g) for g in held)
        return own + sum(c.nbytes for c in list(self._made.values()))

    def layer(self, name: str, z: int) -> Columns:
        """Grids, communities or labels at a zoom: simplified up to zoom 13, exact beyond."""
        z = 0 if name == "labels" else max(min(z, max(ZOOMS) + 1), min(ZOOMS))
        made = self._made.get((name, z))
        if made is None:
            with self._lock:
                made = self._made.get((name, z))
                if made is None:
                    self._make(z)
                    made = self._made[name, z]
        return made

    def thin(self, z: int) -> Geometries:
        """The grids simplified within, their outline whole: see ``gis.tiles.coverage``."""
        with self._lock:
            if z not in self._thin:
                self._thin[z] = thin(self._plan.geometry, z)
            return self._thin[z]

    def seamed(self, before: Sequence[Geometries], after: Sequence[Geometries], z: int) -> dict[str, Columns]:
        """Grids and communities that fit the neighbours (thin, by their numbers), which are lower or higher.

        A town that nobody borders on is simplified alone, its outline too.
        """
        own = self.thin(z)
        low, high = ([rim(own, other, z) for other in others] for others in (before, after))
        if not any(len(r) for r in (*low, *high)):
            return {name: self.layer(name, z) for name in ("grids", "communities")}
        grids = lay(own, np.concatenate([own[:0], *low]), np.concatenate([own[:0], *high]), z)
        whole = dissolve(grids, self._plan.community, len(self._plan.communities))
        with self._lock:
            return {"grids": self._grids(grids), "communities": self._communities(whole)}

    def _make(self, z: int) -> None:
        if z == 0:
            self._made["labels", 0] = self._labels()
            return
        grids = simplify(self._plan.geometry, z) if z in ZOOMS else self._plan.geometry
        whole = dissolve(grids, self._plan.community, len(self._plan.communities))
        self._made["grids", z] = self._grids(grids)
        self._made["communities", z] = self._communities(whole)

    def _grids(self, geometry: Geometries) -> Columns:
        plan = self._plan
        if self._tones is None:
            self._tones = plan.tone if len(plan) and plan.tone.min() >= 0 else tones(plan.geometry)
        names = ("grid_id", "code", "name", "kind", "community", "households")
        columns = {name: plan.columns[name] for name in names} | {"tone": self._tones.tolist()}
        return build(plan.ids, columns, geometry, hidden={"community_code": plan.columns["community_code"]})

    def _communities(self, geometry: Geometries) -> Columns:
        plan = self._plan
        n = len(plan.communities)
        households = np.bincount(plan.community, plan.columns["households"], n).astype(np.int64)
        code, name = [c for _, _, c in plan.communities], [m for _, m, _ in plan.communities]
        columns = {
            "code": code,
            "name": name,
            "households": households.tolist(),
            "grids": np.bincount(plan.community, minlength=n).tolist(),
        }
        return build(self._community_ids(), columns, geometry, hidden={"community": name, "community_code": code})

    def _labels(self) -> Columns:
        """Points of grids, then of communities."""
        plan = self._plan
        n, m = len(plan), len(plan.communities)
        whole = dissolve(plan.geometry, plan.community, m)
        inside = shapely.get_coordinates(shapely.point_on_surface(whole)).reshape(-1, 2)
        code, name = [c for _, _, c in plan.communities], [t for _, t, _ in plan.communities]
        columns = {
            "kind": ["grid"] * n + ["community"] * m,
            "code": plan.columns["code"] + code,
            "name": plan.columns["name"] + name,
            "grid_id": plan.columns["grid_id"] + [None] * m,
        }
        hidden = {
            "community": plan.columns["community"] + name,
            "community_code": plan.columns["community_code"] + code,
        }
        ids = np.concatenate([plan.ids, self._community_ids()])
        points = np.asarray(shapely.points(np.vstack([plan.label, inside])), dtype=object)
        return build(ids, columns, points, hidden=hidden)

    def _community_ids(self) -> Ints:
        """A community's own id, or a number from its name where the plan made it."""
        made = [number or zlib.crc32(f"{name} {code}".encode()) for number, name, code in self._plan.communities]
        return np.array(made, dtype=np.int64)
