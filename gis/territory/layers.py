"""Making the layers of :mod:`gis.territory.model`: columns that are not given become "not known"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.territory.model import (
    Areas,
    Barriers,
    Buildings,
    Columns,
    Geometries,
    GivenAtoms,
    Ints,
    MapDoors,
    Sites,
    Sources,
    Streets,
    Texts,
)

Layer = TypeVar("Layer", bound=Columns)
Column = Sequence[Any] | NDArray[Any]

_TEXT = {
    "source_id",
    "highway",
    "name",
    "junction",
    "service",
    "kind",
    "use",
    "housenumber",
    "street",
    "code",
    "building",
}
_FLAG = {"bridge", "tunnel", "oneway"}
_COUNT = {"layer"}


def texts(values: Column) -> Texts:
    """An object array of str."""
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out


def geometries(values: Column) -> Geometries:
    """An object array of geometries (numpy must not look inside them)."""
    return texts(values)


def _column(name: str, values: Column | None, n: int) -> NDArray[Any]:
    if name in _TEXT or name == "geometry":
        return texts([""] * n if values is None else values)
    if name in _FLAG:
        return np.zeros(n, dtype=bool) if values is None else np.asarray(values, dtype=bool)
    if name in _COUNT:
        return np.zeros(n, dtype=np.int64) if values is None else np.asarray(values, dtype=np.int64)
    return np.full(n, np.nan) if values is None else np.asarray(values, dtype=np.float64)


def _make(kind: type[Layer], geometry: Column, given: dict[str, Column | None]) -> Layer:
    n = len(geometry)
    if given.get("source_id") is None:
        given["source_id"] = [str(i) for i in range(n)]
    names = [f.name for f in fields(kind) if f.name not in {"geometry", "work"}]  # type: ignore[arg-type]
    unknown = set(given) - set(names)
    if unknown:
        raise TypeError(f"{kind.__name__} has no column {sorted(unknown)}")
    return kind(geometry=geometries(geometry), **{k: _column(k, given.get(k), n) for k in names})  # type: ignore[call-arg]


def make_streets(geometry: Column, **columns: Column | None) -> Streets:
    """Streets from LineStrings; ``source_id`` defaults to the row number, ``highway`` to ``residential``."""
    columns.setdefault("highway", ["residential"] * len(geometry))
    return _make(Streets, geometry, columns)


def make_barriers(geometry: Column, **columns: Column | None) -> Barriers:
    """Barriers from lines and areas; ``kind`` defaults to ``water``."""
    columns.setdefault("kind", ["water"] * len(geometry))
    return _make(Barriers, geometry, columns)


def make_buildings(geometry: Column, work: dict[str, Column] | None = None, **columns: Column | None) -> Buildings:
    """Buildings from footprints or points; counts default to NaN. ``work`` holds ``work_*`` weights by name."""
    made = _make(Buildings, geometry, columns)
    return replace(made, work={k: np.asarray(v, dtype=np.float64) for k, v in (work or {}).items()})


def make_areas(geometry: Column, **columns: Column | None) -> Areas:
    """Communities, compounds or villager groups."""
    return _make(Areas, geometry, columns)


def make_sites(geometry: Column, **columns: Column | None) -> Sites:
    """Places without residents."""
    return _make(Sites, geometry, columns)


def make_doors(geometry: Column, **columns: Column | None) -> MapDoors:
    """Doors and address points of buildings."""
    return _make(MapDoors, geometry, columns)


def make_atoms(geometry: Column, households: Column | Ints, **columns: Column | None) -> GivenAtoms:
    """A given ``atoms`` layer; ``block`` and ``community`` default to "", ``work`` to NaN."""
    n = len(geometry)
    return GivenAtoms(
        geometry=geometries(geometry),
        source_id=texts(columns.get("source_id") or [str(i) for i in range(n)]),
        households=np.asarray(households, dtype=np.int64),
        block=texts(columns.get("block") or [""] * n),
        community=texts(columns.get("community") or [""] * n),
        work=_column("work", columns.get("work"), n),
    )


def make_sources(crs: str, **layers: Any) -> Sources:
    """Sources whose layers left out are empty."""
    blank: dict[str, Any] = {
        "streets": make_streets([]),
        "barriers": make_barriers([]),
        "buildings": make_buildings([]),
        "compounds": make_areas([]),
        "villager_groups": make_areas([]),
        "communities": make_areas([]),
        "sites": make_sites([]),
        "doors": make_doors([]),
    }
    return Sources(crs=crs, **{**blank, **layers})


def line_parts(geometry: Geometries) -> tuple[Geometries, NDArray[np.int64]]:
    """Lines split into their single parts, with the row each came from."""
    parts, row = shapely.get_parts(geometry, return_index=True)
    return parts, row.astype(np.int64)
