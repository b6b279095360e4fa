"""The range of a grid as a small map: streets with their names, buildings, the outline, and where one stands."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import shapely

from gis.addressing.boards.canvas import BLUE, Canvas
from gis.addressing.boards.model import RangeMap, Street
from gis.addressing.plates.pdf_file import short

Frame = tuple[float, float, float, float]
Points = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

#: Free room around the grid as a share of its larger side, and the least side shown in metres.
ROOM: Final = 0.08
LEAST: Final = 60.0
_LABEL: Final = 3.0
#: The scale's bar at most.
_SCALE: Final = 30.0
_RED: Final = (0.80, 0.10, 0.12)
#: Detail finer than this on paper (mm) is left out.
_FINEST: Final = 0.12


def draw(canvas: Canvas, shown: RangeMap, here: str, frame: Frame) -> None:
    """Draw the map into a frame (x, y, width, height in mm), north up.

    All but the building itself is drawn once for the boards of a grid that have the same frame.
    """
    x, y, width, height = frame
    view = _View(shown.grid, frame)
    canvas.raw(b"q %s re W n\n" % b" ".join(short(v) for v in frame))
    canvas.form((shown.key or id(shown), frame), lambda base: _base(base, shown, view, frame))
    _areas(canvas, view, [shown.here], b"%s rg\n" % b" ".join(short(v) for v in BLUE), b"f*\n")
    _mark(canvas, view.point(shapely.point_on_surface(shown.here)), here, frame)
    canvas.raw(b"Q\n")
    canvas.frame(x, y, width, height, (0.6, 0.65, 0.72), 0.35)


def _base(canvas: Canvas, shown: RangeMap, view: _View, frame: Frame) -> None:
    """Streets, buildings, the grid's outline, names of streets, scale."""
    canvas.box(*frame, (0.965, 0.965, 0.955))
    _areas(canvas, view, [shown.grid], b"1 0.97 0.87 rg\n", b"f*\n")
    streets = [(s, _on_paper(view, s.shape)) for s in shown.streets]
    for street, shape in streets:
        canvas.raw(b"1 1 1 RG 1 J 1 j %s w\n" % short(max(0.7, street.width / view.metres)))
        canvas.path(_lines(shape), closed=False)
        canvas.raw(b"S\n")
    _areas(canvas, view, shown.buildings, b"0.80 0.82 0.85 rg\n", b"f*\n")
    canvas.raw(b"%s RG 1.1 w 1 j\n" % b" ".join(short(v) for v in _RED))
    _areas(canvas, view, [shown.grid], b"", b"S\n")
    _labels(canvas, streets, frame)
    _scale(canvas, view, frame)


class _View:
    """Metres of the ground to millimetres of the frame."""

    def __init__(self, grid: Any, frame: Frame) -> None:
        west, south, east, north = shapely.bounds(grid).tolist()
        room = max(east - west, north - south) * ROOM
        wide, high = max(east - west + 2 * room, LEAST), max(north - south + 2 * room, LEAST)
        self.metres = max(wide / frame[2], high / frame[3])  # a millimetre shows so many
        self._centre = ((west + east) / 2, (south + north) / 2)
        self._middle = (frame[0] + frame[2] / 2, frame[1] + frame[3] / 2)
        half = (frame[2] * self.metres / 2, frame[3] * self.metres / 2)
        cx, cy = self._centre
        self.window = (cx - half[0], cy - half[1], cx + half[0], cy + half[1])

    def __call__(self, points: Points) -> Points:
        return np.asarray((points - self._centre) / self.metres + self._middle)

    def point(self, shape: Any) -> tuple[float, float]:
        """A point on paper."""
        ((x, y),) = self(np.array([[shape.x, shape.y]])).tolist()
        return x, y


def window_of(grid: Any, width: float = 186.0, height: float = 60.0) -> tuple[float, float, float, float]:
    """The box in metres that a map of this grid shows in a frame of that many mm: what has to be read for it."""
    return _View(grid, (0, 0, width, height)).window


def _on_paper(view: _View, shape: Any) -> Any:
    cut = shapely.clip_by_rect(shape, *view.window)
    return shapely.simplify(shapely.transform(cut, view), _FINEST)


def _areas(canvas: Canvas, view: _View, shapes: Any, before: bytes, after: bytes) -> None:
    canvas.raw(before)
    for shape in shapes:
        rings = [r for r in _rings(shapely.simplify(shapely.transform(shape, view), _FINEST / 2)) if len(r) > 3]
        if rings:
            canvas.path(rings, closed=True)
            canvas.raw(after)


def _rings(shape: Any) -> Iterator[Points]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon":
            yield shapely.get_coordinates(part.exterior)[:-1]
            for hole in part.interiors:
                yield shapely.get_coordinates(hole)[:-1]
        elif part.geom_type == "Point":
            yield shapely.get_coordinates(part.buffer(1.2, quad_segs=3).exterior)[:-1]


def _lines(shape: Any) -> Iterator[Points]:
    for part in shapely.get_parts(shape):
        if part.geom_type == "LineString" and len(part.coords) > 1:
            yield shapely.get_coordinates(part)


def _mark(canvas: Canvas, spot: tuple[float, float], words: str, frame: Frame) -> None:
    """A pin with words beside where the board hangs."""
    x, y = spot
    ring = shapely.get_coordinates(shapely.Point(x, y).buffer(1.6, quad_segs=4).exterior)[:-1]
    canvas.raw(b"%s rg 1 1 1 RG 0.5 w\n" % b" ".join(short(v) for v in _RED))
    canvas.path([ring], closed=True)
    canvas.raw(b"B\n")
    wide = canvas.width(words, 4.2, "bold")
    right = x + 3 + wide < frame[0] + frame[2]
    canvas.text(
        words, x + (3 if right else -3), y - 1.5, 4.2, weight="bold", colour=_RED, halo=1.2,
        align="left" if right else "right",
    )  # fmt: skip


def _labels(canvas: Canvas, streets: list[tuple[Street, Any]], frame: Frame) -> None:
    """The name of each street once, on its longest straight part inside the frame, where nothing else is written."""
    right, low = frame[0] + frame[2], frame[1]
    taken: list[Any] = [shapely.box(right - _SCALE - 8, low, right, low + 8)]
    inside = shapely.box(frame[0] + 1, frame[1] + 1, frame[0] + frame[2] - 1, frame[1] + frame[3] - 1)
    best: dict[str, tuple[float, Points]] = {}
    for street, shape in streets:
        for line in _lines(shape) if street.name else ():
            steps = np.diff(line, axis=0)
            lengths = np.hypot(steps[:, 0], steps[:, 1])
            k = int(np.argmax(lengths))
            if lengths[k] > best.get(street.name, (0.0, line))[0]:
                best[street.name] = float(lengths[k]), line[k : k + 2]
    for name, (_, part) in sorted(best.items(), key=lambda item: (-item[1][0], item[0])):
        (ax, ay), (bx, by) = part.tolist()
        if bx < ax:
            ax, ay, bx, by = bx, by, ax, ay
        angle = math.atan2(by - ay, bx - ax)
        x, y = (ax + bx) / 2, (ay + by) / 2
        wide = canvas.width(name, _LABEL)
        along = shapely.LineString(
            [(x + d * math.cos(angle), y + d * math.sin(angle)) for d in (-wide / 2 - 1, wide / 2 + 1)]
        ).buffer(_LABEL * 0.6)
        if inside.contains(along) and not any(along.intersects(t) for t in taken):
            taken.append(along)
            off = _LABEL * 0.36
            at = (x + off * math.sin(angle), y - off * math.cos(angle))
            canvas.text(name, *at, _LABEL, colour=(0.25, 0.28, 0.33), align="centre", angle=angle, halo=0.8)


def _scale(canvas: Canvas, view: _View, frame: Frame) -> None:
    """A bar of a round number of metres at the lower right."""
    most = _SCALE * view.metres
    step = next(s for s in (5000, 2000, 1000, 500, 200, 100, 50, 20, 10, 5, 2, 1) if s <= most or s == 1)
    wide = step / view.metres
    x, y = frame[0] + frame[2] - wide - 4, frame[1] + 3
    canvas.rule(x, y, wide, (0.2, 0.2, 0.2), 0.6)
    canvas.text(f"{step} m", x + wide / 2, y + 1.3, 2.6, align="centre", halo=0.8)
