"""Slices: a building as stairs 单元 and floors 楼层, with the households behind every door of a floor.

A *cell* is one floor of one stair, the smallest piece a micro-grid is made of. What the input says of entrances
(``units``) and storeys (``floors``, else ``levels``, else ``height``) is used; the rest is supposed by one rule:

- storeys: usual ones of the use (as households are estimated), else 3; never more than there are households;
- stairs: one in buildings of up to 3 storeys or up to ``doors`` households a storey; else as many as leave
  ``doors`` households on a landing: 2 in walk-ups of up to 6 storeys (一梯两户), 4 where there are lifts.

Households are spread over stairs, and over the floors of each stair, as evenly as whole numbers allow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gis.territory.households import RESIDENTIAL
from gis.territory.model import Bools, Buildings, Floats, Ints

#: Metres a storey, storeys where nothing tells, storeys up to which there are no lifts, and low houses.
STOREY: Final = 3.0
USUAL: Final = 3.0
WALK_UP: Final = 6
LOW: Final = 3
#: Households on a landing of a walk-up, and of a building with lifts.
LANDING: Final = (2, 4)


@dataclass(frozen=True)
class Structure:
    """Stairs and floors of every building, at least 1; ``given``: both were said by the input, not supposed."""

    units: Ints
    floors: Ints
    given: Bools


@dataclass(frozen=True)
class Cells:
    """One row a floor of a stair that holds households, building by building in serpentine order.

    ``building`` is a position in the columns given; ``unit`` and ``floor`` count from 1. Within a building each row
    adjoins the one before: the next floor of the same stair, or the same floor of the next stair.
    """

    building: Ints
    unit: Ints
    floor: Ints
    households: Ints
    counted: Ints

    def __len__(self) -> int:
        return len(self.building)


def structure_of(buildings: Buildings, households: Ints) -> Structure:
    """Stairs and floors of every building, from its own columns where they say so."""
    told = _first(buildings.floors, buildings.levels, np.rint(buildings.height / STOREY))
    usual = np.array([RESIDENTIAL.get(u.lower(), USUAL) for u in buildings.use], np.float64)
    known_floors = np.isfinite(told)
    floors = np.maximum(np.rint(np.where(known_floors, told, usual)), 1).astype(np.int64)
    floors = np.where(known_floors, floors, np.minimum(floors, np.maximum(households, 1)))
    known_units = np.isfinite(buildings.units) & (buildings.units >= 1)
    units = np.where(known_units, np.nan_to_num(buildings.units, nan=1.0), supposed_units(households, floors))
    # a stair without a household is no stair: nobody lives behind it
    units = np.clip(np.rint(units).astype(np.int64), 1, np.maximum(households, 1))
    return Structure(units, floors, known_units & known_floors)


def supposed_units(households: Ints, floors: Ints) -> Ints:
    """Stairs of buildings whose entrances nobody counted."""
    landing = np.where(floors <= WALK_UP, LANDING[0], LANDING[1])
    stairs = -(-households // np.maximum(floors * landing, 1))
    low = (floors <= LOW) | (households <= landing * floors)
    return np.asarray(np.where(low, 1, np.maximum(stairs, 1)), np.int64)


def _first(*columns: Floats) -> Floats:
    out = np.full(len(columns[0]), np.nan)
    for column in columns:
        out = np.where(np.isfinite(out), out, np.where(column >= 1, column, np.nan))
    return out


def cells_of(structure: Structure, households: Ints, counted: Ints) -> Cells:
    """Every floor of every stair with its households; those without any are left out.

    A stair that ends where the next begins keeps rows adjoining: the first stair is climbed where their number is
    even and descended where it is odd, so that a building is always left at the ground.
    """
    columns: list[list[int]] = [[], [], [], [], []]
    rows = zip(
        structure.units.tolist(), structure.floors.tolist(), households.tolist(), counted.tolist(), strict=True
    )
    for b, (units, floors, total, bounded) in enumerate(rows):
        if total <= 0:
            continue
        if units == 1 and floors == 1:
            for column, value in zip(columns, (b, 1, 1, total, bounded), strict=True):
                column.append(value)
            continue
        before = 0
        for u, f, held in _floors(units, floors, total):
            # of every few households one is counted: so no floor counts more than it holds
            own = (before + held) * bounded // total - before * bounded // total
            before += held
            for column, value in zip(columns, (b, u, f, held, own), strict=True):
                column.append(value)
    return Cells(*(np.array(c, np.int64) for c in columns))


def _floors(units: int, floors: int, total: int) -> list[tuple[int, int, int]]:
    """(unit, floor, households) in serpentine order, floors without households left out."""
    out = []
    for u in range(units):
        mine = (u + 1) * total // units - u * total // units
        spread = [(u + 1, f + 1, (f + 1) * mine // floors - f * mine // floors) for f in range(floors)]
        rising = (u + units) % 2 == 0
        out += [cell for cell in (spread if rising else spread[::-1]) if cell[2]]
    return out
