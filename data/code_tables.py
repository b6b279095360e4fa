"""Reads tables of codes of other systems, and of plates hung up by a crew: rows as texts by column of ours."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from data.tables import read_lines
from gis.errors import InputError

Headings = Mapping[str, tuple[str, ...]]

#: column of ours -> headings understood (folded: case and spaces do not count)
FOREIGN: Final[Headings] = {
    "system": ("system", "编码系统", "系统", "来源", "编码类型"),
    "foreign": ("foreign_code", "foreign", "外部编码", "公安编码", "门牌编码", "公安门牌编码", "标准编码"),
    "code": ("code", "address_code", "地址编码", "二维地址码"),
    "address": ("address", "地址", "标准地址", "门牌地址", "详细地址"),
    "since": ("valid_from", "since", "from", "生效日期", "启用日期", "起始日期"),
    "until": ("valid_to", "until", "to", "失效日期", "停用日期", "终止日期"),
}
HUNG: Final[Headings] = {
    "plate": ("plate", "code", "qr", "qr_text", "url", "地址编码", "二维码", "门牌"),
    "on": ("on", "date", "installed_on", "安装日期", "日期"),
    "by": ("by", "installed_by", "安装人", "人员"),
    "lon": ("lon", "lng", "longitude", "经度"),
    "lat": ("lat", "latitude", "纬度"),
    "crs": ("crs", "datum", "坐标系"),
    "accuracy": ("accuracy", "精度"),
    "photo": ("photo", "照片", "照片文件"),
    "note": ("note", "备注"),
    "size": ("size", "规格", "门牌规格", "门牌种类"),
}


@dataclass(frozen=True)
class Row:
    """One row: its number as the person sees it, and its cells by column of ours ("" where empty)."""

    number: int
    cells: Mapping[str, str]


def read_rows(
    path: Path, headings: Headings, required: Sequence[str], *, encoding: str | None = None, sheet: str | None = None
) -> list[Row]:
    """The rows of a CSV or XLSX file under a heading row; columns that mean nothing here are left out.

    Raises InputError for the whole file: unreadable, a required column missing, a column twice, no rows.
    """
    try:
        lines, _, _ = read_lines(path, encoding=encoding, sheet=sheet)
    except csv.Error as error:
        raise InputError("table.unreadable", file=path.name, detail=str(error)) from None
    start = next((k for k, line in enumerate(lines) if any(line)), None)
    if start is None:
        raise InputError("table.no_rows", file=path.name)
    place = _columns(lines[start], headings, path.name)
    missing = [name for name in required if name not in place]
    if missing:
        wanted = ", ".join(headings[name][0] for name in missing)
        raise InputError("codes.columns", file=path.name, missing=wanted, found=", ".join(filter(None, lines[start])))
    rows = [
        Row(number, {name: line[k] if k < len(line) else "" for name, k in place.items()})
        for number, line in enumerate(lines[start + 1 :], start=start + 2)
        if any(line)
    ]
    if not rows:
        raise InputError("table.no_rows", file=path.name)
    return rows


def day(cell: str) -> date | None:
    """A day as tables write it: 2024-05-01, 2024/5/1, 2024年5月1日, 20240501; None for an empty cell.

    Raises ValueError for anything else.
    """
    said = unicodedata.normalize("NFKC", cell).strip()
    if not said:
        return None
    said = said.split("T")[0].split(" ")[0]
    for gap in ("年", "月", "/", "."):
        said = said.replace(gap, "-")
    parts = said.removesuffix("日").split("-")
    if len(parts) == 1 and len(said) == 8 and said.isdigit():
        parts = [said[:4], said[4:6], said[6:]]
    if len(parts) != 3:
        raise ValueError(cell)
    return date(*(int(p) for p in parts))


def _columns(line: Sequence[str], headings: Headings, file: str) -> dict[str, int]:
    folded = ["".join(unicodedata.normalize("NFKC", h).casefold().split()) for h in line]
    place: dict[str, int] = {}
    for name, spellings in headings.items():
        found = [k for k, h in enumerate(folded) if h in spellings]
        if len(found) > 1:
            raise InputError("table.twice_column", file=file, columns=", ".join(line[k] for k in found))
        if found:
            place[name] = found[0]
    return place
