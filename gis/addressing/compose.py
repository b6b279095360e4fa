"""The words of a standard address: Chinese from large to small, western from small to large."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

#: ``zh``: 人民路12号和顺小区3栋2单元301室; ``western``: Mannerheimintie 12.
Style = Literal["zh", "western"]


@dataclass(frozen=True)
class Patterns:
    """How Chinese addresses write what lies inside a compound or building.

    ``number`` writes a room from ``{floor}``, ``{room}`` (its place on the floor) and perhaps ``{unit}``. Units and
    the rooms of a floor count from the ``across`` end of buildings that run east-west, from ``along`` of others.
    """

    building: str = "{building}栋"
    unit: str = "{unit}单元"
    room: str = "{number}室"
    number: str = "{floor}{room:02}"
    unit_letters: bool = False
    skip_floors: tuple[int, ...] = ()
    across: Literal["west", "east"] = "west"
    along: Literal["north", "south"] = "north"


PLAIN: Final = Patterns()


@dataclass(frozen=True)
class Parts:
    """What an address is made of; "" for a level it lacks. ``division`` runs from province to town."""

    community: str = ""
    group: str = ""
    road: str = ""
    number: str = ""  # without 号
    compound: str = ""
    building: str = ""  # 3, A: without 栋
    unit: str = ""
    room: str = ""


def road_text(parts: Parts, style: Style, patterns: Patterns = PLAIN) -> str:
    """The road branch: road and number, then compound, building, unit and room; "" without a number."""
    if not (parts.road and parts.number):
        return ""
    if style == "western":
        return f"{parts.road} {parts.number}" + _inside(parts, style, patterns)
    return f"{parts.road}{parts.number}号" + parts.compound + _inside(parts, style, patterns)


def place_text(parts: Parts, style: Style, patterns: Patterns = PLAIN) -> str:
    """The compound branch: compound and building; without a compound, villager group or community and number."""
    if parts.compound:
        return _joined([parts.compound], style) + _inside(parts, style, patterns)
    if not parts.building:
        return ""
    # registers write a group as 鹿角村三组 or as 三组: the village is said once
    community = "" if parts.community and parts.group.startswith(parts.community) else parts.community
    where = [p for p in (community, parts.group) if p]
    if style == "western":
        home = home_text(parts.unit, parts.room, style, patterns)
        return ", ".join([f"Building {parts.building}{home}", *reversed(where)])
    return "".join(where) + f"{parts.building}号" + home_text(parts.unit, parts.room, style, patterns)


def _inside(parts: Parts, style: Style, patterns: Patterns) -> str:
    home = home_text(parts.unit, parts.room, style, patterns)
    if style == "western":
        return (f" building {parts.building}" if parts.building else "") + home
    return (patterns.building.replace("{building}", parts.building) if parts.building else "") + home


def home_text(unit: str, room: str, style: Style, patterns: Patterns = PLAIN) -> str:
    """Unit and room after a building's text; "" where it has none."""
    if style == "western":
        return (f" unit {unit}" if unit else "") + (f" no. {room}" if room else "")
    named = patterns.unit.replace("{unit}", unit) if unit else ""
    return named + (patterns.room.replace("{number}", room) if room else "")


def _joined(words: list[str], style: Style) -> str:
    return (", " if style == "western" else "").join(w for w in words if w)


def full_text(division: list[str], community: str, text: str, style: Style) -> str:
    """The whole address with its division names (largest first) and community around its own text."""
    words = [w for w in [*division, community] if w]
    if style == "western":
        return ", ".join([text, *(w for w in reversed(words) if w not in text)])
    head = "".join(w for w in words if not text.startswith(w))
    return head + text


def style_of(names: list[str]) -> Style:
    """``zh`` when most street names hold a Han character."""
    han = sum(any("CJK UNIFIED" in unicodedata.name(c, "") for c in n) for n in names)
    return "zh" if not names or han * 2 >= len(names) else "western"
