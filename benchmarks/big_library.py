"""A library of a million made-up addresses, and the same addresses written in other ways."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from gis.addressing.matching.library import Entries, Library, OtherName
from gis.addressing.parsing.variants import SIMPLIFIED, TRADITIONAL

_FIRST: Final = "文武永长新兴金银玉云龙凤青白紫锦华荣安泰福康德仁义礼智信和顺"
_SECOND: Final = "昌兴安宁和盛源泉山湖江桥园林竹梅兰菊松柏阳晖辉光丰裕达通远景"
_WAYS: Final = ("路", "街", "大道", "巷")
_HOMES: Final = ("花园", "小区", "家园", "新村", "名苑", "公寓")
_WIDE: Final = str.maketrans("0123456789-ABC", "０１２３４５６７８９－ＡＢＣ")
_OLD: Final = str.maketrans(dict(zip(SIMPLIFIED, TRADITIONAL, strict=True)))
_NUMERALS: Final = "零一二三四五六七八九"
Writer = Callable[[Entries, int], str]


def entries(count: int, seed: int = 1) -> Entries:
    """Roads with numbers, each a compound of buildings, two units, six floors, two homes a floor."""
    rng = np.random.default_rng(seed)
    stems = [a + b for a in _FIRST for b in _SECOND]
    stems += [a + b for a in stems[:120] for b in "东西南北中上下新"]
    towns = [f"{stems[k * 7]}镇" for k in range(40)]
    communities = [f"{stems[k]}社区" for k in range(600)]
    columns: dict[str, list[str]] = {k: [] for k in ("town", "community", "road", "number", "compound", *_INSIDE)}
    places = 0
    while len(columns["road"]) < count:
        k, turn = places % len(stems), places // len(stems)
        road, number = stems[k] + _WAYS[turn % 4], _number(rng)
        compound = stems[(places * 7) % len(stems)] + _HOMES[turn % 6] + ("" if turn < 6 else f"{turn}区")
        places += 1
        rows = _inside(int(rng.integers(1, 12)))
        common = (towns[k % 40], communities[k % 600], road, number)
        for building, unit, room in rows:
            values = (*common, compound if building else "", building, unit, room)
            for name, value in zip(columns, values, strict=True):
                columns[name].append(value)
    texts = [_text(*row) for row in zip(*(columns[k] for k in list(columns)[2:]), strict=True)]
    return _made({k: np.array(v, dtype=object) for k, v in columns.items()}, np.array(texts, dtype=object))


_INSIDE: Final = ("building", "unit", "room")


def _number(rng: Any) -> str:
    base = str(int(rng.integers(1, 900)))
    return base + ("" if rng.random() < 0.85 else f"附{int(rng.integers(1, 9))}")


def _inside(buildings: int) -> list[tuple[str, str, str]]:
    rows = [("", "", "")]
    for b in map(str, range(1, buildings + 1)):
        rows.append((b, "", ""))
        for unit in "12":
            rows.append((b, unit, ""))
            rows += [(b, unit, f"{floor}0{home}") for floor in range(1, 7) for home in (1, 2)]
    return rows


def _text(road: str, number: str, compound: str, building: str, unit: str, room: str) -> str:
    inside = (f"{building}栋" if building else "") + (f"{unit}单元" if unit else "") + (f"{room}室" if room else "")
    return f"{road}{number}号{compound}{inside}"


def _made(c: dict[str, Any], texts: Any) -> Entries:
    n = len(texts)
    none = np.full(n, "", dtype=object)
    county = np.full(n, "青湄县", dtype=object)
    return Entries(
        np.arange(n).astype(str).astype(object), texts, county, c["town"], c["community"], none, c["road"],
        c["number"],
        c["compound"], c["building"], c["unit"], c["room"], np.zeros(n), np.zeros(n), np.zeros(n, dtype=bool),
    )  # fmt: skip


def library(e: Entries) -> Library:
    """The library, with a former name for every road of the first stem."""
    roads = sorted({str(r) for r in e.road[:2000]})
    aliases = [OtherName("road", r, f"老{r[:-1]}马路", "former") for r in roads]
    return Library(e, aliases, [("province", "湖南省"), ("city", "长沙市")])


def _tail(e: Entries, k: int) -> str:
    return "-".join(str(v) for v in (e.building[k], e.unit[k], e.room[k]) if v)


def _marked(e: Entries, k: int, block: str = "栋") -> str:
    inside = (f"{e.building[k]}{block}" if e.building[k] else "") + (f"{e.unit[k]}单元" if e.unit[k] else "")
    return inside + (f"{e.room[k]}室" if e.room[k] else "")


def _spoken(text: str) -> str:
    return re.sub(r"\d+", lambda m: "".join(_NUMERALS[int(d)] for d in m[0]), text)


#: Ways to write an address that is there. Chains need a building, unit and room.
WRITERS: Final[dict[str, Writer]] = {
    "with its divisions": lambda e, k: f"湖南省长沙市青湄县{e.town[k]}{e.community[k]}{e.text[k]}",
    "some levels left out": lambda e, k: f"{e.community[k]}{e.road[k]}{e.number[k]}号{_marked(e, k)}",
    "compound only": lambda e, k: f"青湄县{e.compound[k] or e.road[k] + e.number[k] + '号'}{_marked(e, k)}",
    "other order": lambda e, k: (
        f"{e.compound[k]}{_marked(e, k)}({e.road[k]}{e.number[k]}号)"
        if e.compound[k]
        else f"{e.road[k]}{e.number[k]}号"
    ),
    "full width": lambda e, k: str(e.text[k]).translate(_WIDE),
    "traditional characters": lambda e, k: str(e.text[k]).translate(_OLD),
    "Chinese numerals": lambda e, k: _spoken(f"{e.road[k]}{e.number[k]}号{e.compound[k]}{_marked(e, k)}"),
    "bare tail": lambda e, k: f"{e.compound[k] or str(e.road[k]) + str(e.number[k]) + '号'}{_tail(e, k)}",
    "other words": lambda e, k: f"{e.road[k]}{e.number[k]}号{e.compound[k]}{_marked(e, k, '号楼')}",
    "blanks and marks": lambda e, k: (
        f"【青湄县】{e.road[k]} {e.number[k]} 号，{e.compound[k]} {_marked(e, k, '幢')}。"
    ),
}


def absent(e: Entries, rows: Any, seed: int = 2) -> list[str]:
    """Addresses that are not there: another number, suffix, building, unit or room of places that are."""
    rng = np.random.default_rng(seed)
    there = {str(t) for t in e.text}
    spelt = {re.sub(r"^(.*?号)[^\d]*", r"\1", t) for t in there}
    found = []
    for k in rows:
        number, building, unit, room = (str(v) for v in (e.number[k], e.building[k], e.unit[k], e.room[k]))
        what = int(rng.integers(0, 5))
        if what == 0 or not building:
            number = (
                f"{number}附{int(rng.integers(10, 99))}" if rng.random() < 0.5 else str(int(rng.integers(900, 9999)))
            )
        elif what == 1:
            building = str(int(rng.integers(13, 99)))
        elif what == 2 or not room:
            unit, room = str(int(rng.integers(3, 9))), room or "101"
        else:
            room = f"{int(rng.integers(7, 30))}0{int(rng.integers(1, 3))}"
        text = _text(str(e.road[k]), number, str(e.compound[k]), building, unit, room)
        if text not in there and text not in spelt:
            found.append(text)
    return found
