"""Standard addresses in the database: the layers they are made from, what was issued, and writing what is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from data.postgres import schema
from data.postgres.bulk import copy_rows, geometry_columns
from data.postgres.imported.territories import Territory
from gis.addressing.doors import Doors
from gis.addressing.thoroughfares import Thoroughfares
from gis.territory.model import Areas, Bools, Buildings, Geometries, Ints, Streets, Texts


@dataclass(frozen=True)
class Layers:
    """What addresses are made from, in the territory's metre CRS; ``*_id`` are row ids in the same order.

    ``community`` and ``compound`` are positions of each building's community and compound, -1 for none.
    """

    streets: Streets
    buildings: Buildings
    building_id: Ints
    compounds: Areas
    compound_id: Ints
    groups: Areas
    communities: Areas
    community_id: Ints
    community: Ints
    compound: Ints
    doors: Doors
    door_id: Ints


@dataclass(frozen=True)
class Issued:
    """Addresses in force, one row each; ids are 0 and texts "" where a row has none.

    ``entrance_name`` is that of the door an address stands for.
    """

    id: Ints
    building_id: Ints
    level: Texts
    road: Texts
    number: Texts
    compound_id: Ints
    building_no: Texts
    unit: Texts
    room: Texts
    entrance_id: Ints
    entrance_name: Texts


@dataclass(frozen=True)
class Row:
    """One address as people read it."""

    code: str
    level: str
    text: str
    community: str
    community_code: str
    mess: str
    origin: str


def layers(connection: Connection, territory: Territory) -> Layers:
    """Read streets, present buildings and areas of a territory."""
    streets, _ = _read(connection, territory, "street", _STREET, "", "position")
    buildings, ids = _read(connection, territory, "building", _BUILDING, "AND present", "position")
    compounds, compound_id = _read(connection, territory, "compound", _AREA, "AND present", "source_id")
    groups, _ = _read(connection, territory, "villager_group", _AREA, "", "source_id")
    communities, community_id = _read(connection, territory, "community", _CODED, "AND present", "source_id")
    doors, door_id = _doors(connection, territory, ids, compound_id)
    return Layers(
        streets=Streets(**_typed(streets, flags=("bridge", "tunnel", "oneway"), counts=("layer",))),
        buildings=_buildings(buildings),
        building_id=ids,
        compounds=Areas(code=_empty(len(compound_id)), **_typed(compounds)),
        compound_id=compound_id,
        groups=Areas(code=_empty(len(groups["name"])), **_typed(groups)),
        communities=Areas(**_typed(communities)),
        community_id=community_id,
        community=_position(buildings["community_id"], community_id),
        compound=_position(buildings["compound_id"], compound_id),
        doors=doors,
        door_id=door_id,
    )


_STREET = ("source_id", "highway", "name", "bridge", "tunnel", "oneway", "layer", "junction", "service")
_GIVEN = ("source_id", "use", "name", "housenumber", "street")
_COUNTS = ("occupied_households", "dwellings", "levels", "height", "units", "floors")
_BUILDING = (*_GIVEN, *_COUNTS, "given_households", "community_id", "compound_id")
_AREA = ("source_id", "name")
_CODED = ("source_id", "name", "code")


_DOORS = """
SELECT e.id, ST_AsBinary(e.geom), e.building_id, e.compound_id, e.name, e.street, e.housenumber
FROM entrance e LEFT JOIN building b ON b.id = e.building_id LEFT JOIN compound c ON c.id = e.compound_id
WHERE coalesce(b.territory_id, c.territory_id) = :territory AND e.valid_to IS NULL
AND coalesce(b.present, c.present) ORDER BY e.id
"""


def _doors(connection: Connection, territory: Territory, buildings: Ints, compounds: Ints) -> tuple[Doors, Ints]:
    """Doors that are there, with their row ids."""
    rows = connection.execute(text(_DOORS), {"territory": territory.id}).all()
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 7
    ids = np.array(columns[0], dtype=np.int64)
    shapes: Any = shapely.from_wkb(np.array([bytes(g) for g in columns[1]], dtype=object))
    name, street, number = (np.array(c, dtype=object) for c in columns[4:])
    doors = Doors(
        geometry=np.asarray(shapes, dtype=object),
        source_id=np.array([f"{i:012d}" for i in ids], dtype=object),
        building=_position(columns[2], buildings),
        compound=_position(columns[3], compounds),
        name=name,
        street=street,
        housenumber=number,
    )
    return doors, ids


def _read(
    connection: Connection, territory: Territory, table: str, columns: Sequence[str], where: str, order: str
) -> tuple[dict[str, list[Any]], Ints]:
    """Columns of one layer by name, ``geometry`` among them, and its row ids."""
    rows = connection.execute(
        text(
            f"SELECT id, ST_AsBinary(geom), {', '.join(columns)} FROM {table}"  # noqa: S608 - our own names
            f" WHERE territory_id = :territory {where} ORDER BY {order}, id"
        ),
        {"territory": territory.id},
    ).all()
    values = list(zip(*rows, strict=True)) if rows else [()] * (len(columns) + 2)
    shapes: Any = shapely.from_wkb(np.array([bytes(g) for g in values[1]], dtype=object))
    read: dict[str, Any] = {"geometry": np.asarray(shapes, dtype=object)}
    read |= {name: list(column) for name, column in zip(columns, values[2:], strict=True)}
    return read, np.array(values[0], dtype=np.int64)


def _typed(read: Mapping[str, Any], flags: Sequence[str] = (), counts: Sequence[str] = ()) -> dict[str, Any]:
    kinds: dict[str, Any] = dict.fromkeys(flags, np.bool_) | dict.fromkeys(counts, np.int64)
    return {name: np.array(column, dtype=kinds.get(name, object)) for name, column in read.items()}


def _buildings(read: Mapping[str, Any]) -> Buildings:
    columns: dict[str, Any] = {name: np.array(read[name], dtype=object) for name in _GIVEN}
    columns |= {name: _floats(read[name]) for name in _COUNTS}
    return Buildings(geometry=read["geometry"], households=_floats(read["given_households"]), **columns)


def _floats(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def _empty(count: int) -> Texts:
    return np.array([""] * count, dtype=object)


def _position(ids: Sequence[int | None], of: Ints) -> Ints:
    place = {int(i): k for k, i in enumerate(of)}
    return np.array([place.get(i, -1) if i is not None else -1 for i in ids], dtype=np.int64)


def issued(connection: Connection, territory: Territory) -> Issued:
    """Every address in force of a territory."""
    rows = connection.execute(
        text(
            "SELECT a.id, a.building_id, a.level, coalesce(t.name, ''), a.number_text, coalesce(a.compound_id, 0),"
            " a.building_no, a.unit, a.room, coalesce(a.entrance_id, 0), coalesce(e.name, '')"
            " FROM address a LEFT JOIN thoroughfare t ON t.id = a.thoroughfare_id"
            " LEFT JOIN entrance e ON e.id = a.entrance_id"
            " WHERE a.territory_id = :territory AND a.status = 'issued' AND a.valid_to IS NULL ORDER BY a.id"
        ),
        {"territory": territory.id},
    ).all()
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 11
    numbers = (0, 1, 5, 9)
    return Issued(*(np.array(c, dtype=np.int64 if k in numbers else object) for k, c in enumerate(columns)))


def merged(connection: Connection, territory: Territory) -> Ints:
    """Buildings whose address went up in others, by a merger or a split, and that have none since: (n,) ids."""
    rows = connection.execute(
        text(
            "SELECT building_id FROM address WHERE territory_id = :territory AND building_id IS NOT NULL"
            " AND level IN ('premise', 'building')"
            " GROUP BY 1 HAVING bool_or(status IN ('merged', 'split'))"
            " AND NOT bool_or(status = 'issued' AND valid_to IS NULL)"
        ),
        {"territory": territory.id},
    )
    return np.array(rows.scalars().all(), dtype=np.int64)


def follow_communities(connection: Connection, territory: Territory) -> int:
    """Let every address name its building's present community (an attribute, never part of the code): how many."""
    return connection.execute(
        text(
            "UPDATE address a SET community_id = b.community_id FROM building b WHERE b.id = a.building_id"
            " AND a.territory_id = :territory AND a.community_id IS DISTINCT FROM b.community_id AND b.present"
        ),
        {"territory": territory.id},
    ).rowcount


def taken(connection: Connection, codes: Sequence[str]) -> set[str]:
    """Those of some codes that were ever issued, in any territory."""
    rows = connection.execute(text("SELECT code FROM address WHERE code = ANY(:codes)"), {"codes": list(codes)})
    return set(rows.scalars())


def save_thoroughfares(connection: Connection, territory: Territory, lines: Thoroughfares, since: date) -> Ints:
    """Write named streets, keeping the ids of those known by name and place; ids in the order of ``lines``."""
    known = _thoroughfare_ids(connection, territory)
    keys = [(str(n), max(int(p), 1)) for n, p in zip(lines.name, lines.place, strict=True)]
    fresh = np.array([k not in known for k in keys], dtype=bool)
    columns = geometry_columns(_multi(lines), territory.crs, territory.srid)
    rows = np.flatnonzero(fresh)
    copy_rows(
        connection,
        schema.thoroughfare,
        {
            "territory_id": [territory.id] * len(rows),
            "name": [keys[k][0] for k in rows],
            "place": [keys[k][1] for k in rows],
            "note": lines.shape[rows],
            "valid_from": [since] * len(rows),
            **{name: values[rows] for name, values in columns.items()},
        },
    )
    known = _thoroughfare_ids(connection, territory)
    return np.array([known[k] for k in keys], dtype=np.int64)


def _thoroughfare_ids(connection: Connection, territory: Territory) -> dict[tuple[str, int], int]:
    rows = connection.execute(
        text("SELECT name, place, id FROM thoroughfare WHERE territory_id = :territory AND valid_to IS NULL"),
        {"territory": territory.id},
    )
    return {(str(name), int(place)): int(number) for name, place, number in rows}


def _multi(lines: Thoroughfares) -> Geometries:
    order = np.argsort(lines.piece_of, kind="stable")
    shapes: Any = shapely.multilinestrings(lines.piece[order], indices=lines.piece_of[order])
    return np.asarray(shapes, dtype=object)


@dataclass(frozen=True)
class NewAddresses:
    """Addresses to write, one row each. ``parent`` is the id of an address, 0 for none; so are the other ids.

    ``other`` is the same place by its other branch, kept as an alias; ``point`` is in the territory's CRS.
    """

    code: list[str]
    level: Texts
    parent: Ints
    building_id: Ints
    community_id: Ints
    thoroughfare_id: Ints
    number: Ints
    number_text: Texts
    side: Texts
    station: NDArray[np.float64]
    compound_id: Ints
    building_no: Texts
    unit: Texts
    floor: Texts
    room: Texts
    text: Texts
    other: Texts
    origin: Texts
    mess: Texts
    point: Geometries
    entrance_id: Ints

    def __len__(self) -> int:
        return len(self.code)

    def take(self, which: Bools | Ints) -> NewAddresses:
        """Some of the rows."""
        rows = np.arange(len(self))[which]
        return replace(
            self,
            code=[self.code[k] for k in rows],
            **{f: getattr(self, f)[rows] for f in self.__dataclass_fields__ if f != "code"},
        )


def save(connection: Connection, territory: Territory, new: NewAddresses, since: date) -> Ints:
    """Append addresses and their aliases; the id of each."""
    count = len(new)
    same = (
        "level",
        "number_text",
        "side",
        "station",
        "building_no",
        "unit",
        "floor",
        "room",
        "text",
        "origin",
        "mess",
    )
    copy_rows(
        connection,
        schema.address,
        {
            "territory_id": [territory.id] * count,
            "code": new.code,
            "parent_id": _or_none(new.parent),
            "building_id": new.building_id,
            "entrance_id": _or_none(new.entrance_id),
            "community_id": _or_none(new.community_id),
            "thoroughfare_id": _or_none(new.thoroughfare_id),
            "number": _or_none(new.number),
            "compound_id": _or_none(new.compound_id),
            **{name: getattr(new, name) for name in same},
            "valid_from": [since] * count,
            **geometry_columns(new.point, territory.crs, territory.srid),
        },
    )
    rows = connection.execute(text("SELECT code, id FROM address WHERE code = ANY(:codes)"), {"codes": new.code})
    by_code: dict[str, int] = dict(rows.all())
    ids = np.array([by_code[c] for c in new.code], dtype=np.int64)
    aliases = np.flatnonzero(new.other != "")
    copy_rows(
        connection,
        schema.address_alias,
        {
            "address_id": ids[aliases],
            "text": new.other[aliases],
            "kind": ["alias"] * len(aliases),
            "valid_from": [since] * len(aliases),
        },
    )
    return ids


def _or_none(values: Ints) -> list[int | None]:
    return [v if v > 0 else None for v in values.tolist()]


def listing(
    connection: Connection, territory: Territory, *, community: str = "", mess: bool = False, limit: int | None = None
) -> list[Row]:
    """Addresses in force in the order of their texts; of one community by its code or name, only messy ones."""
    rows = connection.execute(
        text(
            "SELECT a.code, a.level, a.text, coalesce(c.name, ''), coalesce(c.code, ''), a.mess, a.origin"
            " FROM address a LEFT JOIN community c ON c.id = a.community_id"
            " WHERE a.territory_id = :territory AND a.status = 'issued' AND a.valid_to IS NULL"
            " AND (:community = '' OR c.code = :community OR c.name = :community) AND (NOT :mess OR a.mess <> '')"
            " ORDER BY a.thoroughfare_id NULLS LAST, a.compound_id NULLS FIRST, a.number, a.text, a.id LIMIT :limit"
        ),
        {"territory": territory.id, "community": community, "mess": mess, "limit": limit},
    )
    return [Row(*row) for row in rows]


def counts(connection: Connection, territory: Territory) -> dict[str, int]:
    """How many addresses in force a territory has, by level."""
    rows = connection.execute(
        text(
            "SELECT level, count(*) FROM address"
            " WHERE territory_id = :territory AND status = 'issued' AND valid_to IS NULL GROUP BY level"
        ),
        {"territory": territory.id},
    )
    return dict(rows.all())
