"""The country around the ring: villager groups, each with its hamlet strung along a lane, ponds and fields."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from data.samples.town.frame import Face
from data.samples.town.names import numeral
from data.samples.town.shapes import Cut, Lot, lots_along, polygons_only, rotate, smaller_pieces, without_overlaps
from data.samples.town.site import Site, StreetLand

HOUSES_A_GROUP: Final = 34
FIELD_AREA: Final = 16_000.0


def villages_of(faces: list[Face], groups: int) -> list[list[Face]]:
    """Neighbouring sectors outside the ring, going round, joined to villages of about eight groups."""
    outer = [f for f in faces if f.cell is None]
    outer.sort(key=lambda f: -np.arctan2(f.plan_point[1] + 180, f.plan_point[0]))
    count = int(np.clip(round(groups / 8), 3, max(3, len(outer) // 2)))
    total = sum(f.shape.area for f in outer)
    found: list[list[Face]] = [[] for _ in range(count)]
    done = 0.0
    for face in outer:
        found[min(count - 1, int((done + face.shape.area / 2) / total * count))].append(face)
        done += face.shape.area
    return [v for v in found if v]


def fill_village(
    site: Site, village: list[Face], name: str, houses: int, density: float, streets: StreetLand
) -> list[tuple[str, Any]]:
    """Groups, lanes, ponds and about ``houses`` houses; returns (name, shape) of each villager group.

    ``density``: square metres a group.
    """
    groups: list[Any] = []
    tracks: list[Cut] = []
    for face in village:
        pieces, cuts = smaller_pieces(face.shape, density, site.rng, wander=0.55)
        groups += pieces
        tracks += cuts
    wet = shapely.union_all([site.frame.river.buffer(12), site.frame.railway.buffer(14)])
    kept = [c.shape for c in tracks if c.shape.disjoint(wet)]
    for shape in kept:
        site.street(shape, "track")
    roads = StreetLand(
        [*(s for f in village for s in streets.around(f.shape)), *kept],
        [*(c for f in village for c in streets.classes(f.shape)), *["service"] * len(kept)],
    )
    named = []
    ahead = [sum(g.area for g in groups[k:]) for k in range(len(groups))]
    for number, land in enumerate(groups, 1):
        share = max(8, round(houses * land.area / ahead[number - 1]))
        houses -= _hamlet(site, land, share, roads, wet)
        named.append((f"{name}{numeral(number)}组", land))
    return named


def _hamlet(site: Site, land: Any, houses: int, roads: StreetLand, wet: Any) -> int:
    """One lane from the nearest road into the group's land, houses left and right, spurs, a pond, fields.

    Returns how many houses there are.
    """
    rng = site.rng
    open_ = roads.ground(land, 4.0).difference(shapely.union_all([site.frame.river.buffer(9), *site.reserved]))
    ground = open_.difference(shapely.union_all([site.frame.river.buffer(45), site.frame.railway.buffer(28)]))
    open_ = open_.difference(site.frame.railway.buffer(11))
    room = max(polygons_only(ground.buffer(-12), 1), key=lambda p: p.area, default=None)
    if room is None:
        return 0
    lanes = _lanes(land, room, houses, roads, wet, rng)
    for k, lane in enumerate(lanes):
        site.street(shapely.LineString(lane), "unclassified" if k == 0 else "service", "")
    taken = shapely.union_all([shapely.LineString(lane).buffer(3.6) for lane in lanes]) if lanes else None
    lots: list[Lot] = []
    for lane in [*lanes, *_roadside(roads, land)]:
        back = 6.0 if any(lane is known for known in lanes) else 21.0
        for side in (1, -1):
            lots += lots_along(lane, rng, side=side, back=back, frontage=(9.5, 14), depth=(9, 13), vacant=0.18,
                               gap=(2.0, 13.0))  # fmt: skip
    fits = shapely.contains(ground, [lot.shape for lot in lots]) if lots else np.array([], dtype=bool)
    lots = [lot for lot, ok in zip(lots, fits, strict=True) if ok]
    chosen = without_overlaps([lot.shape for lot in lots], taken)[:houses]
    built = []
    for k in chosen:
        levels = int(rng.choice([1, 2, 3], p=[0.2, 0.6, 0.2]))
        homes = site.dwellings(int(rng.choice([1, 2], p=[0.8, 0.2])), settled=0.74)
        site.building(lots[k].shape, "house", levels=levels, units=1, floors=levels, villager_group="", **homes)
        built.append(lots[k].shape)
    _pond_and_fields(site, ground, open_, built, lanes)
    return len(built)


def _lanes(
    land: Any, room: Any, houses: int, roads: StreetLand, wet: Any, rng: np.random.Generator
) -> list[NDArray[np.float64]]:
    """The hamlet's lane and its spurs."""
    starts = _road_vertices(land, roads)
    if not len(starts):
        return []
    goal = shapely.get_coordinates(room.representative_point())[0]
    order = np.argsort(np.hypot(*(starts - goal).T))
    need = houses * 11.0
    for start in starts[order[:12]]:
        way = goal - start
        length = float(np.hypot(*way))
        if length < 25:
            continue
        long = max(length, need * 0.6)
        lane = _curve(start, start + way / length * long, rng)
        reach = shapely.union_all([room.buffer(9), shapely.Point(start).buffer(60)])
        line = shapely.LineString(lane).intersection(reach)
        first = next((p for p in shapely.get_parts(line) if p.distance(shapely.Point(start)) < 0.01), None)
        if first is None or first.length < 40 or not land.buffer(0.01).covers(first) or not first.disjoint(wet):
            continue
        lane = np.round(shapely.get_coordinates(first), 2)
        return [lane, *_spurs(lane, room, need - first.length, rng)]
    return []


def _spurs(lane: NDArray[np.float64], room: Any, need: float, rng: np.random.Generator) -> list[NDArray[np.float64]]:
    spurs: list[NDArray[np.float64]] = []
    sign = int(rng.choice([-1, 1]))
    for k in range(max(2, len(lane) // 3), len(lane) - 1, 4):
        if need <= 30:
            break
        along = lane[k] - lane[k - 1]
        across = rotate(along[None, :] / np.hypot(*along), sign * np.pi / 2 + rng.normal(0, 0.15))[0]
        spur = _curve(lane[k], lane[k] + across * min(rng.uniform(90, 190), need + 30), rng)
        line = shapely.LineString(spur).intersection(room)
        first = next((p for p in shapely.get_parts(line) if p.distance(shapely.Point(lane[k])) < 0.01), None)
        sign = -sign
        if first is None or first.length < 35 or any(first.intersects(shapely.LineString(s)) for s in spurs):
            continue
        path = np.round(shapely.get_coordinates(first), 2)
        spurs.append(path)
        need -= first.length
    return spurs


def _curve(a: NDArray[np.float64], b: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    length = float(np.hypot(*(b - a)))
    t = np.linspace(0, 1, max(2, round(length / 26)) + 1)[:, None]
    side = np.array([-(b - a)[1], (b - a)[0]])
    swing = rng.normal(0, 0.07) * np.sin(np.pi * t) + rng.normal(0, 0.05) * np.sin(2 * np.pi * t)
    return np.round(a + (b - a) * t + side * swing, 2)


def _road_vertices(land: Any, roads: StreetLand) -> NDArray[np.float64]:
    """Vertices of the group's border that lie on a road."""
    near = roads.around(land)
    if not near:
        return np.empty((0, 2))
    ring = shapely.get_coordinates(land.exterior)[:-1]
    on = {tuple(p) for line in near for p in shapely.get_coordinates(line)[1:-1].tolist()}
    return np.array([p for p in ring.tolist() if tuple(p) in on]).reshape(-1, 2)


def _roadside(roads: StreetLand, land: Any) -> list[NDArray[np.float64]]:
    main = roads.main_streets(land)
    return [shapely.get_coordinates(line.simplify(0.5)) for line in shapely.get_parts(main) if line.length > 30]


def _pond_and_fields(site: Site, ground: Any, open_: Any, built: list[Any], lanes: list[NDArray[np.float64]]) -> None:
    """``ground``: where one may build; ``open_``: what may be tilled."""
    rng = site.rng
    free = open_
    if built or lanes:
        houses = shapely.buffer(np.array(built, dtype=object), 9.0, quad_segs=1)
        ways = shapely.buffer([shapely.LineString(lane) for lane in lanes], 7.0, quad_segs=1)
        free = open_.difference(shapely.union_all(np.concatenate([houses, ways])))
    if built and rng.random() < 0.7:
        door = shapely.get_coordinates(built[len(built) // 2].centroid)[0]
        for _ in range(6):
            middle = door + rotate(np.array([[rng.uniform(32, 70), 0.0]]), rng.uniform(0, 2 * np.pi))[0]
            angle = np.linspace(0, 2 * np.pi, 15)[:-1]
            radius = rng.uniform(13, 24) * (1 + 0.2 * np.sin(2 * angle + rng.uniform(0, 6)))
            round_ = np.column_stack([np.cos(angle), np.sin(angle) * 0.7])
            pond = shapely.Polygon(np.round(middle + round_ * radius[:, None], 2))
            if free.contains(pond) and ground.contains(pond):
                site.town["barriers"].add(pond, kind="water", name="")
                free = free.difference(pond.buffer(3))
                break
    for part in polygons_only(shapely.set_precision(free.buffer(-6).buffer(3, quad_segs=2).simplify(2.5), 0.1), 3000):
        for field in smaller_pieces(part, FIELD_AREA * max(1.0, site.town.size / 8000), rng, wander=0.25)[0]:
            inner = shapely.set_precision(field.buffer(-1.2, join_style="mitre").simplify(1.5), 0.1)
            for shape in polygons_only(inner, 500):
                site.town["landuse"].add(shape, kind="farmland", name="")
