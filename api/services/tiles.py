"""Vector tiles of what is published, with a version that changes with every change they could show."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection

from api.answers import TileJson, VectorLayer
from api.services.published import Published, Snapshot, degrees
from api.version import VERSION
from data.postgres import read_tiles
from data.postgres.read_published import InForce
from data.postgres.read_tiles import LAYERS, Layer
from gis.errors import NotFoundError
from gis.tiles import pyramid

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


def parse_layers(text: str) -> list[Layer]:
    """Layers of a comma-separated list, each once, in the order asked for."""
    names = list(dict.fromkeys(text.split(",")))
    unknown = [n for n in names if n not in LAYERS]
    if unknown:
        raise NotFoundError("tiles.layer", layer=unknown[0][:40], known=", ".join(LAYERS))
    return [LAYERS[n] for n in names]


def tile(
    published: Published, cache: TileCache, layers: str, z: int, x: int, y: int, known: Container[str] = ()
) -> Tile:
    """One tile; ``known`` are the ETags the caller has: the body is empty when one still holds."""
    wanted = parse_layers(layers)
    pyramid.check(z, x, y)
    with published.reading() as connection:
        touched = _touched(published.in_force(connection), z, x, y)
        etag = _etag(wanted, touched, (z, x, y))
        if etag in known:
            return Tile(etag, b"")
        body = cache.get(etag)
        if body is None:
            shown = [layer for layer in wanted if z >= layer.minzoom] if touched else []
            parts = [_from_tables(connection, [n for n in shown if n.rows], touched, (z, x, y))]
            parts += [_from_snapshots(connection, published, n, touched, (z, x, y)) for n in shown if not n.rows]
            body = gzip.compress(b"".join(parts), 6, mtime=0)
            cache.put(etag, body)
    return Tile(etag, body)


def _touched(infos: Sequence[InForce], z: int, x: int, y: int) -> list[InForce]:
    west, south, east, north = pyramid.bounds(z, x, y, pyramid.BUFFER)
    return [
        i
        for i in infos
        if i.bounds[0] <= east and i.bounds[2] >= west and i.bounds[1] <= north and i.bounds[3] >= south
    ]


def _etag(layers: Sequence[Layer], touched: Sequence[InForce], tile: tuple[int, int, int]) -> str:
    state = (
        VERSION,
        tile,
        [n.name for n in layers],
        [(i.territory, i.publication, i.generation, i.day.toordinal()) for i in touched],
    )
    return hashlib.sha256(repr(state).encode()).hexdigest()[:24]


def _from_tables(
    connection: Connection, layers: Sequence[Layer], touched: Sequence[InForce], tile: tuple[int, int, int]
) -> bytes:
    territories, publications = [i.territory for i in touched], [i.publication for i in touched]
    return read_tiles.from_tables(connection, layers, tile, territories, publications)


def _from_snapshots(
    connection: Connection, published: Published, layer: Layer, touched: Sequence[InForce], tile: tuple[int, int, int]
) -> bytes:
    features = _Features.empty(layer)
    for info in touched:
        snapshot = published.snapshot(connection, info.publication, info.crs)
        features.extend(_FROM_SNAPSHOT[layer.name](snapshot, tile))
    from gis.tiles import encode  # with numba: a worker starts without waiting for it

    geometry = np.empty(len(features.geometry), dtype=object)
    geometry[:] = features.geometry
    return encode.layer(layer.name, tile, range(1, len(geometry) + 1), features.columns, geometry)


@dataclass
class _Features:
    """Features of one layer as columns."""

    columns: dict[str, list[Any]]
    geometry: list[Any]

    @staticmethod
    def empty(layer: Layer) -> _Features:
        return _Features({name: [] for name in layer.fields}, [])

    def extend(self, more: _Features) -> None:
        for name, values in self.columns.items():
            values.extend(more.columns[name])
        self.geometry += more.geometry


def _near(geometry: Any, tile: tuple[int, int, int]) -> Any:
    """Rows whose box touches the tile with its buffer."""
    west, south, east, north = pyramid.bounds(*tile, buffer=pyramid.BUFFER)
    w, s, e, n = shapely.bounds(geometry).T
    return np.flatnonzero((w <= east) & (e >= west) & (s <= north) & (n >= south))


def _grids(snapshot: Snapshot, tile: tuple[int, int, int]) -> _Features:
    geometry, _ = snapshot.coverage(tile[0])
    rows = _near(geometry, tile)
    grids = snapshot.grids
    names = ("grid_id", "code", "name", "kind", "community", "households")
    columns = {name: getattr(grids, name)[rows].tolist() for name in names}
    return _Features(columns | {"tone": snapshot.tone[rows].tolist()}, list(geometry[rows]))


def _communities(snapshot: Snapshot, tile: tuple[int, int, int]) -> _Features:
    _, geometry = snapshot.coverage(tile[0])
    rows = _near(geometry, tile)
    all_ = snapshot.communities
    households = np.bincount(all_.member, snapshot.grids.households, len(all_.ids)).astype(np.int64)
    columns = {
        "code": [all_.code[k] for k in rows],
        "name": [all_.name[k] for k in rows],
        "households": households[rows].tolist(),
        "grids": np.bincount(all_.member, minlength=len(all_.ids))[rows].tolist(),
    }
    return _Features(columns, list(geometry[rows]))


def _labels(snapshot: Snapshot, tile: tuple[int, int, int]) -> _Features:
    """Points of grids and communities, each in exactly one tile of a zoom (its west and north edge included)."""
    grids, all_ = snapshot.grids, snapshot.communities
    xy = np.vstack([grids.label, snapshot.community_label])
    west, south, east, north = pyramid.bounds(*tile)
    rows = np.flatnonzero((xy[:, 0] >= west) & (xy[:, 0] < east) & (xy[:, 1] > south) & (xy[:, 1] <= north))
    n = len(grids)
    columns: dict[str, list[Any]] = {
        "kind": ["grid" if k < n else "community" for k in rows],
        "code": [grids.code[k] if k < n else all_.code[k - n] for k in rows],
        "name": [grids.name[k] if k < n else all_.name[k - n] for k in rows],
        "grid_id": [grids.grid_id[k] if k < n else None for k in rows],
    }
    return _Features(columns, [shapely.Point(p) for p in xy[rows]])


_FROM_SNAPSHOT: Final = {"grids": _grids, "communities": _communities, "labels": _labels}


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
