"""Which road a building, compound or door stands on, and its number there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely

from gis.addressing import doors as doors_
from gis.addressing import facing, facing_numbers, numbering
from gis.addressing.breaks import NO_PLACE, Break
from gis.addressing.doornumbers import Key
from gis.addressing.doors import Doors
from gis.addressing.numbering import Numbers
from gis.addressing.rules import Rule
from gis.addressing.street_names import alike, plain
from gis.addressing.thoroughfares import Thoroughfares
from gis.territory.model import Areas, Bools, Buildings, Floats, Geometries, Ints, Streets, Texts

#: A house of a villager group belongs to a named road only when it stands this near to it.
VILLAGE_REACH_M: Final = 30.0
#: A building's stated street must pass this near, or the statement is listed as wrong.
STATED_REACH_M: Final = 300.0


#: A main door this near to the edge of its building or compound shows which street that faces.
DOOR_AT_EDGE_M: Final = 5.0


@dataclass(frozen=True)
class Items:
    """What gets door numbers: buildings on their own, compounds as a whole, then further doors.

    ``members`` are the buildings of an item, ``place`` the point that its number stands for (its main door, else
    its middle), ``door`` the row of a further door or -1, ``parent`` the item a further door belongs to, or -1.
    ``main``: the place is a main door at the item's edge, so it shows which street the item faces.
    """

    geometry: Geometries
    place: Geometries
    members: list[list[int]]
    road: Texts
    number: Texts
    identity: Texts
    village: Bools
    door: Ints
    parent: Ints
    main: Bools


@dataclass(frozen=True)
class Roads:
    """Door numbers by building row; ``name`` is the road's, also where no such road was found."""

    street: Ints
    name: Texts
    number: Texts
    base: Ints
    station: Floats
    right: Bools
    sure: Bools
    kept: Bools


@dataclass(frozen=True)
class Given:
    """Numbers that were issued or stated before: of buildings on their own and of compounds."""

    road: Texts
    number: Texts
    compound_road: Texts
    compound_number: Texts


def items_of(
    buildings: Buildings, compounds: Areas, compound: Ints, group: Ints, wanted: Bools, given: Given, doors: Doors,
    named: Geometries, rule: Rule,
) -> Items:  # fmt: skip
    """What gets a door number. ``compound`` and ``group`` say where each building lies (-1: in none); ``named``
    are the centrelines that carry numbers."""
    inside = (compound >= 0) & ~((buildings.housenumber != "") & (buildings.street != "")) & wanted
    in_group_only = (group >= 0) & (buildings.housenumber != "") & (buildings.street == "") & ~inside
    alone = np.flatnonzero(wanted & ~inside & ~in_group_only)
    members: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(inside).tolist():
        members[int(compound[i])].append(i)
    whole = np.array(sorted(members), dtype=np.int64)
    before = given.number[alone] != ""
    geometry = np.concatenate([buildings.geometry[alone], compounds.geometry[whole]])
    count = len(geometry)
    items = Items(
        geometry=geometry,
        place=np.asarray(shapely.centroid(geometry), dtype=object),
        members=[[int(i)] for i in alone] + [members[int(c)] for c in whole],
        road=np.concatenate(
            [np.where(before, given.road[alone], buildings.street[alone]), given.compound_road[whole]]
        ),
        number=np.concatenate(
            [np.where(before, given.number[alone], buildings.housenumber[alone]), given.compound_number[whole]]
        ),
        identity=np.concatenate([buildings.source_id[alone], compounds.source_id[whole]]),
        village=np.concatenate([group[alone] >= 0, np.zeros(len(whole), dtype=bool)]),
        door=np.full(count, -1, dtype=np.int64),
        parent=np.full(count, -1, dtype=np.int64),
        main=np.zeros(count, dtype=bool),
    )
    if not len(doors):
        return items
    owner = _owners(doors, compound, alone, whole, len(buildings), len(compounds))
    return _with_doors(items, doors, owner, named, rule)


def _owners(doors: Doors, compound: Ints, alone: Ints, whole: Ints, buildings: int, compounds: int) -> Ints:
    """The item of each street door, -1 for doors that are none."""
    of_building, of_compound = np.full(buildings + 1, -1), np.full(compounds + 1, -1)
    of_building[alone] = np.arange(len(alone))
    of_compound[whole] = len(alone) + np.arange(len(whole))
    owner = np.where(doors.building >= 0, of_building[doors.building], of_compound[doors.compound])
    return np.where(doors_.street_doors(doors, compound), owner, -1).astype(np.int64)


def _with_doors(items: Items, doors: Doors, owner: Ints, named: Geometries, rule: Rule) -> Items:
    """Items whose main door says where they are (and what number they have); further doors are items after them."""
    main = doors_.main_doors(doors, owner, items.number, named)
    place, road, number = items.place.copy(), items.road.copy(), items.number.copy()
    for k, d in main.items():
        place[k] = doors.geometry[d]
        if not number[k] and doors.housenumber[d]:
            road[k], number[k] = doors.street[d], doors.housenumber[d]
    opens = np.zeros(len(place), dtype=bool)
    opens[list(main)] = True
    edge = shapely.boundary(items.geometry)
    opens &= shapely.distance(place, np.where(shapely.is_empty(edge), items.geometry, edge)) <= DOOR_AT_EDGE_M
    chosen = set(main.values())
    further = (owner >= 0) & ~np.isin(np.arange(len(doors)), list(chosen))
    further &= ~_same_as_building(doors, owner, road, number)
    if rule.doors == "none":
        further &= doors.housenumber != ""  # what hangs on a wall is kept all the same
    more = np.flatnonzero(further)
    return Items(
        geometry=np.concatenate([items.geometry, doors.geometry[more]]),
        place=np.concatenate([place, doors.geometry[more]]),
        members=[*items.members, *([] for _ in more)],
        road=np.concatenate([road, doors.street[more]]),
        number=np.concatenate([number, doors.housenumber[more]]),
        identity=np.concatenate([items.identity, doors.source_id[more]]),
        village=np.concatenate([items.village, np.zeros(len(more), dtype=bool)]),
        door=np.concatenate([items.door, more]),
        parent=np.concatenate([items.parent, owner[more]]),
        main=np.concatenate([opens, np.zeros(len(more), dtype=bool)]),
    )


def _same_as_building(doors: Doors, owner: Ints, road: Texts, number: Texts) -> Bools:
    """Doors that only say again what their building has: its number, on its street or without one."""
    own, there = np.append(number, "")[owner], np.append(road, "")[owner]
    same = np.array(
        [a != "" and doors_.bare(a) == doors_.bare(b) for a, b in zip(doors.housenumber, own, strict=True)]
    )
    return np.asarray((doors.building >= 0) & same & ((doors.street == there) | (doors.street == "")), dtype=bool)


@dataclass(frozen=True)
class Numbered:
    """Every item with its road: what ``Roads`` and ``doors.DoorNumbers`` are made from."""

    street: Ints
    name: Texts
    text: Texts
    base: Ints
    station: Floats
    right: Bools
    sure: Bools
    kept: Bools
    breaks: list[Break]
    turned: frozenset[int]
    swapped: frozenset[int]
    through: frozenset[int]

    def of(self, which: Ints, empty: bool) -> Roads:
        """Rows of some items; -1 stands for none where ``empty``."""

        def spread(values: Any, nothing: Any) -> Any:
            if not len(self.street):
                return np.full(len(which), nothing)
            return np.where(which >= 0, np.asarray(values)[which], nothing) if empty else np.asarray(values)[which]

        return Roads(
            street=spread(self.street, -1), name=spread(self.name, "").astype(object),
            number=spread(self.text, "").astype(object), base=spread(self.base, 0),
            station=spread(self.station, np.nan), right=spread(self.right, False), sure=spread(self.sure, False),
            kept=spread(self.kept, False),
        )  # fmt: skip


def number_items(
    items: Items, streets: Streets, buildings: Buildings, lines: Thoroughfares, rule: Rule, owner: Ints
) -> Numbered:
    """Faced street and door number of every item; breaks name building rows. ``owner``: item of each building."""
    street, sure, second = _faced(items, streets, buildings, lines, owner)
    street, sure, breaks = _stated(items, street, sure, streets.geometry, lines)
    street, sure = facing_numbers.placed(lines, items.place, items.number, items.road != "", street, sure, second)
    station, right = np.zeros(len(street)), np.zeros(len(street), dtype=bool)
    on = np.flatnonzero(street >= 0)
    station[on], right[on] = facing.locate(lines, items.place[on], street[on])
    odd_right = np.r_[sides(lines, rule), rule.odd_right][street]
    further = (items.door >= 0) & (items.number == "")
    below = further & (street == np.r_[street, -1][items.parent]) if rule.doors == "attached" else further & False
    numbers = numbering.number(
        np.where(below, -1, street), station, right, items.number, rule, identity=items.identity, odd_right=odd_right,
    )  # fmt: skip
    keys = _attach(items, street, np.flatnonzero(below), numbers, rule)
    bare = np.array([str(n).strip().rstrip("号號") for n in items.number], dtype=object)
    text = np.where((street < 0) & (bare != ""), bare, numbers.text).astype(object)
    name = np.array([*lines.name, ""], dtype=object)[street]
    name = np.where((street < 0) & (items.number != ""), items.road, name).astype(object)
    rows = _building_rows(items)
    return Numbered(
        street, name, text, np.array([k[0] if k else 0 for k in keys], dtype=np.int64), station, right, sure,
        numbers.kept | (items.number != ""),
        [replace(b, item=rows[b.item]) for b in (*breaks, *numbers.breaks) if rows[b.item] >= 0],
        numbers.turned, numbers.swapped, numbers.through,
    )  # fmt: skip


def _faced(
    items: Items, streets: Streets, buildings: Buildings, lines: Thoroughfares, owner: Ints
) -> tuple[Ints, Bools, Ints]:
    """The street each item faces: in its row or by its main door; further doors each for themselves.

    And the one it would face else: -1 where there is none, and for doors.
    """
    first = int((items.door < 0).sum())
    walls = buildings.geometry
    known, name_of = _known(items.road[:first], lines)
    rows = facing.face(
        items.geometry[:first], streets.geometry, lines, obstacles=walls, owner=owner, known=known, name_of=name_of
    )
    main = np.flatnonzero(items.main)
    places = np.concatenate([items.place[main], items.geometry[first:]])
    doors = facing.face(places, streets.geometry, lines, obstacles=walls, owner=owner * 0 - 2, row_votes=False)
    street, sure = rows.thoroughfare.copy(), rows.sure.copy()
    told = (doors.thoroughfare[: len(main)] >= 0) & (doors.sure[: len(main)] | ~sure[main])
    street[main[told]] = doors.thoroughfare[: len(main)][told]
    sure[main[told]] = doors.sure[: len(main)][told]
    street = np.where(items.village[:first] & (rows.distance > VILLAGE_REACH_M), -1, street)
    further = slice(len(main), None)
    second = np.where(items.main[:first] | (street < 0), -1, rows.second)
    return (
        np.concatenate([street, doors.thoroughfare[further]]),
        np.concatenate([sure, doors.sure[further]]),
        np.concatenate([second, np.full(len(doors.thoroughfare) - len(main), -1)]),
    )


def _known(road: Texts, lines: Thoroughfares) -> tuple[Ints, Ints]:
    """The name each item states for its street (-1: none, or none that is here), and that of every street."""
    written = {alike(str(name)): k for k, name in enumerate(lines.name)}
    said = {str(name): written.get(alike(str(name)), -1) for name in set(road) - {""}}
    name_of = [written[alike(str(name))] for name in lines.name]
    return np.array([said.get(str(r), -1) for r in road], dtype=np.int64), np.array(name_of, dtype=np.int64)


def sides(lines: Thoroughfares, rule: Rule) -> Bools:
    """For each street whether odd numbers are on the right in counting direction."""
    odd_right = np.full(len(lines), rule.odd_right)
    if rule.odd == "compass" and len(lines):
        right = np.stack([lines.axis[:, 1], -lines.axis[:, 0]], axis=1)
        east_west = np.abs(lines.axis[:, 0]) >= np.abs(lines.axis[:, 1])
        north = (right[:, 1] > 0) == (rule.odd_across == "north")
        west = (right[:, 0] < 0) == (rule.odd_along == "west")
        odd_right = np.where(east_west, north, west)
    if rule.dead_end_odd != "same":
        odd_right = np.where(lines.begun == "entrance", rule.dead_end_odd == "right", odd_right)
    return np.asarray(odd_right, dtype=bool)


def _attach(items: Items, street: Ints, rows: Ints, numbers: Numbers, rule: Rule) -> list[Key]:
    """Attached numbers of further doors, written into ``numbers.text``; the keys of all items."""
    keys = list(numbers.key)
    if not len(rows):
        return keys
    used: dict[int, set[Key]] = defaultdict(set)
    written: dict[int, set[str]] = defaultdict(set)
    for k, s in enumerate(street.tolist()):
        used[s].add(keys[k])
        written[s].add(str(numbers.text[k]))
    for k in sorted(rows.tolist(), key=lambda k: str(items.identity[k])):
        parent, s = int(items.parent[k]), int(street[k])
        if keys[parent]:
            keys[k], numbers.text[k] = doors_.attached(
                str(numbers.text[parent]), keys[parent], used[s], written[s], rule
            )
    return keys


def _building_rows(items: Items) -> list[int]:
    """The building that stands for each item: its first, for a door that of the item it belongs to."""
    return [(items.members[k] or items.members[int(items.parent[k])] or [-1])[0] for k in range(len(items.members))]


def _stated(
    items: Items, street: Ints, sure: Bools, centrelines: Geometries, lines: Thoroughfares
) -> tuple[Ints, Bools, list[Break]]:
    """Where an item states its street, that street it is, if it is there."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for t, name in enumerate(lines.name):
        by_name[alike(str(name))].append(t)
    whole: dict[int, Any] = {}
    street, sure = street.copy(), sure.copy()
    breaks = []
    same: dict[str, tuple[str, list[int]]] = {}
    for k in np.flatnonzero(items.road != "").tolist():
        road = str(items.road[k])
        if road not in same:
            same[road] = plain(road), by_name.get(alike(road), [])
        name, candidates = same[road]
        if street[k] in candidates:
            sure[k] = True
            continue
        for t in candidates:
            if t not in whole:
                whole[t] = shapely.union_all(centrelines[lines.way_of == t])
        near = [
            (float(shapely.distance(items.geometry[k], whole[t])), t) for t in candidates if not whole[t].is_empty
        ]
        if near and min(near)[0] <= STATED_REACH_M:
            street[k], sure[k] = min(near)[1], True
        elif items.number[k]:
            breaks.append(Break(k, NO_PLACE, "street_far" if near else "street_unknown", name))
            street[k], sure[k] = -1, False
    return street, sure, breaks
