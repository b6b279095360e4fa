"""What is inside a building, drawn by lot for synthetic addresses: building, unit, floor, room, chains of numbers."""

from __future__ import annotations

from gis.addressing.parsing.synthetic_names import NameMaker


class TailMaker(NameMaker):
    """Draws what stands behind a place or a door number."""

    # --- what is inside a building

    def inside(self, *, home: bool = False, bare: bool = False) -> None:
        """Building, unit, floor and room in one of the ways they are written."""
        if self.luck(0.42 if home else 0.2):
            self.dashes(bare=bare)
            return
        form = self.weighted(
            [(34, "bur"), (30, "br"), (14, "b"), (7, "bu"), (5, "bfr"), (6, "bf"), (3, "ur"), (3, "buf"),
             (1.5, "bufr")]
            if home else
            [(10, "bur"), (18, "br"), (11, "b"), (6, "bu"), (9, "bfr"), (11, "bf"), (14, "f"), (11, "fr"),
             (12, "r"), (2, "ur")]
        )  # fmt: skip
        if "b" in form:
            self.put(self.building(last=form == "b"), "houseno")
        if "u" in form:
            self.put(self.unit(), "cellno")
        if "f" in form:
            self.put(self.floor(), "floorno")
        if "r" in form:
            if self.luck(0.06) and form != "r":
                self.put("-", "redundant")
            self.put(self.room(short="f" in form), "roomno")

    def building(self, *, last: bool = False) -> str:
        """A building in one of the ways it is written; ``last``: nothing follows."""
        size = [(30, 1), (40, 2), (24, 3), (0.6, 4)]
        mark = self.weighted(
            [
                (29, "幢"),
                (25, "栋"),
                (14, "号楼"),
                (13, "号"),
                (12, "座"),
                (1, "楼"),
                (0.6, "排"),
                (0.6, "#楼"),
                (1, "#"),
            ]
        )
        kind = self.weighted([(80, "d"), (13, "l"), (5, "c"), (3, "m")])
        if kind == "l":
            return str(self.letter() + self.of(["座", "座", "座", "栋", "幢", "栋", "楼"]))
        if kind == "c":
            return str(self.chinese() + self.of(["幢", "栋", "栋", "号楼"]))
        if kind == "m":
            d, c = str(self.upto(1, 30)), self.letter()
            return str((c + d if self.luck(0.7) else d + c) + self.of(["栋", "座", "幢", "", "号"]))
        if mark == "座":
            return str(self.letter() + mark)
        return self.digits(size) + ("" if self.luck(0.06) and not last else mark)

    def unit(self) -> str:
        """A unit."""
        return str(self.weighted([
            (78, lambda: str(self.upto(1, 9)) + "单元"), (12, lambda: self.chinese(6) + "单元"),
            (10, lambda: self.digits([(4, 2), (1, 3)]) + "单元"), (2.5, lambda: self.letter().upper() + "单元"),
            (1, lambda: self.of(["东单元", "西单元", "甲单元", "乙单元", "中单元"])),
            (3, lambda: f"{self.upto(1, 40)}号"),
            (1.5, lambda: f"{self.upto(1, 99)}街"), (0.5, lambda: f"{self.upto(1, 9)}门"),
        ])())  # fmt: skip

    def floor(self) -> str:
        """A floor."""
        return str(self.weighted([
            (32, lambda: self.chinese(9) + "楼"), (60, lambda: self.digits([(5, 1), (5, 2), (0.7, 3)]) + "楼"),
            (4, lambda: self.digits([(5, 1), (5, 2)]) + "层"), (1.3, lambda: self.chinese(9) + "层"),
            (0.5, lambda: "负一楼"), (0.4, lambda: "架空层"),
            (1.2, lambda: self.digits([(5, 1), (5, 2)]) + self.letter()),
            (1.5, lambda: self.digits([(5, 1), (5, 2)]) + "F"), (0.3, lambda: f"第{self.chinese(9)}层"),
        ])())  # fmt: skip

    def room(self, *, short: bool = False) -> str:
        """A room; ``short``: its floor was said."""
        bare = self.luck(0.62)
        size = (
            [(1.5, 1), (3, 2), (27, 3), (52, 4), (3, 5)] if not short else [(6, 1), (8, 2), (25, 3), (40, 4), (3, 5)]
        )
        digits = self.digits(size)
        if self.luck(0.008):
            digits = "".join("零一二三四五六七八九"[int(d)] for d in digits)
        elif self.luck(0.05):
            digits = self.letter() + ("-" if self.luck(0.1) else "") + digits
        elif self.luck(0.02):
            digits = f"{digits}-{int(digits) + self.upto(1, 6)}"
        elif self.luck(0.01):
            digits = f"{digits}-{self.upto(1, 9)}"
        elif self.luck(0.01):
            digits += self.letter()
        mark = self.weighted(
            [(56, "室"), (24, "号"), (1.2, "房"), (0.6, "铺"), (0.6, "店"), (0.3, "号房"), (0.5, "户")]
        )
        return digits if bare else digits + mark

    def dashes(self, *, bare: bool) -> None:
        """A chain of numbers and dashes; what its members are depends on how many there are, and on their size."""
        dash = self.weighted([(88, "-"), (4, "一"), (5, "--"), (2, "/"), (1, "_")])
        room_size = [(28, 3), (60, 4), (1, 5), (2.5, 2), (1.2, 1)]
        house = self.digits([(32, 1), (46, 2), (20, 3), (2, 4)])
        if self.luck(0.05):
            house = self.letter() + (house if self.luck(0.6) else "")
        form = self.weighted(
            [(38, "bur"), (43, "br"), (5, "bMur"), (6, "bMr"), (6, "bMuMr"), (5, "bu"), (2, "bfr"), (2, "ur")]
        )
        mark = self.of(["幢", "栋", "栋", "号楼", "座"])
        if bare and form in ("bur", "bu") and self.luck(0.3):
            form = "br"
        if "b" in form:
            self.put(house + (mark if "bM" in form else ""), "houseno")
            if "bM" not in form or self.luck(0.15):
                self.put(dash, "redundant")
        if "u" in form:
            sizes = [(90, 1), (14 if "r" in form else 70, 2), (2.5, 3)]
            unit = self.digits(sizes) if self.luck(0.96) else self.letter()
            self.put(unit + ("单元" if "uM" in form else ""), "cellno")
            if form != "bu":
                self.put(dash, "redundant")
        if "f" in form:
            self.put(str(self.upto(1, 30)) + self.of(["", "楼", "层"]), "floorno")
            self.put(dash, "redundant")
        if form.endswith("r"):
            self.put(self.digits(room_size) + ("室" if self.luck(0.2) else ""), "roomno")
