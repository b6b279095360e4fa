"""The proof of a batch: the finished PDF is rendered and every QR read back by another library than made it.

Each plate's patch is cut from the picture of its page and must decode to that plate's link at level Q, and the
page's text must hold its printed code; so a wrong plate in the right place is found too.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.addressing.plates import qr, svg_reading
from gis.addressing.plates.layout import Plate, Size, qr_box
from gis.addressing.plates.pdf import Sheet, sheet_for
from gis.addressing.plates.pdf_file import MM
from gis.progress import Progress, silent

#: Pixels a module: fewer and a reader may guess, more costs time.
PIXELS: Final = 4.0
SMALLEST_SYMBOL: Final = 33
#: Pixels of the whole symbol where an SVG is read.
SVG_PIXELS: Final = 320


@dataclass(frozen=True)
class Fault:
    """A plate that does not read back: ``reason`` is unread, link, level or text."""

    code: str
    reason: str
    found: str = ""


@dataclass(frozen=True)
class Proof:
    """``verified`` plates read back right; ``faults`` names every other."""

    plates: int
    verified: int
    faults: tuple[Fault, ...]


def prove(
    document: bytes,
    plates: Sequence[Plate],
    size: Size,
    *,
    one_a_page: bool = False,
    progress: Progress = silent,
    bleed: float = 0.0,
) -> Proof:
    """Render a PDF made by ``pdf.document`` from the same plates and read every QR."""
    import pypdfium2

    sheet = sheet_for(size, one_a_page=one_a_page, bleed=bleed)
    modules = max((qr.modules(plates[0].url).shape[0] if plates else 0), SMALLEST_SYMBOL) + 2 * qr.QUIET
    scale = PIXELS * modules / size.qr / MM
    faults: list[Fault] = []
    pdf = pypdfium2.PdfDocument(document)
    each = len(sheet.corners)
    try:
        for number in range(len(pdf)):
            on_page = plates[number * each : (number + 1) * each]
            page = pdf[number]
            picture = page.render(scale=scale, grayscale=True).to_numpy()
            text = page.get_textpage()
            faults += _page_faults(on_page, size, sheet, np.asarray(picture).squeeze(), scale * MM, text)
            text.close()
            page.close()
            progress("proof", (number + 1) / len(pdf))
        if len(pdf) != -(-len(plates) // each):
            faults.append(Fault("", "pages", str(len(pdf))))
    finally:
        pdf.close()
    wrong = {f.code for f in faults}
    return Proof(len(plates), sum(p.code not in wrong for p in plates), tuple(faults))


def _page_faults(
    plates: Sequence[Plate], size: Size, sheet: Sheet, picture: NDArray[np.uint8], per_mm: float, text: Any
) -> list[Fault]:
    box = qr_box(size)
    faults = []
    for plate, (x, y) in zip(plates, sheet.corners, strict=False):
        left, bottom = x + box.x, y + box.y
        rows = slice(int((sheet.height - bottom - box.height) * per_mm), int((sheet.height - bottom) * per_mm) + 1)
        columns = slice(int(left * per_mm), int((left + box.width) * per_mm) + 1)
        fault = _symbol_fault(plate, np.ascontiguousarray(picture[rows, columns]))
        corners = (x * MM, y * MM, (x + size.width) * MM, (y + size.height) * MM)
        shown = text.get_text_bounded(*corners).replace(" ", "").replace("\r", "").replace("\n", "")
        if fault is None and plate.code not in shown:
            fault = Fault(plate.code, "text", shown[:80])
        if fault:
            faults.append(fault)
    return faults


def picture_fault(plate: Plate, size: Size, picture: bytes) -> Fault | None:
    """Read the QR of a PNG made by ``picture.pngs`` back; what is wrong, None where it is right."""
    from PIL import Image

    box = qr_box(size)
    with Image.open(io.BytesIO(picture)) as image:
        per_mm = image.width / size.width
        grey = np.asarray(image.convert("L"))
    top, bottom = (round((size.height - v) * per_mm) for v in (box.y + box.height, box.y))
    left, right = (round(v * per_mm) for v in (box.x, box.x + box.width))
    patch = grey[top:bottom, left:right]
    return read_symbol(plate.code, plate.url, np.ascontiguousarray(patch))


def svg_fault(plate: Plate, size: Size, drawing: str) -> Fault | None:
    """Read the QR of an SVG made by ``picture.svg`` back from a picture of everything that the file draws."""
    try:
        patch = svg_reading.patch(drawing, qr_box(size), SVG_PIXELS)
    except ValueError as error:
        return Fault(plate.code, "unread", str(error)[:80])
    return read_symbol(plate.code, plate.url, patch)


def _symbol_fault(plate: Plate, patch: NDArray[np.uint8]) -> Fault | None:
    return read_symbol(plate.code, plate.url, patch)


def read_symbol(code: str, link: str, patch: NDArray[np.uint8]) -> Fault | None:
    """Read the one QR of a grey picture; what is wrong where it is not this link at level Q."""
    import zxingcpp

    found = zxingcpp.read_barcodes(patch, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    if len(found) != 1:
        return Fault(code, "unread", str(len(found)))
    if found[0].text != link:
        return Fault(code, "link", str(found[0].text)[:200])
    if str(found[0].ec_level) != qr.LEVEL:
        return Fault(code, "level", str(found[0].ec_level))
    return None
