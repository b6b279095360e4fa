"""The input of every plan as columns: one frozen class a layer, all in one CRS.

Arrays of one class have one length. Geometry arrays hold shapely geometries (dtype object); text
columns are dtype object with ``""`` for "not known"; numeric columns are float64 with NaN for "not known".
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Texts = NDArray[np.object_]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


class Columns:
    """Mixin for frozen dataclasses whose fields are equally long arrays (or a dict of such)."""

    def __len__(self) -> int:
        return len(self.geometry)  # type: ignore[attr-defined]

    def take(self, which: NDArray[Any]) -> Self:
        """The rows named by an index or boolean array, in that order."""
        changed: dict[str, Any] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if isinstance(value, dict):
                changed[f.name] = {k: v[which] for k, v in value.items()}
            else:
                changed[f.name] = value[which]
        return replace(self, **changed)  # type: ignore[type-var]


@dataclass(frozen=True)
class Streets(Columns):
    """Centrelines. ``highway`` as in OpenStreetMap; ``layer`` is OSM's vertical order (0 = ground)."""

    geometry: Geometries  # LineString
    source_id: Texts
    highway: Texts
    name: Texts
    bridge: Bools
    tunnel: Bools
    oneway: Bools
    layer: Ints
    junction: Texts  # "roundabout", "circular" or ""
    service: Texts  # "driveway", "alley", "parking_aisle", ... or ""


@dataclass(frozen=True)
class Barriers(Columns):
    """Lines and areas that people do not cross: ``kind`` is ``water``, ``rail`` or ``wall``."""

    geometry: Geometries  # LineString, Polygon or MultiPolygon
    source_id: Texts
    kind: Texts
    name: Texts
    tunnel: Bools


@dataclass(frozen=True)
class Buildings(Columns):
    """Footprints (or points) with what households are given or estimated from.

    ``use`` is OSM's ``building`` value or the file's ``use`` column. Counts are NaN where not given.
    ``work`` holds the ``work_*`` weights by name.
    """

    geometry: Geometries  # Polygon, MultiPolygon or Point
    source_id: Texts
    use: Texts
    name: Texts
    housenumber: Texts
    street: Texts
    households: Floats
    occupied_households: Floats
    dwellings: Floats
    levels: Floats
    height: Floats  # metres
    units: Floats  # entrances (单元)
    floors: Floats
    work: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Areas(Columns):
    """Communities, compounds or villager groups. ``code`` is "" where the source has none."""

    geometry: Geometries  # Polygon or MultiPolygon
    source_id: Texts
    code: Texts
    name: Texts


@dataclass(frozen=True)
class Sites(Columns):
    """Places without residents: schools, hospitals, parks ... ``kind`` is one of gis.territory.sites."""

    geometry: Geometries  # Polygon or MultiPolygon
    source_id: Texts
    kind: Texts
    name: Texts


@dataclass(frozen=True)
class MapDoors(Columns):
    """Doors and address points that a map shows on or in buildings: ``building`` is that building's source id.

    ``name`` as people say it (2单元), ``street`` and ``housenumber`` what hangs there, or "".
    """

    geometry: Geometries  # Point
    source_id: Texts
    building: Texts
    name: Texts
    street: Texts
    housenumber: Texts


def _no_doors() -> MapDoors:
    return MapDoors(*(np.empty(0, dtype=object) for _ in range(6)))


def _no_sites() -> Sites:
    return Sites(*(np.empty(0, dtype=object) for _ in range(4)))


@dataclass(frozen=True)
class GivenAtoms(Columns):
    """An ``atoms`` layer taken as it is; rows keep the input's order."""

    geometry: Geometries  # Polygon
    source_id: Texts
    households: Ints
    block: Texts
    community: Texts
    work: Floats  # NaN: not given


@dataclass(frozen=True)
class Exclusion:
    """One input feature left out, and why. ``reason`` is a code of the ``excluded`` catalogue."""

    layer: str
    source_id: str
    reason: str
    households: int = 0


@dataclass(frozen=True)
class Sources:
    """All layers of one input. ``crs`` names the CRS of every geometry (``EPSG:n`` or WKT).

    ``territory`` is the explicit ``--territory`` area or None; ``digest`` is the SHA-256 of the input bytes.
    """

    crs: str
    streets: Streets
    barriers: Barriers
    buildings: Buildings
    compounds: Areas
    villager_groups: Areas
    communities: Areas
    atoms: GivenAtoms | None = None
    territory: Any = None  # shapely Polygon or MultiPolygon
    excluded: tuple[Exclusion, ...] = ()
    digest: str = ""
    attribution: str = ""
    sites: Sites = field(default_factory=_no_sites)
    doors: MapDoors = field(default_factory=_no_doors)
