"""Features page by page, one by one and counted. Reading only; drafts are never read without ``drafts``.

A page is one question: it asks for the state of what is published and for the rows together, so a reader who works
with an older state notices at once and asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, cast

import psycopg
from psycopg.rows import args_row
from sqlalchemy import Connection

from data.postgres.features.feature_collections import COLLECTIONS, Collection
from data.postgres.features.feature_filters import Conditions

Reader = psycopg.Connection[Any]


@dataclass(frozen=True)
class Days:
    """The first and last day that are asked about, both included; None: today. A moment (ISO 8601 with its offset)
    means the day that it falls on in the territory's own time zone.
    """

    first: str | None = None
    last: str | None = None


TODAY: Final = Days()
#: Half the width of EPSG:3857 in metres.
EDGE: Final = 20037508.342789244


@dataclass(frozen=True)
class Scope:
    """A territory and the publication in force in the days from ``since`` to ``until``.

    ``srid`` is that of its metre CRS, 0 where it has no number; ``bounds`` are in EPSG:3857 metres.
    """

    territory: int
    publication: int
    since: date | None
    until: date | None
    name: str
    crs: str
    srid: int
    bounds: tuple[float, float, float, float]
    title: str = ""


@dataclass(frozen=True)
class State:
    """What is in force: ``mark`` changes with everything a collection shows (but drafts)."""

    mark: str
    scopes: tuple[Scope, ...]


@dataclass(frozen=True)
class Row:
    """One feature: place in the order, id, flat little-endian geometry, and its properties made by the caller."""

    key: Any
    id: Any
    wkb: bytes
    properties: Any


_DAY: Final = """CASE WHEN %({name})s::text IS NULL THEN (now() AT TIME ZONE t.time_zone)::date
WHEN length(%({name})s) = 10 THEN %({name})s::date
ELSE (%({name})s::timestamptz AT TIME ZONE t.time_zone)::date END"""

_FORCE: Final = """
FROM territory t
CROSS JOIN LATERAL (SELECT {first} AS since, {last} AS until) d
JOIN LATERAL (SELECT o.id FROM publication o WHERE o.territory_id = t.id AND o.valid_from <= d.until
  AND (o.valid_to IS NULL OR o.valid_to > d.since) ORDER BY o.valid_from DESC LIMIT 1) p ON true
"""
_IN_FORCE: Final = _FORCE.format(first=_DAY.format(name="first"), last=_DAY.format(name="last"))

_STATES: Final = """concat_ws(':', t.id, p.id, d.since, d.until,
(SELECT string_agg(w.version::text, '.' ORDER BY w.layer) FROM tile_version w
 WHERE w.territory_id = t.id AND w.layer = ANY(%(layers)s::text[]) AND w.z = 0 AND w.x = 0 AND w.y = 0))"""
#: Mark of the state of a collection: a question of one row and column.
MARK: Final = f"SELECT md5(coalesce(string_agg({_STATES}, ',' ORDER BY t.id), '')) AS mark {_IN_FORCE}"

_SCOPES: Final = (
    """SELECT t.id, p.id, d.since, d.until, t.name, t.crs, t.srid,
ST_XMin(b.box), ST_YMin(b.box), ST_XMax(b.box), ST_YMax(b.box), t.title"""
    + _IN_FORCE
    + "CROSS JOIN LATERAL (SELECT Box2D(t.geom_3857) AS box) b ORDER BY t.id"
)

#: The row of the state comes even where the page is empty.
_PAGE: Final = """
WITH s AS MATERIALIZED ({mark}){met}
SELECT s.mark, {matched}, q.* FROM s LEFT JOIN (
SELECT {key} AS key, {feature}, ST_AsBinary({geometry}, 'NDR') AS wkb, {columns}
FROM {rows} ORDER BY {key} LIMIT {limit}) q ON true ORDER BY q.key
"""
#: With a filter the planner finds the best way; without one the page is taken first and the rest joined to its rows.
_FILTERED: Final = "{core} {joins} WHERE {where}{after}{more}"
_PLAIN: Final = "(SELECT * FROM {core} WHERE {where}{after} ORDER BY {key} LIMIT {limit}) {alias} {joins} WHERE true"
#: With a box what meets it is found once, for the page and for the count of all.
_MET: Final = ", met AS MATERIALIZED (SELECT {key} AS met FROM {core} WHERE {where}{more})"
_OF_MET: Final = """(SELECT {alias}.* FROM (SELECT met FROM met WHERE true{after} ORDER BY met LIMIT {limit}) met
JOIN {core} ON {key} = met.met WHERE {where}) {alias} {joins} WHERE true"""
_COUNT: Final = "SELECT count(*) FROM {core} {joins} WHERE {where}{more}"
_COUNT_PLAIN: Final = "SELECT count(*) FROM {core} WHERE {where}"
_ONE: Final = """
SELECT {key}, {feature}, ST_AsBinary({geometry}, 'NDR'), {columns} FROM {core} {joins}
WHERE {where} AND {id} = CAST(%(feature)s AS {id_kind})
"""
#: For one feature the scope is that of its territory, found in the same question.
_OWN: Final = (
    "WITH own AS MATERIALIZED (SELECT t.id AS territory, p.id AS publication, d.since, d.until"
    + _IN_FORCE
    + "WHERE t.id = ({owner}))"
)


def state(connection: Reader, days: Days = TODAY, collection: Collection | None = None) -> State:
    """What is in force, with the mark of a collection ("" without one)."""
    said = mark(connection, days, collection) if collection is not None else ""  # first: what it marks is no older
    rows: list[Any] = connection.cursor().execute(_SCOPES, days_bound(days), prepare=True).fetchall()
    return State(said, tuple(_scope(*row) for row in rows))


def _scope(*row: Any) -> Scope:
    territory, publication, since, until, name, crs, srid, west, south, east, north, title = row
    return Scope(territory, publication, since, until, name, crs, srid, (west, south, east, north), title)


def mark(connection: Reader, days: Days, collection: Collection) -> str:
    """Mark of a collection's state alone."""
    row = connection.execute(MARK, days_bound(days) | layers_bound(collection), prepare=True).fetchone()
    assert row is not None
    return str(row[0])


def page(
    connection: Reader,
    collection: Collection,
    scope: Scope,
    conditions: Conditions,
    make: Callable[..., Any],
    *,
    srid: int | None = None,
    after: Any = None,
    limit: int,
    days: Days = TODAY,
    drafts: bool = False,
    many: bool = False,
) -> tuple[str, int | None, list[Row]]:
    """Mark of the state, the count of all that meets the conditions where it came along, and the rows.

    These are up to ``limit`` after the key ``after``; ``make`` gets a row's properties in order. ``many``: a great
    many are known to meet the conditions, so they are not all looked for.
    ``srid``: the CRS of the geometry, None for EPSG:3857.
    """
    way = _way(collection, conditions, many)
    sql = _page(collection.name, scope.srid, srid, after is not None, conditions.sql, limit, way)
    values = bound(scope, drafts) | days_bound(days) | layers_bound(collection) | conditions.values
    values |= {"after": after}
    marks: list[tuple[str, int | None]] = []

    def row(said: str, matched: int | None, key: Any, feature: Any, wkb: bytes | None, *columns: Any) -> Row | None:
        if not marks:
            marks.append((said, matched))
        return None if wkb is None else Row(key, feature, wkb, make(*columns))

    cursor = connection.cursor(row_factory=args_row(row), binary=True)
    # a page without a filter is always found the same way; with one, the best way depends on its values
    if way == _FILTERED:
        with _planned_for_values(connection):
            found = cursor.execute(sql, values, prepare=False).fetchall()
    else:
        found = cursor.execute(sql, values, prepare=True).fetchall()
    return *marks[0], [r for r in found if r is not None]


def _way(collection: Collection, conditions: Conditions, many: bool) -> str:
    if not collection.owner or conditions.joined or (conditions.parts and many):
        return _FILTERED
    return _OF_MET if conditions.parts else _PLAIN


def count(
    connection: Reader, collection: Collection, scope: Scope, conditions: Conditions, *, drafts: bool = False
) -> int:
    """How many features of a scope meet the conditions."""
    c = collection
    template = _COUNT if conditions.parts or not c.owner else _COUNT_PLAIN
    sql = template.format(core=c.core, joins=c.joins, where=c.where, more=conditions.sql)
    values = bound(scope, drafts) | conditions.values
    if template == _COUNT_PLAIN:
        row = connection.execute(sql, values).fetchone()
    else:
        with _planned_for_values(connection):
            row = connection.execute(sql, values, prepare=False).fetchone()
    assert row is not None
    return int(row[0])


@contextmanager
def _planned_for_values(connection: Reader) -> Iterator[None]:
    """Questions in here are planned anew for their values, on connections that do otherwise too."""
    with connection.transaction():
        connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        yield


def one(
    connection: Reader,
    collection: Collection,
    feature: str,
    make: Callable[..., Any],
    *,
    srid: int | None = None,
    days: Days = TODAY,
    drafts: bool = False,
) -> Row | None:
    """The feature of an id."""

    def row(key: Any, found: Any, wkb: bytes, *columns: Any) -> Row:
        return Row(key, found, wkb, make(*columns))

    cursor = connection.cursor(row_factory=args_row(row), binary=True)
    values = days_bound(days) | {"feature": feature, "drafts": drafts}
    if not collection.owner:
        values |= bound(whole(days), drafts)
    return cursor.execute(_one(collection.name, srid), values, prepare=True).fetchone()


def whole(days: Days) -> Scope:
    """The scope of a collection that belongs to no territory."""
    first, last = (None if d is None else date.fromisoformat(d[:10]) for d in (days.first, days.last))
    return Scope(0, 0, first, last, "", "", 0, (-EDGE, -EDGE, EDGE, EDGE))


@lru_cache(maxsize=512)
def _page(name: str, stored: int, srid: int | None, after: bool, more: str, limit: int, way: str) -> str:
    """``limit`` is part of the text, so that a plan made once is made for so many rows."""
    c = COLLECTIONS[name]
    boxed = way == _OF_MET
    key = "met" if boxed else c.key
    rows = way.format(
        core=c.core,
        joins=c.joins,
        alias=c.alias,
        key=c.key,
        where=c.where,
        after=f" AND {key} > CAST(%(after)s AS {c.key_kind})" if after else "",
        more=more,
        limit=int(limit),
    )
    return sql_of(
        _PAGE,
        c,
        mark=MARK,
        met=_MET.format(key=c.key, core=c.core, where=c.where, more=more) if boxed else "",
        matched="(SELECT count(*) FROM met)" if boxed else "CAST(NULL AS bigint)",
        geometry=_geometry(c, srid, stored),
        rows=rows,
        limit=str(int(limit)),
    )


@lru_cache(maxsize=64)
def _one(name: str, srid: int | None) -> str:
    c = COLLECTIONS[name]
    sql = sql_of(_ONE, c, geometry=_geometry(c, srid, 0), id_kind=c.id_kind)
    if not c.owner:
        return sql
    for part in ("territory", "publication", "since", "until"):
        sql = sql.replace(f"%({part})s", f"(SELECT {part} FROM own)")  # noqa: S608  constants
    return _OWN.replace("{owner}", c.owner) + sql


def sql_of(template: str, c: Collection, **parts: str) -> str:
    """A query of constants: nothing that a caller said is among them but as a placeholder."""
    columns = ", ".join(f.sql for f in c.fields)
    feature = f"{c.id}::text" if c.id_kind == "uuid" else c.id
    return template.format(
        key=c.key, id=c.id, feature=feature, columns=columns, core=c.core, joins=c.joins, where=c.where, **parts
    )


def _geometry(c: Collection, srid: int | None, stored: int) -> str:
    if srid is None:
        return c.mercator
    return c.geom if srid == stored else f"ST_Transform({c.mercator}, {int(srid)})"


def bound(scope: Scope, drafts: bool = False) -> dict[str, Any]:
    """What the placeholders of a scope stand for."""
    return {
        "territory": scope.territory,
        "publication": scope.publication,
        "since": scope.since,
        "until": scope.until,
        "drafts": drafts,
    }


def layers_bound(collection: Collection) -> dict[str, Any]:
    """What the placeholder of a mark's layers stands for."""
    return {"layers": list(collection.layers)}


def days_bound(days: Days) -> dict[str, Any]:
    """What the placeholders of days stand for."""
    return {"first": days.first, "last": days.last}


def driver_of(connection: Connection) -> Reader:
    """The driver's own connection under one of the engine's."""
    return cast("Reader", connection.connection.dbapi_connection)
