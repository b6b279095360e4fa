"""A whole territory's buildings to standard addresses, on two branches that lead to the same building.

Road branch: the building, or the compound it stands in, has a door number on the street it faces. Place branch:
compound and building number; without a compound, villager group or community and number. Nothing that already
has a number is changed, so a second run over its own result issues only what is new.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from gis.addressing import compose, compounds, facing, numbering
from gis.addressing.compose import Parts, Style
from gis.addressing.numbering import NO_NUMBER, NO_PLACE, SHARED, Break, Rule
from gis.addressing.thoroughfares import Thoroughfares, plain, trace
from gis.progress import Progress, silent
from gis.territory.model import Areas, Bools, Buildings, Floats, Geometries, Ints, Streets, Texts

#: Outbuildings get no address of their own, unless they carry a number.
OUTBUILDINGS: Final = frozenset(
    {"garage", "garages", "carport", "shed", "hut", "roof", "greenhouse", "barn", "stable", "sty", "cowshed",
     "farm_auxiliary", "transformer_tower", "service", "container", "bunker", "ruins", "construction"}
)  # fmt: skip
SMALLEST_M2: Final = 12.0
#: A house of a villager group belongs to a named road only when it stands this near to it.
VILLAGE_REACH_M: Final = 30.0
#: A building's stated street must pass this near, or the statement is listed as wrong.
STATED_REACH_M: Final = 300.0


@dataclass(frozen=True)
class Known:
    """What was issued before, so that it is kept: road and number of buildings and of compounds, block numbers."""

    road: Texts
    number: Texts
    block: Texts
    compound_road: Texts
    compound_number: Texts


@dataclass(frozen=True)
class Addresses:
    """One row a building; those without an address (outbuildings) have ``text`` "".

    ``thoroughfare``, ``compound``, ``group`` and ``community`` are positions or -1. ``number`` is the door
    number without 号, ``block`` the building's number in its compound, group or community. ``kept``: the
    number was there before. ``sure``: the street was not in doubt. ``text`` is the standard text without the
    division, ``other`` the same building by its other branch ("" where it has one).
    """

    thoroughfare: Ints
    number: Texts
    base: Ints
    station: Floats
    right: Bools
    sure: Bools
    kept: Bools
    compound: Ints
    group: Ints
    community: Ints
    block: Texts
    parts: list[Parts]
    text: Texts
    other: Texts
    point: Geometries
    breaks: tuple[Break, ...]
    thoroughfares: Thoroughfares
    style: Style


@dataclass(frozen=True)
class _Items:
    """What gets door numbers: buildings on their own, and compounds as a whole. ``members``: their buildings."""

    geometry: Geometries
    members: list[list[int]]
    road: Texts
    number: Texts
    identity: Texts
    village: Bools


@dataclass(frozen=True)
class _Roads:
    """Door numbers by building row; ``name`` is the road's, also where no such road was found."""

    street: Ints
    name: Texts
    number: Texts
    base: Ints
    station: Floats
    right: Bools
    sure: Bools
    kept: Bools


def assign(
    streets: Streets,
    buildings: Buildings,
    compounds_: Areas,
    groups: Areas,
    communities: Areas,
    *,
    rule: Rule | None = None,
    style: Style | None = None,
    known: Known | None = None,
    community: Ints | None = None,
    compound: Ints | None = None,
    progress: Progress = silent,
) -> Addresses:
    """Standard addresses of all buildings; every layer in one metre CRS.

    ``community`` and ``compound`` say where each building belongs (positions or -1); without them it is
    where its inner point lies.
    """
    rule = rule or Rule()
    count = len(buildings)
    known = known or nothing_known(count, len(compounds_))
    progress("addresses", 0.0, "streets")
    lines = trace(streets, start=rule.start)
    style = style or compose.style_of([str(n) for n in lines.name])
    if style == "western" and rule.infill == "attached":
        rule = replace(rule, infill="letter")
    point = np.asarray(shapely.point_on_surface(buildings.geometry), dtype=object)
    named = np.array([bool(plain(str(n))) for n in compounds_.name], dtype=bool)
    compound = containing(point, compounds_.geometry) if compound is None else compound
    compound = np.where((compound >= 0) & np.r_[named, False][compound], compound, -1)
    group = containing(point, groups.geometry)
    community = containing(point, communities.geometry) if community is None else community
    wanted = addressed(buildings)
    items = _items(buildings, compounds_, compound, group, wanted, known)
    progress("addresses", 0.2, "facing")
    roads, breaks = _on_roads(items, streets, buildings, compound, lines, rule, count)
    progress("addresses", 0.7, "numbers")
    place, block_known = _places(
        buildings, known, compound, group, community, roads, wanted, len(compounds_), len(groups)
    )
    blocks = compounds.number(buildings.geometry, place, block_known, identity=buildings.source_id)
    levels = zip(
        _named(communities.name, community), _named(groups.name, group), roads.name, roads.number,
        _named(compounds_.name, compound), blocks.number, strict=True,
    )  # fmt: skip
    parts = [Parts(*level) if asked else Parts() for level, asked in zip(levels, wanted, strict=True)]
    text, other = _texts(parts, style, _ambiguous(lines, roads.street, compounds_.name, compound))
    listed = {b.item for b in breaks if b.kind == SHARED}
    breaks += [*blocks.breaks, *_unplaced(wanted, roads, place, text)]
    breaks += [b for b in _twice(text) if b.item not in listed]
    progress("addresses", 1.0)
    return Addresses(
        roads.street, roads.number, roads.base, roads.station, roads.right, roads.sure, roads.kept,
        compound, group, community, blocks.number, parts, text, other, point,
        tuple(sorted(set(breaks), key=lambda b: (b.item, b.kind, b.reason, b.value))), lines, style,
    )  # fmt: skip


def nothing_known(buildings: int, compounds_: int) -> Known:
    """The first run: nothing was issued before."""

    def blank(count: int) -> Texts:
        return np.array([""] * count, dtype=object)

    return Known(blank(buildings), blank(buildings), blank(buildings), blank(compounds_), blank(compounds_))


def addressed(buildings: Buildings) -> Bools:
    """Buildings that get an address: all but outbuildings and specks, which need a number to get one."""
    minor = np.isin(buildings.use.astype(str), list(OUTBUILDINGS))
    area = shapely.area(buildings.geometry)
    minor |= (area > 0) & (area < SMALLEST_M2)
    return np.asarray((buildings.housenumber != "") | ~minor, dtype=bool)


def containing(points: Geometries, areas: Geometries) -> Ints:
    """For each point the smallest area that holds it, or -1."""
    found = np.full(len(points), -1, dtype=np.int64)
    if len(areas) == 0 or len(points) == 0:
        return found
    point, area = shapely.STRtree(areas).query(points, predicate="intersects")
    order = np.lexsort((area, -shapely.area(areas)[area]))
    found[point[order]] = area[order]  # the smallest is written last
    return found


def _items(
    buildings: Buildings, compounds_: Areas, compound: Ints, group: Ints, wanted: Bools, known: Known
) -> _Items:
    inside = (compound >= 0) & ~((buildings.housenumber != "") & (buildings.street != "")) & wanted
    in_group_only = (group >= 0) & (buildings.housenumber != "") & (buildings.street == "") & ~inside
    alone = np.flatnonzero(wanted & ~inside & ~in_group_only)
    members: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(inside).tolist():
        members[int(compound[i])].append(i)
    whole = np.array(sorted(members), dtype=np.int64)
    before = known.number[alone] != ""
    return _Items(
        geometry=np.concatenate([buildings.geometry[alone], compounds_.geometry[whole]]),
        members=[[int(i)] for i in alone] + [members[int(c)] for c in whole],
        road=np.concatenate(
            [np.where(before, known.road[alone], buildings.street[alone]), known.compound_road[whole]]
        ),
        number=np.concatenate(
            [np.where(before, known.number[alone], buildings.housenumber[alone]), known.compound_number[whole]]
        ),
        identity=np.concatenate([buildings.source_id[alone], compounds_.source_id[whole]]),
        village=np.concatenate([group[alone] >= 0, np.zeros(len(whole), dtype=bool)]),
    )  # fmt: skip


def _on_roads(
    items: _Items,
    streets: Streets,
    buildings: Buildings,
    compound: Ints,
    lines: Thoroughfares,
    rule: Rule,
    count: int,
) -> tuple[_Roads, list[Break]]:
    """Faced street and door number of every item, spread to its buildings."""
    owner = np.full(count, -1, dtype=np.int64)
    for k, rows in enumerate(items.members):
        owner[rows] = k
    faced = facing.face(items.geometry, streets.geometry, lines, obstacles=buildings.geometry, owner=owner)
    street = np.where(items.village & (faced.distance > VILLAGE_REACH_M), -1, faced.thoroughfare)
    street, sure, breaks = _stated(items, street, faced.sure, streets.geometry, lines)
    station, right = np.zeros(len(street)), np.zeros(len(street), dtype=bool)
    on = np.flatnonzero(street >= 0)
    centres = np.asarray(shapely.centroid(items.geometry[on]), dtype=object)
    station[on], right[on] = facing.locate(lines, centres, street[on])
    numbers = numbering.number(street, station, right, items.number, rule, identity=items.identity)
    bare = np.array([str(n).strip().rstrip("号號") for n in items.number], dtype=object)
    text = np.where((street < 0) & (bare != ""), bare, numbers.text).astype(object)
    name = np.array([str(lines.name[t]) if t >= 0 else "" for t in street], dtype=object)
    name = np.where((street < 0) & (items.number != ""), items.road, name).astype(object)
    got = owner >= 0

    def spread(values: Any, empty: Any) -> Any:
        return np.where(got, np.asarray(values)[owner], empty) if len(items.members) else np.full(count, empty)

    base = np.array([k[0] if k else 0 for k in numbers.key], dtype=np.int64)
    roads = _Roads(
        street=spread(street, -1),
        name=spread(name, "").astype(object),
        number=spread(text, "").astype(object),
        base=spread(base, 0),
        station=spread(station, np.nan),
        right=spread(right, False),
        sure=spread(sure, False),
        kept=spread(numbers.kept | (items.number != ""), False),
    )
    breaks += list(numbers.breaks)
    return roads, [replace(b, item=items.members[b.item][0]) for b in breaks]


def _stated(
    items: _Items, street: Ints, sure: Bools, centrelines: Geometries, lines: Thoroughfares
) -> tuple[Ints, Bools, list[Break]]:
    """Where an item states its street, that street it is, if it is there."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for t, name in enumerate(lines.name):
        by_name[str(name)].append(t)
    whole: dict[int, Any] = {}
    street, sure = street.copy(), sure.copy()
    breaks = []
    for k in np.flatnonzero(items.road != "").tolist():
        name = plain(str(items.road[k]))
        candidates = by_name.get(name, [])
        if street[k] in candidates:
            sure[k] = True
            continue
        for t in candidates:
            if t not in whole:
                whole[t] = shapely.union_all(centrelines[lines.way_of == t])
        near = [(float(shapely.distance(items.geometry[k], whole[t])), t) for t in candidates]
        if near and min(near)[0] <= STATED_REACH_M:
            street[k], sure[k] = min(near)[1], True
        elif items.number[k]:
            breaks.append(Break(k, NO_PLACE, "street_far" if near else "street_unknown", name))
            street[k], sure[k] = -1, False
    return street, sure, breaks


def _places(
    buildings: Buildings, known: Known, compound: Ints, group: Ints, community: Ints, roads: _Roads, wanted: Bools,
    n_compounds: int, n_groups: int,
) -> tuple[Ints, Texts]:  # fmt: skip
    """The place in which each building is numbered (-1: none), and the number it has there already."""
    bare = (roads.number == "") & wanted
    place = np.where(bare & (community >= 0), n_compounds + n_groups + community, -1)
    place = np.where(bare & (group >= 0), n_compounds + group, place)
    place = np.where(bare & (place < 0), n_compounds + n_groups + community.max(initial=-1) + 1, place)
    place = np.where(wanted & (compound >= 0), compound, place)
    named = np.array([compounds.read_number(str(n)) if n else "" for n in buildings.name], dtype=object)
    stated = np.where(compound >= 0, named, "")
    stated = np.where((stated == "") & (compound >= 0) & (buildings.street == ""), _bare(buildings), stated)
    stated = np.where((compound < 0) & (group >= 0) & (buildings.street == ""), _bare(buildings), stated)
    return place.astype(np.int64), np.where(known.block != "", known.block, stated).astype(object)


def _bare(buildings: Buildings) -> Texts:
    """House numbers without their 号."""
    return np.array([str(h).strip().rstrip("号號栋幢") for h in buildings.housenumber], dtype=object)


def _ambiguous(lines: Thoroughfares, street: Ints, names: Texts, compound: Ints) -> Bools:
    """Rows whose street or compound name stands for two places: their text names the community too."""
    plain_names = [plain(str(n)) for n in names]
    twice = np.array([plain_names.count(n) > 1 for n in plain_names] or [False], dtype=bool)
    road = np.r_[lines.place > 0, False][street]
    return np.asarray(np.where(compound >= 0, twice[np.maximum(compound, 0)], road), dtype=bool)


def _texts(parts: list[Parts], style: Style, ambiguous: Bools) -> tuple[Texts, Texts]:
    """Standard text and the other branch of every building: the compound's branch first where there is one."""
    text = np.array([""] * len(parts), dtype=object)
    other = text.copy()
    for i, p in enumerate(parts):
        road, place = compose.road_text(p, style), compose.place_text(p, style)
        text[i], other[i] = (place, road) if p.compound or not road else (road, place)
        if ambiguous[i] and text[i] and p.community:
            text[i] = f"{p.community}{text[i]}" if style == "zh" else f"{text[i]}, {p.community}"
    return text, other


def _unplaced(wanted: Bools, roads: _Roads, place: Ints, text: Texts) -> list[Break]:
    """Buildings that face no named street, and those that nothing could be said of."""
    found = [
        Break(int(i), NO_NUMBER, "no_street")
        for i in np.flatnonzero(wanted & (roads.street < 0) & (roads.number == ""))
    ]
    return found + [Break(int(i), NO_NUMBER, "nothing") for i in np.flatnonzero(wanted & (text == ""))]


def _named(names: Texts, position: Ints) -> list[str]:
    """The name at each position, "" for -1."""
    known = [*(plain(str(n)) for n in names), ""]
    return [known[p] for p in position]


def _twice(text: Texts) -> list[Break]:
    """Standard texts that stand for more than one building."""
    rows: dict[str, list[int]] = defaultdict(list)
    for i, t in enumerate(text):
        if t:
            rows[str(t)].append(i)
    return [Break(i, SHARED, "text_twice", t) for t, where in rows.items() if len(where) > 1 for i in where]
