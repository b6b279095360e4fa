"""Plates as a vector PDF with content streams of our own: one shared background a size, one subset font.

Deterministic: no date, no random id; the same plates give the same bytes.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gis.addressing.plates import qr
from gis.addressing.plates.font import Font
from gis.addressing.plates.layout import FRAME_AT, Plate, Run, Size, qr_box, runs
from gis.progress import Progress, silent

MM: Final = 72 / 25.4
#: 门牌蓝: the blue of GB 17733 plates, as the screen shows it.
BLUE: Final = (0.0, 0.275, 0.62)
CROP_MM: Final = 6.0
GAP_MM: Final = 12.0
#: Font size of the note at the foot of a sheet.
NOTE_MM: Final = 3.2
#: Sheets by name, width and height in mm (landscape).
SHEETS: Final = {"A0": (1189.0, 841.0), "A1": (841.0, 594.0), "A2": (594.0, 420.0), "A3": (420.0, 297.0)}
SHEET_OF: Final = {"large": "A0", "medium": "A1", "small": "A2", "building": "A0", "unit": "A1"}


@dataclass(frozen=True)
class Sheet:
    """How plates are laid on pages: lower left corners in mm. One plate a page is a sheet of the plate's size."""

    width: float
    height: float
    corners: tuple[tuple[float, float], ...]
    crop: bool


def sheet_for(size: Size, *, one_a_page: bool = False) -> Sheet:
    """As many plates as fit on the size's sheet, with room for crop marks; or one a page, cut to size."""
    if one_a_page:
        return Sheet(size.width, size.height, ((0.0, 0.0),), crop=False)
    width, height = SHEETS[SHEET_OF[size.name]]
    across = int((width - GAP_MM) // (size.width + GAP_MM))
    down = int((height - GAP_MM) // (size.height + GAP_MM))
    left = (width - across * size.width - (across - 1) * GAP_MM) / 2
    top = (height - down * size.height - (down - 1) * GAP_MM) / 2
    corners = tuple(
        (left + i * (size.width + GAP_MM), height - top - size.height - j * (size.height + GAP_MM))
        for j in range(down)
        for i in range(across)
    )
    return Sheet(width, height, corners, crop=True)


def document(
    plates: Sequence[Plate],
    size: Size,
    font: Font,
    *,
    one_a_page: bool = False,
    note: str = "",
    progress: Progress = silent,
) -> bytes:
    """The whole PDF; plates fill the sheets row by row in their order.

    ``note`` (what the batch is, whose map data it comes from) stands at the foot of every sheet, off the
    plates, with the number of the page.
    """
    sheet = sheet_for(size, one_a_page=one_a_page)
    pdf = _Writer()
    resources, pages = _resources(pdf, size, font), pdf.reserve()
    painter = _Painter(size, font)
    marks = _crop_marks(sheet, size)
    kids: list[int] = []
    each = len(sheet.corners)
    for first in range(0, len(plates), each):
        page = f"{len(kids) + 1}/{-(-len(plates) // each)}"
        content = [marks, _foot(f"{note}    {page}", sheet, font) if note and sheet.crop else b""]
        for plate, (x, y) in zip(plates[first : first + each], sheet.corners, strict=False):
            content.append(b"q %s 0 0 %s %s %s cm\n" % (_n(MM), _n(MM), _n(x * MM), _n(y * MM)))
            content.append(painter.plate(plate))
            content.append(b"Q\n")
        stream = pdf.stream(b"".join(content))
        kids.append(pdf.put(b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (pages, stream)))
        progress("plates", (first + each) / max(len(plates), 1))
    box = b"%s %s" % (_n(sheet.width * MM), _n(sheet.height * MM))
    pdf.put(
        b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 %s]/Resources %d 0 R>>"
        % (len(kids), b" ".join(b"%d 0 R" % k for k in kids), box, resources),
        pages,
    )
    return pdf.finish(pdf.put(b"<</Type/Catalog/Pages %d 0 R>>" % pages))


class _Painter:
    """Content of single plates, in mm with the origin at the plate's lower left corner."""

    def __init__(self, size: Size, font: Font) -> None:
        self._size = size
        self._font = font
        self._box = qr_box(size)

    @cached_property
    def _rectangles(self) -> list[list[list[bytes]]]:
        """The PDF rectangle of every run a symbol may have, made once: [length][y][x]."""
        most = 17 + 4 * 14
        return [
            [[b"%d %d %d 1 re\n" % (x, y, n) for x in range(most)] for y in range(most)] for n in range(most // 2)
        ]

    def plate(self, plate: Plate) -> bytes:
        """Background, texts and QR of one plate."""
        texts = b"".join(self._text(run) for run in runs(plate, self._size, self._font.width))
        return b"/B Do\nBT 1 1 1 rg\n" + texts + b"ET\n" + self._symbol(plate.url)

    def _text(self, run: Run) -> bytes:
        shown = "".join(f"{self._font.glyph[c]:04X}" for c in run.text).encode()
        return b"/F1 %s Tf %s Tz %s Tc 1 0 0 1 %s %s Tm <%s> Tj\n" % (
            _n(run.size), _n(run.stretch * 100), _n(run.spacing), _n(run.x), _n(run.y), shown,
        )  # fmt: skip

    def _symbol(self, text: str) -> bytes:
        symbol = qr.modules(text)
        module = self._box.width / (symbol.shape[0] + 2 * qr.QUIET)
        x, y = self._box.x + qr.QUIET * module, self._box.y + qr.QUIET * module
        table = self._rectangles
        painted = b"".join(
            table[n][j][i] if n < len(table) else b"%d %d %d 1 re\n" % (i, j, n)
            for i, j, n in qr.row_runs(symbol).tolist()
        )
        return b"0 g q %s 0 0 %s %s %s cm\n%sf Q\n" % (_n(module), _n(module), _n(x), _n(y), painted)


def _background(size: Size) -> bytes:
    """Blue ground, white frame with round corners, white patch for the QR."""
    inset = size.margin * FRAME_AT
    box = qr_box(size)
    return b"".join(
        [
            b"%s rg 0 0 %s %s re f\n" % (b" ".join(_n(v) for v in BLUE), _n(size.width), _n(size.height)),
            b"1 1 1 RG %s w\n" % _n(size.frame * 0.6),
            _rounded(inset, inset, size.width - 2 * inset, size.height - 2 * inset, size.margin * 0.9) + b"S\n",
            b"1 1 1 rg\n",
            _rounded(box.x, box.y, box.width, box.height, box.width / 50) + b"f\n",
        ]
    )


def _rounded(x: float, y: float, width: float, height: float, radius: float) -> bytes:
    """Path of a rectangle with round corners."""
    k = radius * 0.4477
    right, top = x + width, y + height
    points = [
        ("m", [(x + radius, y)]),
        ("l", [(right - radius, y)]),
        ("c", [(right - k, y), (right, y + k), (right, y + radius)]),
        ("l", [(right, top - radius)]),
        ("c", [(right, top - k), (right - k, top), (right - radius, top)]),
        ("l", [(x + radius, top)]),
        ("c", [(x + k, top), (x, top - k), (x, top - radius)]),
        ("l", [(x, y + radius)]),
        ("c", [(x, y + k), (x + k, y), (x + radius, y)]),
    ]
    return b"".join(b" ".join(_n(v) for p in at for v in p) + b" %s\n" % op.encode() for op, at in points) + b"h "


def _crop_marks(sheet: Sheet, size: Size) -> bytes:
    """Hairlines outside every corner of every place on the sheet."""
    if not sheet.crop:
        return b""
    lines = []
    for x, y in sheet.corners:
        for cx, away_x in ((x, -1), (x + size.width, 1)):
            for cy, away_y in ((y, -1), (y + size.height, 1)):
                lines.append((cx + away_x, cy, cx + away_x * CROP_MM * 0.9, cy))
                lines.append((cx, cy + away_y, cx, cy + away_y * CROP_MM * 0.9))
    drawn = b"".join(b"%s %s m %s %s l\n" % (_n(a * MM), _n(b * MM), _n(c * MM), _n(d * MM)) for a, b, c, d in lines)
    return b"0 G 0.4 w\n" + drawn + b"S\n"


def _foot(note: str, sheet: Sheet, font: Font) -> bytes:
    """A small line below the lowest plates."""
    shown = [c for c in note if c in font.glyph]
    wide = sum(font.width[c] for c in shown) * NOTE_MM
    hexed = "".join(f"{font.glyph[c]:04X}" for c in shown).encode()
    x = (sheet.width - wide) / 2 * MM
    return b"BT 0 g /F1 %s Tf %s %s Td <%s> Tj ET\n" % (_n(NOTE_MM * MM), _n(x), _n(2.5 * MM), hexed)


def _resources(pdf: _Writer, size: Size, font: Font) -> int:
    box = b"/Type/XObject/Subtype/Form/BBox[0 0 %s %s]" % (_n(size.width), _n(size.height))
    background = pdf.stream(_background(size), box)
    return pdf.put(b"<</Font<</F1 %d 0 R>>/XObject<</B %d 0 R>>>>" % (_font(pdf, font), background))


def _font(pdf: _Writer, font: Font) -> int:
    name = b"AAAAAA+NotoSansSC-Bold"
    file = pdf.stream(font.data, b"/Length1 %d" % len(font.data))
    descriptor = pdf.put(
        b"<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%d %d %d %d]/ItalicAngle 0/Ascent 880/Descent -120"
        b"/CapHeight 733/StemV 120/FontFile2 %d 0 R>>" % (name, *font.bounds, file)
    )
    widths = b" ".join(b"%d[%d]" % (font.glyph[c], round(w * 1000)) for c, w in sorted(font.width.items()))
    descendant = pdf.put(
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
        b"/Supplement 0>>/FontDescriptor %d 0 R/DW 1000/W[%s]/CIDToGIDMap/Identity>>" % (name, descriptor, widths)
    )
    unicode = pdf.stream(_to_unicode(font))
    return pdf.put(
        b"<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>"
        % (name, descendant, unicode)
    )


def _to_unicode(font: Font) -> bytes:
    """Which character each glyph is, so that texts can be searched, copied and checked."""
    pairs = [f"<{g:04X}><{c.encode('utf-16-be').hex()}>" for c, g in sorted(font.glyph.items())]
    blocks = "".join(
        f"{len(part)} beginbfchar\n" + "\n".join(part) + "\nendbfchar\n"
        for part in (pairs[i : i + 100] for i in range(0, len(pairs), 100))
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /plates def /CMapType 2 def\n"
        "1 begincodespacerange <0000><FFFF> endcodespacerange\n" + blocks + "endcmap end end"
    ).encode()


def _n(value: float) -> bytes:
    """A number as short as its 4 decimals allow."""
    return (f"{value:.4f}".rstrip("0").rstrip(".") or "0").encode()


class _Writer:
    """Numbered objects, then the table that says where each begins."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._at = [0]

    def reserve(self) -> int:
        """A number for an object that is written later."""
        self._at.append(0)
        return len(self._at) - 1

    def put(self, body: bytes, number: int | None = None) -> int:
        """Write an object; its number."""
        number = self.reserve() if number is None else number
        self._at[number] = self._out.tell()
        self._out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        return number

    def stream(self, data: bytes, extra: bytes = b"") -> int:
        """Write compressed data as an object; its number."""
        packed = zlib.compress(data, 6)
        head = b"<</Length %d/Filter/FlateDecode%s>>" % (len(packed), extra)
        return self.put(head + b"stream\n" + packed + b"\nendstream")

    def finish(self, root: int) -> bytes:
        """The file."""
        start = self._out.tell()
        table = b"".join(b"%010d 00000 n \n" % at for at in self._at[1:])
        count = len(self._at)
        self._out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table))
        self._out.write(b"trailer<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, root, start))
        return self._out.getvalue()
