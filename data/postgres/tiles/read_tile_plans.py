"""The grids of one plan for tiles: as published, or dissolved from the atoms of a draft."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data.postgres.tiles.read_tiles import Shown
from gis.territory.model import Floats, Geometries, Ints
from gis.tiles.coverage import dissolve

#: Feature ids keep so many bits of a grid's UUID: whole numbers that every reader can hold.
_ID_BITS: Final = 48


@dataclass(frozen=True, eq=False)
class PlanShapes:
    """``n`` grids in the order of their ids and the communities they belong to. Coordinates: EPSG:3857.

    ``columns``: properties of the grids; ``community`` (n,): row of each grid's community in ``communities``, which
    hold id (0: none), name and code; ``label`` (n, 2): a point inside each grid; ``tone`` as published.
    """

    ids: Ints
    columns: dict[str, list[Any]]
    community: Ints
    communities: list[tuple[int, str, str]]
    geometry: Geometries
    label: Floats
    tone: Ints  # -1: none was kept

    def __len__(self) -> int:
        return len(self.ids)


_PUBLISHED: Final = text("""
SELECT g.grid_id::text, g.number, g.code, g.name, g.kind, coalesce(nullif(c.name, ''), g.community),
       coalesce(c.code, ''), coalesce(g.community_id, 0), g.households,
       coalesce(g.tone, -1)
FROM grid_version g LEFT JOIN community c ON c.id = g.community_id
WHERE g.publication_id = :id ORDER BY g.grid_id
""")

_DRAFT: Final = text("""
SELECT g.grid_id::text, g.number, g.code, g.name, g.kind, coalesce(nullif(c.name, ''), g.community),
       coalesce(nullif(c.code, ''), g.community_code), coalesce(g.community_id, 0), 0, -1
FROM version_grid g LEFT JOIN community c ON c.id = g.community_id
WHERE g.plan_version_id = :id ORDER BY g.number
""")

_NAMES: Final = ("grid_id", "number", "code", "name", "kind", "community", "community_code")


def shapes(connection: Connection, shown: Shown) -> PlanShapes:
    """The grids of a publication, or of a draft."""
    if shown.publication is None:
        return _made(connection, _DRAFT, shown.version, _dissolved)
    return _made(connection, _PUBLISHED, shown.publication, _published)


def stamp(connection: Connection, version: int) -> str:
    """Changes when a draft does: by the transactions that wrote it."""
    found: str = connection.execute(
        text(
            "SELECT v.xmin::text || ' ' || coalesce((SELECT string_agg(DISTINCT g.xmin::text, ' ')"
            " FROM version_grid g WHERE g.plan_version_id = v.id), '') FROM plan_version v WHERE v.id = :id"
        ),
        {"id": version},
    ).scalar_one()
    return found


def _made(
    connection: Connection,
    sql: Any,
    number: int | None,
    drawn: Callable[[Connection, int | None, Ints], tuple[Geometries, Floats, Ints]],
) -> PlanShapes:
    rows = connection.execute(sql, {"id": number}).all()
    held: list[list[Any]] = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in range(10)]
    columns = dict(zip(_NAMES, held[:7], strict=True))
    numbers = np.array(columns.pop("number"), dtype=np.int64)
    geometry, label, households = drawn(connection, number, numbers)
    # rows of a draft have their households from the atoms
    columns["households"] = held[8] if not len(households) else households.tolist()
    keys = list(zip(held[7], held[5], held[6], strict=True))
    listed = sorted(set(keys))
    place = {key: k for k, key in enumerate(listed)}
    community = np.array([place[key] for key in keys], dtype=np.int64)
    ids = [_id(g, k) for g, k in zip(columns["grid_id"], numbers.tolist(), strict=True)]
    return PlanShapes(
        np.array(ids, dtype=np.int64), columns, community, listed, geometry, label, np.array(held[9], dtype=np.int64)
    )


def _id(grid_id: str | None, number: int) -> int:
    """The same wherever and whenever the grid is drawn; a grid without identity has its number."""
    return number if grid_id is None else UUID(grid_id).int & ((1 << _ID_BITS) - 1)


def _published(connection: Connection, number: int | None, _: Ints) -> tuple[Geometries, Floats, Ints]:
    rows = connection.execute(
        text(
            "SELECT ST_AsBinary(geom_3857), ST_X(label_3857), ST_Y(label_3857) FROM grid_version"
            " WHERE publication_id = :id ORDER BY grid_id"
        ),
        {"id": number},
    ).all()
    label = np.array([[x, y] for _, x, y in rows], dtype=np.float64).reshape(-1, 2)
    return _from_wkb([shape for shape, _, _ in rows]), label, np.zeros(0, np.int64)


def _dissolved(connection: Connection, number: int | None, numbers: Ints) -> tuple[Geometries, Floats, Ints]:
    rows = connection.execute(
        text(
            "SELECT ST_AsBinary(a.geom_3857), v.grid_of_atom[a.position + 1], a.households"
            " FROM plan_version v JOIN atom a ON a.atom_set_id = v.atom_set_id WHERE v.id = :id ORDER BY a.position"
        ),
        {"id": number},
    ).all()
    place = {int(k): row for row, k in enumerate(numbers)}
    group = np.array([place[k] for _, k, _ in rows], dtype=np.int64)
    geometry = dissolve(_from_wkb([shape for shape, _, _ in rows]), group, len(numbers))
    label = np.asarray(shapely.get_coordinates(shapely.point_on_surface(geometry))).reshape(-1, 2)
    households = np.bincount(group, [n for _, _, n in rows], minlength=len(numbers)).astype(np.int64)
    return geometry, label, households


def _from_wkb(shapes_: list[Any]) -> Geometries:
    return np.asarray(shapely.from_wkb(np.array([bytes(s) for s in shapes_], dtype=object)), dtype=object)


def version(connection: Connection, number: int) -> Shown | None:
    """A plan version as it is shown: as last published, else as a draft; None where there is none."""
    row = connection.execute(
        text("""
SELECT l.territory_id, p.id, v.id, coalesce(p.valid_from, (now() AT TIME ZONE t.time_zone)::date)
FROM plan_version v JOIN plan l ON l.id = v.plan_id JOIN territory t ON t.id = l.territory_id
LEFT JOIN publication p ON p.plan_version_id = v.id
WHERE v.id = :id ORDER BY p.valid_from DESC NULLS LAST LIMIT 1
"""),
        {"id": number},
    ).one_or_none()
    return None if row is None else Shown(*row)
