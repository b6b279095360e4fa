"""Door numbers (门牌号) read, ordered and written.

A number's key is a tuple that sorts in street order: ``(12,)`` before ``(12, 1)`` (12号附1, 12A) before
``(14,)``. Parity and order are those of its base, the first part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

#: Key of a door number: base, then attached numbers.
Key = tuple[int, ...]
#: How an added number is written: 12号附1号, 12-1, 12A or 12甲.
Infill = Literal["attached", "dash", "letter", "stem"]

LARGEST: Final = 9999
#: Ranges (12-16) take every number between their ends up to this width.
WIDEST_RANGE: Final = 80
_MARK = "号號"
_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—―−~〜至", "-"))
_PLAIN = re.compile(rf"(\d{{1,7}})[{_MARK}]?(?:[附之\-/](\d{{1,4}})[{_MARK}]?)?(?:[附之\-/](\d{{1,4}})[{_MARK}]?)?")
_BLOCK = re.compile(r"(\d{1,4})-(\d{2,3})([A-Za-z]?)")
_LETTER = re.compile(rf"(\d{{1,7}})[{_MARK}]?[-/]?([A-Za-z])[{_MARK}]?")
_LETTERS = re.compile(r"(\d{1,7})([A-Za-z])-(?:(\d{1,7}))?([A-Za-z])")
#: 12~15, 12至15: a range whatever its parity.
_RANGE = re.compile(rf"(\d{{1,7}})[{_MARK}]?[~～〜至](\d{{1,7}})[{_MARK}]?")
#: 628弄4-7号: a lane off the street and numbers in it; 26号院, 5号院3号楼: a yard and perhaps a building in it.
_LANE = re.compile(rf"(\d{{1,7}})[弄{_MARK}](?:院|大院)?(?:(\d{{1,4}})(?:-(\d{{1,4}}))?[{_MARK}]?(?:楼)?)?")
_ONES = "一二三四五六七八九"
_NUMERAL = re.compile(rf"((?=[{_ONES}十])(?:[{_ONES}]百)?(?:零|[{_ONES}]?十)?[{_ONES}]?)[{_MARK}]?")
_STEM = re.compile(rf"(\d{{1,7}})[{_MARK}]?([甲乙丙丁戊己庚辛壬癸])[{_MARK}]?")
_STEM_FIRST = re.compile(rf"([甲乙丙丁戊己庚辛壬癸])(\d{{1,7}})[{_MARK}]?")
_BIS = re.compile(r"(\d{1,7})(bis|ter|quater)", re.IGNORECASE)
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_DIGITS: Final = {c: i for i, c in enumerate("零" + _ONES)}
_BIS_ORDER = {"bis": 1, "ter": 2, "quater": 3}


@dataclass(frozen=True)
class DoorNumber:
    """A number as read: from ``low`` to ``high`` (the same but for ranges such as 12-16)."""

    low: Key
    high: Key


def read(text: str, *, block: int = 0) -> list[DoorNumber]:
    """Every number a text states; empty when none can be read.

    ``block``: the street writes block-house numbers (89-15, as in Queens), whose base is first * block +
    second (see ``block_of``). With 0, ``12-16`` of one parity is a range and ``12-3`` is 12附3.
    """
    if text.isascii() and text.isdigit() and len(text) <= 7:
        return [DoorNumber((int(text),), (int(text),))]
    if block and (base := base_written(text, block=block)) is not None and len(text) - text.index("-") in (3, 4):
        return [DoorNumber((base,), (base,))]
    wide = unicodedata.normalize("NFKC", text[:80]).replace(" ", "")
    if (m := _RANGE.fullmatch(wide)) and 0 < int(m[2]) - int(m[1]) <= WIDEST_RANGE:
        return [DoorNumber((int(m[1]),), (int(m[2]),))]
    clean = wide.translate(_HYPHENS)
    parts = [p for p in re.split(r"[;,、；，]", clean) if p]
    found = [_one(p, block=block) for p in parts]
    return [f for f in found if f is not None] if all(f is not None for f in found) else []


def _one(text: str, *, block: int) -> DoorNumber | None:
    if m := _PLAIN.fullmatch(text):
        return _numeric([int(g) for g in m.groups() if g is not None], "-" in text, block)
    key: Key = ()
    if (m := _BLOCK.fullmatch(text)) and int(m[2]) < block:
        key = (int(m[1]) * block + int(m[2]), ord(m[3].upper()) - ord("A") + 1)
    elif m := _LETTER.fullmatch(text):
        key = (int(m[1]), ord(m[2].upper()) - ord("A") + 1)
    elif m := _STEM.fullmatch(text):
        key = (int(m[1]), _STEMS.index(m[2]) + 1)
    elif m := _STEM_FIRST.fullmatch(text):
        key = (int(m[2]), _STEMS.index(m[1]) + 1)
    elif m := _BIS.fullmatch(text):
        key = (int(m[1]), _BIS_ORDER[m[2].lower()])
    elif (m := _LETTERS.fullmatch(text)) and (m[3] or m[1]) == m[1] and m[2].upper() < m[4].upper():
        return DoorNumber((int(m[1]), ord(m[2].upper()) - 64), (int(m[1]), ord(m[4].upper()) - 64))
    elif m := _LANE.fullmatch(text):
        base, first = int(m[1]), [int(m[2])] if m[2] else []
        return DoorNumber((base, *first), (base, *([max(int(m[3]), *first)] if m[3] else first)))
    elif m := _NUMERAL.fullmatch(text):
        key = (chinese(m[1]),)
    return DoorNumber(key, key) if key else None


def _numeric(parts: list[int], hyphen: bool, block: int) -> DoorNumber:
    first, *rest = parts
    if hyphen and len(rest) == 1:
        if rest[0] < block:
            return DoorNumber((first * block + rest[0],), (first * block + rest[0],))
        if first < rest[0] <= first + WIDEST_RANGE and (rest[0] - first) % 2 == 0:
            return DoorNumber((first,), (rest[0],))
    return DoorNumber((first, *rest), (first, *rest))


def chinese(text: str) -> int:
    """A Chinese numeral up to 999: 十二 is 12, 一百零五 105."""
    total, digit = 0, 0
    for c in text:
        if c in "十百":
            total, digit = total + (digit or 1) * (10 if c == "十" else 100), 0
        else:
            digit = _DIGITS[c]
    return total + digit


def block_of(texts: list[str]) -> int:
    """100 or 1000 (by the house's digits) where most numbers of a street are block and house, 89-15; else 0."""
    found = [m for t in texts if (m := _BLOCK.fullmatch(t.strip()))]
    if len(texts) < 3 or len(found) * 2 <= len(texts):
        return 0
    return 1000 if any(len(m[2]) == 3 for m in found) else 100


def base_written(text: str, *, block: int = 0) -> int | None:
    """The base number whose plain writing a text is, however else it may be read; None where it is none's."""
    first, hyphen, second = text.partition("-")
    if not hyphen:
        return int(first) if first.isascii() and first.isdigit() and not block and len(first) <= 7 else None
    if not (block and first.isascii() and second.isascii() and first.isdigit() and second.isdigit()):
        return None
    return int(first) * block + int(second) if len(first) <= 7 and int(second[:7]) < block else None


def small_letters(texts: Sequence[str]) -> bool:
    """Whether a town writes 12a, not 12A."""
    letters = [t[-1] for t in texts if t[-1:].isascii() and t[-1:].isalpha()]
    return sum(c.islower() for c in letters) * 2 > len(letters)


def limit(largest: int, block: int) -> int:
    """The largest base that may be issued; block-house numbers have none of their own."""
    return 10**10 if block else largest


def reads_as(text: str, key: Key, *, block: int = 0) -> bool:
    """Whether a number that is written so is read as that key again: 1-3 for the third after 1 is read as 1 to 3."""
    found = read(text, block=block)
    return len(found) == 1 and found[0].low == found[0].high == key


def below(text: str, key: Key, n: int, *, infill: Infill = "attached") -> str:
    """The n-th number attached to one that is written as ``text``: 12附1, 12-1, 12A, 12甲, 12附1-2."""
    first = write((0, n), infill=infill)[1:] if len(key) == 1 else f"-{n}"
    return text + first


def write(key: Key, *, infill: Infill = "attached", block: int = 0) -> str:
    """The number without its 号: ``12``, ``12附1``, ``12-1``, ``12A``, ``12甲``, ``89-15``.

    What a form cannot say (a 27th letter, a second level) is written with hyphens: 12-27, 12附1-1.
    """
    base = f"{key[0] // block}-{key[0] % block:02d}" if block else str(key[0])
    if len(key) == 1:
        return base
    if infill == "letter" and len(key) == 2 and 1 <= key[1] <= 26:
        return base + chr(64 + key[1])
    if infill == "stem" and len(key) == 2 and 1 <= key[1] <= len(_STEMS):
        return base + _STEMS[key[1] - 1]
    return base + ("附" if infill == "attached" else "-") + "-".join(str(k) for k in key[1:])
