"""What stands behind the name of a road or place: door number, building, unit, floor, room, in all their spellings.

Canonical spellings hold no marks: ``12``, ``12附3``, ``12-3`` (three different doors), ``3`` for 3栋, ``402``.
One text may be read in several ways (7-402 is building and room, or a door number with a suffix): each is a
:class:`Tail`, and the library decides which of them exist.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

_CHINESE: Final = "零一二三四五六七八九"
_HAN_NUMBER: Final = "[零一二两三四五六七八九十百千]"
_N: Final = rf"(?:\d{{1,7}}|{_HAN_NUMBER}{{1,7}})"
#: What makes an ordinal of a number, part of a name: 三期, 2区.
_ORDINAL: Final = "[期区组片段]"
_STEM: Final = "[甲乙丙丁戊己庚辛壬癸]"
#: A door number with everything that makes it another door.
_DOOR: Final = re.compile(
    rf"({_STEM}?)({_N})(?!{_HAN_NUMBER}*{_ORDINAL})([A-Z]?)(号?)(?:附({_N})号?|之({_N})号?|(?<=号)-({_N})号?|-({_N})号|({_STEM}|(?<=号)[A-Z](?![\dA-Z-]))(?![栋幢座]|单元|号楼)(?=$|[^\d])号?)?"
)
#: A lane off a street, one off the lane, and the number in it: 393弄5号, 628弄2支弄7号. It may be a building's.
_LANE: Final = re.compile(
    rf"({_N})弄(?:({_N})支弄)?(?:-?({_STEM}?)({_N})([A-Z]?)(?:号(?!楼)(?:附({_N})号?)?|(?=$|[_,.、()])))?"
)
_ATTACHED: Final = re.compile(rf"附({_N})号?")
_MARK: Final = "(?:号楼|[栋幢座号])"
_SPAN: Final = re.compile(rf"({_N}){_MARK}?[-至到~]({_N}){_MARK}")
#: 3、5号, 64栋和66栋: several, each said.
_LIST: Final = re.compile(rf"{_N}{_MARK}?(?:[、,和及与]{_N}{_MARK}?)*[、,和及与]{_N}{_MARK}(?![\dA-Z])")
_BLOCK: Final = re.compile(
    rf"第?([A-Z]?-?\d{{1,4}}[A-Z]?|{_HAN_NUMBER}{{1,5}}|[A-Z]|{_STEM})(?:#|号)?"
    rf"(?:栋|幢|座|号楼|楼(?=[\dA-Z\-]|[一二三四五六七八九十]+单元))|(\d{{1,4}})#"
)
#: 5号201室 in a compound: the building by its number.
_NUMBERED_BLOCK: Final = re.compile(
    rf"(\d{{1,4}}|{_HAN_NUMBER}{{1,3}})号[_,-]?(?=\d{{3,5}}(?:室|房|号|$)|第?{_N}(?:单元|梯|楼|层))"
)
_UNIT: Final = re.compile(rf"第?({_N}|[A-Z]|[东西南北中]|{_STEM})(?:单元|梯|门(?!面))")
_FLOOR: Final = re.compile(rf"第?(负?{_N}|B\d)(?:楼|层|F)")
_ROOM: Final = re.compile(
    rf"(?:([A-Z]?-?\d{{1,5}}[A-Z]?)(?:号房|室|房|户|铺|号铺|号)?|({_HAN_NUMBER}{{3,4}})(?:室|房|户|$))(?![\dA-Z期区组片段-])"
)
_CHAIN: Final = re.compile(
    rf"([A-Z]?\d{{1,4}}[A-Z]?|[A-Z]|{_STEM})-(?:(\d{{1,3}}|[A-Z]|[东西南北中]|{_STEM})-)?([A-Z]?\d{{1,5}}[A-Z]?)(?:室|房|号|户)?"
)
_JOIN: Final = re.compile(r"[_,.、()/|:;-]+")
#: What may stand between a street and its number.
_BEFORE_NUMBER: Final = re.compile(r"^(?:门牌(?:号码?)?(?=\d)|NO\.?_?(?=\d)|[第#](?=\d+号?))")
#: 3/1/101, 3.1.101: marks that part numbers as a rule, and stand in for a dash now and then.
_MARKED_CHAIN: Final = re.compile(r"([A-Z]?\d{1,4})([./])(\d{1,2}|[A-Z])\2(\d{3,5})(?:室|房|号)?$")
#: Numerals that no one can alter, before what they count.
_FORMAL: Final = "壹贰叁肆伍陆柒捌玖拾佰仟"
_FORMAL_NUMBER: Final = re.compile(f"[{_FORMAL}零]*[{_FORMAL}][{_FORMAL}零]*(?=[号栋幢座弄室楼层组户]|单元)")
_PLAIN_NUMERALS: Final = str.maketrans(_FORMAL, "一二三四五六七八九十百千")


class Tail(NamedTuple):
    """One reading; "" for what is not said. ``last``: end of a range of numbers or buildings.

    ``each`` holds numbers or buildings that are said one by one (3、5号). ``bent`` tells that a door number's own
    suffix was read as something else: good for candidates only.
    ``rest`` is what could not be read.
    """

    number: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    last: str = ""
    rest: str = ""
    bent: bool = False
    each: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing at all is said."""
        return not (self.number or self.building or self.unit or self.floor or self.room)


def arabic(text: str) -> str:
    """A number in digits without leading zeros: 十二 -> 12, 二零三 -> 203, 012 -> 12; other texts upper case."""
    if text.isascii():
        return (text.lstrip("0") or "0") if text.isdigit() else text.upper()
    if not re.fullmatch(f"{_HAN_NUMBER}+", text):
        return text
    text = text.replace("两", "二")
    if not re.search("[十百千]", text):
        return str(int("".join(str(_CHINESE.index(c)) for c in text)))
    total, digit = 0, 0
    for c in text:
        unit = {"十": 10, "百": 100, "千": 1000}.get(c)
        if unit is None:
            digit = _CHINESE.index(c)
        else:
            total, digit = total + (digit or 1) * unit, 0
    return str(total + digit)


def door(text: str) -> str:
    """Canonical spelling of a door number that a library or a parser states: 12号附3号 -> 12附3, 十二号 -> 12."""
    clean = text.upper().replace("_", "")
    found = _DOOR.match(clean)
    if found:
        read, end = _door(found)
        if end == len(clean):
            return read
    lane = _LANE.fullmatch(clean)
    if lane:
        return _lane(lane)
    attached = _ATTACHED.fullmatch(clean)
    if attached:
        return "附" + arabic(attached[1])
    return clean.removesuffix("号")


def label(text: str) -> str:
    """Canonical spelling of a building, unit or room that a library states: 3栋 -> 3, A座 -> A, 一单元 -> 1."""
    clean = text.upper().replace("_", "")
    for pattern in (_BLOCK, _UNIT, _ROOM):
        found = pattern.fullmatch(clean)
        if found:
            return arabic(found[1] or found[found.lastindex or 0] or "")
    return arabic(clean)


def _door(found: re.Match[str]) -> tuple[str, int]:
    stem, number, letter, _, attached, of, dash, dash_too, after = found.groups()
    read = stem + arabic(number) + letter
    read += f"附{arabic(attached)}" if attached else f"之{arabic(of)}" if of else ""
    read += f"-{arabic(dash or dash_too)}" if dash or dash_too else ""
    end = found.end()
    # 12号院 is the yard of that door
    yard = 2 if found.string.startswith(("院内", "院里"), end) else int(found.string.startswith("院", end))
    return read + (after or ""), end + (yard if len(found.string) > end + yard else min(yard, 1))


def _lane(found: re.Match[str], inner: bool = True) -> str:
    """393弄5, 628弄2支弄7附1; without ``inner`` the lane alone: 393弄."""
    lane, branch, stem, number, letter, attached = found.groups()
    read = f"{arabic(lane)}弄" + (f"{arabic(branch)}支弄" if branch else "")
    if not inner or not number:
        return read
    return read + (stem or "") + arabic(number) + (letter or "") + (f"附{arabic(attached)}" if attached else "")


def _in_lane(clean: str) -> list[Tail]:
    """What stands behind a street in a lane of it: the number is a door of its own, or a building of the lane's."""
    found = _LANE.match(clean)
    if not found:
        return []
    inside = [t._replace(number=_lane(found)) for t in _inside(clean[found.end() :], place=True)]
    number = f"{found[3] or ''}{arabic(found[4])}{found[5] or ''}" if found[4] else ""
    if number and not found[6]:
        lane = _lane(found, inner=False)
        inner = _inside(clean[found.end() :], place=False)
        inside += [t._replace(number=lane, building=number) for t in inner if not t.building]
    return inside


def readings(text: str, *, road: bool, place: bool = True) -> list[Tail]:
    """Every way to read what follows a name, likeliest first. ``road``: a door number may come first.

    ``place``: the name is of a compound or village, where a bare number is a building.
    """
    clean = _cleaned(text, road=road)
    found = _several(clean, road=road, place=place)
    if road:
        found += _in_lane(clean)
        at = _DOOR.match(clean) if not found else None
        if at and not _counts_otherwise(clean, at):
            number, end = _door(at)
            if clean[end : end + 1] == "-" and not at[4]:
                found += _dashed(clean)
            else:
                found += [t._replace(number=number) for t in _inside(clean[end:], place=True)]
    if place and not found:
        found += _inside(clean, place=True)
    return _distinct(found or _inside(clean, place=False))


def _cleaned(text: str, *, road: bool) -> str:
    """A text without what stands in for a dash or for 号."""
    clean = re.sub(r"(?<=\d)(?:一|-{2,})(?=\d)", "-", text.upper().lstrip("_,.、-:/|"))
    clean = _FORMAL_NUMBER.sub(lambda m: m[0].translate(_PLAIN_NUMERALS), clean)
    if road:  # 路5#, 路第5号
        return _BEFORE_NUMBER.sub("", re.sub(r"^(\d{1,5})#", r"\1号", clean))
    spaced = re.match(r"\d{1,4}_\d{1,3}_\d{1,5}(?![\d_])", clean)
    return spaced[0].replace("_", "-") + clean[spaced.end() :] if spaced else clean


def _several(clean: str, *, road: bool, place: bool) -> list[Tail]:
    """Ranges (64-85栋) and lists (3、5号)."""
    span = _SPAN.match(clean)
    if span and int(arabic(span[1])) < int(arabic(span[2])) <= int(arabic(span[1])) + 400:
        low, high, rest = arabic(span[1]), arabic(span[2]), clean[span.end() :]
        if clean[span.end() - 1] != "号" or span[0].endswith("号楼"):
            return [Tail(building=low, last=high, rest=rest)]
        return [Tail(number=f"{low}-{high}", rest=rest), Tail(number=low, last=high, rest=rest)] if road else []
    listed = _LIST.match(clean)
    if listed and (road or place):
        each, rest = tuple(arabic(n) for n in re.findall(_N, listed[0])), clean[listed.end() :]
        return [Tail(number=each[0], each=each, rest=rest) if road else Tail("", each[0], each=each, rest=rest)]
    return []


def _counts_otherwise(clean: str, at: re.Match[str]) -> bool:
    """Whether the number belongs to a building, unit or floor (3栋, 5楼) and is no door."""
    return any(p.match(clean) and (p.match(clean) or at).end() > at.end() for p in (_BLOCK, _UNIT, _FLOOR))


def _dashed(clean: str) -> list[Tail]:
    """人民路12-3: the door 12-3; a longer chain may also be a door with what is inside."""
    chain = re.match(r"(\d{1,5}(?:-\d{1,5})+)(?:号|室)?", clean)
    if not chain:
        lettered = re.match(r"(\d{1,5})-([A-Z])(?![\dA-Z-])号?", clean)
        return (
            [Tail(f"{arabic(lettered[1])}{lettered[2]}", rest=clean[lettered.end() :], bent=True)] if lettered else []
        )
    members, rest = [arabic(m) for m in chain[1].split("-")], clean[chain.end() :]
    found = [t._replace(number="-".join(members)) for t in _inside(rest, place=True)]
    if len(members) == 2:
        found.append(Tail(members[0], room=members[1], rest=rest, bent=True))
        found.append(Tail(members[0], building=members[1], rest=rest, bent=True))
    if len(members) == 3:
        found.append(Tail(f"{members[0]}-{members[1]}", room=members[2], rest=rest, bent=True))
        found.append(Tail(members[0], building=members[1], room=members[2], rest=rest, bent=True))
        found.append(Tail(members[0], unit=members[1], room=members[2], rest=rest, bent=True))
    if len(members) == 4:
        found.append(Tail(members[0], members[1], members[2], room=members[3], rest=rest))
    return found


def _inside(text: str, *, place: bool) -> list[Tail]:
    """Building, unit, floor, room; ``place``: a bare number first is a building."""
    tail, left = _marked(text)
    if place and tail.empty and (first := _first_building(left)):
        return first
    chain = _CHAIN.fullmatch(left)
    if chain and not tail.room:
        return _chained(tail, [arabic(g) for g in chain.groups() if g], place)
    room = _ROOM.match(left)
    if room and not tail.room:
        rest = left[room.end() :]
        value = arabic((room[1] or room[2]).lstrip("-"))
        if not (tail.building or tail.unit or tail.floor) and place and not re.search("[室房户铺]", room[0]):
            return [tail._replace(building=value, rest=rest), tail._replace(room=value, rest=rest)]
        return [tail._replace(room=value, rest=rest)]
    return [tail._replace(rest=left)]


def _first_building(left: str) -> list[Tail]:
    """Buildings that no word marks: 3/1/101, A, A1201, 5号201室."""
    marked = _MARKED_CHAIN.fullmatch(left)
    if marked:
        return [Tail("", arabic(marked[1]), arabic(marked[3]), room=arabic(marked[4]), bent=True)]
    numbered = _NUMBERED_BLOCK.match(left)
    if numbered:
        more = _inside(left[numbered.end() :], place=False)
        return [t._replace(building=arabic(numbered[1])) for t in more if not t.building]
    if re.fullmatch("[A-Z]", left):
        return [Tail(building=left)]
    lettered = re.fullmatch(r"([A-Z])(\d{3,4})(?:室|房|号)?", left)
    if not lettered:
        return []
    return [Tail(building=lettered[1], room=arabic(lettered[2])), Tail(room=lettered[1] + lettered[2])]


_BACKWARDS: Final = re.compile(
    rf"(?:(?P<room>[A-Z]?\d{{1,5}}[A-Z]?)(?:室|房)[_,.、/-]*)?(?:第?(?P<floor>{_N})[楼层][_,.、/-]*)?"
    rf"(?:第?(?P<unit>{_N}|[A-Z]|[东西南北中]|{_STEM})单元[_,.、/-]*)?(?:第?(?P<building>[A-Z]?{_N}|[A-Z]|{_STEM})(?:栋|幢|座|号楼))?"
)


def backwards(text: str) -> list[Tail]:
    """What is said from the room up to the building, none of them twice: 101室1单元3栋, 101室."""
    found = _BACKWARDS.fullmatch(text.upper().strip("_,.、/-"))
    said: dict[str, Any] = {k: arabic(v) for k, v in found.groupdict().items() if v} if found else {}
    return [Tail(**said)] if said else []


def _marked(text: str) -> tuple[Tail, str]:
    """Levels that name themselves, in order, and what is left."""
    tail, left = Tail(), _JOIN.sub("", text[:1]) + text[1:]
    for level, pattern in (("building", _BLOCK), ("unit", _UNIT), ("floor", _FLOOR)):
        found = pattern.match(left)
        if found:
            fields: dict[str, Any] = {level: arabic(found[1] or found[found.lastindex or 0])}
            tail = tail._replace(**fields)
            left = left[found.end() :]
            left = _JOIN.sub("", left[:1]) + left[1:]
    return tail, left


def _chained(tail: Tail, members: list[str], place: bool) -> list[Tail]:
    """A chain of two or three numbers behind what is known already."""
    if len(members) == 3:
        return [tail._replace(building=members[0], unit=members[1], room=members[2])] if not tail.building else []
    if tail.building and not tail.unit:
        return [tail._replace(unit=members[0], room=members[1]), tail._replace(room="-".join(members))]
    if tail.building:
        return [tail._replace(room="-".join(members))]
    two = [tail._replace(building=members[0], room=members[1])] if place or tail.empty else []
    joined = "-".join(members)
    return [
        *two,
        tail._replace(building=members[0], unit=members[1], bent=True),
        tail._replace(building=joined),
        tail._replace(unit=members[0], room=members[1]),
    ]


def _distinct(tails: list[Tail]) -> list[Tail]:
    return list(dict.fromkeys(tails))


def between(low: str, high: str, *, parity: bool = False) -> list[str]:
    """The numbers of a range, both ends with it: 64-85; ``parity``: of one side of a street only."""
    first, last = int(low), int(high)
    step = 2 if parity and (last - first) % 2 == 0 else 1
    return [str(k) for k in range(first, last + 1, step)]
