"""What a tile holds: from a request and what is in force to the bytes of a vector tile, not compressed.

How tiles are kept, versioned and sent is ``api.services.tiles``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection

from api.services.published import Published, Snapshot
from api.services.tile_request import TileRequest
from data.postgres import read_tiles
from data.postgres.read_published import InForce
from data.postgres.read_tiles import LAYERS, Layer
from gis.errors import InputError
from gis.tiles import pyramid


@dataclass(frozen=True)
class Part:
    """What one territory gives to a tile. Hashable; with the versions of the tables read, it names the content.

    ``publication`` is the one that is shown; None for a plan version that was never published.
    """

    territory: int
    publication: int | None
    version: int | None
    day: date
    crs: str
    generation: int


def parts(published: Published, connection: Connection, request: TileRequest) -> tuple[Part, ...]:
    """What a tile is made of, by territory; empty where nothing lies.

    Raises UnauthorizedError for a plan that is not published, unless ``request.drafts``.
    """
    if request.plan is not None:
        raise InputError("tiles.plan", plan=request.plan)
    return touching(published.in_force(connection, request.as_of), request)


def touching(infos: Sequence[InForce], request: TileRequest) -> tuple[Part, ...]:
    """The parts of a request without ``plan``, from what is in force on its day."""
    west, south, east, north = pyramid.bounds(*request.tile, pyramid.BUFFER)
    return tuple(
        Part(i.territory, i.publication, None, i.day, i.crs, i.generation)
        for i in infos
        if i.bounds[0] <= east and i.bounds[2] >= west and i.bounds[1] <= north and i.bounds[3] >= south
    )


def content(published: Published, connection: Connection, request: TileRequest, of: Sequence[Part]) -> bytes:
    """The tile of a request, made of ``of`` (see ``parts``); b"" when nothing shows."""
    wanted = [LAYERS[name] for name in request.layers]
    shown = [layer for layer in wanted if request.z >= layer.minzoom] if of else []
    made = [_from_tables(connection, [n for n in shown if n.rows], of, request.tile)]
    made += [_from_snapshots(connection, published, n, of, request.tile) for n in shown if not n.rows]
    return b"".join(made)


def _from_tables(
    connection: Connection, layers: Sequence[Layer], of: Sequence[Part], tile: tuple[int, int, int]
) -> bytes:
    territories, publications = [i.territory for i in of], [i.publication or 0 for i in of]
    return read_tiles.from_tables(connection, layers, tile, territories, publications)


def _from_snapshots(
    connection: Connection, published: Published, layer: Layer, of: Sequence[Part], tile: tuple[int, int, int]
) -> bytes:
    features = _Features.empty(layer)
    for info in of:
        snapshot = published.snapshot(connection, info.publication or 0, info.crs)
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
