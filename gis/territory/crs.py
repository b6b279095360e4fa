"""Which metre CRS a territory is worked in, and moving layers between CRSs.

Topology and every measure are in metres: the input's own projected metre CRS where its scale error is under
0.1 % over the data, else the UTM zone of the data's middle; never EPSG:3857, whose metres are 15 to 100 %
too long where people live.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from gis.errors import InputError
from gis.territory.model import Floats, Geometries, Sources

#: Largest relative error of lengths for which the input's own CRS is kept.
SCALE_ERROR: Final = 1e-3
_MERCATOR: Final = frozenset({3857, 3785, 900913, 3395})
_LAYERS: Final = ("streets", "barriers", "buildings", "compounds", "villager_groups", "communities", "sites", "doors")


@lru_cache(maxsize=32)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def reproject(geometry: Any, source: str, target: str, layer: str = "") -> Any:
    """Geometries from one CRS to another, x first (easting, longitude) in both.

    Raises :class:`InputError` ``input.wrong_crs`` when points have no place in the target.
    """
    if source == target or len(geometry) == 0:
        return geometry
    transformer = _transformer(source, target)

    def move(points: Floats) -> Floats:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    moved = shapely.transform(geometry, move)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise InputError("input.wrong_crs", layer=layer, crs=name_of(source))
    return moved


def known_metre_crs(crs: str) -> str:
    """``crs`` itself. Raises :class:`InputError` when it is unknown, or no projected CRS in metres."""
    known = parsed(crs)
    if not known.is_projected or not _in_metres(known) or known.to_epsg() in _MERCATOR:
        raise InputError("input.crs_not_metres", crs=crs)
    return crs


def parsed(crs: str) -> pyproj.CRS:
    """A CRS by its name. Raises :class:`InputError` ``input.crs_unknown``."""
    try:
        known = pyproj.CRS.from_user_input(crs)
    except pyproj.exceptions.CRSError:
        raise InputError("input.crs_unknown", crs=crs) from None
    if not (known.is_projected or known.is_geographic):
        raise InputError("input.crs_unknown", crs=crs)
    return known


def _in_metres(crs: pyproj.CRS) -> bool:
    return all(abs(axis.unit_conversion_factor - 1) < 1e-9 for axis in crs.axis_info[:2])


def name_of(crs: str) -> str:
    """A short name of a CRS for people: ``EPSG:n`` where it has one."""
    known = pyproj.CRS.from_user_input(crs)
    authority = known.to_authority(min_confidence=70)
    return ":".join(authority) if authority else known.name


def coordinates_of(sources: Sources) -> Floats:
    """Every vertex of what plans are made from: buildings and atoms, else streets, else communities."""
    atoms = sources.atoms.geometry if sources.atoms is not None else np.empty(0, dtype=object)
    for geometry in (sources.buildings.geometry, atoms, sources.streets.geometry, sources.communities.geometry):
        points = shapely.get_coordinates(geometry)
        if len(points):
            return np.asarray(points, dtype=np.float64)
    return np.empty((0, 2))


def utm_of(longitude: float, latitude: float) -> str:
    """The UTM zone of a point, WGS 84, by longitude alone.

    The exceptions of Norway and Svalbard are left out: they serve national map sheets, and raise scale errors.
    """
    zone = int((longitude + 180) // 6) % 60 + 1
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def metre_crs(sources: Sources) -> str:
    """The CRS in which this input is cut: its own where that is good enough, else UTM of the median point."""
    points = coordinates_of(sources)
    if not len(points):
        raise InputError("input.empty")
    middle = np.median(points, axis=0)
    if _own_is_fit(sources.crs, points):
        return sources.crs
    longitude, latitude = _transformer(sources.crs, "EPSG:4326").transform(*middle)
    if not (np.isfinite(longitude) and np.isfinite(latitude)):
        raise InputError("input.wrong_crs", layer="", crs=name_of(sources.crs))
    return utm_of(longitude, latitude)


def _own_is_fit(crs: str, points: Floats) -> bool:
    """A projected CRS in metres whose scale along both axes is right within 0.1 % over the data."""
    known = pyproj.CRS.from_user_input(crs)
    if not known.is_projected or not _in_metres(known):
        return False
    if known.to_epsg() in _MERCATOR or known.coordinate_operation is None:
        return False
    low, middle, high = np.percentile(points, [1, 50, 99], axis=0)
    to_degrees = _transformer(crs, "EPSG:4326")
    projection = pyproj.Proj(crs)
    for x, y in (low, middle, high):
        longitude, latitude = to_degrees.transform(x, y)
        if not np.isfinite(longitude):
            return False
        factors = projection.get_factors(longitude, latitude)
        scales = np.array([factors.meridional_scale, factors.parallel_scale])
        if not np.isfinite(scales).all() or np.abs(scales - 1).max() >= SCALE_ERROR:
            return False
    return True


def project(sources: Sources, crs: str) -> Sources:
    """The same input in another CRS."""
    if crs == sources.crs:
        return sources
    moved: dict[str, Any] = {}
    for name in _LAYERS:
        layer = getattr(sources, name)
        moved[name] = replace(layer, geometry=reproject(layer.geometry, sources.crs, crs, name))
    atoms = sources.atoms
    if atoms is not None:
        atoms = replace(atoms, geometry=reproject(atoms.geometry, sources.crs, crs, "atoms"))
    territory = sources.territory
    if territory is not None:
        # Long straight edges of degrees are curves in metres: five square kilometres miss their corners by
        # 1,841 m2 unless the edges are divided first.
        fine = shapely.segmentize(territory, _step(sources.crs))
        territory = reproject(np.array([fine], dtype=object), sources.crs, crs, "territory")[0]
    return replace(sources, crs=crs, atoms=atoms, territory=territory, **moved)


def _step(crs: str) -> float:
    return 0.001 if pyproj.CRS.from_user_input(crs).is_geographic else 100.0


def grid(geometry: Geometries, step: float = 0.01) -> Geometries:
    """Every vertex rounded to the grid, vertex by vertex (no cleaning: invalid shapes stay visible)."""
    rounded: Geometries = shapely.transform(geometry, lambda p: np.rint(p / step) * step)
    return rounded
