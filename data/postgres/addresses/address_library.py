"""Addresses of a deployment for matching: both branches of each, other names, the streets' lines. Reading only.

Who keeps a copy notes what it has seen (:func:`stamp`), and reads later only what changed since (:func:`changes`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from sqlalchemy import Connection, TextClause, text

from data.postgres.imported import territories
from data.postgres.imported.territories import Territory
from gis.addressing.matching.library import Entries, OtherName
from gis.addressing.matching.names import Kind
from gis.locate import datums
from gis.territory.model import Geometries, Ints, Texts


@dataclass(frozen=True)
class Read:
    """Addresses as of a day, sorted by their row ids ``id``; ``texts`` are whole other texts of rows by row."""

    entries: Entries
    id: Ints
    texts: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Names:
    """Other names of places, the provinces and cities of the deployment, and which counties lie in them."""

    other: tuple[OtherName, ...]
    above: tuple[tuple[Kind, str], ...]
    within: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Stamp:
    """What a copy has seen: everything by transactions before ``oldest``, and the changes ``seen`` of later ones.

    ``top`` is the newest change that was known then.
    """

    oldest: int
    top: int
    seen: tuple[int, ...]


@dataclass(frozen=True)
class Change:
    """One change: the row ids of addresses it touched, and whether streets changed too."""

    id: int
    addresses: tuple[int, ...]
    streets: bool


@dataclass(frozen=True)
class Lines:
    """Named streets of one territory, ``geometry`` in its metre CRS."""

    name: Texts
    geometry: Geometries


#: Rooms and units hang below a building's address, which holds road, number, compound and building.
_ADDRESSES = """
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
WHERE a.territory_id = :territory AND a.valid_from <= :day AND {which}
ORDER BY a.id
"""

_ALIASES = """
SELECT s.address_id, s.text FROM address_alias s JOIN address a ON a.id = s.address_id
WHERE a.territory_id = :territory AND s.valid_from <= :day AND {which} ORDER BY s.id
"""
_EVERY: Final = "TRUE"
_SOME: Final = "a.id = ANY(:ids)"

_WITH_PARTS = text("""
WITH RECURSIVE below (id) AS (
  SELECT unnest(CAST(:ids AS bigint[])) UNION SELECT a.id FROM address a JOIN below b ON a.parent_id = b.id)
SELECT id FROM below ORDER BY id
""")

_UPCOMING = text("""
SELECT id, valid_from FROM address WHERE territory_id = :territory AND valid_from > :day
UNION SELECT id, valid_to FROM address WHERE territory_id = :territory AND valid_to > :day
UNION SELECT a.id, s.valid_from FROM address_alias s JOIN address a ON a.id = s.address_id
WHERE a.territory_id = :territory AND s.valid_from > :day ORDER BY 1, 2
""")

_STAMP = text("""
SELECT s.oldest, coalesce((SELECT max(id) FROM address_change), 0),
       ARRAY(SELECT id FROM address_change WHERE transaction >= s.oldest ORDER BY id)
FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest) AS s
""")

_CHANGES = text("""
SELECT id, addresses, streets FROM address_change
WHERE territory_id = :territory AND transaction >= :oldest AND NOT id = ANY(:seen) ORDER BY id
""")

_KEPT = text("SELECT coalesce(min(id), 0) FROM address_change")

_SOURCE = text("""
SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT timeline_id FROM pg_control_checkpoint()),
       d.oid, 'address'::regclass::oid, 'address_change'::regclass::oid
FROM pg_database d WHERE d.datname = current_database()
""")
_TOLD = text(
    "SELECT has_function_privilege('pg_control_system()', 'execute')"
    " AND has_function_privilege('pg_control_checkpoint()', 'execute')"
)

_NAMES = text("""
SELECT DISTINCT 'road', name, unnest(aliases) FROM thoroughfare WHERE territory_id = ANY(:territories)
UNION SELECT DISTINCT 'compound', name, unnest(aliases) FROM compound WHERE territory_id = ANY(:territories)
UNION SELECT DISTINCT level, name, unnest(aliases) FROM division WHERE level IN ('county','town','community')
ORDER BY 1, 2, 3
""")

_ABOVE = text("SELECT DISTINCT level, name FROM division WHERE level IN ('province','city') ORDER BY 1, 2")

_WITHIN = text("""
WITH RECURSIVE up (county, name, level, parent_id) AS (
  SELECT name, name, level, parent_id FROM division WHERE level = 'county'
  UNION SELECT u.county, d.name, d.level, d.parent_id FROM up u JOIN division d ON d.id = u.parent_id)
SELECT DISTINCT county, name FROM up WHERE level IN ('province','city') ORDER BY 1, 2
""")

_LINES = text("""
SELECT name, ST_AsBinary(geom) FROM thoroughfare
WHERE territory_id = :territory AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day) ORDER BY id
""")


def every(connection: Connection) -> list[Territory]:
    """All territories by name."""
    names = connection.execute(text("SELECT name FROM territory ORDER BY name")).scalars().all()
    return [t for n in names if (t := territories.find(connection, n)) is not None]


def source(connection: Connection) -> str:
    """Which tables of which server these are, so that a copy is never taken for one of others; "" where not told."""
    if not connection.execute(_TOLD).scalar_one():
        return ""
    return "-".join(str(v) for v in connection.execute(_SOURCE).one())


def stamp(connection: Connection) -> Stamp:
    """What is seen now; in one transaction (REPEATABLE READ) with what is read."""
    oldest, top, seen = connection.execute(_STAMP).one()
    return Stamp(int(oldest), int(top), tuple(seen))


def kept(connection: Connection, stamp: Stamp) -> bool:
    """Whether every change since a stamp is still on record."""
    first = int(connection.execute(_KEPT).scalar_one())
    return 0 < first <= stamp.top + 1 or (first == 0 and stamp.top == 0)


def changes(connection: Connection, territory: int, stamp: Stamp, known: Collection[int] = ()) -> list[Change]:
    """What changed in a territory since a stamp, but for the changes that are ``known``."""
    values = {"territory": territory, "oldest": stamp.oldest, "seen": [*stamp.seen, *known]}
    return [Change(int(i), tuple(a), bool(s)) for i, a, s in connection.execute(_CHANGES, values)]


def with_parts(connection: Connection, ids: Collection[int]) -> list[int]:
    """Addresses and all below them (units, rooms)."""
    return list(connection.execute(_WITH_PARTS, {"ids": sorted(ids)}).scalars())


def upcoming(connection: Connection, territory: int, day: date) -> list[tuple[int, date]]:
    """Addresses that are another on a later day, and from which day."""
    return [(int(i), d) for i, d in connection.execute(_UPCOMING, {"territory": territory, "day": day})]


def count(connection: Connection, territory: int) -> int:
    """How many addresses a territory ever had."""
    asked = text("SELECT count(*) FROM address WHERE territory_id = :territory")
    return int(connection.execute(asked, {"territory": territory}).scalar_one())


def read(
    connection: Connection,
    territory: int,
    day: date,
    ids: Collection[int] | None = None,
    told: Callable[[int], None] = lambda _: None,
) -> Read:
    """Addresses of a territory in force on a day or before it: all, or some; ``told`` how many are read."""
    which = _EVERY if ids is None else _SOME
    values = {"territory": territory, "day": day} | ({} if ids is None else {"ids": sorted(ids)})
    columns = _columns(connection, text(_ADDRESSES.format(which=which)), values, told)
    lon, lat = _degrees(columns[14], columns[15])
    group = _groups(columns[17], columns[7], columns[11], columns[8], columns[10])
    texts = [np.array(columns[k], dtype=object) for k in (2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13)]
    code, whole, county, town, community, road, number, compound, building, unit, room = texts
    entries = Entries(
        code, whole, county, town, community, np.array(group, dtype=object), road, number, compound, building, unit,
        room, lon, lat, np.array(columns[16], dtype=np.bool_),
    )  # fmt: skip
    row = np.array(columns[0], dtype=np.int64)
    at = {int(i): k for k, i in enumerate(columns[0])}
    aliases = connection.execute(text(_ALIASES.format(which=which)), values).all()
    return Read(entries, row, tuple((str(t), at[int(i)]) for i, t in aliases if int(i) in at))


def _columns(
    connection: Connection, asked: TextClause, values: dict[str, Any], told: Callable[[int], None]
) -> list[list[Any]]:
    """The columns of a long answer; texts that come again and again are kept once."""
    once: dict[Any, Any] = {}
    columns: list[list[Any]] = [[] for _ in range(18)]
    rows = connection.execute(asked.execution_options(stream_results=True), values)
    for some in rows.partitions(10_000):
        for k, column in enumerate(zip(*some, strict=True)):
            columns[k].extend(column if k in _LONE else [once.setdefault(v, v) for v in column])
        told(len(columns[0]))
    return columns


#: Columns in which hardly a value comes twice, and numbers.
_LONE: Final = frozenset((0, 1, 2, 3, 14, 15, 16))


def names(connection: Connection, territories: Sequence[int]) -> Names:
    """Names beside those of the addresses themselves."""
    other = tuple(OtherName(*row) for row in connection.execute(_NAMES, {"territories": list(territories)}))
    above = tuple((kind, name) for kind, name in connection.execute(_ABOVE))
    return Names(other, above, tuple((county, name) for county, name in connection.execute(_WITHIN)))


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
