"""Writes the list of buildings and doors whose grid changes, as CSV or XLSX."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from data.ledger_files import Sheet, write_workbook
from data.outputs import unformulated, write_whole
from gis.errors import InputError


@dataclass(frozen=True)
class Move:
    """One building, or one of its doors (``address``), that another grid answers for; codes are "" for none."""

    source_id: str
    name: str
    address: str
    households: int
    old_grid: str
    new_grid: str
    change: str  # moved | new | gone


WIDTHS = (22, 18, 34, 8, 20, 20, 8)


def write_moves(path: Path, moves: Sequence[Move], headings: Mapping[str, str], *, title: str) -> None:
    """Write the list; the file's ending says how. ``headings``: words for the columns of :class:`Move`."""
    names = [headings[f.name] for f in fields(Move)]
    if path.suffix.lower() == ".xlsx":
        sheet = Sheet(title[:31], names, WIDTHS, [astuple(m) for m in moves])
        write_workbook(path, [sheet], header=title, page="&P / &N")
        return
    if path.suffix.lower() != ".csv":
        raise InputError("drawn.moves_kind", file=path.name)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for move in moves:
        writer.writerow([unformulated(v) if isinstance(v, str) else v for v in astuple(move)])
    write_whole(path, text.getvalue().encode("utf-8-sig"))
