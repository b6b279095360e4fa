"""One way to write a text before anything reads it, and the way back to what was typed.

Full width becomes half width, traditional characters simplified, every dash "-", blanks "_" (a blank parts two
numbers); control and invisible characters and pictographs go. Nothing is joined: 12 3 does not become 123.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

from gis.addressing.parsing.variants import SIMPLIFIED, TRADITIONAL

#: Longest text that is read; an address is never longer.
LONGEST: Final = 300
#: What stands for a blank.
BLANK: Final = "_"

_DASHES: Final = "‐‑‒–—―−﹘﹣-─━⁃~∼〜～"
_RADICALS: Final = {
    "⻄": "西",
    "⻓": "长",
    "⻔": "门",
    "⻩": "黄",
    "⻰": "龙",
    "⻢": "马",
    "⻋": "车",
    "⺠": "民",
    "⻘": "青",
}
_PUNCTUATION: Final = {
    "〇": "零", "○": "零", "【": "(", "】": ")", "〔": "(", "〕": ")", "「": "(", "」": ")", "『": "(", "』": ")",
    "《": "(", "》": ")", "[": "(", "]": ")", "{": "(", "}": ")", "。": ".", "．": ".", "﹒": ".", "·": ".", "•": ".",
    "、": "、", "＃": "#", "﹟": "#", "№": "#", "，": ",", "；": ";", "：": ":", "／": "/", "＼": "/", "\\": "/",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A text in one way of writing; ``origin[k]`` is the place of character ``k`` in what was typed."""

    text: str
    origin: tuple[int, ...]


def normalise(text: str) -> Written:
    """Write a text in one way; cut behind the longest address there is (see :data:`LONGEST`)."""
    table = _table()
    head = text[: LONGEST + 1]
    quick = head.translate(table)
    if len(quick) == len(head) and BLANK not in quick:
        return Written(quick, tuple(range(len(quick))))
    out: list[str] = []
    origin: list[int] = []
    for at, c in enumerate(head):
        for w in c.translate(table):
            if w == BLANK and (not out or out[-1] == BLANK):
                continue
            out.append(w)
            origin.append(at)
    while out and out[-1] == BLANK:
        out.pop()
        origin.pop()
    return Written("".join(out), tuple(origin))


def plain(text: str) -> str:
    """A text in one way of writing, without its origin."""
    return normalise(text).text


class _Table(dict[int, str]):
    """For ``str.translate``; planes beyond the first hold Han characters and pictographs: the latter go."""

    def __missing__(self, code: int) -> str:
        return chr(code) if code < 0x10000 or 0x20000 <= code < 0x32400 else ""


@cache
def _table() -> _Table:
    """Code point -> how it is written; what is not in it stays."""
    table = _Table()
    for code in range(0x10000):
        c = chr(code)
        # Han characters stay, said so that they are found without asking further
        table[code] = c if 0x4E00 <= code < 0xA000 else _written(c)
    for group in (
        dict.fromkeys(_DASHES, "-"),
        dict(zip(TRADITIONAL, SIMPLIFIED, strict=True)),
        _RADICALS,
        _PUNCTUATION,
    ):
        table.update({ord(c): w for c, w in group.items()})
    # what a character is folded to may be written otherwise in turn: the radical ⾧ is 長, which is 长
    table.update({code: w.translate(table) for code, w in table.items() if w and w != chr(code)})
    return table


def _written(c: str) -> str:
    """How one character is written, by its category."""
    if c.isspace() or unicodedata.category(c)[0] == "Z":
        return BLANK
    folded = unicodedata.normalize("NFKC", c)
    if folded != c and folded.strip() and not any(unicodedata.combining(f) for f in folded):
        return folded.replace(" ", "")
    return "" if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Mn", "Me", "So", "Sk") else c
