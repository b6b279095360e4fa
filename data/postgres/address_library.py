"""Addresses of a deployment for matching: both branches of each, other names, the streets' lines. Reading only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, text

from data.postgres import territories
from data.postgres.territories import Territory
from gis.addressing.matching.library import Entries, OtherName
from gis.addressing.matching.names import Kind
from gis.locate import datums
from gis.territory.model import Geometries, Ints, Texts


@dataclass(frozen=True)
class Read:
    """Addresses as of a day with their names; ``texts`` are whole other texts of rows (aliases) by row.

    ``above`` are the provinces and cities of the deployment; ``territory`` and ``id`` are row ids of each entry.
    """

    entries: Entries
    id: Ints
    territory: Ints
    other_names: tuple[OtherName, ...]
    above: tuple[tuple[Kind, str], ...]
    texts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Lines:
    """Named streets of one territory, ``geometry`` in its metre CRS."""

    name: Texts
    geometry: Geometries


#: Rooms and units hang below a building's address, which holds road, number, compound and building.
_ADDRESSES = text("""
SELECT a.id, a.territory_id, a.code, a.text, a.level,
       coalesce(county.name, ''), coalesce(town.name, ''), coalesce(c.name, ''),
       coalesce(th.name, ''), coalesce(nullif(a.number_text, ''), nullif(p.number_text, ''), pp.number_text, ''),
       coalesce(co.name, ''), coalesce(nullif(a.building_no, ''), nullif(p.building_no, ''), pp.building_no, ''),
       coalesce(nullif(a.unit, ''), p.unit, ''), a.room,
       ST_X(a.geom_3857), ST_Y(a.geom_3857),
       a.status <> 'issued' OR (a.valid_to IS NOT NULL AND a.valid_to <= :day) AS ended,
       coalesce(pp.text, p.text, a.text)
FROM address a
LEFT JOIN address p ON p.id = a.parent_id
LEFT JOIN address pp ON pp.id = p.parent_id
LEFT JOIN thoroughfare th ON th.id = coalesce(a.thoroughfare_id, p.thoroughfare_id, pp.thoroughfare_id)
LEFT JOIN compound co ON co.id = coalesce(a.compound_id, p.compound_id, pp.compound_id)
LEFT JOIN community c ON c.id = coalesce(a.community_id, p.community_id, pp.community_id)
LEFT JOIN division d ON d.id = c.division_id
LEFT JOIN division town ON town.id = d.parent_id AND town.level = 'town'
LEFT JOIN division county ON county.id = town.parent_id AND county.level = 'county'
WHERE a.territory_id = ANY(:territories) AND a.valid_from <= :day
ORDER BY a.id
""")

_ALIASES = text("""
SELECT s.address_id, s.text FROM address_alias s JOIN address a ON a.id = s.address_id
WHERE a.territory_id = ANY(:territories) AND s.valid_from <= :day ORDER BY s.id
""")

_NAMES = text("""
SELECT DISTINCT 'road', name, unnest(aliases) FROM thoroughfare WHERE territory_id = ANY(:territories)
UNION SELECT DISTINCT 'compound', name, unnest(aliases) FROM compound WHERE territory_id = ANY(:territories)
UNION SELECT DISTINCT level, name, unnest(aliases) FROM division WHERE level IN ('county','town','community')
ORDER BY 1, 2, 3
""")

_ABOVE = text("SELECT DISTINCT level, name FROM division WHERE level IN ('province','city') ORDER BY 1, 2")

_LINES = text("""
SELECT name, ST_AsBinary(geom) FROM thoroughfare
WHERE territory_id = :territory AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day) ORDER BY id
""")


def every(connection: Connection) -> list[Territory]:
    """All territories by name."""
    names = connection.execute(text("SELECT name FROM territory ORDER BY name")).scalars().all()
    return [t for n in names if (t := territories.find(connection, n)) is not None]


def read(connection: Connection, territories: Sequence[int], day: date) -> Read:
    """Every address of some territories that was in force on a day or before it."""
    values = {"territories": list(territories), "day": day}
    rows = connection.execute(_ADDRESSES, values).all()
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 18
    lon, lat = _degrees(columns[14], columns[15])
    group = _groups(columns[17], columns[7], columns[11], columns[8], columns[10])
    texts = [np.array(columns[k], dtype=object) for k in (2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)]
    code, whole, county, town, community, road, number, compound, building, unit, room = texts
    entries = Entries(
        code, whole, county, town, community, np.array(group, dtype=object), road, number, compound, building, unit,
        room, lon, lat, np.array(columns[16], dtype=np.bool_),
    )  # fmt: skip
    at = {int(i): k for k, i in enumerate(columns[0])}
    aliases = connection.execute(_ALIASES, values).all()
    other = [OtherName(*row) for row in connection.execute(_NAMES, values)]
    other += [OtherName("group", g, short) for g, short in sorted(_short_groups(group, columns[7]))]
    return Read(
        entries,
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        tuple(other),
        tuple((kind, name) for kind, name in connection.execute(_ABOVE)),
        tuple((str(t), at[int(i)]) for i, t in aliases if int(i) in at),
    )


def lines(connection: Connection, territory: int, day: date) -> Lines:
    """The named streets of a territory in its metre CRS."""
    rows = connection.execute(_LINES, {"territory": territory, "day": day}).all()
    shapes: Any = shapely.from_wkb(np.array([bytes(g) for _, g in rows], dtype=object))
    return Lines(np.array([n for n, _ in rows], dtype=object), np.asarray(shapes, dtype=object))


def _degrees(x: Any, y: Any) -> tuple[Any, Any]:
    mercator = datums.parse("EPSG:3857")
    return datums.to_wgs84(np.array(x, dtype=np.float64), np.array(y, dtype=np.float64), mercator)


def _groups(texts: Any, communities: Any, buildings: Any, roads: Any, compounds: Any) -> list[str]:
    """Villager group of each address: what its building's text says before the number, if that is no community."""
    found = []
    for text_, community, building, road, compound in zip(
        texts, communities, buildings, roads, compounds, strict=True
    ):
        head = text_.removesuffix(f"{building}号") if building and not road and not compound else ""
        found.append(head if head not in {text_, community} else "")
    return found


def _short_groups(groups: Any, communities: Any) -> set[tuple[str, str]]:
    """三组 for 鹿角村三组, where the village is said before."""
    pairs = {(g, c) for g, c in zip(groups, communities, strict=True) if g and c}
    return {(g, g.removeprefix(c)) for g, c in pairs if g.startswith(c) and len(g) - len(c) >= 2}
