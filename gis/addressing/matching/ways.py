"""Every way the places a text names lead to rows of a library, each with why it may not be taken as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from gis.addressing.matching.asking import (
    Asked,
    Piece,
    administrative,
    ask,
    beside,
    goes_on,
    harmless,
    turned,
    within,
)
from gis.addressing.matching.library import COMMUNITY, COMPOUND, GROUP, ROAD, Library
from gis.addressing.matching.names import Name, named
from gis.addressing.matching.tails import Tail, between, readings

#: Candidates that are named at most.
MOST: Final = 10
_COST: Final = {
    "same": 0.0,
    "short": 0.02,
    "alias": 0.02,
    "former": 0.04,
    "misprint": 0.04,
    "variant": 0.05,
    "like": 0.3,
}
#: What may be said behind the name of a compound that has no such ending: the compound of that name, most likely.
_ENDING: Final = re.compile("^(?:小区|大院|院|住宅区)(?=[_,.]*[第A-Z\\d一二三四五六七八九十])")
#: Characters that no address holds.
_MARKUP: Final = frozenset("<>=%\\'\";$@^`")


class Hit(NamedTuple):
    """Rows one way of reading leads to, and why it may not be taken as it is."""

    rows: tuple[int, ...]
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    near: tuple[int, ...] = ()
    cost: float = 0.0


class Ways:
    """How named places and what stands behind them are looked up in one library."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def hits(self, asked: Asked) -> list[Hit]:
        """Every way the named places lead to rows."""
        road, compound, village = asked.road, asked.compound, asked.village
        found: list[Hit] = []
        if compound is not None:
            for c in compound.named.compounds:
                found += self._in_compound(asked, c, compound, road)
        if road is not None and not any(h.rows and not h.doubts for h in found):
            for r in road.named.roads:
                found += self._on_road(asked, r, road, compound)
        if village is not None and compound is None and road is None:
            for v in village.named.villages:
                found += self._in_village(v, village)
        return found

    def guess(self, name: Name, behind: str) -> list[Hit]:
        """What a name would lead to that is not quite the text's, with the text behind it."""
        piece: Any = Piece(named((name,)), name.text, ask(behind, self.library.names).text)
        empty = Asked("", "", True, (piece,))
        ways = {
            "road": lambda: self._on_road(empty, name, piece, None),
            "compound": lambda: self._in_compound(empty, name, piece, None),
        }
        return ways.get(name.kind, lambda: self._in_village(name, piece))()

    # --- branches

    def _in_compound(self, asked: Asked, place: Name, piece: Piece, road: Piece | None) -> list[Hit]:
        stated, clear = self.number_of(road)
        found = []
        ending = _ENDING.match(piece.behind)
        behind = piece.behind[ending.end() :] if ending else piece.behind
        for tail in turned(asked) or within(asked, readings(behind, road=False)):
            hit = self._rows(COMPOUND, (place.number,), tail)
            hit = self._rest(hit, tail, named_only=tail.empty)
            if ending:
                hit = hit._replace(doubts=(*hit.doubts, "name_goes_on"))
            rows = self.agree(hit.rows, road, stated)
            if hit.rows and not rows:
                hit = hit._replace(doubts=(*hit.doubts, "number_differs"))
            elif not clear and rows:
                hit = hit._replace(rows=rows, doubts=(*hit.doubts, "unread"))
            else:
                hit = hit._replace(rows=rows)
            found.append(hit._replace(cost=hit.cost + _COST[place.how], notes=_how(hit.notes, place)))
        return found

    def number_of(self, road: Piece | None) -> tuple[str, bool]:
        """The door number behind a road, and whether nothing unread is left behind it."""
        if road is None:
            return "", True
        tail = readings(road.behind, road=True, place=False)[0]
        return tail.number, harmless(tail.rest) and not (tail.last or tail.building)

    def agree(self, rows: tuple[int, ...], road: Piece | None, number: str) -> tuple[int, ...]:
        """Those rows whose road and number are the stated ones, or that have none."""
        if road is None or not rows:
            return rows
        value = self.library.value
        roads = {n.number for n in road.named.roads} | {0}
        numbers = {self.library.number("number", number), 0} if number else {value("number", r) for r in rows}
        return tuple(r for r in rows if value("road", r) in roads and value("number", r) in numbers)

    def _on_road(self, asked: Asked, place: Name, piece: Piece, compound: Piece | None) -> list[Hit]:
        """By road and number; a compound behind it must be the rows' own."""
        found = []
        for tail in turned(asked) or within(asked, readings(piece.behind, road=True, place=False)):
            inner = [tail]
            if compound is not None and tail.number and not tail.rest:
                inner = [t._replace(number=tail.number) for t in readings(compound.behind, road=False)]
            for one in inner:
                hit = self._on_number(place, one)
                hit = self._rest(hit, one, named_only=not one.number)
                if compound is not None and hit.rows:
                    here = {n.number for n in compound.named.compounds} | {0}
                    if not all(self.library.value("compound", r) in here for r in hit.rows):
                        hit = hit._replace(doubts=(*hit.doubts, "place_differs"))
                found.append(hit._replace(cost=hit.cost + _COST[place.how], notes=_how(hit.notes, place)))
        return found

    def _on_number(self, place: Name, tail: Tail) -> Hit:
        if not tail.number:
            number = self._label("number", tail.building) if tail.building else 0
            there = self.library.find(ROAD + 20, place.number, number) if number > 0 else []
            return Hit((), ("no_number",), near=tuple(there[:MOST]))
        if tail.last or tail.each:
            numbers = list(tail.each) or between(tail.number, tail.last, parity=True)
            hits = [self._rows(ROAD, (place.number, self._label("number", n)), Tail()) for n in numbers]
            return self._range(hits, all_of=bool(tail.each))
        number = self._label("number", tail.number)
        if not self.library.find(ROAD + 20, place.number, number):
            return Hit((), ("number_unknown",), near=self._other_numbers(place, tail.number))
        return self._rows(ROAD, (place.number, number), tail)

    def _other_numbers(self, place: Name, number: str) -> tuple[int, ...]:
        """Addresses whose number has the same digits but another suffix: candidates."""
        digits = re.search(r"\d+", number)
        if digits is None:
            return ()
        rows = [r for n in self.library.suffixed(digits[0]) for r in self.library.find(ROAD + 20, place.number, n)]
        letters = sorted(number)

        def order(row: int) -> tuple[bool, bool, int]:
            spelt = self.library.label("number", row)
            return sorted(spelt) != letters, spelt != digits[0], self.library.id(row)

        return tuple(sorted(rows, key=order)[:MOST])

    def _in_village(self, place: Name, piece: Piece) -> list[Hit]:
        found = []
        for tail in readings(piece.behind, road=True):
            inside = tail._replace(building=tail.building or tail.number, number="")
            branch = GROUP if place.kind == "group" else COMMUNITY
            hit = self._rest(self._rows(branch, (place.number,), inside), tail, named_only=tail.empty)
            found.append(hit._replace(cost=hit.cost + _COST[place.how], notes=_how(hit.notes, place)))
        return found

    # --- rows

    def _label(self, what: str, text: str) -> int:
        return self.library.number(what, text)

    def _rows(self, branch: int, head: tuple[int, ...], tail: Tail) -> Hit:
        """Rows under a place with exactly a tail's building, unit and room."""
        if head[0] < 0:
            return Hit((), ("place_unknown",))
        if (tail.last or tail.each) and not tail.number:
            buildings = tail.each or between(tail.building, tail.last)
            each = [tail._replace(building=b, last="", each=()) for b in buildings]
            return self._range([self._rows(branch, head, t) for t in each], all_of=bool(tail.each))
        building, unit = self._label("building", tail.building), self._label("unit", tail.unit)
        room = self._label("room", tail.room)
        find = self.library.find
        rows = find(branch, *head, building, unit, room)
        notes: tuple[str, ...] = ()
        if not rows and tail.room and not tail.unit and branch in (ROAD, COMPOUND):
            rows, notes = find(branch + 10, *head, building, room), ("unit_left_out",)
        if not rows and tail.unit == "1" and tail.room and branch in (ROAD, COMPOUND):
            rows, notes = find(branch, *head, building, 0, room), ("only_unit",)
        if rows:
            floor_off = tail.floor and tail.room and tail.room[:-2] != tail.floor
            doubts = ("floor_differs",) if floor_off else ("floor_only",) if tail.floor and not tail.room else ()
            return Hit(tuple(rows), doubts, notes)
        if tail.empty and not tail.rest and branch == COMPOUND:
            return Hit((), ("no_number",), near=tuple(self.library.buildings_of(head[0])[:MOST]))
        return Hit((), ("no_such_" + _deepest(tail),), near=self._under(branch, head, tail, building))

    def _under(self, branch: int, head: tuple[int, ...], tail: Tail, building: int) -> tuple[int, ...]:
        """What there is of the building, or of the number: candidates."""
        find, value = self.library.find, self.library.value
        rows: list[int] = []
        if building:
            rows = find(branch, *head, building, 0, 0)
            if not rows and branch != ROAD:
                rows = find(branch + 20, *head, building)
        if not rows and branch == ROAD:
            rows = find(branch, *head, 0, 0, 0) or find(branch + 20, *head)
        return tuple(sorted(rows, key=lambda r: value("room", r) > 0)[:MOST])

    def _range(self, hits: Sequence[Hit], *, all_of: bool) -> Hit:
        """Rows of a range; those of a list (``all_of``) are candidates, as none of them alone is meant."""
        rows = tuple(r for h in hits for r in h.rows if not h.doubts)
        ends = hits and hits[0].rows and hits[-1].rows
        missing = any(not h.rows for h in hits)
        notes = ("range", "range_gaps") if missing else ("range",)
        doubts = () if ends else ("range_ends",)
        if all_of:
            doubts = ("several",)
        return Hit(rows, doubts, notes, near=rows[:MOST])

    def _rest(self, hit: Hit, tail: Tail, *, named_only: bool) -> Hit:
        """What a rest that was not read means for a hit."""
        rest = tail.rest
        if tail.bent and hit.rows:
            hit = hit._replace(doubts=(*hit.doubts, "suffix"))
        if harmless(rest):
            return hit
        if beside(rest):
            return hit._replace(doubts=(*hit.doubts, "beside"))
        if named_only and not rest[:1].isdigit():
            return hit._replace(doubts=(*hit.doubts, "name_goes_on"))
        if any(c.isdigit() or c in _MARKUP for c in rest) or administrative(rest) or goes_on(rest):
            return hit._replace(doubts=(*hit.doubts, "unread"))
        return hit._replace(notes=(*hit.notes, "more_text"), cost=hit.cost + 0.05)


def _deepest(tail: Tail) -> str:
    return next((k for k in ("room", "unit", "building", "number") if getattr(tail, k)), "number")


def _how(notes: tuple[str, ...], place: Name) -> tuple[str, ...]:
    return notes if place.how in ("same", "short") else (*notes, place.how)
