"""What boards and cards are made of: grids in force with their doors, the staff of a day, a map's shapes; and what
was printed. Only public contacts are read; there are no records about residents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import shapely
from sqlalchemy import Connection, insert, text

from data.postgres import schema
from data.postgres.imported.territories import Territory


@dataclass(frozen=True)
class Grid:
    """A published grid: ``bounds`` 四至 as stored, ``shape`` in the territory's metre CRS."""

    grid_id: str
    code: str
    name: str
    community: str
    community_code: str
    bounds: Mapping[str, Any]
    shape: Any


@dataclass(frozen=True)
class Premise:
    """An address in force on a street or in a compound, with its building's grid."""

    address: int
    code: str
    text: str
    building: int
    grid_id: str
    road: str
    road_place: int
    number: int | None
    number_text: str
    compound: str
    building_no: str


@dataclass(frozen=True)
class Duty:
    """A person on a post on a day, with every grid and building that the post answers for."""

    person: int
    post: int
    name: str
    organisation: str
    title: str
    role: str
    phone: str
    duties: str
    fictitious: bool
    grids: tuple[str, ...]
    buildings: tuple[int, ...]


@dataclass(frozen=True)
class Shapes:
    """What a map shows inside a box: buildings by id, streets as (name, highway, shape)."""

    buildings: Mapping[int, Any]
    streets: tuple[tuple[str, str, Any], ...]


@dataclass(frozen=True)
class Printed:
    """The newest print of a board (``building``) or card (``person`` on ``post``)."""

    id: int
    building: int | None
    person: int | None
    post: int | None
    day: date
    content: Mapping[str, Any]


def fictitious(connection: Connection, territory: Territory) -> bool:
    """Whether the whole territory is made up."""
    found = connection.execute(text("SELECT fictitious FROM territory WHERE id = :t"), {"t": territory.id})
    return bool(found.scalar_one())


def grids(connection: Connection, publication: int) -> list[Grid]:
    """The grids of a publication by code."""
    rows = connection.execute(
        text(
            "SELECT g.grid_id::text, g.code, g.name, coalesce(nullif(c.name, ''), g.community), coalesce(c.code, ''),"
            " g.bounds, ST_AsBinary(g.geom) FROM grid_version g LEFT JOIN community c ON c.id = g.community_id"
            " WHERE g.publication_id = :p ORDER BY g.code"
        ),
        {"p": publication},
    )
    return [
        Grid(grid_id, code, name, community, division, bounds or {}, shapely.from_wkb(bytes(shape)))
        for grid_id, code, name, community, division, bounds, shape in rows
    ]


def premises(connection: Connection, territory: Territory, publication: int, on: date) -> list[Premise]:
    """Premises and buildings with an address in force on a day, along streets and through compounds."""
    rows = connection.execute(
        text(
            "SELECT a.id, a.code, a.text, a.building_id, x.grid_id::text, coalesce(t.name, ''), coalesce(t.place, 0),"
            " a.number, a.number_text, coalesce(c.name, ''), a.building_no FROM address a"
            " JOIN building_grid x ON x.building_id = a.building_id AND x.publication_id = :p"
            " LEFT JOIN thoroughfare t ON t.id = a.thoroughfare_id LEFT JOIN compound c ON c.id = a.compound_id"
            " WHERE a.territory_id = :t AND a.level IN ('premise','building') AND a.status = 'issued'"
            " AND a.valid_from <= :day AND (a.valid_to IS NULL OR a.valid_to > :day)"
            " ORDER BY c.name NULLS FIRST, t.name NULLS LAST, t.place, a.number, a.number_text,"
            " length(a.building_no), a.building_no, a.id"
        ),
        {"t": territory.id, "p": publication, "day": on},
    )
    return [Premise(*row) for row in rows]


def duties(connection: Connection, territory: Territory, on: date) -> list[Duty]:
    """Everyone who answers for a grid or a building on a day, the leader first."""
    rows = connection.execute(
        text(
            "SELECT p.id, o.id, p.name, p.organisation, o.title, o.role,"
            " coalesce(nullif(p.public_phone, ''), o.public_phone), o.duties, p.fictitious,"
            " coalesce(array_agg(a.grid_id::text ORDER BY a.grid_id) FILTER (WHERE a.grid_id IS NOT NULL), '{}'),"
            " coalesce(array_agg(a.building_id ORDER BY a.building_id)"
            "  FILTER (WHERE a.building_id IS NOT NULL), '{}')"
            " FROM assignment a JOIN person p ON p.id = a.person_id JOIN post o ON o.id = a.post_id"
            " WHERE p.territory_id = :t AND a.valid_from <= :day AND (a.valid_to IS NULL OR a.valid_to > :day)"
            " AND (a.grid_id IS NOT NULL OR a.building_id IS NOT NULL) GROUP BY p.id, o.id"
            " ORDER BY array_position(ARRAY['leader','worker','cadre','supervisor','steward'], o.role), p.name,"
            " p.staff_id, o.code"
        ),
        {"t": territory.id, "day": on},
    )
    return [Duty(*_with_tuples(row)) for row in rows]


def _with_tuples(row: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(tuple(v) if isinstance(v, list) else v for v in row)


def shapes(connection: Connection, territory: Territory, window: Sequence[float]) -> Shapes:
    """Buildings and streets that touch a box (west, south, east, north, in the territory's CRS)."""
    values = dict(zip(("w", "s", "e", "n"), map(float, window), strict=True)) | {
        "t": territory.id,
        "srid": territory.srid,
    }
    box = "ST_MakeEnvelope(:w, :s, :e, :n, :srid)"
    buildings = connection.execute(
        text(
            f"SELECT id, ST_AsBinary(geom) FROM building WHERE territory_id = :t AND present AND geom && {box}"  # noqa: S608
            " ORDER BY id"
        ),
        values,
    )
    streets = connection.execute(
        text(
            f"SELECT name, highway, ST_AsBinary(geom) FROM street WHERE territory_id = :t AND geom && {box}"  # noqa: S608
            " AND NOT tunnel ORDER BY position"
        ),
        values,
    )
    return Shapes(
        {row[0]: shapely.from_wkb(bytes(row[1])) for row in buildings},
        tuple((name, highway, shapely.from_wkb(bytes(shape))) for name, highway, shape in streets),
    )


def building_shapes(connection: Connection, ids: Iterable[int]) -> dict[int, Any]:
    """Outlines of buildings, also of those no longer present."""
    rows = connection.execute(
        text("SELECT id, ST_AsBinary(geom) FROM building WHERE id = ANY(:ids)"), {"ids": list(ids)}
    )
    return {row[0]: shapely.from_wkb(bytes(row[1])) for row in rows}


def save(
    connection: Connection,
    territory: Territory,
    kind: str,
    prints: Sequence[tuple[Mapping[str, int], Mapping[str, Any]]],
    *,
    day: date,
    paper: str,
    copies: int,
    printed_by: str,
) -> None:
    """Keep what was printed: (``building_id`` or ``person_id`` and ``post_id``, what it says) each."""
    table = schema.board_print
    common = {"territory_id": territory.id, "kind": kind, "day": day, "paper": paper, "copies": copies}
    if prints:
        connection.execute(
            insert(table),
            [{**common, **dict(of), "content": dict(said), "printed_by": printed_by} for of, said in prints],
        )


def newest(connection: Connection, territory: Territory, kind: str) -> list[Printed]:
    """The newest print of every board or card of a territory."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (building_id, person_id, post_id) id, building_id, person_id, post_id, day, content"
            " FROM board_print WHERE territory_id = :t AND kind = :kind"
            " ORDER BY building_id, person_id, post_id, id DESC"
        ),
        {"t": territory.id, "kind": kind},
    )
    return [Printed(*row) for row in rows]
