"""Units (单元) and rooms (户室) of buildings whose floors and dwellings are known.

Rooms are numbered floor by floor, 101, 102, 201, ... in every unit; units from 1; how they are written is the
ruleset's. A single dwelling has no room number: its building's address is its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from gis.addressing.compose import PLAIN, Patterns, Style, home_text
from gis.territory.model import Floats, Geometries, Ints, Texts

_ROOM_WIDTH: Final = re.compile(r"\{room:0?([1-4])\}")


@dataclass(frozen=True)
class Homes:
    """Rows under the addresses of buildings: units first (``room`` ""), then rooms.

    ``building`` is the building's position; ``unit`` is "" in a building with one unit, ``nth`` its place
    in the order of units (1..).
    """

    building: Ints
    unit: Texts
    floor: Texts
    room: Texts
    text: Texts
    nth: Ints


@dataclass(frozen=True)
class Rooms:
    """Dwellings as rows: building position, unit (1..), floor (1..), number on the floor (1..)."""

    building: Ints
    unit: Ints
    floor: Ints
    number: Ints


def rooms(units: Floats, floors: Floats, dwellings: Floats) -> Rooms:
    """Rooms of n buildings from counts (NaN: not known; no rooms where floors or dwellings are unknown).

    Dwellings spread evenly over units and floors, lower units and floors first; a single-family house (one
    dwelling, one unit) gets none, its building address is its dwelling's.
    """
    known = np.isfinite(floors) & np.isfinite(dwellings) & (floors >= 1) & (dwellings >= 2)
    unit_count = np.where(np.isfinite(units) & (units >= 1), units, 1).astype(np.int64)
    unit_count = np.where(known, unit_count, 0)
    rows = np.flatnonzero(known)
    building, unit, home = _expand(rows, unit_count[rows], dwellings[rows].astype(np.int64))
    per_unit = -(-dwellings[building].astype(np.int64) // unit_count[building])
    per_floor = np.maximum(-(-per_unit // floors[building].astype(np.int64)), 1)
    return Rooms(building, unit, home // per_floor + 1, home % per_floor + 1)


def _expand(rows: Ints, unit_count: Ints, homes: Ints) -> tuple[Ints, Ints, Ints]:
    """Building, unit (1..) and place in the unit (0..) of every dwelling."""
    building = np.repeat(rows, homes)
    nth = np.arange(len(building)) - np.repeat(np.cumsum(homes) - homes, homes)
    per_unit = np.repeat(-(-homes // np.maximum(unit_count, 1)), homes)
    return building, nth // np.maximum(per_unit, 1) + 1, nth % np.maximum(per_unit, 1)


def homes(
    text: Texts, units: Floats, floors: Floats, dwellings: Floats, style: Style, patterns: Patterns = PLAIN
) -> Homes:
    """Units and rooms below the addresses of n buildings (``text`` "" : none below it)."""
    known = np.where(text != "", dwellings, np.nan)
    found = rooms(units, floors, known)
    several = np.isfinite(units) & (units >= 2)
    names = {int(u): _unit(int(u), patterns) for u in np.unique(found.unit)}
    label = np.array([names[int(u)] for u in found.unit], dtype=object)
    unit = np.where(several[found.building], label, "").astype(object)
    pairs = np.unique(np.stack([found.building, found.unit]), axis=1)
    pairs = pairs[:, several[pairs[0]]]
    no_room = np.array([""] * pairs.shape[1], dtype=object)
    unit_text = np.array([names[int(u)] for u in pairs[1]], dtype=object)
    level = _floors(found.floor, patterns.skip_floors)
    room = _numbers(found, level, label, len(text), patterns.number)
    building = np.concatenate([pairs[0], found.building])
    all_units, all_rooms = np.concatenate([unit_text, unit]), np.concatenate([no_room, room])
    said = [
        str(text[b]) + home_text(str(u), str(r), style, patterns)
        for b, u, r in zip(building, all_units, all_rooms, strict=True)
    ]
    floor = np.concatenate([no_room, level.astype(str).astype(object)])
    nth = np.concatenate([pairs[1], found.unit])
    return Homes(building, all_units, floor, all_rooms, np.array(said, dtype=object), nth)


def places(footprints: Geometries, units: Floats, below: Homes, patterns: Patterns = PLAIN) -> Geometries:
    """A point in its unit's part of the building for every row of ``below``.

    A building is cut across its long side into as many equal parts as it has units, counted from the end that the
    patterns name; where that leaves nothing (a point, a court's gap) it is a point of the building.
    """
    pairs, of = np.unique(np.stack([below.building, below.nth]), axis=1, return_inverse=True)
    building, nth = pairs
    whole = footprints[building]
    count = np.maximum(np.where(np.isfinite(units), units, 1.0), 1.0)[building]
    part = shapely.intersection(whole, _parts(whole, nth, count, patterns))
    part = np.where(shapely.is_empty(part), whole, part)
    found = np.asarray(shapely.point_on_surface(part), dtype=object)
    return np.asarray(found[of.ravel()], dtype=object)


def _parts(whole: Geometries, nth: Ints, count: Floats, patterns: Patterns) -> Geometries:
    """The box of each unit: the ``nth`` of ``count`` slices of the building's oriented box across its long side."""
    boxes = shapely.oriented_envelope(whole)
    flat = shapely.get_dimensions(boxes) < 2  # a point or a line is its own only part
    corner = np.zeros((len(whole), 4, 2))
    xy, of = shapely.get_coordinates(boxes[~flat], return_index=True)
    corner[~flat] = xy[np.searchsorted(of, np.arange((~flat).sum()))[:, None] + np.arange(4)]
    one, two = corner[:, 1] - corner[:, 0], corner[:, 3] - corner[:, 0]
    swap = np.hypot(*one.T) < np.hypot(*two.T)
    long, short = np.where(swap[:, None], two, one), np.where(swap[:, None], one, two)
    across = np.abs(long[:, 0]) >= np.abs(long[:, 1])
    first_east = np.where(across, patterns.across == "east", False)
    first_north = np.where(across, False, patterns.along == "north")
    from_far = np.where(across, (long[:, 0] > 0) == first_east, (long[:, 1] > 0) == first_north)
    share = np.stack([(nth - 1) / count, nth / count])
    share = np.where(from_far, 1 - share[::-1], share)
    begin, end = (corner[:, 0] + long * s[:, None] for s in share)
    ring = np.stack([begin, end, end + short, begin + short, begin], axis=1)
    found = np.array(whole, dtype=object)
    found[~flat] = shapely.polygons(ring[~flat])
    return found


def _unit(number: int, patterns: Patterns) -> str:
    """A unit's name: 1, 2 ... or A, B ... (numbers again past Z)."""
    return chr(64 + number) if patterns.unit_letters and number <= 26 else str(number)


def _floors(floor: Ints, skipped: tuple[int, ...]) -> Ints:
    """Floors as people call them: without the numbers a place skips."""
    top = int(floor.max(initial=0))
    names = [n for n in range(1, top + len(skipped) + 1) if n not in skipped]
    return np.asarray(np.array([0, *names], dtype=np.int64)[floor], dtype=np.int64)


def _numbers(found: Rooms, floor: Ints, unit: Texts, n: int, pattern: str) -> Texts:
    """Room numbers by the pattern; a building with more rooms on a floor than it has digits for gets one more."""
    most = np.zeros(n, np.int64)
    np.maximum.at(most, found.building, found.number)
    digits = [len(str(m)) for m in most.tolist()]

    def wider(b: int) -> str:
        return _ROOM_WIDTH.sub(lambda m: f"{{room:0{max(int(m[1]), digits[b])}}}", pattern)

    shapes = {b: wider(b) for b in set(found.building.tolist())}
    rows = zip(found.building.tolist(), floor.tolist(), found.number.tolist(), unit, strict=True)
    return np.array([shapes[b].format(floor=f, room=r, unit=u) for b, f, r, u in rows], dtype=object)
