"""Features of a layer as flat columns, ready to be written into any tile they touch.

Everything that does not depend on the tile is done once, here: vertices lie in one array, every property value is
written as the format wants it, and a feature names its values by number.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.territory.model import Floats, Geometries, Ints

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]

#: Kinds of geometry as the format numbers them.
POINT, LINE, POLYGON = 1, 2, 3
#: The same by shapely's type id, 0 for what has none.
_KIND: Final = np.array([POINT, LINE, LINE, POLYGON, POINT, LINE, POLYGON, 0], dtype=np.int8)
_SIMPLE: Final = 3  # type ids up to this one are no multiples


@dataclass(frozen=True, eq=False)
class Columns:
    """``n`` features of one layer. Coordinates: EPSG:3857 metres.

    ``kind`` (n,): POINT, LINE, POLYGON or 0 (nothing to draw). ``zoom`` (n,): first zoom that shows the feature.
    ``box`` (n, 4): west, south, east, north. ``first`` (n + 1,): where its parts start; ``start`` (p + 1,): where the
    vertices of a part (a ring with its closing vertex, a line, a point) start in ``xy`` (v, 2); ``outer`` (p,): the
    ring begins a polygon. ``codes`` (n, k): number of the value of each of ``keys``, -1 for none; ``values`` by
    number, written as the format's field at ``written[written_at[i]:written_at[i + 1]]``. The first ``shown`` keys go
    into tiles, the others serve filters only.
    """

    ids: Ints
    kind: NDArray[np.int8]
    zoom: NDArray[np.int8]
    box: Floats
    first: Ints
    start: Ints
    outer: Flags
    xy: Floats
    keys: tuple[str, ...]
    shown: int
    codes: NDArray[np.int32]
    values: tuple[Any, ...]
    written: Bytes
    written_at: Ints

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def nbytes(self) -> int:
        """Memory taken, about."""
        arrays = (self.ids, self.kind, self.zoom, self.box, self.first, self.start, self.outer, self.xy, self.codes)
        # a value is kept twice: written, and as an object with its place in a tuple
        found = 170 * len(self.values) if "_by_text" in self.__dict__ else 0  # what filters look up, once asked for
        return sum(a.nbytes for a in arrays) + 2 * self.written.nbytes + 80 * len(self.values) + found + 1000

    @cached_property
    def _by_text(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for k, value in enumerate(self.values):
            found.setdefault(text_of(value), []).append(k)
        return found

    def where(self, keys: Sequence[str], texts: Sequence[str]) -> Flags:
        """(n,) features whose value of any of ``keys`` reads as one of ``texts``."""
        wanted = [code for text in texts for code in self._by_text.get(text, ())]
        at = [k for k, key in enumerate(self.keys) if key in keys]
        return np.asarray(np.isin(self.codes[:, at], wanted).any(axis=1))

    def geometry(self, rows: Ints) -> Geometries:
        """Some features as shapes again; polygons and their multiples only."""
        return np.array([self._polygon(int(row)) for row in rows], dtype=object)

    def _polygon(self, row: int) -> Any:
        parts = range(self.first[row], self.first[row + 1])
        begins = [p for p in parts if self.outer[p]] + [self.first[row + 1]]
        made = [
            shapely.Polygon(self._ring(a), [self._ring(hole) for hole in range(a + 1, b)])
            for a, b in itertools.pairwise(begins)
        ]
        return made[0] if len(made) == 1 else shapely.multipolygons(made)

    def _ring(self, part: int) -> Floats:
        return self.xy[self.start[part] : self.start[part + 1]]


def build(
    ids: Sequence[int] | Ints,
    columns: Mapping[str, Sequence[Any]],
    geometry: Geometries,
    *,
    zoom: Sequence[int] | int = 0,
    hidden: Mapping[str, Sequence[Any]] | None = None,
) -> Columns:
    """Columns of features (EPSG:3857, one kind a feature).

    ``columns`` hold texts, whole numbers, floats, booleans or None (left out); ``hidden`` ones serve filters only.
    """
    n = len(geometry)
    kind = _KIND[shapely.get_type_id(geometry)] if n else np.zeros(0, np.int8)
    kind[shapely.is_empty(geometry) | shapely.is_missing(geometry)] = 0
    first, start, outer, xy = ragged(geometry, kind)
    table = {**columns, **(hidden or {})}
    values: dict[tuple[type, Any], int] = {}
    codes = np.full((n, len(table)), -1, dtype=np.int32)
    for k, column in enumerate(table.values()):
        codes[:, k] = _coded(column, values)
    written = [_value(value) for _, value in values]
    return Columns(
        np.array(ids, dtype=np.int64),
        kind,
        np.broadcast_to(np.asarray(zoom, dtype=np.int8), n).copy(),
        shapely.bounds(geometry).reshape(-1, 4),
        first,
        start,
        outer,
        xy,
        tuple(table),
        len(columns),
        codes,
        tuple(value for _, value in values),
        np.frombuffer(b"".join(written), dtype=np.uint8).copy(),  # writable, as all others: one compiled form
        np.concatenate([[0], np.cumsum([len(w) for w in written])]).astype(np.int64),
    )


def join(tables: Sequence[Columns]) -> Columns:
    """Several tables of one layer (same keys) as one."""
    if len(tables) == 1:
        return tables[0]
    offsets = np.cumsum([0, *(len(t.values) for t in tables)])
    codes = [np.where(t.codes >= 0, t.codes + o, -1) for t, o in zip(tables, offsets[:-1], strict=True)]
    return Columns(
        np.concatenate([t.ids for t in tables]),
        np.concatenate([t.kind for t in tables]),
        np.concatenate([t.zoom for t in tables]),
        np.concatenate([t.box for t in tables]),
        _chained([t.first for t in tables]),
        _chained([t.start for t in tables]),
        np.concatenate([t.outer for t in tables]),
        np.concatenate([t.xy for t in tables]),
        tables[0].keys,
        tables[0].shown,
        np.concatenate(codes).astype(np.int32),
        tuple(v for t in tables for v in t.values),
        np.concatenate([t.written for t in tables]),
        _chained([t.written_at for t in tables]),
    )


def ragged(geometry: Geometries, kind: NDArray[np.int8]) -> tuple[Ints, Ints, Flags, Floats]:
    """``first, start, outer, xy`` of shapes, as in :class:`Columns`; parts that are not of ``kind`` are dropped."""
    parts, row = shapely.get_parts(geometry, return_index=True)
    if (shapely.get_type_id(parts) > _SIMPLE).any():  # a collection holds multiples
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    fits = (_KIND[shapely.get_type_id(parts)] == kind[row]) & ~shapely.is_empty(parts)
    parts, row = parts[fits], row[fits]
    area = kind[row] == POLYGON
    rings, owner = shapely.get_rings(parts[area], return_index=True)
    begins = np.ones(len(rings), bool)
    begins[1:] = owner[1:] != owner[:-1]
    lines = np.concatenate([rings, parts[~area]])
    rows = np.concatenate([row[area][owner], row[~area]]).astype(np.int64)
    outer = np.concatenate([begins, np.ones(int((~area).sum()), bool)])
    order = np.argsort(rows, kind="stable")
    lines, rows, outer = lines[order], rows[order], outer[order]
    xy, line = shapely.get_coordinates(lines, return_index=True)
    first = np.searchsorted(rows, np.arange(len(geometry) + 1)).astype(np.int64)
    return first, np.searchsorted(line, np.arange(len(lines) + 1)).astype(np.int64), outer, xy


def text_of(value: Any) -> str:
    """A property's value as people write it in a filter."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _chained(starts: Sequence[Ints]) -> Ints:
    ends = np.cumsum([0, *(s[-1] for s in starts)])
    return np.concatenate([*(s[:-1] + e for s, e in zip(starts, ends[:-1], strict=True)), ends[-1:]]).astype(np.int64)


def _coded(column: Sequence[Any], values: dict[tuple[type, Any], int]) -> Any:
    """Numbers of the values of a column; new ones are added to ``values``."""
    held = np.empty(len(column), dtype=object)
    held[:] = column
    codes, distinct = pd.factorize(held, use_na_sentinel=True)
    plain = [v.item() if isinstance(v, np.generic) else v for v in distinct]
    numbers = [values.setdefault((type(v), v), len(values)) for v in plain]
    return np.array([*numbers, -1], dtype=np.int32)[codes]


def varint(value: int) -> bytes:
    """A number as protocol buffers write it."""
    made = bytearray()
    while value >= 128:
        made.append(value & 127 | 128)
        value >>= 7
    made.append(value)
    return bytes(made)


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return bytes((number << 3 | 2,)) + varint(len(content)) + content


def _value(value: Any) -> bytes:
    """A property's value as the format's field of a layer."""
    if isinstance(value, str):
        made = field(1, value.encode())
    elif isinstance(value, bool):
        made = b"\x38" + varint(int(value))
    elif isinstance(value, int):
        made = b"\x28" + varint(value) if value >= 0 else b"\x30" + varint((value << 1) ^ (value >> 63))
    else:
        made = b"\x19" + struct.pack("<d", float(value))
    return field(4, made)
