"""What a text asks for: the places of the library it names, what stands behind each, and what is left over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gis.addressing.matching.names import Found, Named, NameIndex, grouped
from gis.addressing.matching.tails import Tail, backwards, readings
from gis.addressing.parsing.normalise import plain

_LEAD_IN: Final = re.compile(
    r"^(?:(?:收货|收件|详细|家庭|通讯|联系|公司|单位|现住|户籍|办公)?(?:地址|住址|地点)(?:是|为|在)?"
    r"|(?:我家?|我们|本人|现|家)?(?:居?住在|住|家在|在|位于|坐落于?)|请?(?:帮?我)?(?:送|寄|发)(?:到|至|往))[:,_]*"
)
_PHONE: Final = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-\d{7,8})(?!\d)")
#: Who it is for, at the end or before a telephone number.
_PERSON: Final = re.compile(
    r"[_,.、(]+[\u4e00-\u9fff]{1,4}(?:先生|女士|小姐|老师|师傅|阿姨)?(?:亲?收|签收|启)\)?[_,.]*$"
    r"|[_,.、(]+[\u4e00-\u9fff]{1,2}(?:先生|女士|小姐|老师|师傅|阿姨)\)?[_,.]*$"
)
#: The committee of a village or community stands for it where a number or group follows.
_COMMITTEE: Final = re.compile(
    r"(?<=[村区])(?:村民委员会|居民委员会|村委会?|居委会?)(?=[\u4e00-\u9fff]{0,5}[组\d一二三四五六七八九十]+)"
)
#: Quotation marks and strokes that only part what is said.
_STROKES: Final = str.maketrans({"“": "", "”": "", "‘": "", "’": "", "|": ",", "¦": ","})
_WORDS_BEHIND: Final = re.compile(
    r"^(?:门口|大门口?|院内|院子|内|里|楼下|收|电联|请电联|联系|送货上门|放门口|家|住户|居民|住宅|附近居民)$"
)
_BESIDE: Final = re.compile(
    r"^(?:院内|院子|门口|内)?(?:正?对面|斜?对门|对街|斜对面|靠近|邻近|旁边?|附近|隔壁|对过|后面|前面|背后|边上?|[东南西北]{1,2}(?:侧|面|边|头|方|角)?|以[东南西北]|"
    r"[往向]?[东南西北前后]?约?\d+米|[东南西北]?约?\d+米[处]?|之间|中间|路口|拐角|转角|后门|下|上|外)+"
)
#: A rest that begins so is of another place than the number before it: 12弄, 12号巷; or holds a number unread.
_GOES_ON: Final = re.compile("[弄巷路街段组队片区期苑园里条]|胡同|支[路弄巷]|[零一二两三四五六七八九十百甲乙丙丁]")
_GATE: Final = re.compile(r"(?<=[栋幢座楼])[东西南北中]门\d")
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

    @cached_property
    def home(self) -> Tail | None:
        """Room, unit and building said before the places: 301室,1单元,3栋,荣湾路7号."""
        found = backwards(self.before) if self.before and self.anchors else []
        return found[0] if found else None

    @property
    def anchors(self) -> tuple[Piece, ...]:
        """The pieces the address hangs on."""
        return tuple(p for p in (self.road, self.compound, self.village) if p is not None)


def ask(text: str, names: NameIndex) -> Asked:
    """Take a text apart. Blanks are dropped but between two digits, where they part two numbers."""
    clean = _PHONE.sub("_", plain(text).translate(_STROKES).upper())
    if "'" not in clean and '"' not in clean:
        clean = clean.replace(";", ",")  # with quotes it is no address that parts what it says by semicolons
    clean = _COMMITTEE.sub("", _PERSON.sub("", clean))
    clean = grouped(_LEAD_IN.sub("", clean.strip("_,.、:;")))
    compact, parted = _compact(clean)
    found = [f for f in names.scan(compact) if not _is_unit(compact, f)]
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


def _is_unit(text: str, found: Found) -> bool:
    """Whether a short name is a unit of a building here: 11栋东门602 is not in 东门社区."""
    return found.named.shortened and bool(_GATE.match(text, found.start))


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


def turned(asked: Asked) -> list[Tail]:
    """What is said before the first place where that is the one the address hangs on: 11栋兴业小区, 5号荣湾路."""
    if not asked.before or not asked.anchors or asked.pieces[0].behind.strip(",.、_()"):
        return []
    first = asked.pieces[0]
    if first is asked.compound:
        ways = [*readings(asked.before, road=False), *backwards(asked.before)]
        return [t for t in ways if not (t.rest or t.empty)]
    if first is asked.road and asked.compound is None:
        return [t for t in readings(asked.before, road=True, place=False) if t.number and not t.rest]
    return []


def within(asked: Asked, tails: list[Tail]) -> list[Tail]:
    """What stands behind a place, with what is said of the home before it; where both say it there is none."""
    home = asked.home
    if home is None:
        return tails
    levels = {k: v for k in ("building", "unit", "floor", "room") if (v := getattr(home, k))}
    return [t._replace(**levels) if not any(getattr(t, k) for k in levels) else t._replace(rest="0") for t in tails]


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
    return bool(_ADMIN_END.search(text.strip(",.、()_:;")))
