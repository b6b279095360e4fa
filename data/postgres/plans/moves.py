"""What an adjustment of a plan reads and keeps besides the plan itself: identity of grids, doors of buildings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text

from gis.territory.model import Ints


@dataclass(frozen=True)
class BuildingRow:
    """A building by what people know it by; ``doors`` are the texts of its addresses in force."""

    source_id: str
    name: str
    households: int
    doors: tuple[str, ...]


def keep_ids(connection: Connection, version_id: int, ids: Mapping[int, UUID]) -> None:
    """Write the permanent ids of grids that go on into a plan version, by number."""
    if ids:
        connection.execute(
            text("UPDATE version_grid SET grid_id = :grid WHERE plan_version_id = :version AND number = :number"),
            [{"version": version_id, "number": number, "grid": grid} for number, grid in ids.items()],
        )


def buildings(connection: Connection, territory_id: int, ids: Ints) -> dict[int, BuildingRow]:
    """Some buildings by their row id, with their doors."""
    wanted = {"ids": [int(i) for i in ids], "territory": territory_id}
    doors: dict[int, list[str]] = defaultdict(list)
    rows = connection.execute(
        text(
            "SELECT building_id, text FROM address WHERE territory_id = :territory AND building_id = ANY(:ids)"
            " AND status = 'issued' AND valid_to IS NULL ORDER BY text, id"
        ),
        wanted,
    )
    for building, door in rows:
        doors[building].append(door)
    rows = connection.execute(
        text(
            "SELECT id, source_id, coalesce(name, ''), coalesce(households, 0) FROM building"
            " WHERE territory_id = :territory AND id = ANY(:ids)"
        ),
        wanted,
    )
    return {number: BuildingRow(source, name, int(held), tuple(doors[number])) for number, source, name, held in rows}
