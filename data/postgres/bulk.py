"""Whole columns into tables by binary COPY, geometry included: 100,000 buildings in a second or two."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
import sqlalchemy as sa
from geoalchemy2 import Geometry
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import JSONB

from gis.territory.crs import reproject
from gis.territory.model import Geometries

WEB_MERCATOR: Final = "EPSG:3857"

_TYPES: Final[tuple[tuple[type[Any], str], ...]] = (
    (Geometry, "bytea"),  # binary COPY carries no type: PostGIS reads the bytes as EWKB
    (JSONB, "jsonb"),
    (sa.Uuid, "uuid"),
    (sa.SmallInteger, "int2"),
    (sa.BigInteger, "int8"),
    (sa.Integer, "int4"),
    (sa.Float, "float8"),
    (sa.Boolean, "bool"),
    (sa.DateTime, "timestamptz"),
    (sa.Date, "date"),
    (sa.LargeBinary, "bytea"),
    (sa.Text, "text"),
)


def copy_rows(connection: Connection, table: Table, columns: Mapping[str, Any], into: str | None = None) -> int:
    """Append rows given as equally long columns; the number of rows.

    Values are Python's or NumPy's; NaN and None become NULL where the column allows it. Geometry columns take
    EWKB as of :func:`ewkb`. ``into`` names another table of the same columns (a temporary one).
    """
    names = list(columns)
    values = [_plain(columns[n], table.c[n]) for n in names]
    count = len(values[0])
    if any(len(v) != count for v in values):
        raise ValueError({n: len(v) for n, v in zip(names, values, strict=True)})
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(into or table.name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types([_type_name(table.c[n].type) for n in names])
        for row in zip(*values, strict=True):
            copy.write_row(row)
    return count


def upsert_rows(
    connection: Connection, table: Table, columns: Mapping[str, Any], key: Sequence[str], keep: Sequence[str] = ()
) -> None:
    """Insert rows, or overwrite those with an equal ``key``; columns in ``keep`` are only set on insertion."""
    incoming = f"incoming_{table.name}"
    quoted = ", ".join(f'"{n}"' for n in columns)
    connection.exec_driver_sql(
        f'CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {quoted} FROM "{table.name}" LIMIT 0'  # noqa: S608
    )
    copy_rows(connection, table, columns, into=incoming)
    changed = [n for n in columns if n not in key and n not in keep]
    sets = ", ".join(f'"{n}" = excluded."{n}"' for n in changed)
    # a row that says the same is left alone: writing it again would write all its indexes
    mine, theirs = (", ".join(f'{t}."{n}"' for n in changed) for t in (f'"{table.name}"', "excluded"))
    again = f"UPDATE SET {sets} WHERE ({mine}) IS DISTINCT FROM ({theirs})"
    connection.exec_driver_sql(
        f'INSERT INTO "{table.name}" ({quoted}) SELECT {quoted} FROM {incoming}'  # noqa: S608 - our own names
        f" ON CONFLICT ({', '.join(key)}) DO {again if sets else 'NOTHING'}"
    )
    connection.exec_driver_sql(f"DROP TABLE {incoming}")


def replace_rows(
    connection: Connection, table: Table, columns: Mapping[str, Any], of: str, order: str = "position"
) -> None:
    """Let a table hold just these rows for the value of ``of`` (one for all rows); equal rows stay as they are.

    What is equal but for its place in ``order`` keeps its id, so that readers see no change where there is none.
    """
    incoming, matched = f"incoming_{table.name}", f"matched_{table.name}"
    quoted = ", ".join(f'"{n}"' for n in columns)
    said = ", ".join(f'"{n}"' for n in columns if n not in (of, order))
    owner = columns[of][0] if len(columns[of]) else None
    numbered = "md5(ROW({said})::text) AS digest, row_number() OVER (PARTITION BY md5(ROW({said})::text) ORDER BY"
    numbered = numbered.format(said=said) + f' "{order}") AS same'
    run = connection.exec_driver_sql
    run(f'CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {quoted} FROM "{table.name}" LIMIT 0')  # noqa: S608 - our own names
    copy_rows(connection, table, columns, into=incoming)
    run(
        f'CREATE TEMPORARY TABLE {matched} ON COMMIT DROP AS SELECT o.id, n."{order}" AS place'  # noqa: S608
        f' FROM (SELECT id, {numbered} FROM "{table.name}" WHERE "{of}" = %(owner)s) o'
        f' FULL JOIN (SELECT "{order}", {numbered} FROM {incoming}) n USING (digest, same)',
        {"owner": owner},
    )
    run(f'DELETE FROM "{table.name}" t USING {matched} m WHERE t.id = m.id AND m.place IS NULL')  # noqa: S608
    # by way of negative places: two rows must never have the same one
    run(
        f'UPDATE "{table.name}" t SET "{order}" = -1 - m.place FROM {matched} m'  # noqa: S608
        f' WHERE t.id = m.id AND t."{order}" <> m.place'
    )
    run(f'UPDATE "{table.name}" SET "{order}" = -1 - "{order}" WHERE "{of}" = %(o)s AND "{order}" < 0', {"o": owner})  # noqa: S608
    run(
        f'INSERT INTO "{table.name}" ({quoted}) SELECT {quoted} FROM {incoming}'  # noqa: S608
        f' WHERE "{order}" IN (SELECT place FROM {matched} WHERE id IS NULL) ORDER BY "{order}"'
    )
    run(f"DROP TABLE {incoming}, {matched}")


def ewkb(geometry: Geometries, srid: int) -> NDArray[np.object_]:
    """Extended WKB with its SRID, as geometry columns take it."""
    if len(geometry) == 0:
        return np.empty(0, dtype=object)
    written: Any = shapely.to_wkb(shapely.set_srid(geometry, srid), include_srid=True)
    return np.asarray(written, dtype=object)


def geometry_columns(geometry: Geometries, crs: str, srid: int) -> dict[str, NDArray[np.object_]]:
    """``geom`` in the metre CRS and ``geom_3857`` beside it.

    Every vertex is moved by itself, so what shares borders in metres shares them in tiles too.
    """
    return {"geom": ewkb(geometry, srid), "geom_3857": ewkb(reproject(geometry, crs, WEB_MERCATOR), 3857)}


def _type_name(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.ARRAY):
        return _type_name(kind.item_type) + "[]"
    return next(name for cls, name in _TYPES if isinstance(kind, cls))


def _plain(values: Any, column: sa.Column[Any]) -> list[Any]:
    """Python values for psycopg: numbers of NumPy as numbers, NaN as NULL, mappings as JSON."""
    plain = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if isinstance(column.type, JSONB):
        return [None if v is None else Jsonb(v) for v in plain]
    if isinstance(column.type, sa.Float) and column.nullable:
        return [None if v is None or math.isnan(v) else v for v in plain]
    return plain
