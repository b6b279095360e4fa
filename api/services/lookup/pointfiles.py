"""Points in (JSON, CSV, Arrow), their grids out, in the form that is wanted. Columns that came along go along."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from api.answers import LookupBatch, LookupOptions, Lookups
from api.services.lookup import lookup, pointcolumns
from api.services.published import Published
from data import arrow_points
from gis.errors import InputError
from gis.territory.model import Floats

JSON: Final = "application/json"
CSV: Final = "text/csv"
STREAM: Final = arrow_points.STREAM
FILE: Final = arrow_points.FILE
FORMS: Final = (JSON, CSV, STREAM, FILE)
#: Form of a file by the end of its name.
ENDINGS: Final = {".csv": CSV, ".json": JSON, ".arrow": FILE, ".arrows": STREAM}

#: Names of the two coordinate columns, in any case; easting or longitude first.
PAIRS: Final = (("lon", "lat"), ("lng", "lat"), ("longitude", "latitude"), ("x", "y"), ("easting", "northing"),
                ("经度", "纬度"))  # fmt: skip
ADDED: Final = pointcolumns.NAMES
#: Points of one JSON answer, which names candidates and people in full.
MOST_JSON: Final = 10_000
#: Points of one request; files of the command line may be longer.
MOST: Final = 2_000_000
#: Characters that one dictionary column may become where its words are written out.
_MOST_TEXT: Final = 64 << 20


@dataclass(frozen=True)
class Points:
    """What was asked: positions, how to read them, and the columns they came with."""

    x: Floats
    y: Floats
    options: LookupOptions
    header: list[str] = field(default_factory=lambda: ["lon", "lat"])
    rows: list[list[str]] | None = None
    table: pa.Table | None = None


def read(body: bytes, form: str, options: LookupOptions, most: int | None = None) -> Points:
    """Points of a body, ``most`` at most; what JSON says itself goes before ``options``.

    Raises InputError or msgspec's errors.
    """
    if most is not None and form == CSV and body.count(b"\n") > most + 1:  # before anything is made of it
        raise InputError("lookup.too_many_points", limit=most)
    if form == JSON:
        batch = msgspec.json.decode(body, type=LookupBatch)
        xy = np.asarray(batch.points, dtype=np.float64).reshape(-1, 2)
        own = LookupOptions(
            batch.crs or options.crs, batch.accuracy or options.accuracy, batch.as_of or options.as_of
        )
        return Points(xy[:, 0], xy[:, 1], own)
    made = _of_csv(body, options) if form == CSV else _of_arrow(body, options)
    if most is not None and len(made.x) > most:
        raise InputError("lookup.too_many_points", limit=most)
    return made


def write(published: Published, points: Points, form: str, language: str = "zh-CN") -> bytes:
    """The answers to points in a form."""
    given = points.x, points.y, points.options.crs, points.options.accuracy, points.options.as_of
    if form == JSON:
        if len(points.x) > MOST_JSON:
            raise InputError("lookup.too_many_json", limit=MOST_JSON)
        found = lookup.full(published, lookup.ask(published, *given), points.options.as_of)
        return msgspec.json.encode(Lookups([lookup.noted(f, language) for f in found]))
    if form == CSV:
        return _csv(points, pointcolumns.columns(published, *given))
    return arrow_points.write(_arrow(points, pointcolumns.table(published, *given)), form)


def answer(
    published: Published, body: bytes, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> bytes:
    """CSV in, CSV out (UTF-8). A column of the input that has an added column's name gets ``_`` behind it."""
    return write(published, read(body, CSV, LookupOptions(crs, accuracy, as_of)), CSV)


def _of_csv(body: bytes, options: LookupOptions) -> Points:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("lookup.csv_encoding", position=error.start) from None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InputError("lookup.csv_broken", reason=str(error)) from None
    header = rows[0] if rows else []
    first, second = _pair(header)
    rows = [row for row in rows[1:] if row]
    try:
        rows = _as_wide(rows, len(header))
        return Points(_numbers(rows, first, header), _numbers(rows, second, header), options, header, rows)
    except _RowError as fault:
        raise InputError(fault.code, row=_line(text, fault.position), **fault.values) from None


class _RowError(Exception):
    """A fault of the row at ``position`` (blank ones not counted); its line in the file is looked for then only."""

    def __init__(self, code: str, position: int, **values: object) -> None:
        super().__init__(code)
        self.code, self.position, self.values = code, position, values


def _line(text: str, position: int) -> int:
    """The line on which a row begins, counted as an editor does."""
    reader = csv.reader(io.StringIO(text, newline=""))
    began, left = 1, position + 1  # the header is a row too
    for row in reader:
        if row and left == 0:
            break
        left -= bool(row)
        began = reader.line_num + 1
    return began


def _as_wide(rows: list[list[str]], width: int) -> list[list[str]]:
    """Rows without the empty cells that stand beyond the header."""
    if max(map(len, rows), default=0) <= width:
        return rows
    for position, row in enumerate(rows):
        if any(row[width:]):
            raise _RowError("lookup.csv_width", position, cells=len(row), columns=width)
    return [row[:width] for row in rows]


def _of_arrow(body: bytes, options: LookupOptions) -> Points:
    table = arrow_points.read(body)
    columns = []
    for k in _pair(table.column_names):
        column = table.column(k)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)) or column.null_count:
            raise InputError("lookup.arrow_number", column=table.column_names[k], type=column.type)
        columns.append(np.asarray(column.to_numpy(), dtype=np.float64))
    return Points(columns[0], columns[1], options, table=table)


def _pair(header: list[str]) -> tuple[int, int]:
    names = [h.strip().lower() for h in header]
    for a, b in PAIRS:
        if a in names and b in names:
            return names.index(a), names.index(b)
    raise InputError("lookup.csv_columns", found=", ".join(header)[:200])


def _numbers(rows: list[list[str]], column: int, header: list[str]) -> Floats:
    made = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            made[i] = _number(row[column])
        except (ValueError, IndexError):
            value = row[column][:40] if column < len(row) else ""
            raise _RowError("lookup.csv_number", i, column=header[column], value=value) from None
    return made


def _number(text: str) -> float:
    if "_" in text:  # Python's own way of writing 1_000
        raise ValueError
    return float(text)


def renamed(names: Sequence[str]) -> list[str]:
    """Names of columns that came along: ``_`` behind those of added columns, as often as it takes to be alone."""
    made, taken = list(names), {*names, *ADDED}
    for k, name in enumerate(names):
        if name in ADDED:
            while made[k] in taken:
                made[k] += "_"
            taken.add(made[k])
    return made


def _csv(points: Points, found: dict[str, Any]) -> bytes:
    header, rows = points.header, points.rows
    if points.table is not None:
        header = points.table.column_names
        cells = [_cells(name, points.table.column(k)) for k, name in enumerate(header)]
        rows = [list(row) for row in zip(*cells, strict=True)]
    elif rows is None:
        rows = [[repr(a), repr(b)] for a, b in zip(points.x.tolist(), points.y.tolist(), strict=True)]
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(renamed(header) + list(ADDED))
    made = zip(*(_texts(found[name], 2 if name == "edge_m" else 9) for name in ADDED), strict=True)
    width = len(header)
    writer.writerows(row + [""] * (width - len(row)) + list(answer) for row, answer in zip(rows, made, strict=True))
    return out.getvalue().encode()


def _cells(name: str, column: pa.ChunkedArray) -> list[str]:
    """A column as words. Few bytes of Arrow can stand for any number of words: those kinds are bounded or refused."""
    kind = column.type
    if _is_list(kind):
        return _list_cells(name, column)
    indexed = pa.types.is_dictionary(kind)
    if not _is_plain(kind.value_type if indexed else kind):
        raise InputError("lookup.arrow_text", column=name, type=kind)
    if not indexed or not len(column):
        return [_cell(v) for v in column.to_pylist()]
    try:
        whole = pa.concat_arrays(column.chunks)
    except pa.ArrowException as error:
        raise InputError("lookup.arrow_broken", reason=str(error)[:200]) from None
    words = ["", *(_cell(v) for v in whole.dictionary.to_pylist())]
    at = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64) + 1
    if np.array([len(w) for w in words], dtype=np.int64)[at].sum() > _MOST_TEXT:
        raise InputError("lookup.arrow_text", column=name, type=kind)
    return [words[k] for k in at.tolist()]


def _list_cells(name: str, column: pa.ChunkedArray) -> list[str]:
    """Lists as JSON, such as the candidates and people of our own answers."""
    try:
        column.validate(full=True)  # lists that overlap would be as many as one likes
    except pa.ArrowException as error:
        raise InputError("lookup.arrow_broken", reason=str(error)[:200]) from None
    kind, items = column.type, sum(len(chunk.flatten()) for chunk in column.chunks)
    fields = [field.name for field in kind.value_type] if pa.types.is_struct(kind.value_type) else []
    if items * sum(map(len, fields)) > _MOST_TEXT:  # the names stand in every item
        raise InputError("lookup.arrow_text", column=name, type=kind)
    return ["" if v is None else msgspec.json.encode(v).decode() for v in column.to_pylist()]


def _is_list(kind: pa.DataType) -> bool:
    """Whether a list of values, or of records of values, each of which takes room in Arrow."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inner = kind.value_type
    parts = [field.type for field in inner] if pa.types.is_struct(inner) else [inner]
    return bool(parts) and all(_is_plain(part) and not pa.types.is_null(part) for part in parts)


def _is_plain(kind: pa.DataType) -> bool:
    """Whether a value takes about as much room in Arrow as in words."""
    tests = (pa.types.is_primitive, pa.types.is_null, pa.types.is_decimal, pa.types.is_string,
             pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)  # fmt: skip
    return any(test(kind) for test in tests)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _texts(values: np.ndarray[tuple[int], np.dtype[np.generic]], digits: int) -> list[str]:
    if values.dtype == object:
        return [str(v) for v in values]
    return ["" if np.isnan(v) else f"{v:.{digits}f}" for v in values.astype(np.float64).tolist()]


def _arrow(points: Points, found: pa.Table) -> pa.Table:
    table = points.table
    if table is None and points.rows is not None:
        columns = [
            pa.array([row[k] if k < len(row) else "" for row in points.rows]) for k in range(len(points.header))
        ]
        for k, numbers in zip(_pair(points.header), (points.x, points.y), strict=True):
            columns[k] = pa.array(numbers)
        table = pa.Table.from_arrays(columns, points.header)
    elif table is None:
        table = pa.table({"lon": points.x, "lat": points.y})
    table = table.rename_columns(renamed(table.column_names))
    for name in found.column_names:
        table = table.append_column(name, found.column(name))
    return table
