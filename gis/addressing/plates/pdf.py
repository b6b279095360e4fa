"""Plates as a vector PDF with content streams of our own: one shared background a size, one subset font.

Deterministic: no date, no random id; the same plates give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from gis.addressing.plates import qr
from gis.addressing.plates.font import Font
from gis.addressing.plates.layout import (
    FRAME_AT,
    Plate,
    Run,
    Size,
    caption_runs,
    name_runs,
    number_runs,
    qr_box,
)
from gis.addressing.plates.pdf_file import MM, Writer, embedded, short
from gis.errors import InputError
from gis.progress import Progress, silent

#: 门牌蓝: the blue of GB 17733 plates, as the screen shows it.
BLUE: Final = (0.0, 0.275, 0.62)
#: Symbols made at once.
_CHUNK: Final = 256
CROP_MM: Final = 6.0
GAP_MM: Final = 12.0
#: Most that the ground may run over the cut on each side.
MOST_BLEED_MM: Final = 10.0
#: Font size of the note at the foot of a sheet.
NOTE_MM: Final = 3.2
#: Sheets by name, width and height in mm (landscape).
SHEETS: Final = {"A0": (1189.0, 841.0), "A1": (841.0, 594.0), "A2": (594.0, 420.0), "A3": (420.0, 297.0)}
SHEET_OF: Final = {"large": "A0", "medium": "A1", "small": "A2", "building": "A0", "unit": "A1", "room": "A2"}


@dataclass(frozen=True)
class Sheet:
    """How plates are laid on pages: lower left corners in mm. One plate a page is a sheet of the plate's size.

    ``bleed`` is how far the ground runs over the cut on every side; one a page, the page is larger by it.
    """

    width: float
    height: float
    corners: tuple[tuple[float, float], ...]
    crop: bool
    bleed: float = 0.0


def sheet_for(size: Size, *, one_a_page: bool = False, bleed: float = 0.0) -> Sheet:
    """As many plates as fit on the size's sheet, with room for crop marks; or one a page, cut to size.

    Raises InputError ``plates.bleed`` for a bleed below 0 or above 10 mm.
    """
    if not 0 <= bleed <= MOST_BLEED_MM:
        raise InputError("plates.bleed", bleed=bleed, most=MOST_BLEED_MM)
    if one_a_page:
        return Sheet(size.width + 2 * bleed, size.height + 2 * bleed, ((bleed, bleed),), crop=False, bleed=bleed)
    width, height = SHEETS[SHEET_OF[size.name]]
    gap, edge = GAP_MM + 2 * bleed, GAP_MM + bleed
    across = int((width - 2 * edge + gap) // (size.width + gap))
    down = int((height - 2 * edge + gap) // (size.height + gap))
    left = (width - across * size.width - (across - 1) * gap) / 2
    top = (height - down * size.height - (down - 1) * gap) / 2
    corners = tuple(
        (left + i * (size.width + gap), height - top - size.height - j * (size.height + gap))
        for j in range(down)
        for i in range(across)
    )
    return Sheet(width, height, corners, crop=True, bleed=bleed)


def document(
    plates: Sequence[Plate],
    size: Size,
    font: Font,
    *,
    one_a_page: bool = False,
    note: str = "",
    progress: Progress = silent,
    bleed: float = 0.0,
) -> bytes:
    """The whole PDF; plates fill the sheets row by row in their order, the ground ``bleed`` mm over their cut.

    ``note`` (what the batch is, whose map data it comes from) stands at the foot of every sheet, off the
    plates, with the number of the page.
    """
    sheet = sheet_for(size, one_a_page=one_a_page, bleed=bleed)
    pdf = Writer()
    resources, pages = _resources(pdf, size, font, bleed), pdf.reserve()
    painter = _Painter(size, font)
    marks = _crop_marks(sheet, size)
    kids: list[int] = []
    each = len(sheet.corners)
    symbols = _symbols(plates)
    cut = _trim_box(sheet, size) if one_a_page and bleed else b""
    for first in range(0, len(plates), each):
        page = f"{len(kids) + 1}/{-(-len(plates) // each)}"
        content = [marks, _foot(f"{note}    {page}", sheet, font) if note and sheet.crop else b""]
        for plate, (x, y) in zip(plates[first : first + each], sheet.corners, strict=False):
            content.append(b"q %s 0 0 %s %s %s cm\n" % (short(MM), short(MM), short(x * MM), short(y * MM)))
            content.append(painter.plate(plate, *next(symbols)))
            content.append(b"Q\n")
        stream = pdf.stream(b"".join(content))
        kids.append(pdf.put(b"<</Type/Page/Parent %d 0 R/Contents %d 0 R%s>>" % (pages, stream, cut)))
        progress("plates", (first + each) / max(len(plates), 1))
    box = b"%s %s" % (short(sheet.width * MM), short(sheet.height * MM))
    pdf.put(
        b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 %s]/Resources %d 0 R>>"
        % (len(kids), b" ".join(b"%d 0 R" % k for k in kids), box, resources),
        pages,
    )
    return pdf.finish(pdf.put(b"<</Type/Catalog/Pages %d 0 R>>" % pages))


def _symbols(plates: Sequence[Plate]) -> Iterator[tuple[int, bytes]]:
    """Width in modules and dark runs of each plate's QR."""
    for first in range(0, len(plates), _CHUNK):
        made = qr.symbols([p.url for p in plates[first : first + _CHUNK]])
        for side, same in groupby(made, len):
            for dark in qr.rectangles(list(same)):
                yield side, dark


class _Painter:
    """Content of single plates, in mm with the origin at the plate's lower left corner.

    Lines that many plates share (a street's name, a number) are laid out once.
    """

    def __init__(self, size: Size, font: Font) -> None:
        self._size = size
        self._font = font
        self._box = qr_box(size)
        self._names: dict[tuple[str, str], bytes] = {}
        self._numbers: dict[str, bytes] = {}
        self._hexed = {c: f"{glyph:04X}" for c, glyph in font.glyph.items()}
        self._captions: dict[tuple[float, str, str], tuple[bytes, bytes]] = {}
        self._places: dict[tuple[float, ...], bytes] = {}
        self._corners: dict[int, bytes] = {}

    def plate(self, plate: Plate, side: int, dark: bytes) -> bytes:
        """Background, texts and QR of one plate; ``dark`` are the runs of its symbol, ``side`` modules wide."""
        size, widths, named = self._size, self._font.width, (plate.name, plate.romanised)
        if named not in self._names:
            self._names[named] = self._texts(name_runs(*named, size, widths))
        if plate.number not in self._numbers:
            self._numbers[plate.number] = self._texts(number_runs(plate.number, size, widths))
        texts = self._names[named] + self._numbers[plate.number] + self._captions_of(plate)
        return b"/B Do\nBT 1 1 1 rg\n" + texts + b"ET\n" + self._symbol(side, dark)

    def _captions_of(self, plate: Plate) -> bytes:
        """Code and host: codes equally wide stand in the same place, so that only their characters differ."""
        wide = sum(map(self._font.width.__getitem__, plate.printed_code))
        key = (wide, plate.host, plate.postcode)
        code = self._hex(plate.printed_code)
        known = self._captions.get(key)
        if known is None:
            drawn = self._texts(caption_runs(plate, self._size, self._font.width))
            self._captions[key] = (drawn, code)
            return drawn
        drawn, first = known
        return drawn.replace(first, code)

    def _hex(self, text: str) -> bytes:
        return "".join([self._hexed[c] for c in text]).encode()

    def _texts(self, runs: Sequence[Run]) -> bytes:
        return b"".join([self._text(run) for run in runs])

    def _text(self, run: Run) -> bytes:
        at = (run.x, run.y, run.size, run.stretch, run.spacing)
        place = self._places.get(at)
        if place is None:
            place = self._places[at] = b"/F1 %s Tf %s Tz %s Tc 1 0 0 1 %s %s Tm <" % (
                short(run.size), short(run.stretch * 100), short(run.spacing), short(run.x), short(run.y),
            )  # fmt: skip
        return place + self._hex(run.text) + b"> Tj\n"

    def _symbol(self, side: int, dark: bytes) -> bytes:
        """One path of rectangles, a module being the unit."""
        at = self._corners.get(side)
        if at is None:
            module = self._box.width / (side + 2 * qr.QUIET)
            corner = (self._box.x + qr.QUIET * module, self._box.y + qr.QUIET * module)
            at = b"0 g q %s 0 0 %s %s %s cm\n" % tuple(short(v) for v in (module, module, *corner))
            self._corners[side] = at
        return at + dark + b"f Q\n"


def _trim_box(sheet: Sheet, size: Size) -> bytes:
    """Where a page is cut, for printers that read it from the file."""
    (x, y), *_ = sheet.corners
    corners = (x, y, x + size.width, y + size.height)
    box = b" ".join(short(v * MM) for v in corners)
    return b"/BleedBox[0 0 %s %s]/TrimBox[%s]" % (short(sheet.width * MM), short(sheet.height * MM), box)


def _background(size: Size, bleed: float) -> bytes:
    """Blue ground, white frame with round corners, white patch for the QR."""
    ground = (0.0 - bleed, 0.0 - bleed, size.width + 2 * bleed, size.height + 2 * bleed)
    inset = size.margin * FRAME_AT
    box = qr_box(size)
    return b"".join(
        [
            b"%s rg %s re f\n" % (b" ".join(map(short, BLUE)), b" ".join(map(short, ground))),
            b"1 1 1 RG %s w\n" % short(size.frame * 0.6),
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
    return b"".join(b" ".join(short(v) for p in at for v in p) + b" %s\n" % op.encode() for op, at in points) + b"h "


def _crop_marks(sheet: Sheet, size: Size) -> bytes:
    """Hairlines outside every corner of every place on the sheet."""
    if not sheet.crop:
        return b""
    lines = []
    near, far = sheet.bleed + 1.0, sheet.bleed + CROP_MM * 0.9
    for x, y in sheet.corners:
        for cx, away_x in ((x, -1), (x + size.width, 1)):
            for cy, away_y in ((y, -1), (y + size.height, 1)):
                lines.append((cx + away_x * near, cy, cx + away_x * far, cy))
                lines.append((cx, cy + away_y * near, cx, cy + away_y * far))
    drawn = b"".join(
        b"%s %s m %s %s l\n" % (short(a * MM), short(b * MM), short(c * MM), short(d * MM)) for a, b, c, d in lines
    )
    return b"0 G 0.4 w\n" + drawn + b"S\n"


def _foot(note: str, sheet: Sheet, font: Font) -> bytes:
    """A small line below the lowest plates."""
    shown = [c for c in note if c in font.glyph]
    wide = sum(font.width[c] for c in shown) * NOTE_MM
    hexed = "".join(f"{font.glyph[c]:04X}" for c in shown).encode()
    x = (sheet.width - wide) / 2 * MM
    return b"BT 0 g /F1 %s Tf %s %s Td <%s> Tj ET\n" % (short(NOTE_MM * MM), short(x), short(2.5 * MM), hexed)


def _resources(pdf: Writer, size: Size, font: Font, bleed: float) -> int:
    corners = (0.0 - bleed, 0.0 - bleed, size.width + bleed, size.height + bleed)
    box = b"/Type/XObject/Subtype/Form/BBox[%s]" % b" ".join(map(short, corners))
    background = pdf.stream(_background(size, bleed), box)
    return pdf.put(b"<</Font<</F1 %d 0 R>>/XObject<</B %d 0 R>>>>" % (embedded(pdf, font), background))
