"""Plates as SVG (outlines only: no font is needed to show or engrave them) or as PNG, one or a whole batch."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gis.addressing.plates import pdf, qr
from gis.addressing.plates.font import Font
from gis.addressing.plates.layout import FRAME_AT, Plate, Run, Size, qr_box, runs
from gis.addressing.plates.pdf_file import MM

#: Wide enough for a large plate at 300 dots an inch.
MOST_PIXELS: Final = 7200
#: Plates laid out in one PDF that pictures are made from.
_CHUNK: Final = 100


class Drawer:
    """Draws plates of one size as SVG; every character's outline is read from the font once."""

    def __init__(self, size: Size, font: Font) -> None:
        self._size = size
        self._font = font
        self._outlines: dict[str, tuple[str, float]] = {}

    def svg(self, plate: Plate) -> str:
        """The plate in millimetres, y downwards; its texts are outlines, its title says them."""
        size = self._size
        blue = "#" + "".join(f"{round(v * 255):02x}" for v in pdf.BLUE)
        inset = size.margin * FRAME_AT
        box = qr_box(size)
        symbol = qr.modules(plate.url)
        module = box.width / (symbol.shape[0] + 2 * qr.QUIET)
        dark = "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in qr.row_runs(symbol).tolist())
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width}mm" height="{size.height}mm"'
            f' viewBox="0 0 {size.width} {size.height}">',
            f"<title>{escape(f'{plate.name}{plate.number} {plate.printed_code}')}</title>",
            f"<metadata>{escape(plate.url)}</metadata>",
            f'<g transform="matrix(1 0 0 -1 0 {size.height})">',
            f'<path fill="{blue}" d="M0 0h{size.width}v{size.height}h-{size.width}z"/>',
            f'<rect x="{inset}" y="{inset}" width="{size.width - 2 * inset}" height="{size.height - 2 * inset}"'
            f' rx="{size.margin * 0.9}" fill="none" stroke="#fff" stroke-width="{size.frame * 0.6}"/>',
            f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}"'
            f' rx="{box.width / 50}" fill="#fff"/>',
            *(self._text(run) for run in runs(plate, size, self._font.width)),
            f'<path transform="translate({box.x + qr.QUIET * module:.4f} {box.y + qr.QUIET * module:.4f})'
            f' scale({module:.5f})" d={quoteattr(dark)}/>',
            "</g></svg>",
        ]
        return "\n".join(parts) + "\n"

    def _text(self, run: Run) -> str:
        unknown = [c for c in dict.fromkeys(run.text) if c not in self._outlines]
        self._outlines.update(zip(unknown, self._font.outline("".join(unknown)), strict=True))
        x, made = 0.0, []
        for path, advance in map(self._outlines.__getitem__, run.text):
            if path:
                made.append(f'<path transform="translate({x:.4f} 0)" d="{path}"/>')
            x += advance + run.spacing / run.size
        place = f"translate({run.x:.3f} {run.y:.3f}) scale({run.size * run.stretch:.4f} {run.size:.4f})"
        return f'<g fill="#fff" transform="{place}">' + "".join(made) + "</g>"


def svg(plate: Plate, size: Size, font: Font) -> str:
    """One plate as SVG (see ``Drawer``)."""
    return Drawer(size, font).svg(plate)


def png(plate: Plate, size: Size, font: Font, *, pixels: int = 1200) -> bytes:
    """One plate as a picture, ``pixels`` wide."""
    return next(pngs([plate], size, font, pixels=pixels))


def pngs(plates: Sequence[Plate], size: Size, font: Font, *, pixels: int = 1200) -> Iterator[bytes]:
    """Pictures of plates, ``pixels`` wide; each says its resolution, so that it is printed in its size."""
    import pypdfium2

    wide = min(pixels, MOST_PIXELS)
    resolution = wide / size.width * 25.4
    scale = (wide - 0.01) / (size.width * MM)  # a page a little wider than whole pixels gets one more, half empty
    for first in range(0, len(plates), _CHUNK):
        document = pypdfium2.PdfDocument(pdf.document(plates[first : first + _CHUNK], size, font, one_a_page=True))
        try:
            for number in range(len(document)):
                page = document[number]
                picture = page.render(scale=scale).to_pil()
                page.close()
                out = io.BytesIO()
                picture.save(out, "PNG", dpi=(resolution, resolution))
                yield out.getvalue()
        finally:
            document.close()
