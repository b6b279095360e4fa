"""Drawing on a page in millimetres, y upwards: shapes, texts that fit, paragraphs that wrap, a QR."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final, Literal

import numpy as np

from gis.addressing.plates import qr
from gis.addressing.plates.font import Font
from gis.addressing.plates.pdf_file import short

Colour = tuple[float, float, float]
#: Drawings that pages share: their name in the file and what they hold.
Forms = dict[Hashable, tuple[bytes, bytes]]
BLUE: Final[Colour] = (0.0, 0.275, 0.62)
PALE: Final[Colour] = (0.91, 0.94, 0.98)
INK: Final[Colour] = (0.09, 0.11, 0.15)
GREY: Final[Colour] = (0.40, 0.44, 0.50)
WHITE: Final[Colour] = (1.0, 1.0, 1.0)
#: Not at the beginning of a line, and not at its end.
_NOT_FIRST: Final = "，。、；：！？）》」』】%·-–,.;:!?)]号栋"
_NOT_LAST: Final = "（《「『【(["


class Canvas:
    """The content of one page or of a part of it."""

    def __init__(self, bold: Font, regular: Font, forms: Forms | None = None) -> None:
        self._faces = (bold, regular)
        self._fonts = {"bold": (b"/F1", bold), "regular": (b"/F2", regular)}
        self._forms: Forms = {} if forms is None else forms
        self._out: list[bytes] = []

    def content(self) -> bytes:
        """What was drawn."""
        return b"".join(self._out)

    def form(self, key: Hashable, drawn: Callable[[Canvas], None]) -> None:
        """What ``drawn`` draws, kept once for all pages that share ``key``."""
        if key not in self._forms:
            own = Canvas(*self._faces)
            drawn(own)
            self._forms[key] = (f"M{len(self._forms)}".encode(), own.content())
        self._out.append(b"/%s Do\n" % self._forms[key][0])

    def raw(self, operators: bytes) -> None:
        """Operators of PDF as they are."""
        self._out.append(operators)

    def box(self, x: float, y: float, width: float, height: float, fill: Colour) -> None:
        """A filled rectangle."""
        self._out.append(b"%s rg %s re f\n" % (_all(fill), _all((x, y, width, height))))

    def frame(self, x: float, y: float, width: float, height: float, colour: Colour, line: float = 0.3) -> None:
        """The outline of a rectangle."""
        self._out.append(b"%s RG %s w %s re S\n" % (_all(colour), short(line), _all((x, y, width, height))))

    def rule(self, x: float, y: float, width: float, colour: Colour, line: float = 0.25) -> None:
        """A horizontal line."""
        self._out.append(
            b"%s RG %s w %s m %s l S\n" % (_all(colour), short(line), _all((x, y)), _all((x + width, y)))
        )

    def path(self, rings: Iterable[np.ndarray[tuple[int, ...], np.dtype[np.float64]]], closed: bool) -> None:
        """The path of rings or lines of (n, 2) points, to be painted by ``raw``."""
        for ring in rings:
            points = [_all(p) for p in ring.tolist()]
            self._out.append(
                points[0] + b" m\n" + b"".join(p + b" l\n" for p in points[1:]) + (b"h\n" if closed else b"")
            )

    def width(self, text: str, size: float, weight: str = "regular") -> float:
        """How wide a text is."""
        return sum(map(self._fonts[weight][1].width.__getitem__, text)) * size

    def text(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        *,
        weight: str = "regular",
        colour: Colour = INK,
        align: Literal["left", "centre", "right"] = "left",
        most: float = 1e9,
        angle: float = 0.0,
        halo: float = 0.0,
    ) -> float:
        """One line from (x, y) on its foot; made smaller where it is wider than ``most``. Its width.

        ``angle`` in radians turns it about (x, y); ``halo`` is the width of a white edge.
        """
        wide = self.width(text, size, weight)
        if wide > most:
            size, wide = size * most / wide, most
        back = {"left": 0.0, "centre": wide / 2, "right": wide}[align]
        c, s = np.cos(angle), np.sin(angle)
        name, font = self._fonts[weight]
        shown = "".join([f"{font.glyph[k]:04X}" for k in text]).encode()
        place = b"%s Tf %s Tm" % (name + b" " + short(size), _all((c, s, -s, c, x - back * c, y - back * s)))
        if halo:
            self._out.append(b"BT 1 Tr 1 1 1 RG 1 j %s w %s <%s> Tj ET\n" % (short(halo), place, shown))
        self._out.append(b"BT 0 Tr %s rg %s <%s> Tj ET\n" % (_all(colour), place, shown))
        return wide

    def paragraph(
        self,
        text: str,
        x: float,
        y: float,
        size: float,
        width: float,
        *,
        lines: int,
        weight: str = "regular",
        colour: Colour = INK,
        leading: float = 1.35,
    ) -> float:
        """A text wrapped to a width, its first foot at y, the last line ending in … where there are too many.

        The foot of the line after it.
        """
        for line in self.wrapped(text, size, width, lines, weight):
            self.text(line, x, y, size, weight=weight, colour=colour, most=width)
            y -= size * leading
        return y

    def wrapped(self, text: str, size: float, width: float, lines: int, weight: str = "regular") -> list[str]:
        """Lines of a text no wider than ``width``: broken between Chinese characters, at spaces, after commas."""
        font = self._fonts[weight][1].width
        out: list[str] = [""]
        used = 0.0
        for piece in _pieces(text):
            wide = sum(map(font.__getitem__, piece)) * size
            if used + wide > width and out[-1]:
                out.append("")
                used = 0.0
            if piece == " " and not out[-1]:
                continue
            out[-1] += piece
            used += wide
        out = [line for line in out if line] or [""]
        if len(out) > lines:
            kept = out[lines - 1]
            while kept and self.width(kept + "…", size, weight) > width:
                kept = kept[:-1]
            out = [*out[: lines - 1], kept.rstrip("、，, ") + "…"]
        return out

    def symbol(self, text: str, x: float, y: float, side: float) -> None:
        """A QR with its quiet zone on white, ``side`` wide over all."""
        symbol = qr.modules(text)
        module = side / (len(symbol) + 2 * qr.QUIET)
        self.box(x, y, side, side, WHITE)
        place = _all((module, 0, 0, module, x + qr.QUIET * module, y + qr.QUIET * module))
        self._out.append(b"q 0 g %s cm\n" % place + qr.rectangles([symbol])[0] + b"f Q\n")


def _pieces(text: str) -> list[str]:
    """Where a line may be broken: between the pieces. Words and numbers stay whole."""
    out: list[str] = []
    for c in text:
        word = c.isascii() and (c.isalnum() or c in "-/.'")
        joins = bool(out) and (
            c in _NOT_FIRST
            or out[-1][-1] in _NOT_LAST
            or (word and out[-1][-1].isascii() and (out[-1][-1].isalnum() or out[-1][-1] in "-/.'"))
        )
        if joins:
            out[-1] += c
        else:
            out.append(c)
    return out


def _all(values: Sequence[float]) -> bytes:
    return b" ".join(short(v) for v in values)
