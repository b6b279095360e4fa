"""A whole territory's buildings to standard addresses, on two branches that lead to the same building.

Road branch: the building, or the compound it stands in, has a door number on the street it faces. Place branch:
compound and building number; without a compound, villager group or community and number. Nothing that already
has a number is changed, so a second run over its own result issues only what is new.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely

from gis.addressing import compose, compounds
from gis.addressing.breaks import NO_NUMBER, SHARED, Break
from gis.addressing.compose import Parts, Patterns, Style
from gis.addressing.doors import DoorNumbers, Doors, no_doors, texts_of
from gis.addressing.frontage import Given, Items, Numbered, Roads, items_of, number_items, sides
from gis.addressing.rules import Rule
from gis.addressing.street_names import plain
from gis.addressing.thoroughfares import Thoroughfares, trace
from gis.progress import Progress, silent
from gis.territory.model import Areas, Bools, Buildings, Floats, Geometries, Ints, Streets, Texts

#: Outbuildings get no address of their own, unless they carry a number.
OUTBUILDINGS: Final = frozenset(
    {"garage", "garages", "carport", "shed", "hut", "roof", "greenhouse", "barn", "stable", "sty", "cowshed",
     "farm_auxiliary", "transformer_tower", "service", "container", "bunker", "ruins", "construction"}
)  # fmt: skip
SMALLEST_M2: Final = 12.0


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
    division, ``other`` the same building by its other branch ("" where it has one). ``doors``: numbers of further
    doors. ``odd_right``: for each street, whether odd numbers are on the right of its line, ``turned``: whether its
    own numbers run against its line. ``item`` is what a building's number belongs to (a compound's buildings share
    one; -1: none), ``stated`` the number it had before. ``through``: for each street, whether its own numbers count
    through, odd and even on one side.
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
    doors: DoorNumbers
    odd_right: Bools
    item: Ints
    stated: Texts
    turned: Bools
    through: Bools


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
    doors: Doors | None = None,
    centre: tuple[float, float] | None = None,
    progress: Progress = silent,
) -> Addresses:
    """Standard addresses of all buildings; every layer in one metre CRS.

    ``community`` and ``compound`` say where each building belongs (positions or -1); without them it is
    where its inner point lies. ``doors`` are gates and doors, ``centre`` the place from which a rule that begins
    at the centre counts (default: the middle of the buildings).
    """
    rule = rule or Rule()
    count = len(buildings)
    known = known or nothing_known(count, len(compounds_))
    doors = doors or no_doors()
    progress("addresses", 0.0, "streets")
    point = np.asarray(shapely.point_on_surface(buildings.geometry), dtype=object)
    lines = trace(streets, starting=rule.starting(centre or _middle(point)))
    style = style or compose.style_of([str(n) for n in lines.name])
    if style == "western" and rule.infill == "attached":
        rule = replace(rule, infill="letter")
    named = np.array([bool(plain(str(n))) for n in compounds_.name], dtype=bool)
    compound = containing(point, compounds_.geometry) if compound is None else compound
    compound = np.where((compound >= 0) & np.r_[named, False][compound], compound, -1)
    group = containing(point, groups.geometry)
    community = containing(point, communities.geometry) if community is None else community
    wanted = addressed(buildings)
    given = Given(known.road, known.number, known.compound_road, known.compound_number)
    carrying = streets.geometry[lines.way_of >= 0]
    items = items_of(buildings, compounds_, compound, group, wanted, given, doors, carrying, rule)
    progress("addresses", 0.2, "facing")
    owner = np.full(count, -1, dtype=np.int64)
    for k, rows in enumerate(items.members):
        owner[rows] = k
    numbered = number_items(items, streets, buildings, lines, rule, owner)
    roads, breaks = numbered.of(owner, empty=True), list(numbered.breaks)
    progress("addresses", 0.7, "numbers")
    place, block_known = _places(
        buildings, known, compound, group, community, roads, wanted, len(compounds_), len(groups)
    )
    blocks = compounds.number(
        buildings.geometry, place, block_known, corner=rule.corner, identity=buildings.source_id,
        there_and_back=rule.serpentine,
    )  # fmt: skip
    levels = zip(
        _named(communities.name, community), _named(groups.name, group), roads.name, roads.number,
        _named(compounds_.name, compound), blocks.number, strict=True,
    )  # fmt: skip
    parts = [Parts(*level) if asked else Parts() for level, asked in zip(levels, wanted, strict=True)]
    ambiguous = _ambiguous(lines, roads.street, compounds_.name, compound)
    text, other = _texts(parts, style, ambiguous, rule.patterns)
    listed = {b.item for b in breaks if b.kind == SHARED}
    breaks += [*blocks.breaks, *_unplaced(wanted, roads, place, text)]
    breaks += [b for b in _twice(text) if b.item not in listed]
    progress("addresses", 1.0)
    every = np.arange(len(lines))
    return Addresses(
        roads.street, roads.number, roads.base, roads.station, roads.right, roads.sure, roads.kept,
        compound, group, community, blocks.number, parts, text, other, point,
        tuple(sorted(set(breaks), key=lambda b: (b.item, b.kind, b.reason, b.value))), lines, style,
        _door_numbers(items, numbered, doors, compound, compounds_, style, rule.patterns),
        sides(lines, rule) ^ np.isin(every, list(numbered.swapped)), owner,
        np.array([*items.number, ""], dtype=object)[owner], np.isin(every, list(numbered.turned)),
        np.isin(every, list(numbered.through)),
    )  # fmt: skip


def _middle(points: Geometries) -> tuple[float, float] | None:
    """The median place of the buildings, None without any."""
    if not len(points):
        return None
    x, y = np.median(shapely.get_coordinates(points), axis=0)
    return float(x), float(y)


def _door_numbers(
    items: Items,
    numbered: Numbered,
    doors: Doors,
    compound: Ints,
    compounds_: Areas,
    style: Style,
    patterns: Patterns,
) -> DoorNumbers:
    """Numbers of further doors that got or have one."""
    rows = np.flatnonzero((items.door >= 0) & (numbered.text != ""))
    found, door = numbered.of(rows, empty=False), items.door[rows]
    behind = [(items.members[int(k)] or [-1])[0] for k in items.parent[rows]]
    building = np.array(behind, dtype=np.int64)
    of = np.where(doors.compound[door] >= 0, doors.compound[door], np.r_[compound, -1][building])
    names = _named(compounds_.name, of)
    said = texts_of(list(found.name), found.number, names, doors.name[door], style, patterns)
    return DoorNumbers(
        door, building, of, found.street, found.number, found.base, found.station, found.right, found.kept, said,
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


def _places(
    buildings: Buildings, known: Known, compound: Ints, group: Ints, community: Ints, roads: Roads, wanted: Bools,
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


def _texts(parts: list[Parts], style: Style, ambiguous: Bools, patterns: Patterns) -> tuple[Texts, Texts]:
    """Standard text and the other branch of every building: the compound's branch first where there is one."""
    text = np.array([""] * len(parts), dtype=object)
    other = text.copy()
    for i, p in enumerate(parts):
        road, place = compose.road_text(p, style, patterns), compose.place_text(p, style, patterns)
        text[i], other[i] = (place, road) if p.compound or not road else (road, place)
        if ambiguous[i] and text[i] and p.community:
            text[i] = f"{p.community}{text[i]}" if style == "zh" else f"{text[i]}, {p.community}"
    return text, other


def _unplaced(wanted: Bools, roads: Roads, place: Ints, text: Texts) -> list[Break]:
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
    said = text.tolist()
    rows: dict[str, list[int]] = {t: [] for t, times in Counter(said).items() if t and times > 1}
    for i, t in enumerate(said):
        if t in rows:
            rows[t].append(i)
    return [Break(i, SHARED, "text_twice", t) for t, where in rows.items() for i in where]
