"""One subset font a job: the characters it prints, at one weight, as TrueType for a PDF and as outlines for SVG."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gis.addressing.plates.layout import Plate
from gis.errors import InputError

BOLD: Final = 700
#: Printed on every plate whatever its address.
ALWAYS: Final = "0123456789 邮政编码"


@dataclass(frozen=True)
class Font:
    """``data``: the subset as a TrueType file; glyph number and advance (share of the font size) by character."""

    data: bytes
    glyph: Mapping[str, int]
    width: Mapping[str, float]
    bounds: tuple[int, int, int, int]  # in thousandths of the font size

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
    from fontTools import subset
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    plates = list(plates)
    font = TTFont(io.BytesIO(source), lazy=True)
    known = font.getBestCmap()
    _require_glyphs(plates, known)
    characters = sorted({c for p in plates for c in _texts(p)} | set(ALWAYS) | {c for c in note if ord(c) in known})
    options = subset.Options()
    options.layout_features = []
    options.name_IDs = [1, 2, 6, 13, 14]
    options.hinting = False
    options.notdef_outline = True
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "vhea", "vmtx", "VORG", "HVAR", "VVAR", "MVAR", "STAT"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(characters))
    subsetter.subset(font)
    if "fvar" in font:
        font = instantiateVariableFont(font, {"wght": weight}, inplace=True)
    font["head"].modified = font["head"].created  # the same job gives the same bytes
    font.recalcTimestamp = False
    buffer = io.BytesIO()
    font.save(buffer)
    return _read(buffer.getvalue(), characters)


def _require_glyphs(plates: list[Plate], known: Mapping[int, str]) -> None:
    missing: dict[str, list[str]] = {}
    for plate in plates:
        for c in set(_texts(plate)):
            if ord(c) not in known:
                missing.setdefault(c, []).append(plate.printed_code)
    if missing:
        codes = sorted({code for where in missing.values() for code in where})
        named = ", ".join(codes[:20]) + (f" … (+{len(codes) - 20})" if len(codes) > 20 else "")
        letters = " ".join(f"{c} (U+{ord(c):04X})" for c in sorted(missing))
        raise InputError("plates.glyphs", characters=letters, plates=named, count=len(codes))


def _texts(plate: Plate) -> str:
    return plate.name + plate.number + plate.printed_code + plate.host + plate.postcode


def _read(data: bytes, characters: list[str]) -> Font:
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
    )
