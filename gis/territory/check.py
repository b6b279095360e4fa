"""The input checked on entry: faults of the whole, and single features that cannot be used.

A fault of the whole input raises :class:`InputError` with the layer, the row and what to do. A single unusable
feature is moved to ``excluded`` with its reason, and the job goes on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyproj
import shapely

from gis.errors import InputError
from gis.territory.classes import LANE_RANK, STREET_RANK
from gis.territory.crs import coordinates_of, known_metre_crs, metre_crs, name_of, project
from gis.territory.model import Areas, Bools, Buildings, Columns, Exclusion, Floats, Geometries, Ints, Sources

FAR: Final = 10.0  # degrees by which data may lie outside its CRS's area of use
APART: Final = 5000.0  # metres between layers that belong together
REMOTE: Final = 500_000.0  # metres from the middle of the input beyond which a feature is a mistake
DEGREE: Final = 111_320.0  # metres
SLIVER: Final = 0.5  # metres: communities may miss or overlap one another by less, which is repaired
SMALL: Final = 1.0  # m²: a smaller gap or overlap is repaired as well


def prepare(sources: Sources, crs: str | None = None) -> Sources:
    """The input projected to its metre CRS (or ``crs``) and checked: what everything else works on."""
    check_places(sources)
    sources = without_far(sources)
    target = metre_crs(sources) if crs is None else known_metre_crs(crs)
    return check(project(sources, target))


def check_coordinates(geometry: Geometries, crs: str, layer: str) -> None:
    """Raise when the coordinates of a layer cannot be those of its CRS: swapped, or another CRS."""
    points = shapely.get_coordinates(geometry)
    if not len(points):
        return
    if not np.isfinite(points).all():
        raise InputError("input.not_finite", layer=layer)
    x, y = np.abs(points).T
    known = pyproj.CRS.from_user_input(crs)
    values = {"layer": layer, "crs": name_of(crs), "x": f"{points[0, 0]:.6g}", "y": f"{points[0, 1]:.6g}"}
    if known.is_geographic:
        if x.max() <= 90 < y.max() <= 180:
            raise InputError("input.swapped", **values)
        if x.max() > 180 or y.max() > 90:
            raise InputError("input.not_degrees", **values)
        return
    if max(x.max(), y.max()) <= 180:
        raise InputError("input.degrees", **values)
    middle = np.median(points, axis=0)
    if not _in_use(known, middle[0], middle[1]):
        raise InputError("input.swapped" if _in_use(known, middle[1], middle[0]) else "input.wrong_crs", **values)


def _in_use(crs: pyproj.CRS, x: float, y: float) -> bool:
    """Whether a point lies in the CRS's area of use, or within ``FAR`` degrees of it."""
    longitude, latitude = pyproj.Transformer.from_crs(crs, 4326, always_xy=True).transform(x, y)
    if not (np.isfinite(longitude) and np.isfinite(latitude)):
        return False
    area = crs.area_of_use
    if area is None:
        return True
    if not area.south - FAR <= latitude <= area.north + FAR:
        return False
    if area.west > area.east:  # across the antimeridian
        return bool(longitude >= area.west - FAR or longitude <= area.east + FAR)
    return bool(area.west - FAR <= longitude <= area.east + FAR)


def check_places(sources: Sources) -> None:
    """Raise when any layer's coordinates cannot be those of the input's CRS."""
    for name in ("buildings", "streets", "communities"):
        check_coordinates(getattr(sources, name).geometry, sources.crs, name)
    if sources.atoms is not None:
        check_coordinates(sources.atoms.geometry, sources.crs, "atoms")


def without_far(sources: Sources) -> Sources:
    """The input without features more than ``REMOTE`` from its middle, such as those at 0, 0: they are left out.

    They would otherwise be projected to where the metre CRS has no meaning.
    """
    points = coordinates_of(sources)
    if not len(points):
        return sources
    middle = np.median(points, axis=0)
    reach = np.full(2, REMOTE)
    if pyproj.CRS.from_user_input(sources.crs).is_geographic:
        reach = REMOTE / DEGREE / np.array([max(np.cos(np.radians(middle[1])), 0.05), 1.0])
    excluded: list[Exclusion] = []
    kept: dict[str, Any] = {}
    for name in ("streets", "barriers", "buildings"):
        rows = getattr(sources, name)
        box = shapely.bounds(rows.geometry)
        # Across the antimeridian every feature is far from the middle: such an input is projected as it is.
        away = np.abs((box[:, :2] + box[:, 2:]) / 2 - middle) > reach
        far: Bools = np.logical_or(away[:, 0], away[:, 1])
        if far.any() and far.mean() < 0.2:
            _leave_out(name, rows, far, "far_away", excluded)
            kept[name] = rows.take(~far)
    if "buildings" in kept:
        kept["doors"] = sources.doors.take(np.isin(sources.doors.building, kept["buildings"].source_id))
    return replace(sources, **kept, excluded=(*sources.excluded, *excluded))


def check(sources: Sources) -> Sources:
    """The same input in metres without its unusable features.

    Raises :class:`InputError` for a fault of the whole input; see the ``input`` message catalogue for all of them.
    """
    _counts(sources.buildings)
    _ids("buildings", sources.buildings)
    _ids("communities", sources.communities)
    excluded: list[Exclusion] = []
    streets = _lines(sources, excluded)
    buildings = _footprints(sources.buildings, excluded)
    barriers = _valid("barriers", sources.barriers, excluded)
    compounds = _valid("compounds", sources.compounds, excluded)
    groups = _valid("villager_groups", sources.villager_groups, excluded)
    sites = _valid("sites", sources.sites, excluded)
    checked = replace(
        sources,
        streets=streets,
        buildings=buildings,
        barriers=barriers,
        compounds=compounds,
        villager_groups=groups,
        communities=communities_of(sources.communities),
        sites=sites,
        excluded=(*sources.excluded, *excluded),
    )
    if checked.atoms is not None:
        _atoms(checked)
        return checked
    if not len(streets):
        raise InputError("input.no_streets", layer="streets")
    if not len(buildings):
        raise InputError("input.no_buildings", layer="buildings")
    _together(checked)
    return checked


def _counts(buildings: Buildings) -> None:
    for name in ("households", "occupied_households"):
        values: Floats = getattr(buildings, name)
        bad = np.isfinite(values) & ((values < 0) | (values != np.floor(values))) | np.isinf(values)
        for i in np.flatnonzero(bad):
            raise InputError(
                "input.households",
                layer="buildings",
                row=buildings.source_id[i],
                column=name,
                value=f"{values[i]:g}",
            )
    for name, amounts in buildings.work.items():
        for i in np.flatnonzero((amounts < 0) | np.isinf(amounts)):
            raise InputError(
                "input.work", layer="buildings", row=buildings.source_id[i], column=name, value=f"{amounts[i]:g}"
            )
    for i in np.flatnonzero(buildings.occupied_households > buildings.households):
        raise InputError("input.occupied", layer="buildings", row=buildings.source_id[i])


def _ids(layer: str, rows: Any) -> None:
    ids, counts = np.unique(rows.source_id.astype(str), return_counts=True)
    for i in np.flatnonzero(counts > 1):
        raise InputError("input.duplicate_id", layer=layer, row=str(ids[i]), count=int(counts[i]))


def _lines(sources: Sources, excluded: list[Exclusion]) -> Any:
    """Streets that are lines of a known class, each drawn once."""
    streets = sources.streets
    known = np.array([h in STREET_RANK or h in LANE_RANK for h in streets.highway], dtype=bool)
    _leave_out("streets", streets, ~known, "street_class", excluded)
    streets = streets.take(known)
    flat = shapely.length(streets.geometry) < 0.01
    _leave_out("streets", streets, flat, "empty", excluded)
    streets = streets.take(~flat)
    rank = np.array([STREET_RANK.get(h, LANE_RANK.get(h, 0)) for h in streets.highway])
    twice = _twice(streets.geometry, np.argsort(-rank, kind="stable"))
    _leave_out("streets", streets, twice, "duplicate", excluded)
    return streets.take(~twice)


def _twice(geometry: Geometries, order: Ints) -> Bools:
    """Rows whose shape (to the centimetre, in either direction) an earlier row in ``order`` has already."""
    shapes = shapely.to_wkb(shapely.normalize(shapely.transform(geometry, lambda p: np.rint(p * 100) / 100)))
    _, first = np.unique(shapes[order], return_index=True)
    out = np.ones(len(geometry), dtype=bool)
    out[order[first]] = False
    return out


def _leave_out(layer: str, rows: Any, which: Bools, reason: str, excluded: list[Exclusion]) -> None:
    given = getattr(rows, "households", None)
    for i in np.flatnonzero(which):
        count = int(given[i]) if given is not None and np.isfinite(given[i]) else 0
        excluded.append(Exclusion(layer, str(rows.source_id[i]), reason, count))


def _valid(layer: str, rows: Any, excluded: list[Exclusion]) -> Any:
    bad = ~shapely.is_valid(rows.geometry) | shapely.is_empty(rows.geometry)
    _leave_out(layer, rows, bad, "invalid", excluded)
    return rows.take(~bad)


def _footprints(buildings: Buildings, excluded: list[Exclusion]) -> Buildings:
    """Usable footprints: valid, with an area, each drawn once.

    Of two equal footprints the second is left out, unless both have households given: then they are two records
    of one building, and both count.
    """
    crossing = ~shapely.is_valid(buildings.geometry)
    _leave_out("buildings", buildings, crossing, "self_crossing", excluded)
    buildings = buildings.take(~crossing)
    flat = (shapely.get_dimensions(buildings.geometry) == 2) & (shapely.area(buildings.geometry) < 0.01)
    _leave_out("buildings", buildings, flat, "empty", excluded)
    buildings = buildings.take(~flat)
    given = np.isfinite(buildings.households) | np.isfinite(buildings.occupied_households)
    twice = _twice(buildings.geometry, np.argsort(~given, kind="stable")) & ~given
    _leave_out("buildings", buildings, twice, "duplicate", excluded)
    return buildings.take(~twice)


def communities_of(communities: Areas) -> Areas:
    """Communities as an exact coverage on the 1 cm grid, slivers under ``SLIVER`` m or ``SMALL`` m² repaired.

    Raises :class:`InputError` where they overlap or leave holes.
    """
    if not len(communities):
        return communities
    for i in np.flatnonzero(~shapely.is_valid(communities.geometry)):
        row = _named(communities, i)
        raise InputError("input.invalid_area", layer="communities", row=row)
    geometry = shapely.set_precision(communities.geometry, 0.01)
    _overlaps(communities, geometry)
    if not shapely.coverage_is_valid(geometry, gap_width=SLIVER):
        cleaned = shapely.coverage_clean(geometry, gap_width=SLIVER, snapping_distance=0.02)  # type: ignore[attr-defined]
        geometry = shapely.set_precision(np.asarray(cleaned, dtype=object), 0.01)
    _holes(geometry)
    return replace(communities, geometry=geometry)


def _named(areas: Areas, i: int | np.integer[Any]) -> str:
    return str(areas.name[i] or areas.code[i] or areas.source_id[i])


def _overlaps(communities: Areas, geometry: Geometries) -> None:
    heads, tails = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    once = heads < tails
    heads, tails = heads[once], tails[once]
    common = shapely.intersection(geometry[heads], geometry[tails])
    wide = ~shapely.is_empty(shapely.buffer(common, -SLIVER / 2)) & (shapely.area(common) > SMALL)
    for k in np.flatnonzero(wide):
        raise InputError(
            "input.overlap",
            layer="communities",
            row=_named(communities, heads[k]),
            other=_named(communities, tails[k]),
            area=f"{shapely.area(common[k]):,.0f}",
        )


def _holes(geometry: Geometries) -> None:
    whole = shapely.union_all(geometry)
    for part in shapely.get_parts(whole):
        for ring in part.interiors:
            hole = shapely.Polygon(ring)
            if hole.area > SMALL:
                place = hole.representative_point()
                raise InputError(
                    "input.hole",
                    layer="communities",
                    area=f"{hole.area:,.0f}",
                    x=f"{place.x:.1f}",
                    y=f"{place.y:.1f}",
                )


def _atoms(sources: Sources) -> None:
    """Given atoms: single valid polygons (whether they fit together is seen when they are taken as atoms)."""
    atoms = sources.atoms
    assert atoms is not None
    _ids("atoms", atoms)
    bad = ~shapely.is_valid(atoms.geometry) | (shapely.get_type_id(atoms.geometry) != 3)
    for i in np.flatnonzero(bad | shapely.is_empty(atoms.geometry)):
        raise InputError("input.atoms_geometry", layer="atoms", row=atoms.source_id[i])


def _box(rows: Columns) -> Floats:
    """Middle nine tenths of a layer: one stray feature does not move it."""
    points = shapely.get_coordinates(rows.geometry)  # type: ignore[attr-defined]
    low, high = np.percentile(points, [5, 95], axis=0)
    return np.concatenate([low, high])


def _together(sources: Sources) -> None:
    """Raise when two layers do not lie in one place: one of them has the wrong CRS or swapped coordinates."""
    home = _box(sources.buildings)
    others: dict[str, Columns] = {"streets": sources.streets, "communities": sources.communities}
    for layer, rows in others.items():
        if len(rows):
            box = _box(rows)
            apart = max(box[0] - home[2], home[0] - box[2], box[1] - home[3], home[1] - box[3])
            if apart > APART:
                raise InputError("input.apart", layer=layer, other="buildings", km=f"{apart / 1000:,.0f}")
    if sources.territory is not None:
        box = np.array(shapely.bounds(sources.territory))
        if (box[:2] > home[2:]).any() or (home[:2] > box[2:]).any():
            raise InputError("input.apart", layer="territory", other="buildings", km="0")
