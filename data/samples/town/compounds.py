"""Gated compounds 小区: phases, walls, gates, rows of numbered slabs, loop road and footways."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from data.samples.town.names import numeral
from data.samples.town.shapes import LocalFrame, lots_along, polygons_only, without_overlaps
from data.samples.town.site import Front, Site, StreetLand

UNIT_WIDTH = 15.0
DEPTH = 13.0


@dataclass(frozen=True)
class Style:
    """One developer's taste: units a slab, storeys, metres from row to row, share of homes lived in."""

    units: tuple[int, int]
    floors: tuple[int, int]
    row_step: float
    settled: float
    homes: int = 2


STYLES = (
    Style((2, 4), (6, 6), 27.0, 0.88),
    Style((2, 3), (7, 7), 29.0, 0.86),
    Style((2, 3), (11, 11), 40.0, 0.78),
    Style((1, 2), (17, 18), 50.0, 0.66, homes=3),
)


def fill_with_slabs(
    site: Site, ground: Any, compound: str, *, units: tuple[int, int], floors: tuple[int, int], row_step: float,
    settled: float, homes: int = 2, first_number: int = 1, corridor: float = 0.0,
) -> list[dict[str, Any]]:  # fmt: skip
    """Slabs facing south in rows, numbered from the north-west along the rows, there and back (弓字形)."""
    rng = site.rng
    local = LocalFrame.of(ground)
    land = local.inward(ground)
    placed: list[tuple[int, float, Any, int]] = []
    west, south, east, north = land.bounds
    step_off = rng.uniform(0, 3)
    for row, y in enumerate(np.arange(north - DEPTH - step_off, south, -row_step)):
        for sign in (-1, 1):
            x = sign * corridor / 2
            while west < x < east or x == 0:
                n = int(rng.integers(units[0], units[1] + 1))
                width = n * UNIT_WIDTH
                low = x if sign > 0 else x - width
                box = shapely.box(low, y, low + width, y + DEPTH)
                if land.contains(box):
                    placed.append((row, low, box, n))
                    x += sign * (width + 7.0)
                else:
                    x += sign * 4.0
    placed.sort(key=lambda p: (p[0], p[1] if p[0] % 2 == 0 else -p[1]))
    rows: list[dict[str, Any]] = []
    for number, (_, _, box, count) in enumerate(placed, first_number):
        levels = int(rng.integers(floors[0], floors[1] + 1))
        shape = local.outward(box)
        built = site.building(
            shape, "apartments", levels=levels, units=count, floors=levels, name=f"{number}栋", compound=compound,
            **site.dwellings(count * levels * homes, settled=settled),
        )  # fmt: skip
        rows.append(built)
        _unit_doors(site, shape, count, built, compound)
    return rows


def _unit_doors(site: Site, shape: Any, units: int, row: dict[str, Any], compound: str) -> None:
    """One entrance a unit on the north side, numbered from the west."""
    ring = shapely.get_coordinates(shape.exterior)
    top = ring[np.argsort(ring[:4, 1])[2:]] if len(ring) == 5 else ring[:2]
    top = top[np.argsort(top[:, 0])]
    for k in range(units):
        at = np.round(top[0] + (top[1] - top[0]) * (k + 0.5) / units, 2)
        site.town["addresses"].add(
            shapely.Point(at), kind="unit", building=row["source_id"], compound=compound, block=row["name"],
            unit=f"{k + 1}单元",
        )  # fmt: skip


def fill_compound(
    site: Site, parcel: Any, streets: StreetLand, *, base: str, phase: int, style: Style, first_number: int
) -> int:
    """Walls, gate, roads and buildings of one phase on one parcel; returns the next building number."""
    main = streets.main_streets(parcel)
    ground = streets.ground(parcel, 3.0)
    if not main.is_empty:
        _shops(site, parcel, main, streets)
        ground = ground.difference(main.buffer(34.0, quad_segs=2))
    plots = polygons_only(ground.buffer(-1.0, join_style="mitre").buffer(1.0, join_style="mitre"), 3500)
    if not plots:
        return first_number
    plot = shapely.set_precision(max(plots, key=lambda p: p.area).simplify(0.8), 0.01)
    name = base + (numeral(phase) + "期" if phase else "")
    rows = fill_with_slabs(
        site, plot.buffer(-10.5), name, units=style.units, floors=style.floors, row_step=style.row_step,
        settled=style.settled, homes=style.homes, first_number=first_number, corridor=11.0,
    )  # fmt: skip
    if not rows:
        return first_number
    site.town["compounds"].add(
        plot, name=name, base_name=base, phase=numeral(phase) + "期" if phase else "", kind="residential"
    )
    _inner_roads(site, parcel, plot, style.row_step, name)
    return first_number + len(rows)


def _inner_roads(site: Site, parcel: Any, plot: Any, row_step: float, name: str) -> None:
    """A spine from the gate, a loop inside the wall, footways between the rows; and the wall with its gap."""
    local = LocalFrame.of(plot)
    land = local.inward(plot)
    loop = shapely.simplify(land.buffer(-7.5, join_style="mitre"), 1.0)
    if loop.is_empty or loop.geom_type != "Polygon":
        return
    _, south, _, north = loop.bounds
    spine = shapely.LineString([(0, south - 40), (0, north + 40)]).intersection(loop)
    if spine.is_empty or spine.geom_type != "LineString":
        return
    corners = local.inward(shapely.MultiPoint(shapely.get_coordinates(parcel.exterior)))
    outside = shapely.get_coordinates(corners)
    ends = shapely.get_coordinates(spine)
    reach = [(float(np.hypot(*(outside - end).T).min()), k) for k, end in enumerate(ends)]
    k = min(reach)[1]
    door = outside[int(np.argmin(np.hypot(*(outside - ends[k]).T)))]
    drive = shapely.LineString([door, ends[k]])
    gate = drive.intersection(land.exterior)
    rows = np.arange(north - 12 - DEPTH - (row_step - DEPTH) / 2, south + 10, -row_step)
    paths = [shapely.LineString([(-2e3, y), (2e3, y)]).intersection(loop) for y in rows]
    _add_roads(site, local, [loop.exterior, spine, drive], [p for p in paths if p.geom_type == "LineString"])
    wall = land.exterior
    if not gate.is_empty:
        at = shapely.Point(shapely.get_coordinates(gate)[0])
        wall = wall.difference(at.buffer(4.0))
        out = local.outward(at)
        site.fronts.append(Front((out.x, out.y), None, compound=name))
    for part in shapely.get_parts(shapely.line_merge(wall)):
        site.town["barriers"].add(local.outward(part), kind="wall", name=name)


def _add_roads(site: Site, local: LocalFrame, roads: list[Any], paths: list[Any]) -> None:
    """Node roads and footways with each other on the 1 cm grid and add what comes of each."""
    outward = [local.outward(shapely.LineString(shapely.get_coordinates(r))) for r in roads + paths]
    service = shapely.union_all(outward[: len(roads)], grid_size=0.01)
    both = shapely.union_all([service, *outward[len(roads) :]], grid_size=0.01)
    parts = shapely.get_parts(both)
    middles = shapely.line_interpolate_point(parts, 0.5, normalized=True)
    is_service = shapely.distance(middles, service) < 0.02
    for highway, chosen in (("service", parts[is_service]), ("footway", parts[~is_service])):
        if len(chosen):
            for line in shapely.get_parts(shapely.line_merge(shapely.MultiLineString(list(chosen)))):
                site.street(line, highway)


def _shops(site: Site, parcel: Any, main: Any, streets: StreetLand) -> None:
    """A strip of shops between a main street and the compound behind it."""
    rng = site.rng
    ground = streets.ground(parcel, 2.5)
    lots = []
    for line in shapely.get_parts(main):
        path = shapely.get_coordinates(line.simplify(0.5))
        inside = parcel.contains(shapely.Point(_beside(path)))
        lots += list(
            lots_along(path, rng, side=1 if inside else -1, back=20.0, frontage=(9, 26), depth=(11, 13), vacant=0.22,
                       gap=(0, 6))
        )  # fmt: skip
    if not lots:
        return
    shapes = np.array([lot.shape for lot in lots], dtype=object)
    ok = shapely.contains(ground, shapes)
    lots = [lot for lot, fits in zip(lots, ok, strict=True) if fits]
    for k in without_overlaps([lot.shape for lot in lots]):
        levels = int(rng.integers(2, 4))
        row = site.building(
            lots[k].shape, "retail", levels=levels, units=1, floors=levels, households=0, occupied_households=0,
            dwellings=0, work_shops=float(rng.integers(1, 5)),
        )  # fmt: skip
        site.fronts.append(Front(lots[k].front, row, numbered=bool(rng.random() < 0.8)))


def _beside(path: Any) -> tuple[float, float]:
    """A point 12 m to the left of the middle of a polyline."""
    middle = len(path) // 2
    step = path[middle] - path[middle - 1]
    step = step / np.hypot(*step)
    at = (path[middle] + path[middle - 1]) / 2 + 24 * np.array([-step[1], step[0]])
    return float(at[0]), float(at[1])
