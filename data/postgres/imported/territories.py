"""Territories and the layers of their sources: written whole at an import, read back by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, Text, bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from data.postgres import schema
from data.postgres.bulk import copy_rows, ewkb, geometry_columns, replace_rows, upsert_rows
from gis.errors import NotFoundError
from gis.territory.compounds import compounds_of as compounds_at
from gis.territory.crs import reproject
from gis.territory.households import Households
from gis.territory.model import Areas, Exclusion, Ints, Sources, Texts

#: Layers that an import writes and that are served.
SOURCE_LAYERS: Final = ("streets", "barriers", "buildings", "compounds", "villager_groups", "communities")


@dataclass(frozen=True)
class Territory:
    """One row of ``territory``. ``srid`` is 0 where the CRS has no EPSG number."""

    id: int
    name: str
    title: str
    crs: str
    srid: int
    digest: str
    attribution: str
    time_zone: str


@dataclass(frozen=True)
class BuildingRows:
    """What an import says of its buildings besides ``Sources.buildings``: arrays of the same length.

    ``use`` selects the buildings that are kept; ``community`` and ``compound`` are row ids or -1.
    """

    keep: NDArray[np.bool_]
    households: Ints
    counted: Ints
    work: NDArray[np.float64]
    source: Texts
    community: Ints
    compound: Ints


def find(connection: Connection, name: str) -> Territory | None:
    """The territory of a name."""
    t = schema.territory
    columns = [t.c[f] for f in Territory.__dataclass_fields__]
    row = connection.execute(select(*columns).where(t.c.name == name)).one_or_none()
    return None if row is None else Territory(*row)


def get(connection: Connection, name: str) -> Territory:
    """The territory of a name; raises NotFoundError ``store.no_territory`` that lists the others."""
    found = find(connection, name)
    if found is None:
        known = connection.execute(select(schema.territory.c.name).order_by("name")).scalars()
        raise NotFoundError("store.no_territory", name=name, known=", ".join(known) or "-")
    return found


def lock(connection: Connection, territory_id: int) -> None:
    """Hold the territory to the end of the transaction: one import or publication at a time."""
    connection.execute(select(schema.territory.c.id).where(schema.territory.c.id == territory_id).with_for_update())


def hold_name(connection: Connection, name: str) -> None:
    """As :func:`lock`, for a territory that may not be there yet."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7215))"), {"name": name})


def srid_of(crs: str) -> int:
    """EPSG number of a CRS, 0 where it has none (a city's own frame): then ``territory.crs`` says it all."""
    return pyproj.CRS.from_user_input(crs).to_epsg(min_confidence=70) or 0


def save(
    connection: Connection, name: str, area: Any, sources: Sources, *, title: str = "", fictitious: bool = False
) -> Territory:
    """Write or overwrite the row of a territory and hold it; ``area`` is its polygon in ``sources.crs``.

    An empty ``title`` leaves the one it has (a new territory is called by its name).
    """
    srid = srid_of(sources.crs)
    values: dict[str, Any] = {
        "crs": sources.crs,
        "srid": srid,
        "digest": sources.digest,
        "attribution": sources.attribution,
        "fictitious": fictitious,
        "geom": _element(area, srid),
        "geom_3857": _element(reproject(np.array([area], dtype=object), sources.crs, "EPSG:3857")[0], 3857),
    }
    add = upsert(schema.territory).values(name=name, title=title or name, **values)
    again = add.on_conflict_do_update(index_elements=["name"], set_=values | ({"title": title} if title else {}))
    connection.execute(again)
    return get(connection, name)


def save_lines(connection: Connection, territory: Territory, sources: Sources) -> None:
    """Replace streets, barriers, villager groups and sites by those of newer sources.

    Streets and barriers that are the same keep their ids: tiles of theirs stay as they are.
    """
    for table in (schema.villager_group, schema.site):
        connection.execute(delete(table).where(table.c.territory_id == territory.id))
    streets, barriers = sources.streets, sources.barriers
    flags = {n: getattr(streets, n) for n in ("highway", "name", "bridge", "tunnel", "oneway", "layer")}
    _replace(
        connection,
        territory,
        schema.street,
        {
            **_common(territory, streets.source_id),
            "position": np.arange(len(streets)),
            **flags,
            "junction": streets.junction,
            "service": streets.service,
            **geometry_columns(streets.geometry, territory.crs, territory.srid),
        },
    )
    _replace(
        connection,
        territory,
        schema.barrier,
        {
            **_common(territory, barriers.source_id),
            "position": np.arange(len(barriers)),
            "kind": barriers.kind,
            "name": barriers.name,
            "tunnel": barriers.tunnel,
            **geometry_columns(barriers.geometry, territory.crs, territory.srid),
        },
    )
    groups = sources.villager_groups
    copy_rows(
        connection,
        schema.villager_group,
        {
            **_common(territory, groups.source_id),
            "name": groups.name,
            **geometry_columns(groups.geometry, territory.crs, territory.srid),
        },
    )
    sites = sources.sites
    first = np.sort(np.unique(sites.source_id.astype(str), return_index=True)[1])
    sites = sites.take(first)  # of one feature read twice, the first
    copy_rows(
        connection,
        schema.site,
        {
            **_common(territory, sites.source_id),
            "kind": sites.kind,
            "name": sites.name,
            "geom": ewkb(sites.geometry, territory.srid),
        },
    )


def _replace(connection: Connection, territory: Territory, table: Any, columns: Mapping[str, Any]) -> None:
    if len(columns["position"]):
        replace_rows(connection, table, columns, "territory_id")
    else:
        connection.execute(delete(table).where(table.c.territory_id == territory.id))


def save_communities(connection: Connection, territory: Territory, areas: Areas, *, made: bool = False) -> Ints:
    """Write communities, keeping the ids of those known by ``source_id``; ids in the order of ``areas``."""
    columns = {
        **_common(territory, areas.source_id),
        "code": areas.code,
        "name": areas.name,
        "made": [made] * len(areas),
        "present": [True] * len(areas),
        **geometry_columns(areas.geometry, territory.crs, territory.srid),
    }
    return _keep_ids(connection, territory, schema.community, columns, areas.source_id)


def save_compounds(connection: Connection, territory: Territory, areas: Areas) -> Ints:
    """Write compounds, keeping the ids of those known by ``source_id``; ids in the order of ``areas``."""
    columns = {
        **_common(territory, areas.source_id),
        "name": areas.name,
        "present": [True] * len(areas),
        **geometry_columns(areas.geometry, territory.crs, territory.srid),
    }
    return _keep_ids(connection, territory, schema.compound, columns, areas.source_id)


def save_buildings(connection: Connection, territory: Territory, sources: Sources, rows: BuildingRows) -> Ints:
    """Write the kept buildings under permanent ids; the id of every input building, -1 where it is not kept."""
    all_ids = np.full(len(sources.buildings), -1, dtype=np.int64)
    kept = sources.buildings.take(rows.keep)
    columns: dict[str, Any] = {
        **_common(territory, kept.source_id),
        "position": np.flatnonzero(rows.keep),
        "use": kept.use,
        "name": kept.name,
        "housenumber": kept.housenumber,
        "street": kept.street,
        "given_households": kept.households,
        **{n: getattr(kept, n) for n in ("occupied_households", "dwellings", "levels", "height", "units", "floors")},
        "weights": _weights(kept.work, len(kept)),
        "households": rows.households[rows.keep],
        "counted": rows.counted[rows.keep],
        "work": rows.work[rows.keep],
        "households_source": rows.source[rows.keep],
        "community_id": _or_none(rows.community[rows.keep]),
        "compound_id": _or_none(rows.compound[rows.keep]),
        "present": [True] * len(kept),
        **geometry_columns(kept.geometry, territory.crs, territory.srid),
    }
    all_ids[rows.keep] = _keep_ids(connection, territory, schema.building, columns, kept.source_id)
    return all_ids


def place_buildings(connection: Connection, territory: Territory, buildings: Ints, communities: Ints) -> None:
    """Say which community each building lies in: row ids of equal length."""
    connection.execute(
        text(
            "UPDATE building b SET community_id = u.community"
            " FROM unnest(CAST(:buildings AS bigint[]), CAST(:communities AS bigint[])) AS u (building, community)"
            " WHERE b.id = u.building AND b.territory_id = :territory AND b.community_id IS DISTINCT FROM u.community"
        ),
        {"buildings": buildings.tolist(), "communities": communities.tolist(), "territory": territory.id},
    )


def save_excluded(connection: Connection, territory: Territory, excluded: tuple[Exclusion, ...]) -> None:
    """Replace the list of what the latest sources left out."""
    connection.execute(delete(schema.excluded).where(schema.excluded.c.territory_id == territory.id))
    copy_rows(
        connection,
        schema.excluded,
        {
            **_common(territory, np.array([e.source_id for e in excluded], dtype=object)),
            "layer": [e.layer for e in excluded],
            "reason": [e.reason for e in excluded],
            "households": [e.households for e in excluded],
        },
    )


def update_households(connection: Connection, buildings: Ints, found: Households) -> None:
    """Write what buildings (row ids) were newly counted or estimated to have."""
    connection.execute(
        text(
            "UPDATE building b SET households = u.households, counted = u.counted, work = u.work,"
            " households_source = u.source FROM unnest(CAST(:ids AS bigint[]), CAST(:households AS int[]),"
            " CAST(:counted AS int[]), CAST(:work AS float8[]), CAST(:source AS text[]))"
            " AS u (id, households, counted, work, source) WHERE b.id = u.id AND"
            " (b.households, b.counted, b.work, b.households_source) <> (u.households, u.counted, u.work, u.source)"
        ),
        {
            "ids": buildings.tolist(),
            "households": found.households.tolist(),
            "counted": found.counted.tolist(),
            "work": found.work.tolist(),
            "source": found.source.tolist(),
        },
    )


def save_table_households(connection: Connection, counts: Mapping[int, tuple[int, int | None]]) -> None:
    """Keep what a table said of buildings (row ids): households, and occupied ones where it said so."""
    connection.execute(
        text(
            "UPDATE building b SET table_households = u.households, table_occupied = u.occupied"
            " FROM unnest(CAST(:ids AS bigint[]), CAST(:households AS int[]), CAST(:occupied AS int[]))"
            " AS u (id, households, occupied) WHERE b.id = u.id"
        ),
        {
            "ids": list(counts),
            "households": [households for households, _ in counts.values()],
            "occupied": [occupied for _, occupied in counts.values()],
        },
    )


def table_households(connection: Connection, territory_id: int) -> dict[str, tuple[int, int | None]]:
    """Households (and occupied ones) that tables gave, by the building's source id: they win over the sources."""
    b = schema.building
    rows = connection.execute(
        select(b.c.source_id, b.c.table_households, b.c.table_occupied).where(
            b.c.territory_id == territory_id, b.c.table_households.is_not(None)
        )
    )
    return {source_id: (households, occupied) for source_id, households, occupied in rows}


def compounds_of(points: Any, compounds: Areas, ids: Ints) -> Ints:
    """The compound each geometry's inner point lies in (the smallest where they nest), -1 for none."""
    place = compounds_at(shapely.point_on_surface(points), compounds)
    return np.where(place < 0, -1, np.append(ids, -1)[place])


def _common(territory: Territory, source_id: Texts) -> dict[str, Any]:
    return {"territory_id": [territory.id] * len(source_id), "source_id": source_id}


def _element(geometry: Any, srid: int) -> Any:
    from geoalchemy2.shape import from_shape

    return from_shape(geometry, srid=srid, extended=True)


def _weights(work: Mapping[str, NDArray[np.float64]], count: int) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = [{} for _ in range(count)]
    for name, values in sorted(work.items()):
        for k in np.flatnonzero(~np.isnan(values)):
            rows[k][name] = float(values[k])
    return rows


def _or_none(ids: Ints) -> list[int | None]:
    return [None if i < 0 else i for i in ids.tolist()]


def _keep_ids(
    connection: Connection, territory: Territory, table: Any, columns: Mapping[str, Any], source_id: Texts
) -> Ints:
    """Overwrite by source id; rows that the sources no longer have stay, marked as not present."""
    upsert_rows(connection, table, columns, ("territory_id", "source_id"))
    given = func.unnest(bindparam("given", list(source_id), ARRAY(Text))).column_valued("given")
    connection.execute(
        update(table)
        .where(table.c.territory_id == territory.id, table.c.present)
        .where(~exists().where(given == table.c.source_id))
        .values(present=False)
    )
    rows = connection.execute(select(table.c.source_id, table.c.id).where(table.c.territory_id == territory.id))
    ids: dict[str, int] = dict(rows.all())
    return np.array([ids[s] for s in source_id], dtype=np.int64)
