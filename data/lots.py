"""A deployment's own sample of lots whose dwellings are known, to calibrate the estimate of households.

A CSV file, one row a lot, with the columns ``levels`` (or ``floors``), ``floor_area`` and ``residential_area``
(m²; ``..._m2`` and ``..._sqft`` are understood, and New York's ``building_area_sqft``) and ``dwellings`` (or
``residential_units``, ``households``). Without ``residential_area`` all of the floor area is taken as lived in.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np

from gis.errors import InputError
from gis.territory.households import Lots
from gis.territory.model import Floats

SQUARE_FOOT: Final = 0.09290304
_SPELLINGS: Final[dict[str, tuple[str, ...]]] = {
    "levels": ("levels", "floors"),
    "floor_area": ("floor_area", "building_area", "gross_area"),
    "residential_area": ("residential_area",),
    "dwellings": ("dwellings", "residential_units", "households"),
}


def read_lots(path: str | Path) -> Lots:
    """Read a sample; lots without floor area are left out.

    Raises :class:`InputError` when the file is missing, not UTF-8, or lacks a column or a number.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError("input.missing_file", file=str(path))
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except UnicodeDecodeError:
        raise InputError("input.encoding", file=file.name, layer="-", row="-") from None
    if not rows:
        raise InputError("input.empty_file", file=file.name)
    columns = {name: _column(rows, name, file.name) for name in _SPELLINGS}
    floor_area, dwellings, levels = columns["floor_area"], columns["dwellings"], columns["levels"]
    if floor_area is None or dwellings is None or levels is None:
        missing = next(n for n in ("floor_area", "dwellings", "levels") if columns[n] is None)
        raise InputError("lots.no_column", file=file.name, column=missing)
    lived_in = columns["residential_area"]
    lots = Lots(floor_area, floor_area if lived_in is None else lived_in, levels, dwellings)
    return lots.take(lots.floor_area > 0)


def _column(rows: list[dict[str, str]], name: str, file: str) -> Floats | None:
    """A column by any of its spellings, in m² where it is an area."""
    for spelling in _SPELLINGS[name]:
        for suffix, unit in (("", 1.0), ("_m2", 1.0), ("_sqft", SQUARE_FOOT)):
            if spelling + suffix in rows[0]:
                return np.array([_number(r, spelling + suffix, i, file) for i, r in enumerate(rows, 2)]) * unit
    return None


def _number(row: dict[str, str], column: str, line: int, file: str) -> float:
    value = (row[column] or "").strip()
    try:
        return float(value) if value else 0.0
    except ValueError:
        raise InputError("lots.not_a_number", file=file, row=line, column=column, value=value) from None
