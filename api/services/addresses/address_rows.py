"""Assigned addresses as rows for the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from data.postgres.addresses.addresses import Issued, Layers, NewAddresses
from gis.addressing.assign import Addresses
from gis.addressing.breaks import MISMATCH, NO_NUMBER, NO_PLACE, SEVERAL, SHARED
from gis.addressing.doors import Doors
from gis.territory.model import Ints, Texts

#: Which class of mess an address shows when it has several.
WORST_FIRST: Final = (NO_PLACE, SHARED, MISMATCH, SEVERAL, NO_NUMBER)
#: An alley without a name is no fault of the address that hangs on a compound or village group instead.
NO_MESS: Final = frozenset({"no_street"})


def building_rows(layers: Layers, found: Addresses, roads: Ints, rows: Ints) -> NewAddresses:
    """Addresses of buildings; their codes are filled in by the caller."""
    street = found.thoroughfare[rows]
    on_street = street >= 0
    in_compound = found.compound[rows] >= 0
    none = np.array([""] * len(rows), dtype=object)
    kept = found.kept[rows] & ~in_compound
    return NewAddresses(
        code=[],
        level=np.where(in_compound, "building", "premise").astype(object),
        parent=np.zeros(len(rows), dtype=np.int64),
        building_id=layers.building_id[rows],
        community_id=_ids(layers.community_id, found.community[rows]),
        thoroughfare_id=_ids(roads, street),
        number=found.base[rows],
        number_text=found.number[rows],
        side=np.where(on_street, np.where(found.right[rows], "right", "left"), "").astype(object),
        station=np.where(on_street, found.station[rows], np.nan),
        compound_id=_ids(layers.compound_id, found.compound[rows]),
        building_no=found.block[rows],
        unit=none,
        floor=none,
        room=none,
        text=found.text[rows],
        other=found.other[rows],
        origin=np.where(kept, "existing", "issued").astype(object),
        mess=_mess(found)[rows],
        point=found.point[rows],
        entrance_id=np.zeros(len(rows), dtype=np.int64),
    )


def known_doors(layers: Layers, before: Issued) -> Doors:
    """Doors with the numbers that were issued for them: by their row, else by their name at the same place."""
    doors = layers.doors
    street, number = doors.street.copy(), doors.housenumber.copy()
    at = {int(i): k for k, i in enumerate(layers.door_id)}
    for k in np.flatnonzero(before.level == "entrance").tolist():
        row = at.get(int(before.entrance_id[k]), _moved(layers, before, k))
        if row is not None and before.road[k]:
            street[row], number[row] = before.road[k], before.number[k]
    return replace(doors, street=street, housenumber=number)


def _moved(layers: Layers, before: Issued, k: int) -> int | None:
    """The door that stands where an address's door is no more: the only new one of its name there."""
    doors, fresh = layers.doors, ~np.isin(layers.door_id, before.entrance_id)
    same = fresh & (doors.name == before.entrance_name[k])
    building = np.r_[layers.building_id, 0][doors.building] == before.building_id[k]
    compound = np.r_[layers.compound_id, 0][doors.compound]
    gate = (doors.building < 0) & (compound == before.compound_id[k]) & (compound > 0)
    rows = np.flatnonzero(same & (building | gate))
    return int(rows[0]) if len(rows) == 1 else None


def new_doors(layers: Layers, before: Issued, found: Addresses) -> Ints:
    """Rows of ``found.doors`` that have no address yet, by their door and by their road and number."""
    doors, standing = found.doors, np.flatnonzero(before.level == "entrance")
    known = {(int(before.building_id[k]), str(before.road[k]), str(before.number[k])) for k in standing}
    ids = set(before.entrance_id[standing].tolist())
    names = np.array([*found.thoroughfares.name, ""], dtype=object)[doors.thoroughfare]
    fresh = [
        k
        for k, (door, building) in enumerate(zip(doors.door.tolist(), doors.building.tolist(), strict=True))
        if doors.text[k]
        and int(layers.door_id[door]) not in ids
        and (int(layers.building_id[building]), str(names[k]), str(doors.number[k])) not in known
    ]
    return np.array(fresh, dtype=np.int64)


def door_rows(layers: Layers, found: Addresses, roads: Ints, rows: Ints, have: Mapping[int, int]) -> NewAddresses:
    """Addresses of further doors and gates; their codes are filled in by the caller.

    A gate's building is the one behind it. ``have`` gives the address of a building, under which its doors stand;
    gates stand for themselves.
    """
    doors, count = found.doors, len(rows)
    none = np.array([""] * count, dtype=object)
    behind, on_street = doors.building[rows], doors.thoroughfare[rows] >= 0
    gate = layers.doors.building[doors.door[rows]] < 0
    above = [have.get(int(b), 0) for b in layers.building_id[behind]]
    return NewAddresses(
        code=[],
        level=np.array(["entrance"] * count, dtype=object),
        parent=np.where(gate, 0, np.array(above, dtype=np.int64)),
        building_id=layers.building_id[behind],
        community_id=_ids(layers.community_id, found.community[behind]),
        thoroughfare_id=_ids(roads, doors.thoroughfare[rows]),
        number=doors.base[rows],
        number_text=doors.number[rows],
        side=np.where(on_street, np.where(doors.right[rows], "right", "left"), "").astype(object),
        station=np.where(on_street, doors.station[rows], np.nan),
        compound_id=_ids(layers.compound_id, doors.compound[rows]),
        building_no=none,
        unit=none,
        floor=none,
        room=none,
        text=doors.text[rows],
        other=none,
        origin=np.where(doors.kept[rows], "existing", "issued").astype(object),
        mess=none,
        point=layers.doors.geometry[doors.door[rows]],
        entrance_id=layers.door_id[doors.door[rows]],
    )


def home_rows(layers: Layers, found: Addresses, building: Ints, level: str, parent: Ints) -> NewAddresses:
    """Rows below buildings: place and community are the building's, numbers are its own address's alone."""
    count = len(building)

    def blank() -> Texts:
        return np.array([""] * count, dtype=object)

    zero = np.zeros(count, dtype=np.int64)
    return NewAddresses(
        code=[], level=np.array([level] * count, dtype=object), parent=parent,
        building_id=layers.building_id[building],
        community_id=_ids(layers.community_id, found.community[building]),
        thoroughfare_id=zero, number=zero, number_text=blank(), side=blank(), station=np.full(count, np.nan),
        compound_id=zero, building_no=blank(), unit=blank(), floor=blank(), room=blank(), text=blank(), other=blank(),
        origin=np.array(["issued"] * count, dtype=object), mess=blank(), point=found.point[building],
        entrance_id=zero,
    )  # fmt: skip


def _ids(ids: Ints, position: Ints) -> Ints:
    """Row ids at positions, 0 for -1."""
    return np.asarray(np.r_[ids, 0][position], dtype=np.int64)


def _mess(found: Addresses) -> Texts:
    """The worst class of mess of each building, "" for none."""
    worst = np.array([""] * len(found.text), dtype=object)
    for kind in reversed(WORST_FIRST):
        for b in found.breaks:
            if b.kind == kind and b.reason not in NO_MESS:
                worst[b.item] = kind
    return worst
