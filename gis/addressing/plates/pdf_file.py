"""The file format under plates, boards and cards: numbered objects, subset fonts, numbers written short.

Deterministic: no date, no random id.
"""

from __future__ import annotations

import io
import zlib
from typing import Final

from gis.addressing.plates.font import BOLD, Font

MM: Final = 72 / 25.4
#: Compression of content streams: 1 takes a third of the time of 6 and writes a tenth more.
_LEVEL: Final = 1


def embedded(pdf: Writer, font: Font) -> int:
    """Put a font into the file; the number of its object."""
    name = b"AAAAAA+NotoSansSC-Bold" if font.weight >= BOLD else b"AAAAAB+NotoSansSC-Regular"
    file = pdf.stream(font.data, b"/Length1 %d" % len(font.data), level=6)
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


def short(value: float) -> bytes:
    """A number as short as its 4 decimals allow."""
    return (f"{value:.4f}".rstrip("0").rstrip(".") or "0").encode()


class Writer:
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

    def stream(self, data: bytes, extra: bytes = b"", *, level: int = _LEVEL) -> int:
        """Write compressed data as an object; its number."""
        packed = zlib.compress(data, level)
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
