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
#: Metres from the wall to the nearest building.
INSET = 10.5


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
    local: LocalFrame | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Slabs facing south in rows, numbered from the north-west along the rows, there and back (弓字形)."""
    rng = site.rng
    local = local or LocalFrame.of(ground)
    land = local.inward(ground)
    placed: list[tuple[int, float, Any, int]] = []
    west, south, east, north = land.bounds
    for row, y in enumerate(np.arange(north - DEPTH, south, -row_step)):
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
        ground = ground.difference(main.buffer(34.0, quad_segs=2))
    plots = polygons_only(ground.buffer(-1.0, join_style="mitre").buffer(1.0, join_style="mitre"), 3500)
    if not plots:
        _shops(site, parcel, main, streets, None)
        return first_number
    plot = shapely.set_precision(max(plots, key=lambda p: p.area).simplify(0.8), 0.01)
    name = base + (numeral(phase) + "期" if phase else "")
    local, inside = LocalFrame.of(plot), plot.buffer(-INSET)
    rows = fill_with_slabs(
        site, inside, name, units=style.units, floors=style.floors, row_step=style.row_step,
        settled=style.settled, homes=style.homes, first_number=first_number, corridor=11.0, local=local,
    )  # fmt: skip
    if not rows:
        _shops(site, parcel, main, streets, None)
        return first_number
    site.town["compounds"].add(
        plot, name=name, base_name=base, phase=numeral(phase) + "期" if phase else "", kind="residential"
    )
    top = local.inward(inside).bounds[3]
    drive = _inner_roads(site, parcel, plot, local, top - DEPTH, style.row_step, name)
    _shops(site, parcel, main, streets, drive)
    return first_number + len(rows)


def _inner_roads(
    site: Site, parcel: Any, plot: Any, local: LocalFrame, first_row: float, row_step: float, name: str
) -> Any:
    """A spine from the gate, a loop inside the wall, footways between the rows; and the wall with its gap.

    Returns the drive to the gate, None where there is none.
    """
    land = local.inward(plot)
    loop = shapely.simplify(land.buffer(-7.5, join_style="mitre"), 1.0)
    if loop.is_empty or loop.geom_type != "Polygon":
        return None
    _, south, _, north = loop.bounds
    spine = _through(loop, (0.0, south - 40), (0.0, north + 40))
    if spine is None:
        return None
    rows = np.arange(first_row - (row_step - DEPTH) / 2, south + 10, -row_step)
    paths = [p for y in rows if (p := _through(loop, (-2e3, y), (2e3, y))) is not None]
    service, footways = _network([loop.exterior, spine], paths)
    vertices = local.inward_points(shapely.get_coordinates(parcel.exterior))
    ends = [np.array([x, y]) for x, y in _on(loop.exterior, service)]
    _, door, inner = min((float(np.hypot(*(v - e))), tuple(v), tuple(e)) for v in vertices for e in ends)
    drive = shapely.LineString([door, inner])
    for highway, lines in (("service", [*service, drive]), ("footway", footways)):
        for line in shapely.get_parts(shapely.line_merge(shapely.MultiLineString(lines))):
            site.street(local.outward(line), highway)
    _wall(site, local, land.exterior, drive, name)
    return local.outward(drive)


def _through(loop: Any, a: tuple[float, float], b: tuple[float, float]) -> Any:
    """The straight line from edge to edge of ``loop`` and a hand's breadth over it; None when it is in pieces."""
    inside = shapely.LineString([a, b]).intersection(loop)
    if inside.geom_type != "LineString" or inside.length < 15:
        return None
    p, q = shapely.get_coordinates(inside)
    over = (q - p) / np.hypot(*(q - p)) * 0.2
    return shapely.LineString([p - over, q + over])


def _network(roads: list[Any], paths: list[Any]) -> tuple[list[Any], list[Any]]:
    """Roads and footways cut at every crossing, ends that stick out dropped."""
    parts = shapely.get_parts(shapely.union_all([*roads, *paths]))
    parts = parts[shapely.length(parts) > 0.5]
    middles = shapely.line_interpolate_point(parts, 0.5, normalized=True)
    is_road = shapely.distance(middles, shapely.union_all(roads)) < 1e-6
    return list(parts[is_road]), list(parts[~is_road])


def _on(loop: Any, lines: list[Any]) -> list[tuple[float, float]]:
    """Where the spine meets the loop: ends of ``lines`` that three of them share."""
    ends = [tuple(p) for line in lines for p in shapely.get_coordinates(line)[[0, -1]].tolist()]
    return sorted({p for p in ends if ends.count(p) == 3 and loop.distance(shapely.Point(p)) < 0.01})


def _wall(site: Site, local: LocalFrame, outline: Any, drive: Any, name: str) -> None:
    """The wall with a gap where the drive passes; the gate wants a door number."""
    gate = drive.intersection(outline)
    if not gate.is_empty:
        at = shapely.Point(shapely.get_coordinates(gate)[0])
        outline = outline.difference(at.buffer(4.0))
        out = local.outward(at)
        site.fronts.append(Front((out.x, out.y), None, compound=name))
    for part in shapely.get_parts(shapely.line_merge(outline)):
        site.town["barriers"].add(local.outward(part), kind="wall", name=name)


def _shops(site: Site, parcel: Any, main: Any, streets: StreetLand, drive: Any) -> None:
    """A strip of shops between a main street and the compound behind it, open where ``drive`` passes."""
    rng = site.rng
    ground = streets.ground(parcel, 2.5)
    lots = []
    for line in shapely.get_parts(main):
        path = shapely.get_coordinates(line.simplify(0.5))
        side = 1 if parcel.contains(shapely.Point(_beside(path))) else -1
        lots += lots_along(path, rng, side=side, back=20.0, frontage=(9, 26), depth=(11, 13), vacant=0.22, gap=(0, 6))
    if not lots:
        return
    shapes = np.array([lot.shape for lot in lots], dtype=object)
    ok = shapely.contains(ground, shapes)
    lots = [lot for lot, fits in zip(lots, ok, strict=True) if fits]
    way = drive.buffer(5.0) if drive is not None else None
    for k in without_overlaps([lot.shape for lot in lots], way):
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
