"""A single plate as SVG (outlines only: no font is needed to show or engrave it) or as PNG."""

from __future__ import annotations

import io
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from gis.addressing.plates import pdf, qr
from gis.addressing.plates.font import Font
from gis.addressing.plates.layout import FRAME_AT, Plate, Run, Size, qr_box, runs
from gis.addressing.plates.pdf_file import MM

MOST_PIXELS: Final = 6000


def svg(plate: Plate, size: Size, font: Font) -> str:
    """The plate in millimetres, y downwards; its texts are outlines, its title says them."""
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
        *(_outlines(run, font) for run in runs(plate, size, font.width)),
        f'<path transform="translate({box.x + qr.QUIET * module:.4f} {box.y + qr.QUIET * module:.4f})'
        f' scale({module:.5f})" d={quoteattr(dark)}/>',
        "</g></svg>",
    ]
    return "\n".join(parts) + "\n"


def png(plate: Plate, size: Size, font: Font, *, pixels: int = 1200) -> bytes:
    """The plate as a picture, ``pixels`` wide."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf.document([plate], size, font, one_a_page=True))
    try:
        scale = min(pixels, MOST_PIXELS) / (size.width * MM)
        picture = document[0].render(scale=scale).to_pil()
    finally:
        document.close()
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def _outlines(run: Run, font: Font) -> str:
    x, made = 0.0, []
    for path, advance in font.outline(run.text):
        if path:
            made.append(f'<path transform="translate({x:.4f} 0)" d="{path}"/>')
        x += advance + run.spacing / run.size
    place = f"translate({run.x:.3f} {run.y:.3f}) scale({run.size * run.stretch:.4f} {run.size:.4f})"
    return f'<g fill="#fff" transform="{place}">' + "".join(made) + "</g>"
