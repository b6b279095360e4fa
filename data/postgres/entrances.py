"""Doors of buildings, with the days on which they are there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from data.postgres import schema
from data.postgres.bulk import copy_rows, geometry_columns
from data.postgres.territories import Territory
from data.staff import Entrance

_OPEN = """
SELECT e.id, b.source_id, e.name, ST_X(e.geom), ST_Y(e.geom) FROM entrance e JOIN building b ON b.id = e.building_id
WHERE b.territory_id = :territory AND e.valid_to IS NULL
"""


def save(connection: Connection, territory: Territory, entrances: Sequence[Entrance], on: date) -> int:
    """Open the doors that are new on a day and close those that are there no more; how many were opened.

    A door that has moved is closed and opened again. Doors of buildings that are not there are left out.
    """
    rows = connection.execute(text(_OPEN), {"territory": territory.id})
    there = {(building, name, round(x, 2), round(y, 2)): number for number, building, name, x, y in rows}
    given = {(e.building, e.name, round(e.place.x, 2), round(e.place.y, 2)): e for e in entrances}
    gone = [number for key, number in there.items() if key not in given]
    # a door opened this very day and gone again was never there
    connection.execute(
        text("DELETE FROM entrance WHERE id = ANY(:ids) AND valid_from >= :on"), {"ids": gone, "on": on}
    )
    connection.execute(text("UPDATE entrance SET valid_to = :on WHERE id = ANY(:ids)"), {"ids": gone, "on": on})
    buildings = _buildings(connection, territory)
    new = [e for key, e in given.items() if key not in there and e.building in buildings]
    places: Any = np.array([e.place for e in new], dtype=object)
    return copy_rows(
        connection,
        schema.entrance,
        {
            "building_id": [buildings[e.building] for e in new],
            "name": [e.name for e in new],
            "valid_from": [on] * len(new),
            **geometry_columns(places, territory.crs, territory.srid),
        },
    )


def _buildings(connection: Connection, territory: Territory) -> dict[str, int]:
    rows = connection.execute(
        text("SELECT source_id, id FROM building WHERE territory_id = :territory AND present"),
        {"territory": territory.id},
    )
    found: dict[str, int] = dict(rows.all())
    return found
