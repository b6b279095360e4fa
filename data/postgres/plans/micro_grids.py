"""Published micro-grids 微网格: written with their publication, read by grid or as a whole."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data.postgres import schema
from data.postgres.bulk import copy_rows, geometry_columns
from data.postgres.imported.territories import Territory
from data.postgres.plans.publications import Publication
from gis.districting.microgrids import Slices
from gis.territory.layers import make_buildings
from gis.territory.model import Buildings, Geometries, Ints, Texts

#: A micro-grid of an earlier publication hands its steward on to one that holds this part of its households.
SAME: Final = 0.5


@dataclass(frozen=True)
class MicroRows:
    """Micro-grids of one publication, one row each, in the order of ``number`` (from 0).

    ``geometry``: MultiPolygon in the territory's metre CRS; ``steward``: a name or ""; ``note``: a reason code or "".
    """

    geometry: Geometries
    grid_id: Texts  # UUID
    code: Texts
    name: Texts
    households: Ints
    counted: Ints
    buildings: Ints
    note: Texts
    steward: Texts

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class Steward:
    """A slice of a micro-grid that has a steward, and the households of the whole micro-grid."""

    person: int
    micro_grid: int
    total: int
    building: int
    entrance: str
    floor_from: int
    floor_to: int
    households: int


def stewards(connection: Connection, publication_id: int) -> list[Steward]:
    """What the stewards of a publication look after, slice by slice."""
    rows = connection.execute(
        text(
            "SELECT m.steward_id, m.id, m.households, s.building_id, s.entrance, s.floor_from, s.floor_to,"
            " s.households FROM micro_grid m JOIN slice s ON s.micro_grid_id = m.id"
            " WHERE m.publication_id = :p AND m.steward_id IS NOT NULL ORDER BY m.number, s.id"
        ),
        {"p": publication_id},
    )
    return [Steward(*row) for row in rows]


def heirs(before: list[Steward], slices: Slices, buildings: Ints) -> dict[int, int]:
    """The steward of each new micro-grid: whose old one shares most households with it, and at least half its own."""
    by_stair: dict[tuple[int, str], list[Steward]] = defaultdict(list)
    for old in before:
        by_stair[old.building, old.entrance].append(old)
    shared: dict[tuple[int, int], float] = defaultdict(float)
    about = {old.micro_grid: old for old in before}
    for k in range(len(slices)):
        key = (int(buildings[slices.building[k]]), str(slices.unit[k]))
        for old in by_stair.get(key, []):
            floors = min(old.floor_to, int(slices.floor_to[k])) - max(old.floor_from, int(slices.floor_from[k])) + 1
            part = max(floors, 0) / (old.floor_to - old.floor_from + 1)
            shared[int(slices.micro[k]), old.micro_grid] += part * old.households
    found: dict[int, int] = {}
    for (new, micro), households in sorted(shared.items(), key=lambda s: (-s[1], s[0])):
        if new not in found and households >= SAME * about[micro].total:
            found[new] = about[micro].person
    return found


def structures(connection: Connection, buildings: Ints) -> Buildings:
    """The rows of ``buildings`` (ids), in that order: what says how many stairs and floors they have."""
    found = connection.execute(
        text(
            "SELECT b.source_id, b.use, b.name, b.levels, b.height, b.units, b.floors, ST_AsBinary(b.geom)"
            " FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY u (id, place) JOIN building b ON b.id = u.id"
            " ORDER BY u.place"
        ),
        {"ids": buildings.tolist()},
    ).all()
    columns: list[Any] = [list(c) for c in zip(*found, strict=True)] or [[] for _ in range(8)]
    names = ("source_id", "use", "name", "levels", "height", "units", "floors")
    shapes = shapely.from_wkb(np.array([bytes(g) for g in columns[7]], object))
    return make_buildings(geometry=shapes, **dict(zip(names, columns[:7], strict=True)))


def save(
    connection: Connection,
    territory: Territory,
    publication: Publication,
    rows: MicroRows,
    slices: Slices,
    buildings: Ints,
    before: list[Steward],
) -> None:
    """Write the micro-grids and slices of a publication; stewards of ``before`` go on where they can.

    ``slices.building`` counts in ``buildings`` (row ids); ``slices.micro`` in ``rows``.
    """
    n = len(rows)
    person = heirs(before, slices, buildings)
    names = ("grid_id", "code", "name", "households", "counted", "buildings", "note")
    copy_rows(
        connection,
        schema.micro_grid,
        {
            "publication_id": [publication.id] * n,
            "number": np.arange(n),
            "steward_id": [person.get(m) for m in range(n)],
            **{f: getattr(rows, f) for f in names},
            **geometry_columns(rows.geometry, territory.crs, territory.srid),
        },
    )
    found = connection.execute(
        text("SELECT id FROM micro_grid WHERE publication_id = :p ORDER BY number"), {"p": publication.id}
    )
    ids = np.array(found.scalars().all(), np.int64)
    copy_rows(
        connection,
        schema.slice_,
        {
            "building_id": buildings[slices.building],
            "entrance": [str(u) for u in slices.unit],
            "floor_from": slices.floor_from,
            "floor_to": slices.floor_to,
            "households": slices.households,
            "counted": slices.counted,
            "micro_grid_id": ids[slices.micro],
        },
    )


def read(connection: Connection, publication_id: int, grid_id: UUID | None = None) -> MicroRows:
    """The micro-grids of a publication (of one grid where it is named), in the order of their numbers."""
    found = connection.execute(
        text(
            "SELECT ST_AsBinary(m.geom), m.grid_id, m.code, m.name, m.households, m.counted, m.buildings, m.note,"
            " coalesce(p.name, '') FROM micro_grid m LEFT JOIN person p ON p.id = m.steward_id"
            " WHERE m.publication_id = :p AND (CAST(:g AS uuid) IS NULL OR m.grid_id = :g) ORDER BY m.number"
        ),
        {"p": publication_id, "g": grid_id},
    ).all()
    columns: list[Any] = [list(c) for c in zip(*found, strict=True)] or [[] for _ in range(9)]
    shapes = shapely.from_wkb(np.array([bytes(g) for g in columns[0]], object))
    texts = {i: np.array(columns[i], object) for i in (1, 2, 3, 7, 8)}
    counts = {i: np.array(columns[i], np.int64) for i in (4, 5, 6)}
    return MicroRows(shapes, texts[1], texts[2], texts[3], counts[4], counts[5], counts[6], texts[7], texts[8])


def of_building(connection: Connection, publication_id: int, building_id: int) -> list[dict[str, Any]]:
    """Which micro-grid each stair and floor of a building is in: code, name, entrance, floors, steward."""
    found = connection.execute(
        text(
            "SELECT m.code, m.name, s.entrance, s.floor_from, s.floor_to, s.households,"
            " coalesce(p.name, '') AS steward FROM slice s JOIN micro_grid m ON m.id = s.micro_grid_id"
            " LEFT JOIN person p ON p.id = m.steward_id"
            " WHERE m.publication_id = :p AND s.building_id = :b ORDER BY s.entrance::int, s.floor_from"
        ),
        {"p": publication_id, "b": building_id},
    )
    return [dict(row._mapping) for row in found]


def set_steward(connection: Connection, micro_grid: str, publication_id: int, person_id: int | None) -> bool:
    """Fill a steward's place, or empty it; False where the publication has no such micro-grid."""
    done = connection.execute(
        text("UPDATE micro_grid SET steward_id = :s WHERE publication_id = :p AND code = :c"),
        {"s": person_id, "p": publication_id, "c": micro_grid},
    )
    return bool(done.rowcount)
