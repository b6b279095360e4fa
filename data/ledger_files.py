"""Writes the ledger 网格台账 as a workbook: ready to print on A4, and no cell of it is ever a formula."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from data.outputs import write_whole

#: Characters that XML cannot hold; they are left out.
FORBIDDEN: Final = {c: None for c in range(32) if c not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}
#: What one cell may hold.
LONGEST: Final = 32_000


@dataclass(frozen=True)
class Sheet:
    """One sheet: headings with the width of their column in characters, rows of texts and numbers."""

    title: str
    headings: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[str | int | float | None]]


def write_workbook(path: Path, sheets: Sequence[Sheet], *, header: str, page: str) -> None:
    """Write sheets to an XLSX file, whole or not at all.

    ``header`` stands over every printed page, ``page`` under it; "&P" and "&N" in it become page and pages.
    """
    from openpyxl import Workbook

    book = Workbook()
    blank = book.worksheets[0]
    for sheet in sheets:
        _fill(book.create_sheet(sheet.title), sheet, header, page)
    book.remove(blank)
    content = io.BytesIO()
    book.save(content)
    write_whole(path, content.getvalue())


def _fill(target: Any, sheet: Sheet, header: str, page: str) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    thin = Side(style="thin", color="999999")
    line = Border(left=thin, right=thin, top=thin, bottom=thin)
    for column, (heading, width) in enumerate(zip(sheet.headings, sheet.widths, strict=True), start=1):
        cell = target.cell(1, column)
        _put(cell, heading)
        cell.font, cell.border = Font(bold=True), line
        cell.fill = PatternFill("solid", fgColor="E8EEF4")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        target.column_dimensions[get_column_letter(column)].width = width
    wrapped = Alignment(vertical="top", wrap_text=True)
    for number, row in enumerate(sheet.rows, start=2):
        for column, value in enumerate(row, start=1):
            cell = target.cell(number, column)
            _put(cell, value)
            cell.alignment, cell.border = wrapped, line
    target.freeze_panes = "C2"
    last = get_column_letter(len(sheet.headings))
    target.auto_filter.ref = f"A1:{last}{len(sheet.rows) + 1}"
    target.print_title_rows = "1:1"
    setup = target.page_setup
    setup.paperSize, setup.orientation, setup.fitToWidth, setup.fitToHeight = 9, "landscape", 1, 0
    target.sheet_properties.pageSetUpPr.fitToPage = True
    margins = target.page_margins
    margins.left = margins.right = 0.4
    margins.top = margins.bottom = 0.6
    target.oddHeader.center.text = header.translate(FORBIDDEN).replace("&", "&&")[:200]
    target.oddFooter.center.text = page


def _put(cell: Any, value: str | float | None) -> None:
    """A text stays a text whatever it begins with: Excel must not take a name for a formula."""
    if not isinstance(value, str):
        cell.value = value
        return
    cell.value = value.translate(FORBIDDEN)[:LONGEST]
    cell.data_type = "s"
    if value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        cell.quotePrefix = True
