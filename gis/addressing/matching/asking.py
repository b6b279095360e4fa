"""What a text asks for: the places of the library it names, what stands behind each, and what is left over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gis.addressing.matching.names import Named, NameIndex
from gis.addressing.matching.tails import readings
from gis.addressing.parsing.normalise import plain

_LEAD_IN: Final = re.compile(
    r"^(?:收货|收件|详细|家庭|通讯|联系|公司|单位|现住|户籍|办公)?(?:地址|住址|住在|位于|地点)[:,_]*"
)
_PHONE: Final = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-\d{7,8})(?!\d)")
_BLANK: Final = re.compile(r"_+")
_WORDS_BEHIND: Final = re.compile(
    r"^(?:门口|大门口?|院内|院子|内|里|楼下|收|电联|请电联|联系|送货上门|放门口|家|住户|居民|住宅|附近居民)$"
)
_BESIDE: Final = re.compile(
    r"^(?:院内|院子|门口|内)?(?:正?对面|斜?对门|对街|斜对面|靠近|邻近|旁边?|附近|隔壁|对过|后面|前面|背后|边上?|[东南西北]{1,2}(?:侧|面|边|头|方|角)?|以[东南西北]|"
    r"[往向]?[东南西北前后]?约?\d+米|[东南西北]?约?\d+米[处]?|之间|中间|路口|拐角|转角|后门|下|上|外)+"
)
#: A rest that begins so is of another place than the number before it: 12弄, 12号巷; or holds a number unread.
_GOES_ON: Final = re.compile("[弄巷路街段组队片区期苑园里条]|胡同|支[路弄巷]|[零一二两三四五六七八九十百甲乙丙丁]")
_ADMIN_END: Final = re.compile(r"(?:省|(?<![超菜都夜城])市|区|县|旗|州|镇|乡|街道|街道办|村|社区|开发区|新区)$")


@dataclass(frozen=True)
class Piece:
    """A named place and the text behind it up to the next one."""

    named: Named
    text: str
    behind: str


@dataclass(frozen=True)
class Asked:
    """A text taken apart by the library's names.

    ``before`` is what stands before the first name, ``parted`` whether a blank or mark parts it from the name.
    The address hangs on a road, a compound, or a village (group or community), the last ones that are named.
    """

    text: str
    before: str
    parted: bool
    pieces: tuple[Piece, ...]
    road: Piece | None = None
    compound: Piece | None = None
    village: Piece | None = None

    @property
    def anchors(self) -> tuple[Piece, ...]:
        """The pieces the address hangs on."""
        return tuple(p for p in (self.road, self.compound, self.village) if p is not None)


def ask(text: str, names: NameIndex) -> Asked:
    """Take a text apart. Blanks are dropped but between two digits, where they part two numbers."""
    clean = _PHONE.sub("_", plain(text).upper())
    clean = _LEAD_IN.sub("", clean.strip("_,.、:;"))
    compact, parted = _compact(clean)
    found = names.scan(compact)
    if not found:
        return Asked(compact, compact, False, ())
    pieces = []
    for k, f in enumerate(found):
        until = found[k + 1].start if k + 1 < len(found) else len(compact)
        pieces.append(Piece(f.named, compact[f.start : f.end], compact[f.end : until]))
    first = found[0].start
    before = compact[:first]
    apart = first in parted or before.endswith(tuple(",.、:;()/"))
    before = before.strip(",.、:;()/_")
    return Asked(compact, before, apart or not before, tuple(pieces), *_anchors(pieces))


def _anchors(pieces: list[Piece]) -> tuple[Piece | None, Piece | None, Piece | None]:
    road = compound = village = None
    for k, piece in enumerate(pieces):
        by = piece.named
        divided = bool(by.divisions) and k < len(pieces) - 1 and not piece.behind[:1].isdigit()
        if by.roads and not divided and (road is None or _numbered(piece) or not _numbered(road)):
            road = piece
        if by.compounds and not divided:
            compound = piece
        if by.villages:
            village = piece
    if road is not None and road is compound:
        # one word for both: what stands behind it tells
        if readings(road.behind, road=True, place=False)[0].number:
            compound = None
        else:
            road = None
    return road, compound, village


def _numbered(piece: Piece) -> bool:
    """Whether a door number stands behind a name."""
    return bool(readings(piece.behind, road=True, place=False)[0].number)


def _compact(clean: str) -> tuple[str, set[int]]:
    """The text without blanks, and where they were."""
    out: list[str] = []
    parted: set[int] = set()
    for k, c in enumerate(clean):
        if c == "_":
            digits = 0 < k < len(clean) - 1 and clean[k - 1].isdigit() and clean[k + 1].isdigit()
            if digits:
                out.append(c)
            parted.add(len(out))
        else:
            out.append(c)
    return "".join(out), parted


def beside(rest: str) -> bool:
    """Whether a rest says that the place is near the address, not at it."""
    return bool(_BESIDE.match(rest.strip(",.、()_")))


def harmless(rest: str) -> bool:
    """Whether a rest changes nothing."""
    left = rest.strip(",.、()_:;-/#*!?")
    return (not left and not set(rest) & set(";'\"<>")) or bool(_WORDS_BEHIND.match(left))


def goes_on(rest: str) -> bool:
    """Whether a rest makes another place of what was read, or a number of it was not read."""
    return bool(_GOES_ON.match(rest.strip(",.、()_-")))


def administrative(text: str) -> bool:
    """Whether a text ends like the name of a division."""
    return bool(_ADMIN_END.search(text))
