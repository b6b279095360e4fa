"""A notice board 公示牌 on one page: where it hangs, whose grid it is, the range as a map and in words, whom to call.

Drawn for A4 upright in millimetres; A3 is the same, larger.
"""

from __future__ import annotations

from typing import Final

from gis.addressing.boards.canvas import BLUE, GREY, INK, PALE, WHITE, Canvas
from gis.addressing.boards.model import Contact, Notice
from gis.addressing.boards.range_map import draw

WIDTH: Final = 210.0
HEIGHT: Final = 297.0
MARGIN: Final = 12.0
QR_SIDE: Final = 40.0
HEAD: Final = 26.0
FOOT: Final = 30.0
MAP: Final = (60.0, 104.0)  # least and most height
#: Lines of each fact: as many as leave room for the map.
FACT_LINES: Final = (6, 4, 3)
#: Rows of people at most; more are named by number only. Columns by share of the width.
MOST_PEOPLE: Final = 9
#: With more people than these their rows are lower, so that the map stays.
FEW: Final = 5
COLUMNS: Final = (0.0, 0.20, 0.38, 0.60)
_INNER: Final = WIDTH - 2 * MARGIN
#: Where the QR stands, for the proof: left, bottom, side.
QR_AT: Final = (WIDTH - MARGIN - QR_SIDE, HEIGHT - HEAD - 6 - QR_SIDE, QR_SIDE)


def page(canvas: Canvas, notice: Notice) -> None:
    """Draw one board."""
    canvas.box(0, 0, WIDTH, HEIGHT, WHITE)
    _head(canvas, notice)
    _address(canvas, notice)
    top = QR_AT[1] - 13.0
    rows = notice.people[:MOST_PEOPLE]
    table = 9.0 + (11.0 if len(rows) <= FEW else 7.8) * max(len(rows), 1) + (5.0 if notice.more_people else 0.0)
    for most in FACT_LINES:
        lines = {label: canvas.wrapped(text, 3.7, _INNER - 26, most) for label, text in notice.facts}
        words = sum(5.2 * len(v) + 1.6 for v in lines.values()) + 3.0
        height = top - (FOOT + 6.0) - table - words - 6.0
        if height >= MAP[0]:
            break
    if notice.range_map is not None and height >= MAP[0]:
        height = min(height, MAP[1])
        draw(canvas, notice.range_map, notice.here, (MARGIN, top - height, _INNER, height))
        top -= height + 5.0
    top = _facts(canvas, lines, top)
    _people(canvas, notice, rows, top)
    _foot(canvas, notice)


def _head(canvas: Canvas, notice: Notice) -> None:
    canvas.box(0, HEIGHT - HEAD, WIDTH, HEAD, BLUE)
    canvas.text(
        notice.title, WIDTH / 2, HEIGHT - 14.2, 10.5, weight="bold", colour=WHITE, align="centre", most=_INNER
    )
    canvas.text(notice.place, WIDTH / 2, HEIGHT - 21.8, 4.6, colour=WHITE, align="centre", most=_INNER)


def _address(canvas: Canvas, notice: Notice) -> None:
    """Address and grid on the left, the QR with its code on the right."""
    x, y, side = QR_AT
    room = x - MARGIN - 6
    size = 11.0 if canvas.width(notice.address, 11.0, "bold") <= room else 8.4
    lines = canvas.wrapped(notice.address, size, room, 2, "bold")
    at = y + side - size * 0.95
    for line in lines:
        canvas.text(line, MARGIN, at, size, weight="bold", most=room)
        at -= size * 1.25
    canvas.text(notice.grid, MARGIN, y + 6.0, 6.2, weight="bold", colour=BLUE, most=room)
    canvas.frame(x, y, side, side, BLUE, 0.5)
    canvas.symbol(notice.link, x, y, side)
    canvas.text(notice.scan, x + side / 2, y - 3.9, 3.0, align="centre", most=side)
    canvas.text(notice.code, x + side / 2, y - 7.6, 3.4, weight="bold", align="centre", most=side)
    canvas.text(notice.host, x + side / 2, y - 11.0, 2.8, colour=GREY, align="centre", most=side)


def _facts(canvas: Canvas, lines: dict[str, list[str]], top: float) -> float:
    for label, shown in lines.items():
        canvas.text(label, MARGIN, top - 3.7, 3.7, weight="bold", colour=BLUE, most=24)
        for line in shown:
            canvas.text(line, MARGIN + 26, top - 3.7, 3.7, most=_INNER - 26)
            top -= 5.2
        top -= 1.6
    return top - 3.0


def _people(canvas: Canvas, notice: Notice, rows: tuple[Contact, ...], top: float) -> None:
    """Post, name, phone, duties; the phone large, as it is what one comes for."""
    canvas.box(MARGIN, top - 8.0, _INNER, 8.0, BLUE)
    for head, at in zip(notice.heads, COLUMNS, strict=True):
        canvas.text(head, MARGIN + 3 + at * _INNER, top - 5.5, 3.9, weight="bold", colour=WHITE, most=36)
    top -= 8.0
    room = top - (FOOT + 6.0) - (5.0 if notice.more_people else 0.0)
    height = min(15.0, room / max(len(rows), 1))
    for k, person in enumerate(rows):
        _person(canvas, person, top - k * height, height, shaded=bool(k % 2))
    top -= len(rows) * height
    if notice.more_people:
        canvas.text(notice.more_people, MARGIN + 3, top - 4.4, 3.3, colour=GREY, most=_INNER - 6)


def _person(canvas: Canvas, person: Contact, top: float, height: float, *, shaded: bool) -> None:
    if shaded:
        canvas.box(MARGIN, top - height, _INNER, height, PALE)
    canvas.rule(MARGIN, top - height, _INNER, (0.78, 0.83, 0.90))
    middle = top - height / 2
    left = [MARGIN + 3 + at * _INNER for at in COLUMNS]
    wide = [b - a - 2 for a, b in zip(left, [*left[1:], MARGIN + _INNER], strict=True)]
    canvas.text(person.post, left[0], middle - 1.4, 4.0, most=wide[0])
    canvas.text(person.name, left[1], middle - 1.8, 5.2, weight="bold", most=wide[1])
    canvas.text(person.phone, left[2], middle - 1.7, 5.0, weight="bold", colour=INK, most=wide[2])
    most = 2 if height >= 10 else 1
    lines = canvas.wrapped(person.duties, 3.1, wide[3], most)
    at = middle - 1.1 + (len(lines) - 1) * 2.0
    for line in lines:
        canvas.text(line, left[3], at, 3.1, colour=GREY, most=wide[3])
        at -= 4.0


def _foot(canvas: Canvas, notice: Notice) -> None:
    """The hotline, then what the board is and as of when."""
    number, words = notice.hotline
    canvas.box(0, 12.0, WIDTH, FOOT - 12.0, PALE)
    wide = canvas.text(number, MARGIN, 17.2, 11.0, weight="bold", colour=BLUE)
    canvas.text(words, MARGIN + wide + 6, 18.4, 4.6, most=_INNER - wide - 6)
    for k, line in enumerate(notice.foot[:2]):
        canvas.text(line, MARGIN, 7.6 - 3.6 * k, 2.7, colour=GREY, most=_INNER)
