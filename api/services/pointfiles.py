"""CSV of points in, the same rows with their grids out. Columns of the input are kept as they are."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Final

import numpy as np

from api.services import lookup
from api.services.published import Published
from gis.errors import InputError

#: Names of the two coordinate columns, in any case; easting or longitude first.
PAIRS: Final = (("lon", "lat"), ("lng", "lat"), ("longitude", "latitude"), ("x", "y"), ("easting", "northing"),
                ("经度", "纬度"))  # fmt: skip
ADDED: Final = ("status", "grid_id", "code", "name", "community", "edge_m", "candidates", "wgs84_lon", "wgs84_lat")


def answer(
    published: Published, body: bytes, crs: str | None, accuracy: float = 0.0, as_of: date | None = None
) -> bytes:
    """The answered CSV (UTF-8). A column of the input that has an added column's name gets ``_`` behind it."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("lookup.csv_encoding", position=error.start) from None
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise InputError("lookup.csv_broken", reason=str(error)) from None
    header = rows[0] if rows else []
    first, second = _columns(header)
    rows = [row for row in rows[1:] if row]
    x, y = _numbers(rows, first, header), _numbers(rows, second, header)
    found = lookup.columns(published, x, y, crs, accuracy, as_of)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"{h}_" if h in ADDED else h for h in header] + list(ADDED))
    made = [_texts(found[name], 2 if name == "edge_m" else 9) for name in ADDED]
    writer.writerows(
        row + ["" for _ in range(len(header) - len(row))] + [column[i] for column in made]
        for i, row in enumerate(rows)
    )
    return out.getvalue().encode()


def _columns(header: list[str]) -> tuple[int, int]:
    names = [h.strip().lower() for h in header]
    for a, b in PAIRS:
        if a in names and b in names:
            return names.index(a), names.index(b)
    raise InputError("lookup.csv_columns", found=", ".join(header)[:200])


def _numbers(rows: list[list[str]], column: int, header: list[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    made = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            made[i] = float(row[column])
        except (ValueError, IndexError):
            value = row[column][:40] if column < len(row) else ""
            raise InputError("lookup.csv_number", row=i + 2, column=header[column], value=value) from None
    return made


def _texts(values: np.ndarray[tuple[int], np.dtype[np.generic]], digits: int) -> list[str]:
    if values.dtype == object:
        return [str(v) for v in values]
    return ["" if np.isnan(v) else f"{v:.{digits}f}" for v in values.astype(np.float64).tolist()]
