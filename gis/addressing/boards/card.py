"""A contact card 联系卡 of business card size: name, post, phone, what one is there for, 12345."""

from __future__ import annotations

from typing import Final

from gis.addressing.boards.canvas import BLUE, GREY, INK, WHITE, Canvas
from gis.addressing.boards.model import Card

WIDTH: Final = 90.0
HEIGHT: Final = 54.0
BAND: Final = 11.0
_MARGIN: Final = 5.0
#: Small print: its size, from line to line, and the lowest foot of a line.
_SMALL: Final = 2.6
_STEP: Final = 3.6
LOWEST: Final = 6.6
QR_SIDE: Final = 21.0
#: Where the QR stands, for the proof: left, bottom, side.
QR_AT: Final = (WIDTH - _MARGIN - QR_SIDE, HEIGHT - BAND - 3.0 - QR_SIDE, QR_SIDE)


def face(canvas: Canvas, card: Card) -> None:
    """Draw one card, its lower left corner at the origin."""
    canvas.box(0, 0, WIDTH, HEIGHT, WHITE)
    canvas.box(0, HEIGHT - BAND, WIDTH, BAND, BLUE)
    canvas.text(card.title, _MARGIN, HEIGHT - 7.3, 4.6, weight="bold", colour=WHITE, most=38)
    canvas.text(card.place, WIDTH - _MARGIN, HEIGHT - 7.1, 3.2, colour=WHITE, align="right", most=40)
    x, y, side = QR_AT
    room = WIDTH - 2 * _MARGIN - (side + 3 if card.link else 0)
    wide = canvas.text(card.name, _MARGIN, 34.0, 6.4, weight="bold", most=room * 0.6)
    canvas.text(card.post, _MARGIN + wide + 3, 34.2, 3.8, colour=BLUE, weight="bold", most=room - wide - 3)
    wide = canvas.text(card.phone_label, _MARGIN, 26.6, 2.6, colour=GREY, most=room * 0.3)
    canvas.text(card.phone, _MARGIN + wide + 2, 26.2, 5.6, weight="bold", colour=INK, most=room - wide - 2)
    if card.link:
        canvas.symbol(card.link, x, y, side)
        canvas.text(card.scan, x + side / 2, y - 2.2, 2.3, colour=GREY, align="centre", most=side)
    _facts(canvas, card, room)
    canvas.rule(_MARGIN, 5.6, WIDTH - 2 * _MARGIN, BLUE, 0.3)
    number, words = card.hotline
    wide = canvas.text(number, _MARGIN, 2.0, 3.2, weight="bold", colour=BLUE)
    wide += canvas.text(words, _MARGIN + wide + 1.5, 2.0, 2.5, most=34) + 1.5
    canvas.text(card.foot, WIDTH - _MARGIN, 2.0, 2.1, colour=GREY, align="right", most=WIDTH - 2 * _MARGIN - wide - 3)


def _facts(canvas: Canvas, card: Card, room: float) -> None:
    """Label and text of each, as many lines as there is room for; beside the QR no further than it."""
    at = 20.6
    for k, (label, text) in enumerate(card.facts):
        left = at - LOWEST - _STEP * (len(card.facts) - k - 1)  # the facts after this one need a line each
        width = room if at > QR_AT[1] - 3.5 else WIDTH - 2 * _MARGIN
        shift = canvas.text(label, _MARGIN, at, _SMALL, weight="bold", colour=BLUE, most=14) + 2
        lines = max(1, min(2, int(left / _STEP) + 1))
        at = canvas.paragraph(text, _MARGIN + shift, at, _SMALL, width - shift, lines=lines, leading=_STEP / _SMALL)
        if at < LOWEST:
            break
