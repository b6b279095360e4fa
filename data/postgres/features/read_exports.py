"""What is published of a town, a community or a grid, row by row for files. One snapshot, bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from data.postgres.features import read_features
from data.postgres.features.feature_collections import COLLECTIONS, Collection
from data.postgres.features.feature_filters import Conditions
from data.postgres.features.read_features import Days, Reader, Scope

#: Collections that can be had as files, in this order.
LAYERS: Final = ("grids", "communities", "buildings", "addresses")
#: Rows that are in memory at a time.
BATCH: Final = 500


@dataclass(frozen=True)
class Part:
    """A part of a territory: a community or a grid of what is in force, by their row and permanent ids."""

    community: int | None = None
    grid: str | None = None


#: What a collection's rows are compared with: the community's row id, and the permanent id of the grid.
_OF_COMMUNITY: Final = {
    "grids": "g.community_id", "communities": "c.id", "buildings": "b.community_id", "addresses": "a.community_id",
}  # fmt: skip
_OF_GRID: Final = {
    "grids": "g.grid_id = {grid}",
    "communities": "c.id = (SELECT community_id FROM grid_version x"
    " WHERE x.publication_id = %(publication)s AND x.grid_id = {grid})",
    "buildings": "bg.grid_id = {grid}",
    "addresses": "bg.grid_id = {grid}",
}
_ROWS: Final = """
SELECT {feature}, ST_AsBinary({geometry}, 'NDR'), {columns} FROM {core} {joins} WHERE {where}{more} ORDER BY {key}
"""
_FIND_COMMUNITY: Final = """
SELECT id, code = %(said)s FROM community
WHERE territory_id = %(territory)s AND present AND (code = %(said)s OR name = %(said)s)
ORDER BY code <> %(said)s, id LIMIT 2
"""
_FIND_GRID: Final = """
SELECT grid_id::text FROM grid_version
WHERE publication_id = %(publication)s AND (code = %(said)s OR grid_id::text = lower(%(said)s)) LIMIT 1
"""


def scopes_on(connection: Reader, day: date | None = None) -> tuple[Scope, ...]:
    """Every territory with what is in force there on a day (None: today); none where nothing is."""
    on = None if day is None else day.isoformat()
    return read_features.state(connection, Days(on, on)).scopes


def communities_called(connection: Reader, scope: Scope, said: str) -> list[int]:
    """The community of a code, else those of a name: two where a name is not enough."""
    found = connection.execute(_FIND_COMMUNITY, {"territory": scope.territory, "said": said})
    rows = found.fetchall()
    exact = [int(row[0]) for row in rows if row[1]]
    return exact[:1] or [int(row[0]) for row in rows]


def grid_called(connection: Reader, scope: Scope, said: str) -> str | None:
    """The grid of a code or permanent id."""
    row = connection.execute(_FIND_GRID, {"publication": scope.publication, "said": said}).fetchone()
    return None if row is None else str(row[0])


def conditions(collection: str, part: Part, dimension: int | None = None) -> Conditions:
    """Conditions that keep the features of a part; ``dimension``: only geometry of so many dimensions."""
    found = Conditions()
    if part.community is not None:
        found.parts.append(f"{_OF_COMMUNITY[collection]} = {found.bind(part.community, 'bigint')}")
    if part.grid is not None:
        found.parts.append(_OF_GRID[collection].format(grid=found.bind(part.grid, "uuid")))
    if dimension is not None:
        found.parts.append(f"ST_Dimension({COLLECTIONS[collection].geom}) = {int(dimension)}")
    return found


def rows(
    connection: Reader, collection: Collection, scope: Scope, wanted: Conditions, srid: int | None
) -> Iterator[list[tuple[Any, ...]]]:
    """Batches of rows: id, flat geometry (polygons as multipolygons), and the fields in order.

    ``srid``: the CRS of the geometry; None or the territory's own: as it is kept. The connection is in a transaction.
    """
    own = srid is None or srid == scope.srid
    geometry = collection.geom if own else f"ST_Transform({collection.mercator}, {int(srid or 0)})"
    if collection.shape.startswith("Multi"):
        geometry = f"CASE WHEN ST_Dimension({geometry}) = 2 THEN ST_Multi({geometry}) ELSE {geometry} END"
    sql = _ROWS.format(
        feature=f"{collection.id}::text" if collection.id_kind == "uuid" else collection.id,
        geometry=geometry,
        columns=", ".join(f.sql for f in collection.fields),
        core=collection.core,
        joins=collection.joins,
        where=collection.where,
        key=collection.key,
        more=wanted.sql,
    )
    values = read_features.bound(scope) | wanted.values
    with connection.cursor(name=f"export_{collection.name}", binary=True) as cursor:
        cursor.execute(sql, values)
        while batch := cursor.fetchmany(BATCH):
            yield batch
