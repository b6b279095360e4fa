"""Labelled addresses made by lot from divisions, words and patterns, to train a parser that may be shipped.

Nothing of a labelled set is in them. The patterns are those by which people write addresses in China: divisions
that are left out, shortened or said twice, a road and a number, a place and its building, unit, floor and room,
bare chains of numbers (7-6-1046 is building, unit, room), corners of two roads, what stands opposite.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from gis.addressing.parsing.synthetic_names import Labelled, Names, names_of
from gis.addressing.parsing.synthetic_tails import TailMaker

#: Parts between which a blank or a dash is often put.
_DIVISIONS: Final = ("country", "prov", "city", "district")

__all__ = ["Labelled", "Names", "addresses", "names_of"]


def addresses(names: Names, words: Mapping[str, Any], count: int, seed: int) -> list[Labelled]:
    """``count`` labelled addresses; the same seed gives the same."""
    maker = _Maker(names, words, np.random.default_rng(seed))
    return [maker.one() for _ in range(count)]


def deployment(names: Names, words: Mapping[str, Any], count: int, seed: int) -> dict[str, list[str]]:
    """Names of a deployment that does not exist: a parser learns from it what it is to know a place's own names."""
    maker = _Maker(names, words, np.random.default_rng(seed))
    return {
        "road": [maker.road() for _ in range(count)],
        "compound": [maker.place("home") for _ in range(count)],
        "community": [maker.community() for _ in range(count)],
    }


class _Maker(TailMaker):
    """Draws one address after the other."""

    # --- whole

    def one(self) -> Labelled:
        """One address with its parts."""
        self.out = []
        head = self.luck(0.87)
        if head:
            self.head()
        zoned, town = self.behind("devzone"), self.behind("town")
        self.weighted(
            [(110 if zoned else 46, self.by_road), (30, self.by_place),
             (4 if zoned else 17 if town else 13, self.by_village), (2.2, self.corner), (1.2, self.only_head),
             (2, self.lane), (3, self.place_then_road), (0.5, self.inside)]
        )()  # fmt: skip
        self.ending()
        if not self.out:
            self.by_road()
        if self.luck(0.045):
            self.blanks()
        text, parts = "", []
        for piece, label in self.out:
            parts.append((len(text), len(text) + len(piece), label))
            text += piece
        return text, parts

    def blanks(self) -> None:
        """A blank or a dash between some of the parts."""
        mark = self.weighted([(6, "_"), (3, "-"), (0.5, "?"), (0.3, ",")])
        where = self.weighted([(0.25, "everywhere"), (0.4, "divisions"), (0.35, "somewhere")])
        spread: list[tuple[str, str]] = []
        for k, item in enumerate(self.out):
            divided = k > 0 and not item[0].startswith("-") and not self.out[k - 1][0].endswith("-")
            divided = divided and not (item[0][0].isascii() and self.out[k - 1][0][-1].isascii())
            wanted = where == "everywhere" or (where == "divisions" and self.out[k - 1][1] in _DIVISIONS)
            if divided and (wanted or (where == "somewhere" and self.luck(0.3))):
                spread.append((mark, "redundant"))
            spread.append(item)
        self.out = spread

    # --- divisions

    def head(self) -> None:
        """Province to town, some left out, some cut short, some said twice."""
        prov, city, county, towns = self.of(self.names.tree)
        own = self.names.own
        if own.get("district") and self.luck(0.15):
            county, towns = self.of(own["district"]), list(own.get("town") or towns)
        if self.luck(0.08):
            county = self.of(self.words["former_county"])
        levels = self.weighted([
            (23, "pcd"), (21, "pcdt"), (15, "t"), (11, "cd"), (9, "d"), (8, "dt"), (8, "cdt"), (6, "pdt"), (3, "c"),
            (3, "pd"), (2.2, "pc"), (2, "ct"), (1.5, "pct"), (0.4, "p"), (0.5, "Cpcd"),
        ])  # fmt: skip
        if not city:
            city = prov if prov.endswith("市") else ""
        town = self.of(towns) if towns else county
        if self.luck(0.03):
            levels = "pcdt" if "t" in levels else "pcd"
            self.twice(prov, city, county, town)
        if "C" in levels:
            self.put("中国", "country")
        if "p" in levels:
            self.put(self.cut(prov, "prov", 0.2), "prov")
            if prov == city and self.luck(0.4):
                self.put(prov, "redundant")
                city = ""
        if "c" in levels and city:
            self.perhaps(0.02, ["市辖区"])
            self.put(self.cut(city, "city", 0.22), "city")
        if "d" in levels:
            self.put(self.cut(county, "district", 0.09), "district")
            self.perhaps(0.03, ["市辖区", "城区", "其它区", county, city or county])
        if "t" in levels:
            self.perhaps(0.03, [county, city or county])
            self.town(prov, city, county, town, towns)
        if self.luck(0.005 if "t" in levels else 0.075):
            self.put(self.zone(), "devzone")

    def perhaps(self, chance: float, words: list[str]) -> None:
        """Now and then one of some words too many."""
        if self.luck(chance):
            self.put(self.of(words), "redundant")

    def town(self, prov: str, city: str, county: str, town: str, towns: list[str]) -> None:
        """A town, with what is said once more behind it."""
        self.put(self.cut(town, "town", 0.13), "town")
        if self.luck(0.03):
            for piece in (prov, city, county, town)[self.upto(0, 3) :]:
                self.put(piece, "redundant")
        elif self.luck(0.012):
            self.put(self.cut(self.of(towns or [county]), "town", 0.3), "town")

    def twice(self, prov: str, city: str, county: str, town: str) -> None:
        """The divisions are said twice: what comes first is redundant."""
        form = self.weighted([(9, "pcd"), (2, "pc"), (9, "c"), (4, "p"), (5, "t"), (2, "cd")])
        for level, name in (("p", prov), ("c", city or prov), ("d", county), ("t", town)):
            if level in form:
                kind = {"p": "prov", "c": "city", "d": "district", "t": "town"}[level]
                self.put(self.cut(name, kind, 0.7 if form in ("c", "p") else 0.1), "redundant")

    # --- branches

    def by_road(self) -> None:
        """A road and a number, then perhaps a place and what is inside."""
        if self.luck(0.13):
            self.put(self.community(), "community")
        self.put(self.road(), "road")
        if self.luck(0.012):
            self.put(self.of(["东段", "西段", "中段", "北段", "南段", "一段"]), "subroad")
        numbered = self.luck(0.75)
        if numbered:
            self.put(self.number(), "roadno")
            if self.luck(0.03):
                self.out.pop()
                self.door_and_house()
                if self.luck(0.3):
                    self.inside_place()
                return
            if self.luck(0.018):
                self.near()
                self.put(self.place(), "poi")
                return
        more = (
            self.weighted([(42, ""), (38, "place"), (20, "inside")])
            if numbered
            else self.weighted([(20, ""), (74, "place"), (6, "near")])
        )
        if more == "place":
            self.inside_place()
        elif more == "inside":
            self.inside(bare=True)
        elif more == "near":
            self.near()
            self.put(self.place(), "poi")

    def door_and_house(self) -> None:
        """A door number and a house behind it: 668-6号. The second is lower; where it is higher, it is a range."""
        door = self.digits([(2, 2), (6, 3), (2, 4)])
        house = str(self.upto(1, min(int(door), 20 if self.luck(0.8) else 200)))
        self.put(door, "roadno")
        self.put("-", "redundant")
        self.put(house + ("号" if self.luck(0.65) else ""), "houseno")

    def by_place(self) -> None:
        """A place without a road, and what is inside."""
        if self.luck(0.08):
            self.put(self.community(), "community")
        self.inside_place()

    def place_then_road(self) -> None:
        self.put(self.place(self.weighted([(5, "works"), (1, "")])), "poi")
        self.put(self.road(), "road")
        self.put(self.number(), "roadno")
        if self.luck(0.35):
            self.put(self.place("company" if self.luck(0.6) else ""), "subpoi")
        elif self.luck(0.4):
            self.inside(bare=True)

    def by_village(self) -> None:
        """A village with a group, a hamlet, a number."""
        known = self.behind("town") or self.behind("redundant")
        self.put(self.community(), "community" if known or self.luck(0.8) else "poi")
        form = self.weighted([(24, "hamlet"), (22, ""), (24, "number"), (12, "group"), (10, "road"), (8, "place")])
        if form == "hamlet":
            self.put(self.hamlet(), "poi")
            if self.luck(0.5):
                self.put(self.number(), "roadno")
        elif form == "number":
            if self.luck(0.08):
                self.door_and_house()
            else:
                self.put(self.number(), "roadno")
        elif form == "group":
            group = self.of(["组", "组", "组", "社", "队"])
            self.put((self.chinese(15) if self.luck(0.4) else str(self.upto(1, 30))) + group, "road")
            if self.luck(0.4):
                self.put(self.number(), "roadno")
        elif form == "road":
            self.put(self.road(), "road")
            if self.luck(0.6):
                self.put(self.number(), "roadno")
        elif form == "place":
            self.inside_place()

    def lane(self) -> None:
        """A lane off a road: 江山路179弄7号."""
        self.put(self.road(), "road")
        if self.luck(0.4):
            self.put(self.digits([(1, 1), (5, 2), (6, 3)]) + self.of(["弄", "弄", "弄", "巷"]), "roadno")
            self.put(
                self.digits([(3, 1), (6, 2), (4, 3)]) + self.of(["号", "号", "号", "幢", "栋", "号楼"]), "houseno"
            )
            if self.luck(0.5):
                self.put(self.room(), "roomno")
            return
        if self.luck(0.75):
            self.put((self.chinese() if self.luck(0.1) else self.digits([(1, 1), (5, 2), (6, 3), (1, 4)]))
                     + self.of(["弄", "弄", "弄", "巷", "支路"]), "subroad")  # fmt: skip
        else:
            self.put(self.stem() + self.of(["巷", "弄", "里"]), "subroad")
        if self.luck(0.8):
            self.put(self.digits([(3, 1), (6, 2), (4, 3)]) + ("号" if self.luck(0.9) else ""), "subroadno")
        if self.luck(0.3):
            self.inside(bare=True)
        elif self.luck(0.25):
            self.inside_place()

    def corner(self) -> None:
        """Where two roads meet."""
        self.put(self.road(), "road")
        self.put(self.of(self.words["tail"]["joint"]), "assist")
        self.put(self.road(), "subroad")
        self.put(self.of(self.words["tail"]["meeting"]), "assist")
        if self.luck(0.65):
            self.inside_place()

    def only_head(self) -> None:
        """Divisions alone, or with a village."""
        if self.luck(0.4):
            self.put(self.community(), "community")

    def near(self) -> None:
        self.put(self.of(self.words["tail"]["relation"]), "assist")

    def inside_place(self) -> None:
        """A place, perhaps a section of it, and what is inside."""
        kind = self.weighted(
            [(38, "home"), (20, "house"), (9, "market"), (10, "works"), (6, "company"), (11, "office"), (7, "shop")]
        )
        self.put(self.place(kind), "poi")
        if kind in ("company", "office", "shop") and self.luck(0.7):
            if self.luck(0.2):
                self.section()
            elif self.luck(0.15):
                self.near()
                if self.luck(0.3):
                    self.put(self.place("shop"), "subpoi")
            return
        if self.luck(0.23):
            self.section()
            if self.luck(0.3):
                return
        if self.luck(0.72):
            self.inside(home=kind == "home")
        elif self.luck(0.25):
            self.near()
            if self.luck(0.4):
                self.put(self.place(), "subpoi")

    def section(self) -> None:
        words = self.words["section"]
        form = self.weighted([(38, "zone"), (22, "part"), (40, "place")])
        if form == "place":
            self.put(self.place(), "subpoi")
        else:
            self.put(self.of(words[form]), "subpoi")

    # --- what stands at the end

    def ending(self) -> None:
        """Who receives it, and remarks."""
        likely = {"floorno": 0.2, "subpoi": 0.1, "assist": 0.05, "roomno": 0.035, "houseno": 0.02, "poi": 0.01}
        if self.luck(likely.get(self.out[-1][1] if self.out else "", 0.004)):
            tail = self.words["tail"]
            text = self.weighted([(5, self.of(tail["recipient"])), (4, self.stem() + self.of(tail["recipient_end"])),
                                  (2, self.place("company")),
                                  (0.7, self.of(self.words["section"]["zone"]))])  # fmt: skip
            self.put(text, "person")
        if self.luck(0.055):
            self.put(self.of(self.words["tail"]["mark"]), "redundant")
