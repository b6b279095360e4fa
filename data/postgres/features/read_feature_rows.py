"""What a memory of features is filled with: the boxes of all of a scope, and the rows of some keys.

Each question brings the mark of the state it was answered in.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import args_row

from data.postgres.features.feature_collections import COLLECTIONS, Collection
from data.postgres.features.read_features import (
    MARK,
    TODAY,
    Reader,
    Row,
    Scope,
    bound,
    days_bound,
    layers_bound,
    sql_of,
)

#: A key and four numbers, each as PostgreSQL sends it; a shape without points has none.
_BOXES: Final = """
SELECT ({mark}), count(*), string_agg(packed, ''::bytea ORDER BY q.key) FROM (
SELECT {key} AS key, {send}({key}) || float8send(coalesce(ST_XMin({mercator}), 'NaN'))
  || float8send(coalesce(ST_YMin({mercator}), 'NaN')) || float8send(coalesce(ST_XMax({mercator}), 'NaN'))
  || float8send(coalesce(ST_YMax({mercator}), 'NaN')) AS packed
FROM {core} WHERE {where} LIMIT %(most)s) q
"""
_ROWS: Final = """
SELECT ({mark}), {key}, {feature}, ST_AsBinary({geometry}, 'NDR'), {columns} FROM {core} {joins}
WHERE {where} AND {key} = ANY(CAST(%(keys)s AS {key_kind}[]))
"""
_SEND: Final = {"bigint": ("int8send", 8), "uuid": ("uuid_send", 16)}


def boxes(
    connection: Reader, collection: Collection, scope: Scope, most: int
) -> tuple[str, list[Any], NDArray[np.float64]] | None:
    """Mark, keys in order and boxes (n, 4; EPSG:3857) of all features of a scope; None for more than ``most``."""
    c = collection
    send, size = _SEND[c.key_kind]
    sql = _BOXES.format(mark=MARK, key=c.key, send=send, mercator=c.mercator, core=c.core, where=c.where)
    values = bound(scope) | days_bound(TODAY) | layers_bound(c) | {"most": most + 1}
    row = connection.cursor(binary=True).execute(sql, values).fetchone()
    assert row is not None
    mark, count, packed = row
    if count > most:
        return None
    raw = np.frombuffer(packed or b"", dtype=np.dtype([("key", f"V{size}"), ("box", ">f8", 4)]))
    if size == 8:
        keys = raw["key"].copy().view(">i8").astype(np.int64).tolist()
    else:
        text = raw["key"].tobytes()
        keys = [uuid.UUID(bytes=text[k : k + 16]) for k in range(0, len(text), 16)]
    return str(mark), keys, np.ascontiguousarray(raw["box"], dtype=np.float64)


def rows(
    connection: Reader, collection: Collection, scope: Scope, keys: Sequence[Any], make: Callable[..., Any]
) -> tuple[str, list[Row]]:
    """Mark and the features of some keys, in no order; their geometry is in EPSG:3857."""
    marks: list[str] = []

    def row(said: str, key: Any, feature: Any, wkb: bytes, *columns: Any) -> Row:
        marks.append(said)
        return Row(key, feature, wkb, make(*columns))

    values = bound(scope) | days_bound(TODAY) | layers_bound(collection) | {"keys": list(keys)}
    cursor = connection.cursor(row_factory=args_row(row), binary=True)
    found = cursor.execute(_rows(collection.name), values, prepare=True).fetchall()
    return (marks[0] if marks else ""), found


@lru_cache(maxsize=16)
def _rows(name: str) -> str:
    c = COLLECTIONS[name]
    return sql_of(_ROWS, c, mark=MARK, geometry=c.mercator, key_kind=c.key_kind)
