"""CSV of texts in, the same rows with their addresses, score and reason out. Columns of the input are kept."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from api.address_answers import MatchedAddress
from api.services.addresses.matching import Scope, match
from data.outputs import unformulated, write_whole
from gis.errors import InputError

#: Names a column of texts may have, in any case; else the first column is taken.
COLUMNS: Final = ("text", "address", "地址", "详细地址", "标准地址", "住址", "q")
ADDED: Final = ("status", "score", "code", "matched", "community", "lon", "lat", "reason", "candidates")
_LARGEST: Final = 20_000


def answer(scope: Scope, body: bytes, language: str) -> bytes:
    """The answered CSV (UTF-8 with a byte order mark). A column named as an added one gets ``_`` behind it."""
    header, rows = _read(body)
    at = _column(header)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([f"{h}_" if h in ADDED else h for h in header] + list(ADDED))
    for row in rows:
        text = row[at] if at < len(row) else ""
        kept = [unformulated(v) for v in row] + [""] * (len(header) - len(row))
        writer.writerow([*kept, *_told(match(scope, text[:_LARGEST], language, parts=False))])
    return out.getvalue().encode("utf-8-sig")


def answer_file(scope: Scope, source: Path, output: Path, language: str) -> int:
    """Answer a file of texts; the number of rows written. The output appears whole or not at all."""
    try:
        body = source.read_bytes()
    except OSError as error:
        raise InputError("parse.no_file", file=str(source), detail=error.strerror or "") from None
    made = answer(scope, body, language)
    write_whole(output, made)
    return sum(1 for _ in csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""))) - 1


def _read(body: bytes) -> tuple[list[str], Iterator[list[str]]]:
    """Header and rows. Office programs here still write GB18030: it is read where UTF-8 fails."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = body.decode("gb18030")
        except UnicodeDecodeError as error:
            raise InputError("lookup.csv_encoding", position=error.start) from None
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\0", ""), newline=""), strict=True))
    except csv.Error as error:
        raise InputError("lookup.csv_broken", reason=str(error)) from None
    if not rows or not rows[0]:
        raise InputError("parse.csv_empty")
    return rows[0], (r for r in rows[1:] if r)


def _column(header: list[str]) -> int:
    names = [h.strip().lower() for h in header]
    return next((names.index(c) for c in COLUMNS if c in names), 0)


def _told(found: MatchedAddress) -> list[str]:
    """The added columns; of a range every code and text, separated by ``;``."""
    first = found.addresses[0] if found.addresses else None
    return [
        found.status,
        f"{found.score:.3f}",
        ";".join(a.code for a in found.addresses),
        unformulated(";".join(a.text for a in found.addresses)),
        unformulated(first.community) if first else "",
        f"{first.lon:.7f}" if first else "",
        f"{first.lat:.7f}" if first else "",
        ";".join(r.text for r in found.reasons),
        unformulated(";".join(a.text for a in found.candidates)),
    ]
