"""Units (单元) and rooms (户室) of buildings whose floors and dwellings are known.

Rooms are numbered floor by floor, 101, 102, 201, ... in every unit; units from 1. A single dwelling has no room
number: its building's address is its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gis.addressing.compose import Style
from gis.territory.model import Floats, Ints, Texts


@dataclass(frozen=True)
class Homes:
    """Rows under the addresses of buildings: units first (``room`` ""), then rooms.

    ``building`` is the building's position; ``unit`` is "" in a building with one unit.
    """

    building: Ints
    unit: Texts
    floor: Texts
    room: Texts
    text: Texts


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


def homes(text: Texts, units: Floats, floors: Floats, dwellings: Floats, style: Style) -> Homes:
    """Units and rooms below the addresses of n buildings (``text`` "" : none below it)."""
    known = np.where(text != "", dwellings, np.nan)
    found = rooms(units, floors, known)
    several = np.isfinite(units) & (units >= 2)
    unit = np.where(several[found.building], found.unit.astype(str), "").astype(object)
    pairs = np.unique(np.stack([found.building, found.unit]), axis=1)
    pairs = pairs[:, several[pairs[0]]]
    no_room = np.array([""] * pairs.shape[1], dtype=object)
    unit_text = pairs[1].astype(str).astype(object)
    room = (found.floor * _floor_step(found, len(text)) + found.number).astype(str).astype(object)
    floor = found.floor.astype(str).astype(object)
    building = np.concatenate([pairs[0], found.building])
    all_units, all_rooms = np.concatenate([unit_text, unit]), np.concatenate([no_room, room])
    said = [
        str(text[b]) + _below(str(u), str(r), style) for b, u, r in zip(building, all_units, all_rooms, strict=True)
    ]
    return Homes(building, all_units, np.concatenate([no_room, floor]), all_rooms, np.array(said, dtype=object))


def _floor_step(found: Rooms, n: int) -> Ints:
    """What a floor adds to a room's number: 100, and 1000 in buildings with over 99 rooms on a floor of a unit."""
    most = np.zeros(n, np.int64)
    np.maximum.at(most, found.building, found.number)
    return np.where(most > 99, 1000, 100)[found.building]


def _below(unit: str, room: str, style: Style) -> str:
    if style == "western":
        return (f" unit {unit}" if unit else "") + (f" no. {room}" if room else "")
    return (f"{unit}单元" if unit else "") + (f"{room}室" if room else "")
