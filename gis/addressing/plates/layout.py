"""What stands where on a plate: millimetres from the lower left corner of its face.

Sizes, bands and QR of the three door plates are those of 标准地址二维码门楼牌制作规范 (see domain notes: 天津 2021,
after GB 17733-2008): large 1/5 street, 3/5 number, 1/5 foot; medium and small 2/5 name, 3/5 number; QR on the
right, black on white. Building, unit and room plates are our own choice of size (未核对: the standard's excerpt
lacks them). Under the name stands its pinyin, except on small and room plates. Code and host are printed for people
beside the QR.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

#: Height of a Han character's ink and of a digit, as shares of the font size; lowest ink below the baseline.
HAN_INK: Final = 0.92
HAN_DROP: Final = 0.08
DIGIT_INK: Final = 0.74

#: Where the frame line lies, as a share of the margin; height of code and host under the QR, in font sizes.
FRAME_AT: Final = 0.55
CAPTIONS: Final = 1.85

#: Share of the name's band that its pinyin takes, and how much that may be narrowed at most.
ROMANISED: Final = 0.24
NARROWEST: Final = 0.62
#: From this length on a name may stand in two lines.
LONG_NAME: Final = 9

#: Where a word of a long Chinese name ends for sure.
_WORD_END: Final = re.compile(
    r"新城|新区|开发区|街道|社区|小区|新村|花园|广场|大厦|大道|(?:国|院|局|司|中心|公园)(?!路|街)|[东西南北中]路|期|栋"
)
_LARGE_PART = re.compile(r"(?:(?<![A-Za-z])[A-Za-z])?\d+(?:[-/]\d+)*[A-Za-z]?|[A-Za-z]{1,2}(?=[栋座幢])")


@dataclass(frozen=True)
class Size:
    """A kind of plate. ``name_share`` and ``foot_share`` of the height are the bands above and below the number."""

    name: str
    width: float
    height: float
    qr: float
    margin: float
    frame: float
    name_share: float
    foot_share: float = 0.0
    romanised: bool = False


SIZES: Final[Mapping[str, Size]] = {
    s.name: s
    for s in (
        Size("large", 570, 370, 120, 20, 4.0, 1 / 5, 1 / 5, romanised=True),
        Size("medium", 270, 170, 75, 11, 2.2, 2 / 5, romanised=True),
        Size("small", 150, 90, 40, 6.5, 1.4, 2 / 5),
        Size("building", 400, 300, 100, 16, 3.0, 2 / 5, romanised=True),
        Size("unit", 300, 200, 80, 12, 2.4, 2 / 5, romanised=True),
        Size("room", 120, 80, 40, 5.0, 1.1, 0.3),
    )
}


@dataclass(frozen=True)
class Plate:
    """One plate: ``name`` above (街路巷 or 小区), ``number`` large (12号, 3栋), code, host and link.

    ``romanised`` is the name's pinyin (RENMIN LU), printed under it where the size has room for it.
    """

    code: str
    printed_code: str
    name: str
    number: str
    host: str
    url: str
    postcode: str = ""
    romanised: str = ""


@dataclass(frozen=True)
class Run:
    """One line of text: baseline start in mm, font size in mm, horizontal stretch, extra space between letters."""

    text: str
    x: float
    y: float
    size: float
    stretch: float = 1.0
    spacing: float = 0.0


@dataclass(frozen=True)
class Box:
    """A rectangle in mm."""

    x: float
    y: float
    width: float
    height: float


def qr_box(size: Size) -> Box:
    """Where the white patch with the QR and its quiet zone lies."""
    low, high = size.height * size.foot_share, size.height * (1 - size.name_share)
    captions = 0.0
    if not size.foot_share:
        low, captions = size.margin * FRAME_AT + size.frame, _caption(size) * CAPTIONS
    y = low + (high - low - size.qr - captions) / 2 + captions
    return Box(size.width - size.margin - size.frame - size.qr, y, size.qr, size.qr)


def runs(plate: Plate, size: Size, widths: Mapping[str, float]) -> list[Run]:
    """Every text of a plate; ``widths`` gives each character's advance as a share of the font size."""
    return [
        *name_runs(plate.name, plate.romanised, size, widths),
        *number_runs(plate.number, size, widths),
        *caption_runs(plate, size, widths),
    ]


def name_runs(name: str, romanised: str, size: Size, widths: Mapping[str, float]) -> list[Run]:
    """The name across the upper band, in two lines where it is long; its pinyin under it."""
    inset = size.margin + size.frame
    low = size.height * (1 - size.name_share)
    box = Box(inset, low, size.width - 2 * inset, size.height - inset - low)
    under: list[Run] = []
    if romanised and size.romanised:
        height = box.height * ROMANISED
        under = _romanised(romanised, Box(box.x, box.y, box.width, height), widths)
        if under:
            box = Box(box.x, box.y + height, box.width, box.height - height)
    return [*_name(name, box, widths), *under]


def number_runs(number: str, size: Size, widths: Mapping[str, float]) -> list[Run]:
    """The number, large, left of the QR."""
    inset = size.margin + size.frame
    low = size.height * size.foot_share if size.foot_share else inset
    top = size.height * (1 - size.name_share)
    return _number(number, Box(inset, low, qr_box(size).x - inset - size.margin * 0.8, top - low), widths)


def _caption(size: Size) -> float:
    """Font size of code and host in mm: the code fills the QR's width."""
    return size.qr / 10.2


def _advance(text: str, widths: Mapping[str, float]) -> float:
    return sum(map(widths.__getitem__, text))


def _name(text: str, box: Box, widths: Mapping[str, float]) -> list[Run]:
    """The name in one line, spread out when short, narrowed when long; or in two where they can be larger."""
    if not text:
        return []
    one = _line(text, box, widths)
    if len(text) < LONG_NAME or one.size * one.stretch >= box.height * 0.5:
        return [one]
    first, second = _halves(text)
    if not second:
        return [one]
    upper = Box(box.x, box.y + box.height / 2, box.width, box.height / 2)
    two = [_line(first, upper, widths), _line(second, replace(upper, y=box.y), widths)]
    if min(r.size * r.stretch for r in two) <= one.size * one.stretch * 1.1:
        return [one]
    size = min(r.size for r in two)
    return [_line(r.text, b, widths, size) for r, b in zip(two, (upper, replace(upper, y=box.y)), strict=True)]


def _halves(text: str) -> tuple[str, str]:
    """A long name in two lines, parted between its words where one ends near the middle.

    In Chinese a word surely ends after a generic (新城, 社区, 街道); else the middle itself parts, though no number.
    """
    middle = (len(text) + 1) // 2
    if not _han(text):
        gaps = [k for k, c in enumerate(text) if c == " "]
        gap = min(gaps, key=lambda k: abs(2 * k - len(text)), default=len(text))
        return text[:gap], text[gap + 1 :]
    ends = [m.end() for m in _WORD_END.finditer(text) if len(text) / 3 <= m.end() <= len(text) * 2 / 3]
    at = min(ends, key=lambda k: abs(2 * k - len(text)), default=middle)
    whole = [k for k in range(1, len(text)) if not (text[k - 1].isascii() and text[k].isascii())]
    at = min(whole, key=lambda k: abs(k - at), default=at)
    return text[:at].rstrip(), text[at:].lstrip()


def _line(text: str, box: Box, widths: Mapping[str, float], most: float = math.inf) -> Run:
    """One line in the middle of its box, its font no larger than ``most``."""
    natural = _advance(text, widths)
    font = min(box.height * 0.78, most)
    han = _han(text)
    spacing = 0.0
    if han and 1 < len(text) <= 5 and most == math.inf:
        spread = min(box.width * 0.82, natural * font + (len(text) - 1) * font * 0.55)
        spacing = max(0.0, (spread - natural * font) / (len(text) - 1))
    wide = natural * font + spacing * (len(text) - 1)
    stretch = 1.0
    if wide > box.width * 0.96:
        spacing = 0.0
        stretch = max(0.72, box.width * 0.96 / (natural * font))
        font = min(font, box.width * 0.96 / (natural * stretch))
        wide = natural * font * stretch
    ink, drop = (HAN_INK, HAN_DROP) if han else (DIGIT_INK, 0.0)
    y = box.y + (box.height - ink * font) / 2 + drop * font
    return Run(text, box.x + (box.width - wide) / 2, y, font, stretch, spacing)


def _romanised(text: str, box: Box, widths: Mapping[str, float]) -> list[Run]:
    """Pinyin in one line; none rather than one narrowed beyond reading."""
    natural = _advance(text, widths)
    font = box.height * 0.95
    stretch = min(1.0, box.width * 0.96 / (natural * font))
    if stretch < NARROWEST:
        return []
    y = box.y + (box.height - DIGIT_INK * font) / 2
    return [Run(text, box.x + (box.width - natural * font * stretch) / 2, y, font, stretch)]


def _han(text: str) -> bool:
    return any(ord(c) > 0x2E7F for c in text)


def _number(text: str, box: Box, widths: Mapping[str, float]) -> list[Run]:
    """Digits large, 号, 栋 and 附1 smaller on the same foot; narrowed when they do not fit."""
    if not text:
        return []
    found = _LARGE_PART.search(text)
    cut = [text[: found.start()], found[0], text[found.end() :]] if found else ["", text, ""]
    scale = [0.5, 1.0, 0.5]
    digits_only = bool(found)
    font = box.height * 0.82 / (DIGIT_INK if digits_only else HAN_INK)
    natural = sum(_advance(t, widths) * s for t, s in zip(cut, scale, strict=True)) + 0.06
    stretch = min(1.0, max(0.68, box.width / (natural * font)))
    font = min(font, box.width / (natural * stretch))
    ink = (DIGIT_INK if digits_only else HAN_INK) * font
    y = box.y + (box.height - ink) / 2
    x = box.x + (box.width - natural * font * stretch) / 2
    out = []
    for part, s in zip(cut, scale, strict=True):
        if part:
            lift = HAN_DROP * font * s if _han(part) else 0.0
            out.append(Run(part, x, y + lift, font * s, stretch))
            x += (_advance(part, widths) * s + (0.06 if part is cut[1] else 0.0)) * font * stretch
    return out


def caption_runs(plate: Plate, size: Size, widths: Mapping[str, float]) -> list[Run]:
    """Code and host for people: under the QR, on the large plate in its foot beside the postcode."""
    qr = qr_box(size)
    if size.foot_share:
        return _foot(plate, size, widths)
    font = _caption(size)
    code = _fitted(plate.printed_code, font, qr.width, widths)
    host = _fitted(plate.host, font * 0.66, qr.width, widths)
    y = qr.y - font * 0.98
    return [
        Run(plate.printed_code, qr.x + (qr.width - _advance(plate.printed_code, widths) * code) / 2, y, code),
        Run(plate.host, qr.x + (qr.width - _advance(plate.host, widths) * host) / 2, y - font * 0.76, host),
    ]


def _foot(plate: Plate, size: Size, widths: Mapping[str, float]) -> list[Run]:
    """Postcode on the left when there is one, code and host in one line on the right (centred without postcode)."""
    inset = size.margin + size.frame
    low = size.margin * FRAME_AT + size.frame
    height = size.height * size.foot_share - low
    width = size.width - 2 * inset
    font, y = height * 0.42, low + height * 0.36
    line = f"{plate.printed_code}   {plate.host}"
    room = width * (0.62 if plate.postcode else 1.0)
    size_of_line = _fitted(line, font * 0.8, room, widths)
    wide = _advance(line, widths) * size_of_line
    x = inset + width - wide if plate.postcode else inset + (width - wide) / 2
    out = [Run(line, x, y, size_of_line)]
    if plate.postcode:
        out.append(
            Run(
                f"邮政编码 {plate.postcode}",
                inset,
                y,
                _fitted(f"邮政编码 {plate.postcode}", font, width * 0.34, widths),
            )
        )
    return out


def _fitted(text: str, font: float, width: float, widths: Mapping[str, float]) -> float:
    """The font size, made smaller where the text would not fit."""
    natural = _advance(text, widths)
    return min(font, width / natural) if natural else font
