"""The latest sources of a territory, read back from the database as the engine's columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data.postgres.imported.territories import Territory
from gis.territory.layers import (
    make_areas,
    make_barriers,
    make_buildings,
    make_sites,
    make_sources,
    make_streets,
)
from gis.territory.model import Areas, Buildings, Ints, Sites, Sources


def load(connection: Connection, territory: Territory) -> Sources:
    """Streets, barriers, buildings and areas as they were imported, in the territory's CRS.

    Buildings have the households that tables gave where they did, else those of the sources. What an import left
    out is not here.
    """
    return Sources(
        crs=territory.crs,
        streets=make_streets(
            **_columns(
                connection,
                territory,
                "street",
                "source_id, highway, name, bridge, tunnel, oneway, layer, junction, service",
                "position",
            )
        ),
        barriers=make_barriers(
            **_columns(connection, territory, "barrier", "source_id, kind, name, tunnel", "position")
        ),
        buildings=buildings(connection, territory)[0],
        compounds=compounds(connection, territory),
        villager_groups=villager_groups(connection, territory),
        communities=communities(connection, territory),
        territory=_area(connection, territory),
        digest=territory.digest,
        attribution=territory.attribution,
        sites=sites(connection, territory),
    )


def lines(connection: Connection, territory: Territory) -> Sources:
    """Streets and barriers only: what borders are named after."""
    return make_sources(
        territory.crs,
        streets=make_streets(
            **_columns(connection, territory, "street", "source_id, highway, name", "position"),
        ),
        barriers=make_barriers(**_columns(connection, territory, "barrier", "source_id, kind, name", "position")),
    )


def sites(connection: Connection, territory: Territory) -> Sites:
    """Places without residents of the latest sources."""
    return make_sites(**_columns(connection, territory, "site", "source_id, kind, name", "id"))


def uses(connection: Connection, ids: Ints) -> Buildings:
    """Footprint, use and name of some buildings by their row ids, in that order."""
    rows = connection.execute(
        text("SELECT id, ST_AsBinary(geom), use, name FROM building WHERE id = ANY(:ids)"), {"ids": ids.tolist()}
    )
    found = {row[0]: row[1:] for row in rows}
    wkb, use, name = zip(*(found[i] for i in ids.tolist()), strict=True) if len(ids) else ((), (), ())
    return make_buildings(shapely.from_wkb(np.array([bytes(g) for g in wkb], dtype=object)), None, use=use, name=name)


def buildings(connection: Connection, territory: Territory) -> tuple[Buildings, Ints]:
    """The buildings of the latest sources in their order, and their row ids."""
    columns = _columns(
        connection,
        territory,
        "building",
        "id, source_id, use, name, housenumber, street, coalesce(table_households, given_households) AS households,"
        " CASE WHEN table_households IS NULL THEN occupied_households ELSE table_occupied END AS occupied_households,"
        " dwellings, levels, height, units, floors, weights",
        "position, id",
        "present",
    )
    ids = np.array(columns.pop("id"), dtype=np.int64)
    weights = columns.pop("weights")
    names = sorted({name for row in weights for name in row})
    work: dict[str, Any] = {
        name: np.array([row.get(name, np.nan) for row in weights], dtype=np.float64) for name in names
    }
    return make_buildings(**columns, work=work), ids


def communities(connection: Connection, territory: Territory, ids: Ints | None = None) -> Areas:
    """Communities that the sources gave; with ``ids`` just those rows, in that order."""
    columns = _columns(
        connection,
        territory,
        "community",
        "id, source_id, code, name",
        "id",
        "NOT made AND (present OR id = ANY(:ids))",
        ids,
    )
    rows = columns.pop("id")
    areas = make_areas(**columns)
    if ids is None:
        return areas
    # a community that newer sources dropped is still there for older atom sets
    place = {number: k for k, number in enumerate(rows)}
    return areas.take(np.array([place[i] for i in ids.tolist()], dtype=np.int64))


def community_ids(connection: Connection, territory: Territory) -> Ints:
    """Row ids in the order of :func:`communities`."""
    rows = connection.execute(
        text("SELECT id FROM community WHERE territory_id = :t AND present AND NOT made ORDER BY id"),
        {"t": territory.id},
    )
    return np.array(rows.scalars().all(), dtype=np.int64)


def compounds(connection: Connection, territory: Territory) -> Areas:
    """Compounds of the latest sources."""
    return _areas(connection, territory, "compound", "source_id, name", "present")


def villager_groups(connection: Connection, territory: Territory) -> Areas:
    """Villager groups of the latest sources."""
    return _areas(connection, territory, "villager_group", "source_id, name")


def _areas(connection: Connection, territory: Territory, table: str, names: str, where: str = "true") -> Areas:
    return make_areas(**_columns(connection, territory, table, names, "id", where))


def _columns(
    connection: Connection,
    territory: Territory,
    table: str,
    names: str,
    order: str,
    where: str = "true",
    ids: Ints | None = None,
) -> dict[str, Any]:
    rows = connection.execute(
        text(
            f"SELECT ST_AsBinary(geom) AS geometry, {names} FROM {table}"  # noqa: S608 - our own names
            f" WHERE territory_id = :territory AND {where} ORDER BY {order}"
        ),
        {"territory": territory.id} | ({"ids": [] if ids is None else ids.tolist()} if ":ids" in where else {}),
    )
    keys = list(rows.keys())
    columns: list[Any] = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in keys]
    found = dict(zip(keys, columns, strict=True))
    found["geometry"] = shapely.from_wkb(np.array([bytes(g) for g in found["geometry"]], dtype=object))
    return found


def _area(connection: Connection, territory: Territory) -> Any:
    shape = connection.execute(
        text("SELECT ST_AsBinary(geom) FROM territory WHERE id = :id"), {"id": territory.id}
    ).scalar_one()
    return shapely.from_wkb(bytes(shape))
