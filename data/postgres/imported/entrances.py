"""Doors of buildings and gates of compounds, with the days on which they are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data.postgres import schema
from data.postgres.bulk import copy_rows, geometry_columns
from data.postgres.imported.territories import Territory
from data.staff import Entrance
from gis.territory.model import MapDoors

_OPEN = """
SELECT e.id, coalesce(b.source_id, ''), coalesce(c.name, ''), e.name, e.street, e.housenumber,
       ST_X(e.geom), ST_Y(e.geom)
FROM entrance e LEFT JOIN building b ON b.id = e.building_id LEFT JOIN compound c ON c.id = e.compound_id
WHERE coalesce(b.territory_id, c.territory_id) = :territory AND e.valid_to IS NULL
"""
# an address may stand for a door that came and went on one day: that door closes with the next import
_NEVER_THERE = """
DELETE FROM entrance e WHERE e.id = ANY(:ids) AND e.valid_from >= :on
AND NOT EXISTS (SELECT FROM address a WHERE a.entrance_id = e.id)
"""
_CLOSE = "UPDATE entrance SET valid_to = :on WHERE id = ANY(:ids) AND valid_from < :on"


def of_map(doors: MapDoors) -> list[Entrance]:
    """The doors and address points that a map shows on buildings.

    Those without a name are called by their number, as doors of one building have different names.
    """
    found, names = [], Counter[tuple[str, str]]()
    rows = zip(doors.building, doors.name, doors.geometry, doors.street, doors.housenumber, strict=True)
    for building, said, place, street, number in rows:
        name = str(said) or str(number)
        names[str(building), name] += 1
        times = names[str(building), name]
        unique = name if times == 1 else f"{name} ({times})".strip()
        found.append(Entrance(str(building), unique, place, "", str(street), str(number)))
    return found


def save(connection: Connection, territory: Territory, entrances: Sequence[Entrance], on: date) -> int:
    """Open the doors that are new on a day and close those that are there no more; how many were opened.

    A door that has moved is closed and opened again. Doors of buildings and compounds that are not there are left
    out; of several compounds of one name a gate is that of the nearest.
    """
    rows = connection.execute(text(_OPEN), {"territory": territory.id})
    there = {(*key, round(x, 2), round(y, 2)): number for number, *key, x, y in rows}
    given = {_key(e): e for e in entrances}
    gone = [number for key, number in there.items() if key not in given]
    # a door opened this very day and gone again was never there
    connection.execute(text(_NEVER_THERE), {"ids": gone, "on": on})
    connection.execute(text(_CLOSE), {"ids": gone, "on": on})
    buildings, compounds = _buildings(connection, territory), _compounds(connection, territory)
    new = [e for key, e in given.items() if key not in there and (e.building in buildings or e.compound in compounds)]
    places: Any = np.array([e.place for e in new], dtype=object)
    return copy_rows(
        connection,
        schema.entrance,
        {
            "building_id": [buildings.get(e.building) for e in new],
            "compound_id": [None if e.building else _nearest(compounds[e.compound], e.place) for e in new],
            "name": [e.name for e in new],
            "street": [e.street for e in new],
            "housenumber": [e.housenumber for e in new],
            "valid_from": [on] * len(new),
            **geometry_columns(places, territory.crs, territory.srid),
        },
    )


def _key(e: Entrance) -> tuple[object, ...]:
    compound = "" if e.building else e.compound
    return (e.building, compound, e.name, e.street, e.housenumber, round(e.place.x, 2), round(e.place.y, 2))


def _buildings(connection: Connection, territory: Territory) -> dict[str, int]:
    rows = connection.execute(
        text("SELECT source_id, id FROM building WHERE territory_id = :territory AND present"),
        {"territory": territory.id},
    )
    found: dict[str, int] = dict(rows.all())
    return found


def _compounds(connection: Connection, territory: Territory) -> dict[str, list[tuple[int, Any]]]:
    """Compounds of each name with their areas."""
    rows = connection.execute(
        text("SELECT name, id, ST_AsBinary(geom) FROM compound WHERE territory_id = :territory AND present"),
        {"territory": territory.id},
    )
    found: dict[str, list[tuple[int, Any]]] = {}
    for name, number, area in rows:
        found.setdefault(name, []).append((number, bytes(area)))
    return found


def _nearest(compounds: list[tuple[int, Any]], place: Any) -> int:
    if len(compounds) == 1:
        return compounds[0][0]
    return min(compounds, key=lambda c: (shapely.from_wkb(c[1]).distance(place), c[0]))[0]
