"""Reads tables (XLSX, or CSV in UTF-8, UTF-16 or GB18030): those of households here, others by their headings."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gis.errors import InputError
from gis.territory.matching import Clue

#: column of ours -> headings understood (folded: case and spaces do not count)
HEADINGS: Final[dict[str, tuple[str, ...]]] = {
    "source_id": (
        "source_id",
        "id",
        "building_id",
        "osm_id",
        "编号",
        "建筑编号",
        "楼栋编号",
        "房屋编号",
        "建筑物编号",
    ),
    "address": ("address", "地址", "门牌地址", "门牌", "详细地址", "标准地址"),
    "name": ("name", "building", "名称", "建筑名称", "楼栋名称", "楼栋", "楼名"),
    "households": ("households", "户数", "总户数", "住户数", "家庭户数"),
    "occupied": ("occupied_households", "occupied", "常住户数", "常住户", "入住户数", "实住户数"),
}
#: Encodings tried where none is declared and the file has no byte order mark.
GUESSES: Final = ("utf-8", "gb18030")
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
#: A file larger than this is not a table of one town's buildings.
LARGEST: Final = 200_000_000
#: Excel writes empty formatted rows; so many in a row end the table.
EMPTY_ROWS: Final = 1000


@dataclass(frozen=True)
class Row:
    """One row: its number as the person sees it, what it says of its building, and its counts."""

    number: int
    clue: Clue
    households: int
    occupied: int | None


@dataclass(frozen=True)
class HouseholdTable:
    """A table as read. ``encoding`` is "xlsx" for workbooks; ``unused`` are headings that mean nothing here."""

    rows: tuple[Row, ...]
    encoding: str
    unused: tuple[str, ...]
    digest: str


def read_households(path: Path, *, encoding: str | None = None, sheet: str | None = None) -> HouseholdTable:
    """Read a table with a heading row; ``encoding`` is guessed for CSV where it is None.

    Raises InputError for the whole table: no file, unknown kind, no such columns, a count that is none.
    """
    lines, told, raw = read_lines(path, encoding=encoding, sheet=sheet)
    return _understood(lines, path.name, told, hashlib.sha256(raw).hexdigest())


def read_lines(
    path: Path, *, encoding: str | None = None, sheet: str | None = None
) -> tuple[list[list[str]], str, bytes]:
    """The cells of a CSV or XLSX file line by line, how it was written ("xlsx" or an encoding), and its bytes.

    Raises InputError: no file, unknown kind, damaged, or no text in any encoding tried.
    """
    if not path.is_file():
        raise InputError("input.missing_file", file=str(path))
    raw = path.read_bytes()
    if not raw or len(raw) > LARGEST:
        raise InputError("input.empty_file" if not raw else "table.too_large", file=path.name)
    kind = path.suffix.lower()
    if kind in {".xlsx", ".xlsm"}:
        lines, told = _workbook(raw, path.name, sheet), "xlsx"
    elif kind in {".csv", ".txt", ".tsv"}:
        lines, told = _text(raw, path.name, encoding)
    else:
        raise InputError("table.kind", file=path.name)
    return lines, told, raw


def _workbook(raw: bytes, file: str, sheet: str | None) -> list[list[str]]:
    from openpyxl import load_workbook

    try:
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    except Exception as error:  # openpyxl raises whatever the damaged part raises
        raise InputError("table.unreadable", file=file, detail=type(error).__name__) from error
    names = [w.title for w in book.worksheets]
    if sheet is not None and sheet not in names:
        raise InputError("table.no_sheet", file=file, sheet=sheet, known=", ".join(names))
    lines: list[list[str]] = []
    empty = 0
    for cells in book[sheet or names[0]].iter_rows(values_only=True):
        line = [_cell(c) for c in cells]
        empty = 0 if any(line) else empty + 1
        if empty > EMPTY_ROWS:
            break
        lines.append(line)
    book.close()
    return lines


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _text(raw: bytes, file: str, encoding: str | None) -> tuple[list[list[str]], str]:
    said, told = _decoded(raw, file, encoding)
    if "\0" in said:
        raise InputError("table.unreadable", file=file, detail="NUL")
    first = said.splitlines()[0] if said.splitlines() else ""
    delimiter = max(",\t;", key=first.count)
    return [
        [c.strip() for c in line] for line in csv.reader(io.StringIO(said, newline=""), delimiter=delimiter)
    ], told


def _decoded(raw: bytes, file: str, encoding: str | None) -> tuple[str, str]:
    marked = next((name for mark, name in _MARKS if raw.startswith(mark)), None)
    for name in (marked,) if marked else (encoding,) if encoding else GUESSES:
        try:
            return raw.decode(name), name
        except UnicodeDecodeError:
            continue
        except LookupError:
            raise InputError("table.unknown_encoding", file=file, encoding=name) from None
    raise InputError("table.encoding", file=file, tried=marked or encoding or ", ".join(GUESSES))


def _understood(lines: list[list[str]], file: str, encoding: str, digest: str) -> HouseholdTable:
    start = next((k for k, line in enumerate(lines) if any(line)), None)
    if start is None:
        raise InputError("table.no_rows", file=file)
    headings = lines[start]
    place = _columns(headings, file)
    rows = []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        if not any(line):
            continue
        said = {name: line[k] if k < len(line) else "" for name, k in place.items()}
        households = _count(said["households"], "households", number, file)
        occupied = _count(said.get("occupied", ""), "occupied", number, file)
        if households is None:
            raise InputError("table.no_count", file=file, row=number)
        if occupied is not None and occupied > households:
            raise InputError("table.more_occupied", file=file, row=number, occupied=occupied, households=households)
        clue = Clue(said.get("source_id", ""), said.get("address", ""), said.get("name", ""))
        rows.append(Row(number, clue, households, occupied))
    if not rows:
        raise InputError("table.no_rows", file=file)
    unused = tuple(h for k, h in enumerate(headings) if h and k not in place.values())
    return HouseholdTable(tuple(rows), encoding, unused, digest)


def _columns(headings: list[str], file: str) -> dict[str, int]:
    folded = ["".join(unicodedata.normalize("NFKC", h).casefold().split()) for h in headings]
    place: dict[str, int] = {}
    for name, spellings in HEADINGS.items():
        found = [k for k, h in enumerate(folded) if h in spellings]
        if len(found) > 1:
            raise InputError("table.twice_column", file=file, columns=", ".join(headings[k] for k in found))
        if found:
            place[name] = found[0]
    if "households" not in place or not {"source_id", "address", "name"} & place.keys():
        raise InputError("table.columns", file=file, found=", ".join(h for h in headings if h) or "-")
    return place


def _count(said: str, column: str, number: int, file: str) -> int | None:
    if said == "":
        return None
    try:
        value = float(unicodedata.normalize("NFKC", said).replace(",", "").removesuffix("户"))
    except ValueError:
        value = -1.0
    if not (0 <= value < 1e6 and value.is_integer()):
        raise InputError("table.count", file=file, row=number, column=column, value=said)
    return int(value)
