"""An SVG plate as a picture: the file is read as XML and everything in it is painted in its order, seen or not.

It knows what ``picture.Drawer`` draws with (groups, transforms, rectangles, paths) and paints glyphs as their outer
shapes: what runs into the QR is seen, and a symbol in the wrong place, of the wrong size or under something else is
not read. Raises ValueError for what it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final
from xml.etree import ElementTree

import numpy as np
from fontTools.misc.transform import Identity, Transform
from numpy.typing import NDArray

from gis.addressing.plates.layout import Box

_SVG: Final = "{http://www.w3.org/2000/svg}"
_STEP: Final = re.compile(r"(matrix|translate|scale)\(([^)]*)\)")
_SQUARES: Final = re.compile(r"(?:M\d+ \d+h\d+v1h-\d+z)+")
_SQUARE: Final = re.compile(r"M(\d+) (\d+)h(\d+)")
Point = tuple[float, float]


def patch(drawing: str, box: Box, pixels: int) -> NDArray[np.uint8]:
    """What stands in a box of a drawing (mm from its lower left corner), grey, ``pixels`` wide and high."""
    from PIL import Image, ImageDraw

    try:
        root = ElementTree.fromstring(drawing)  # noqa: S314 - our own drawing, before anybody else had it
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    _, _, _, height = map(float, root.get("viewBox", "").split())
    image = Image.new("L", (pixels, pixels), 255)
    brush = ImageDraw.Draw(image)
    scale = pixels / box.width
    view = Identity.scale(scale, scale).translate(-box.x, box.y + box.height - height)
    for element, at, fill in _walk(root, view, "#000"):
        if element.tag == _SVG + "rect":
            _rectangle(brush, element, at, fill)
        elif element.tag == _SVG + "path":
            _path(brush, element.get("d", ""), at, _grey(fill))
    return np.asarray(image)


def _walk(element: Any, at: Transform, fill: str) -> Iterator[tuple[Any, Transform, str]]:
    """Every element in the order of painting, with its transform and the fill it inherits."""
    fill = element.get("fill", fill)
    for name, values in _STEP.findall(element.get("transform", "")):
        v = [float(n) for n in values.split()]
        at = at.transform(Transform(*v)) if name == "matrix" else getattr(at, name)(*v)
    yield element, at, fill
    for child in element:
        yield from _walk(child, at, fill)


def _rectangle(brush: Any, element: Any, at: Transform, fill: str) -> None:
    x, y, width, height = (float(element.get(name)) for name in ("x", "y", "width", "height"))
    corners = at.transformPoints([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
    if fill != "none":
        brush.polygon(corners, fill=_grey(fill))
    if stroke := element.get("stroke"):
        wide = max(round(float(element.get("stroke-width", 1)) * abs(at[0])), 1)
        brush.line([*corners, corners[0]], fill=_grey(stroke), width=wide)


def _path(brush: Any, d: str, at: Transform, grey: int) -> None:
    if _SQUARES.fullmatch(d):
        for x, y, length in np.array(_SQUARE.findall(d), dtype=np.int64).tolist():
            (a, b), (c, e) = at.transformPoints([(x, y), (x + length, y + 1)])
            left, right, top, low = (round(v) for v in (min(a, c), max(a, c), min(b, e), max(b, e)))
            brush.rectangle((left, top, right - 1, low - 1), fill=grey)
        return
    for points in _outlines(d):
        placed = at.transformPoints(points)
        if len(placed) > 2:
            brush.polygon(placed, fill=grey)


@lru_cache(maxsize=8192)
def _outlines(d: str) -> tuple[tuple[Point, ...], ...]:
    """A path as polygons; curves by their ends and control points, which never make a shape smaller."""
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    pen = RecordingPen()
    parse_path(d, pen)
    found: list[list[Point]] = []
    for step, points in pen.value:
        if step == "moveTo":
            found.append([])
        if points and found:
            found[-1] += [p for p in points if p is not None]
    return tuple(tuple(points) for points in found)


def _grey(colour: str) -> int:
    """Brightness of #rgb or #rrggbb."""
    digits = colour.removeprefix("#")
    wide = digits if len(digits) == 6 else "".join(2 * c for c in digits)
    red, green, blue = (int(wide[k : k + 2], 16) for k in (0, 2, 4))
    return round(0.299 * red + 0.587 * green + 0.114 * blue)
