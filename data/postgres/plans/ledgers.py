"""What the ledger 网格台账 is made of: street responsibilities of a publication, and its buildings by grid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, text

from data.postgres import schema
from data.postgres.bulk import copy_rows, ewkb
from data.postgres.imported.territories import Territory
from data.postgres.plans.grids import Draft
from data.postgres.plans.publications import Publication
from gis.districting.responsibility import Responsibilities


@dataclass(frozen=True)
class Duty:
    """A street section that a grid answers for: name ("" where it has none), class and metres."""

    street: str
    street_class: str
    metres: float


def save_responsibilities(
    connection: Connection,
    territory: Territory,
    publication: Publication,
    drafts: Iterable[Draft],
    found: Responsibilities,
) -> None:
    """Write who answers for the streets on the borders of a publication's grids."""
    ids = {d.number: d.grid_id for d in drafts}
    copy_rows(
        connection,
        schema.street_responsibility,
        {
            "publication_id": [publication.id] * len(found),
            "number": np.arange(len(found)),
            "grid_id": [ids[int(g)] for g in found.grid],
            "other_id": [ids.get(int(g)) for g in found.other],  # none: the territory ends there
            "street": found.street,
            "class": found.street_class,
            "metres": found.metres,
            "reason": found.reason,
            "source_ids": found.source_ids,
            "geom": ewkb(found.geometry, territory.srid),
        },
    )


def duties(connection: Connection, publication: int, grid_id: str | None = None) -> dict[str, list[Duty]]:
    """Street sections by the ``grid_id`` that answers for them (or of one grid), the longest first."""
    rows = connection.execute(
        text(
            "SELECT grid_id::text, street, class, metres FROM street_responsibility"
            " WHERE publication_id = :p AND (CAST(:g AS uuid) IS NULL OR grid_id = CAST(:g AS uuid))"
            " ORDER BY grid_id, metres DESC, number"
        ),
        {"p": publication, "g": None if grid_id is None else UUID(grid_id)},
    )
    found: dict[str, list[Duty]] = {}
    for grid, *duty in rows:
        found.setdefault(grid, []).append(Duty(*duty))
    return found


def buildings(connection: Connection, publication: int) -> list[tuple[str, str, str]]:
    """(``grid_id``, compound, name) of every building in a publication, in the order of the sources."""
    rows = connection.execute(
        text(
            "SELECT x.grid_id::text, coalesce(c.name, ''), b.name FROM building_grid x"
            " JOIN building b ON b.id = x.building_id LEFT JOIN compound c ON c.id = b.compound_id"
            " WHERE x.publication_id = :p ORDER BY b.id"
        ),
        {"p": publication},
    )
    return [tuple(row) for row in rows]


def grid_rows(connection: Connection, publication: int) -> list[dict[str, Any]]:
    """The grids of a publication by code, with area in square metres and the four bounds."""
    rows = connection.execute(
        text(
            "SELECT g.grid_id::text AS grid_id, g.code, g.name, g.kind, coalesce(nullif(c.name, ''), g.community)"
            " AS community, g.households, g.counted, g.buildings, ST_Area(g.geom) AS area, g.bounds, g.note"
            " FROM grid_version g LEFT JOIN community c ON c.id = g.community_id"
            " WHERE g.publication_id = :p ORDER BY g.code"
        ),
        {"p": publication},
    )
    return [dict(row._mapping) for row in rows]
