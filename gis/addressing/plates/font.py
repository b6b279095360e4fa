"""One subset font a job: the characters it prints, at one weight, as TrueType for a PDF and as outlines for SVG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from gis.addressing.plates.layout import Plate
from gis.errors import InputError

BOLD: Final = 700
REGULAR: Final = 400
#: Printed on every plate whatever its address.
ALWAYS: Final = "0123456789 邮政编码"

_DROPPED: Final = ("GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "HVAR", "VVAR", "MVAR", "STAT")


@dataclass(frozen=True)
class Font:
    """``data``: the subset as a TrueType file; glyph number and advance (share of the font size) by character."""

    data: bytes
    glyph: Mapping[str, int]
    width: Mapping[str, float]
    bounds: tuple[int, int, int, int]  # in thousandths of the font size
    weight: int = BOLD

    def outline(self, text: str) -> list[tuple[str, float]]:
        """SVG path of each character, y upwards, in shares of the font size, and its advance."""
        from fontTools.misc.transform import Transform
        from fontTools.pens.svgPathPen import SVGPathPen
        from fontTools.pens.transformPen import TransformPen
        from fontTools.ttLib import TTFont

        font = TTFont(io.BytesIO(self.data))
        glyphs, names = font.getGlyphSet(), font.getGlyphOrder()
        scale = 1 / font["head"].unitsPerEm
        out = []
        for c in text:
            pen = SVGPathPen(glyphs, ntos=lambda v: f"{v:.4f}".rstrip("0").rstrip("."))
            glyphs[names[self.glyph[c]]].draw(TransformPen(pen, Transform(scale, 0, 0, scale, 0, 0)))
            out.append((pen.getCommands(), self.width[c]))
        return out


def job_font(source: bytes, plates: Iterable[Plate], *, note: str = "", weight: int = BOLD) -> Font:
    """The font of a job from a variable TrueType font with a ``wght`` axis.

    ``note`` is written beside plates; what the font lacks of it is left out.
    Raises InputError ``plates.glyphs`` naming every plate with a character the font lacks.
    """
    plates = list(plates)
    known = character_map(source)
    _require_glyphs(plates, known)
    characters = {c for p in plates for c in texts_of(p)} | set(ALWAYS) | {c for c in note if ord(c) in known}
    return subset(source, characters, weight=weight, known=known)


def subset(
    source: bytes, characters: Iterable[str], *, weight: int = BOLD, known: Mapping[int, int] | None = None
) -> Font:
    """The glyphs of some characters at one weight; characters the font lacks are left out (see ``character_map``)."""
    from fontTools import subset as subsetting
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    known = character_map(source) if known is None else known
    wanted = sorted(c for c in set(characters) if ord(c) in known)
    font = TTFont(io.BytesIO(source), lazy=True)
    _name_by_number(font, {ord(c): known[ord(c)] for c in wanted})
    options = subsetting.Options()
    options.layout_features = []
    options.name_IDs = [1, 2, 6, 13, 14]
    options.hinting = False
    options.notdef_outline = True
    options.drop_tables += _DROPPED
    subsetter = subsetting.Subsetter(options)
    subsetter.populate(unicodes=[ord(c) for c in wanted])
    subsetter.subset(font)
    if "fvar" in font:
        font = instantiateVariableFont(font, {"wght": weight}, inplace=True)
    font["head"].modified = font["head"].created  # the same job gives the same bytes
    font.recalcTimestamp = False
    buffer = io.BytesIO()
    font.save(buffer)
    return _read(buffer.getvalue(), wanted, weight)


def character_map(source: bytes) -> Mapping[int, int]:
    """Glyph number by Unicode code point of a whole font, read from its segmented table (format 12)."""
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(source), lazy=True)
    raw = font.reader["cmap"]
    for k in range(int.from_bytes(raw[2:4], "big")):
        at = int.from_bytes(raw[8 + 8 * k : 12 + 8 * k], "big")
        if raw[at : at + 2] == b"\0\x0c":
            count = int.from_bytes(raw[at + 12 : at + 16], "big")
            groups = (
                np.frombuffer(raw, dtype=">u4", count=3 * count, offset=at + 16).reshape(count, 3).astype(np.int64)
            )
            sizes = groups[:, 1] - groups[:, 0] + 1
            steps = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            points, glyphs = np.repeat(groups[:, 0], sizes) + steps, np.repeat(groups[:, 2], sizes) + steps
            return dict(zip(points.tolist(), glyphs.tolist(), strict=True))
    numbers = font.getReverseGlyphMap()
    return {point: numbers[name] for point, name in font.getBestCmap().items()}


def _name_by_number(font: Any, wanted: Mapping[int, int]) -> None:
    """Call glyphs by their number and map only the wanted ones: names of 30,000 glyphs take longer than the rest."""
    from fontTools.ttLib import newTable
    from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

    names = [f"g{k}" for k in range(font["maxp"].numGlyphs)]
    names[0] = ".notdef"
    font.setGlyphOrder(names)
    table = newTable("cmap")
    table.tableVersion = 0
    part = CmapSubtable.newSubtable(12)
    part.platformID, part.platEncID, part.language = 3, 10, 0
    part.cmap = {point: names[glyph] for point, glyph in wanted.items()}
    table.tables = [part]
    font["cmap"] = table


def _require_glyphs(plates: list[Plate], known: Mapping[int, int]) -> None:
    missing: dict[str, list[str]] = {}
    for plate in plates:
        for c in set(texts_of(plate)):
            if ord(c) not in known:
                missing.setdefault(c, []).append(plate.printed_code)
    if missing:
        codes = sorted({code for where in missing.values() for code in where})
        named = ", ".join(codes[:20]) + (f" … (+{len(codes) - 20})" if len(codes) > 20 else "")
        letters = " ".join(f"{c} (U+{ord(c):04X})" for c in sorted(missing))
        raise InputError("plates.glyphs", characters=letters, plates=named, count=len(codes))


def texts_of(plate: Plate) -> str:
    """Every character a plate shows."""
    return plate.name + plate.number + plate.printed_code + plate.host + plate.postcode + plate.romanised


def _read(data: bytes, characters: list[str], weight: int) -> Font:
    from fontTools.ttLib import TTFont

    font: Any = TTFont(io.BytesIO(data))
    names, unit = font.getBestCmap(), font["head"].unitsPerEm
    head = font["head"]
    return Font(
        data=data,
        glyph={c: font.getGlyphID(names[ord(c)]) for c in characters},
        width={c: font["hmtx"].metrics[names[ord(c)]][0] / unit for c in characters},
        bounds=(
            head.xMin * 1000 // unit,
            head.yMin * 1000 // unit,
            head.xMax * 1000 // unit,
            head.yMax * 1000 // unit,
        ),
        weight=weight,
    )
