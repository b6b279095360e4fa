"""Boards and cards as PDF, and the proof that every QR on them reads back with another library than made it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from gis.addressing.boards import card as cards
from gis.addressing.boards import notice as notices
from gis.addressing.boards.canvas import Canvas, Forms
from gis.addressing.boards.model import Card, Notice
from gis.addressing.plates import qr
from gis.addressing.plates.font import BOLD, REGULAR, Font, character_map, subset
from gis.addressing.plates.pdf_file import MM, Writer, embedded, short
from gis.addressing.plates.proof import Fault, Proof, read_symbol
from gis.errors import InputError
from gis.progress import Progress, silent

#: Paper by name: times the size of A4.
PAPERS: Final = {"A4": 1.0, "A3": 2**0.5}
#: Cards on an A4 sheet: columns, rows, and the room for crop marks around them.
ACROSS: Final = 2
DOWN: Final = 5
_CROP: Final = 4.0
_PIXELS: Final = 4.0

Fonts = tuple[Font, Font]


def fonts_of(source: bytes, items: Sequence[Notice | Card]) -> Fonts:
    """Bold and regular with every character of some boards or cards.

    Raises InputError ``boards.glyphs`` naming those with a character that the font lacks.
    """
    known = character_map(source)
    lacking = {item.key: missing for item in items if (missing := {c for c in _texts(item) if ord(c) not in known})}
    if lacking:
        letters = sorted({c for missing in lacking.values() for c in missing})
        named = list(lacking)
        raise InputError(
            "boards.glyphs", characters=" ".join(f"{c} (U+{ord(c):04X})" for c in letters), count=len(named),
            boards=", ".join(named[:20]) + (" …" if len(named) > 20 else ""),
        )  # fmt: skip
    characters = {c for item in items for c in _texts(item)} | set("0123456789 m…")
    return (
        subset(source, characters, weight=BOLD, known=known),
        subset(source, characters, weight=REGULAR, known=known),
    )


def boards(items: Sequence[Notice], fonts: Fonts, *, paper: str = "A4", progress: Progress = silent) -> bytes:
    """One board a page."""
    scale = PAPERS[paper]

    forms: Forms = {}

    def drawn(notice: Notice) -> bytes:
        canvas = Canvas(*fonts, forms)
        notices.page(canvas, notice)
        return b"%s 0 0 %s 0 0 cm\n" % (short(MM * scale), short(MM * scale)) + canvas.content()

    pages = _counted((drawn(n) for n in items), len(items), progress)
    return _file(pages, fonts, notices.WIDTH * scale, notices.HEIGHT * scale, forms)


def card_sheets(items: Sequence[Card], fonts: Fonts, *, progress: Progress = silent) -> bytes:
    """Cards on A4 sheets with crop marks, row by row."""
    corners = card_corners()

    def drawn(sheet: Sequence[Card]) -> bytes:
        out = [b"%s 0 0 %s 0 0 cm\n" % (short(MM), short(MM)), _marks()]
        for card, (x, y) in zip(sheet, corners, strict=False):
            canvas = Canvas(*fonts)
            cards.face(canvas, card)
            out.append(b"q 1 0 0 1 %s %s cm\n" % (short(x), short(y)) + canvas.content() + b"Q\n")
        return b"".join(out)

    sheets = [items[k : k + len(corners)] for k in range(0, len(items), len(corners))]
    return _file(_counted(map(drawn, sheets), len(sheets), progress), fonts, notices.WIDTH, notices.HEIGHT)


def card_corners() -> list[tuple[float, float]]:
    """Lower left corners of the cards of a sheet in mm; cards touch, so that one cut parts two."""
    left = (notices.WIDTH - ACROSS * cards.WIDTH) / 2
    low = (notices.HEIGHT - DOWN * cards.HEIGHT) / 2
    return [(left + i * cards.WIDTH, low + (DOWN - 1 - j) * cards.HEIGHT) for j in range(DOWN) for i in range(ACROSS)]


def prove_boards(
    document: bytes, items: Sequence[Notice], *, paper: str = "A4", progress: Progress = silent
) -> Proof:
    """Render every board and read its QR back."""
    scale = PAPERS[paper]
    x, y, side = (v * scale for v in notices.QR_AT)
    wanted = [[(n.key, n.link, (x, y, side))] for n in items]
    return _prove(document, wanted, progress)


def prove_cards(document: bytes, items: Sequence[Card], *, progress: Progress = silent) -> Proof:
    """Render every sheet of cards and read their QR back; a card without one counts as read."""
    corners, (x, y, side) = card_corners(), cards.QR_AT
    wanted = [
        [
            (c.key, c.link, (left + x, low + y, side))
            for c, (left, low) in zip(items[k : k + len(corners)], corners, strict=False)
        ]
        for k in range(0, len(items), len(corners))
    ]
    return _prove(document, wanted, progress)


Wanted = Sequence[Sequence[tuple[str, str, tuple[float, float, float]]]]


def _prove(document: bytes, wanted: Wanted, progress: Progress) -> Proof:
    import pypdfium2

    faults: list[Fault] = []
    pdf = pypdfium2.PdfDocument(document)
    try:
        if len(pdf) != len(wanted):
            faults.append(Fault("", "pages", str(len(pdf))))
        for number, on_page in enumerate(wanted[: len(pdf)]):
            page = pdf[number]
            faults += [f for key, link, at in on_page if link and (f := _read(page, key, link, at))]
            page.close()
            progress("proof", (number + 1) / len(wanted))
    finally:
        pdf.close()
    count, wrong = sum(map(len, wanted)), {f.code for f in faults}
    return Proof(count, sum(key not in wrong for page in wanted for key, _, _ in page), tuple(faults))


def _read(page: Any, key: str, link: str, at: tuple[float, float, float]) -> Fault | None:
    """Render only where the QR stands, and read it."""
    x, y, side = at
    per_mm = _PIXELS * (qr.modules(link).shape[0] + 2 * qr.QUIET) / side
    width, height = page.get_size()
    crop = (x * MM, y * MM, width - (x + side) * MM, height - (y + side) * MM)
    picture = page.render(scale=per_mm / MM, crop=crop, grayscale=True).to_numpy()
    return read_symbol(key, link, np.ascontiguousarray(np.asarray(picture).squeeze()))


def _counted(made: Iterable[bytes], count: int, progress: Progress) -> Iterable[bytes]:
    for k, page in enumerate(made):
        yield page
        progress("boards", (k + 1) / count)


def _file(pages: Iterable[bytes], fonts: Fonts, width: float, height: float, forms: Forms | None = None) -> bytes:
    """``forms`` are filled while the pages are drawn."""
    pdf = Writer()
    bold, regular = (embedded(pdf, f) for f in fonts)
    resources, parent = pdf.reserve(), pdf.reserve()
    kids = [
        pdf.put(b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (parent, pdf.stream(page, level=6)))
        for page in pages
    ]
    box = b"/Type/XObject/Subtype/Form/Resources %d 0 R/BBox[0 0 %s %s]" % (resources, short(width), short(height))
    shared = [(name, pdf.stream(content, box, level=6)) for name, content in (forms or {}).values()]
    named = b"".join(b"/%s %d 0 R" % form for form in shared)
    pdf.put(b"<</Font<</F1 %d 0 R/F2 %d 0 R>>/XObject<<%s>>>>" % (bold, regular, named), resources)
    pdf.put(
        b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 %s %s]/Resources %d 0 R>>"
        % (len(kids), b" ".join(b"%d 0 R" % k for k in kids), short(width * MM), short(height * MM), resources),
        parent,
    )
    return pdf.finish(pdf.put(b"<</Type/Catalog/Pages %d 0 R>>" % parent))


def _marks() -> bytes:
    """Crop marks on the edges of the sheet, in line with the cards' cuts."""
    corners = card_corners()
    xs = sorted({x for x, _ in corners} | {x + cards.WIDTH for x, _ in corners})
    ys = sorted({y for _, y in corners} | {y + cards.HEIGHT for _, y in corners})
    lines = [(x, end, x, end + way * _CROP) for x in xs for end, way in ((ys[0] - 1, -1), (ys[-1] + 1, 1))]
    lines += [(end, y, end + way * _CROP, y) for y in ys for end, way in ((xs[0] - 1, -1), (xs[-1] + 1, 1))]
    return b"0 G 0.15 w\n" + b"".join(b"%s %s m %s %s l\n" % tuple(short(v) for v in s) for s in lines) + b"S\n"


def _texts(item: Notice | Card) -> str:
    """Every character an item shows."""
    facts = "".join(a + b for a, b in item.facts) + "".join(item.hotline) + item.title + item.place + item.scan
    if isinstance(item, Card):
        return facts + item.name + item.post + item.phone + item.phone_label + item.foot
    people = "".join(p.name + p.post + p.phone + p.duties for p in item.people)
    streets = "".join(s.name for s in item.range_map.streets) if item.range_map else ""
    own = item.address + item.grid + item.code + item.host + item.here + item.more_people
    return facts + people + streets + own + "".join(item.heads) + "".join(item.foot)
