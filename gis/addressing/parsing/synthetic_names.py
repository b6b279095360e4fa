"""Names and numbers drawn by lot for synthetic addresses: roads, compounds, villages, door numbers, rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from gis.addressing.parsing.lexicon import short

#: A text and its parts: (begin, end, label), without gaps.
Labelled = tuple[str, list[tuple[int, int, str]]]
_NUMERALS: Final = "一二三四五六七八九十"


@dataclass(frozen=True)
class Names:
    """What names are drawn from: the country's tree, and those of a deployment.

    ``tree``: (province, city, county, towns) with "" where a level is missing; ``stems`` two or three characters
    of villages and communities; ``own`` are names of a deployment by kind (road, compound, community ...).
    """

    tree: list[tuple[str, str, str, list[str]]]
    communities: list[str]
    stems: list[str]
    own: Mapping[str, Sequence[str]] = field(default_factory=dict)


def names_of(divisions: Sequence[tuple[str, str]], own: Mapping[str, Sequence[str]] | None = None) -> Names:
    """Names from (code, name) pairs of divisions; codes begin with the code above."""
    name = dict(divisions)
    towns: dict[str, list[str]] = {}
    for code, text in divisions:
        if len(code) == 9:
            towns.setdefault(code[:6], []).append(text)
    tree = []
    for code, text in divisions:
        if len(code) == 6:
            city = name.get(code[:4], "")
            plain = "" if city in ("市辖区", "县") or "直辖" in city else city
            tree.append((name.get(code[:2], ""), plain, text, towns.get(code, [text])))
    communities = [text for code, text in divisions if len(code) == 12]
    stems = sorted({s for c in communities if (s := _stem(c))})
    return Names(tree, communities, stems, own or {})


def _stem(name: str) -> str:
    for ending in ("社区居委会", "村委会", "居委会", "居民委员会", "村民委员会", "社区", "村"):
        if name.endswith(ending):
            name = name[: -len(ending)]
            break
    return name if 2 <= len(name) <= 3 and name.isalpha() else ""


class NameMaker:
    """Draws names and numbers; what is drawn gathers in ``out`` as (text, label)."""

    def __init__(self, names: Names, words: Mapping[str, Any], rng: np.random.Generator) -> None:
        self.names, self.words, self.rng = names, words, rng
        self._pool = rng.random(1 << 16).tolist()
        self._at = 0
        self.out: list[tuple[str, str]] = []

    # --- lots

    def r(self) -> float:
        """A number in [0, 1); drawn in bulk, renewed when used up."""
        if self._at == len(self._pool):
            self._pool, self._at = self.rng.random(1 << 16).tolist(), 0
        self._at += 1
        return float(self._pool[self._at - 1])

    def luck(self, p: float) -> bool:
        """True with a chance of ``p``."""
        return self.r() < p

    def of(self, items: Sequence[Any]) -> Any:
        """One of some items."""
        return items[int(self.r() * len(items))]

    def weighted(self, items: Sequence[tuple[float, Any]]) -> Any:
        """One of (weight, item) pairs."""
        left = self.r() * sum(w for w, _ in items)
        for w, item in items:
            left -= w
            if left < 0:
                return item
        return items[-1][1]

    def upto(self, low: int, high: int) -> int:
        """A whole number between two."""
        return low + int(self.r() * (high - low + 1))

    def behind(self, label: str) -> bool:
        """Whether the last part has a label."""
        return bool(self.out) and self.out[-1][1] == label

    def put(self, text: str, label: str) -> None:
        """Add a part; "" is none. Two numbers never touch: a dash or a blank stands between them."""
        if not text:
            return
        if self.out and self.out[-1][0][-1].isdigit() and text[0].isdigit():
            self.out.append(("-" if self.luck(0.75) else "_", "redundant"))
        self.out.append((text, label))

    def cut(self, name: str, kind: str, chance: float) -> str:
        """Now and then a name without its ending."""
        if not self.luck(chance):
            return name
        return short(name, kind) or name

    def zone(self) -> str:
        """A development zone."""
        ends = self.weighted([
            (26, "经济开发区"), (20, "开发区"), (13, "经济技术开发区"), (13, "工业区"), (12, "新区"), (6, "工业园区"),
            (7, "高新区"), (4, "工业园"), (2, "高新技术开发区"), (2, "高新园区"), (2, "保税区"), (1, "产业园区"),
            (1, "高新技术产业园区"), (1, "高教园区"), (1, "科技园"), (1, "空港经济区"), (2, "度假区"), (1, "风景区"),
        ])  # fmt: skip
        head = self.weighted(
            [(30, ""), (35, self.stem()), (35, self.cut(self.of(self.names.tree)[2], "district", 0.85))]
        )
        return f"{head}{ends}"

    # --- names

    def stem(self) -> str:
        """Two or three characters that many names begin with."""
        if self.luck(0.55):
            return str(self.of(self.names.stems))
        w = self.words
        name = self.of(w["stem_first"]) + self.of(w["stem_second"])
        if self.luck(0.06):
            name += self.of(w["stem_second"])
        return str(name)

    def road(self) -> str:
        """A road, street or lane."""
        own = self.names.own.get("road", ())
        if own and self.luck(0.3):
            return str(self.of(own))
        stem = self.stem()
        way = self.weighted([
            (52, "路"), (6, "大道"), (9, "街"), (2, "大街"), (2.5, "巷"), (0.5, "弄"), (0.6, "线"), (0.8, "公路"),
            (0.4, "国道"), (0.4, "桥"), (1.2, ""), (0.5, "胡同"), (0.3, "里"),
        ])  # fmt: skip
        turn = self.weighted([
            (62, ""), (7, "东"), (7, "西"), (5.5, "南"), (6.5, "北"), (4, "中"), (1.5, "一"), (1.5, "二"),
            (1.3, "三"),
            (0.8, "四"), (0.5, "五"), (0.3, "六"), (0.3, "八"), (0.2, "十"), (0.3, "支"), (0.2, "新"), (0.2, "横"),
            (0.3, "3"), (0.2, "12"), (0.2, "5号"),
        ])  # fmt: skip
        if way == "国道":
            return f"{self.upto(104, 330)}国道"
        if way == "大街" and self.luck(0.25):
            return f"{self.upto(1, 30)}号大街"
        if way == "线" and self.luck(0.5):
            return stem[:2] + "线"
        if way in ("路", "街") and self.luck(0.015):
            return str(self.of(["建设", "人民", "中山", "解放", "机场", "文化", "环城"]) + turn + way)
        return f"{stem}{turn}{way}" if way in ("路", "街", "大道", "公路", "大街", "巷") else f"{stem}{way}"

    def place(self, kind: str = "") -> str:
        """A compound, building, market, works, company, office, shop."""
        own = self.names.own.get("compound", ())
        if own and kind in ("", "home") and self.luck(0.3):
            return str(self.of(own))
        w = self.words["poi"]
        kind = kind or self.weighted([
            (30, "home"), (17, "house"), (9, "market"), (12, "works"), (8, "company"), (13, "office"), (10, "shop"),
        ])  # fmt: skip
        head = self.stem()
        if self.luck(0.2):
            head = self.of(w["brand"]) + (self.stem() if self.luck(0.35) else "")
        if self.luck(0.06):
            head = self.cut(self.of(self.names.tree)[1] or "江南", "city", 0.8) + ("" if self.luck(0.4) else head)
        if self.luck(0.025):
            head = "".join(self.of(["SOHO", "CBD", "IT", "A", "V", "MOMA", "inn77", "EFC", "U", "99"])) + head
        if kind == "company":
            return str(head + ("" if self.luck(0.25) else self.of(w["trade"])) + self.of(w["company"]))
        if kind == "home" and self.luck(0.15):
            head += self.stem()
        if kind == "office" and self.luck(0.2):
            return str(self.of(w["office"]))
        if kind == "shop" and self.luck(0.12):
            return str(self.of(w["shop"]))
        if self.luck(0.07):
            return head
        zoned = kind in ("home", "market", "works") and self.luck(0.012)
        zone = self.of(self.words["section"]["zone"]) if zoned else ""
        return f"{head}{self.of(w[kind])}{zone}"

    def hamlet(self) -> str:
        """A village, or a part of one."""
        if self.luck(0.25):
            place: str = self.of(["家", "家湾", "家塘", "家桥", "宅", "庄", "家埭", "家头"])
            return str(self.of(self.words["person_name"])) + place
        head = self.stem()
        return head + self.of(self.words["poi"]["hamlet"]) if self.luck(0.5) else head

    def community(self) -> str:
        """A village or community."""
        if self.own("community"):
            return str(self.of(self.names.own["community"]))
        stem = _stem(str(self.of(self.names.communities))) or self.stem()
        ending = self.weighted([
            (66, "村"), (8, "社区"), (2, "村委会"), (1, "居委会"), (22, ""), (1.5, "新村"), (1, "一村"),
        ])  # fmt: skip
        return stem + str(ending)

    def own(self, kind: str) -> bool:
        """Whether a name of the deployment is drawn."""
        return bool(self.names.own.get(kind)) and self.luck(0.3)

    # --- numbers

    def digits(self, sizes: Sequence[tuple[float, int]]) -> str:
        """A number of one of (weight, length)."""
        size = self.weighted(sizes)
        low = 10 ** (size - 1)
        return str(self.upto(low, low * 10 - 1))

    def range(self) -> str:
        """Two numbers of one door, the second a little higher: 103-105."""
        first = int(self.digits([(2, 1), (4, 2), (5, 3), (1, 4)]))
        return f"{first}-{first + (self.upto(1, 6) if self.luck(0.7) else self.upto(7, 80))}"

    def chinese(self, top: int = 12) -> str:
        """A number up to ``top`` in Chinese numerals."""
        n = self.upto(1, top)
        tens, ones = divmod(n, 10)
        return ("十" if tens else "") + (_NUMERALS[ones - 1] if ones else "")

    def letter(self) -> str:
        """A capital near the beginning of the alphabet, now and then a small one."""
        c = "ABCDEFGHSWY"[min(int(self.r() * self.r() * 14), 10)]
        return c.lower() if self.luck(0.12) else c

    def number(self) -> str:
        """A door number with its mark."""

        def one() -> str:
            return self.digits([(5, 1), (18, 2), (46, 3), (30, 4), (0.3, 5)])

        form = self.weighted([
            (84, lambda: one() + "号"), (8, one), (2, lambda: one() + "弄"), (1.2, lambda: f"{one()}-{one()}号"),
            (0.6, lambda: f"{one()}-{one()}"), (0.8, lambda: self.chinese(30) + "号"),
            (0.5, lambda: f"{one()}、{one()}号"),
            (0.3, lambda: one() + self.letter() + "号"), (0.4, lambda: f"{one()}号-{self.upto(1, 20)}"),
            (0.3, lambda: f"附{self.upto(1, 99)}号"), (0.5, lambda: f"{one()}号附{self.upto(1, 30)}"),
            (0.6, lambda: f"{one()}号附{self.upto(1, 30)}号"), (0.3, lambda: f"{one()}号{self.of('甲乙丙')}"),
            (0.2, lambda: f"{self.of('甲乙丙')}{one()}号"), (0.3, lambda: f"{one()}号之{self.upto(1, 9)}"),
        ])  # fmt: skip
        return str(form())
