"""From a text to the address: exact, not sure (with candidates and the reason), or none.

``exact`` is said only when every part of the text is accounted for: the places are the library's by their names,
aliases or known misprints, the number and everything behind it is that of one address and of no other, and no
stated division contradicts it. Whatever else is found is a candidate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from gis.addressing.compose import Parts
from gis.addressing.matching.asking import Asked, Piece, administrative, ask, beside, goes_on, harmless
from gis.addressing.matching.library import COMMUNITY, COMPOUND, GROUP, ROAD, Library
from gis.addressing.matching.names import Name, folded, named
from gis.addressing.matching.tails import Tail, between, readings
from gis.addressing.parsing.model import Parsed, Parser
from gis.addressing.parsing.normalise import LONGEST, plain

Status = Literal["exact", "unsure", "none"]
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
_UNSURE: Final = 0.6
_PARTED: Final = re.compile(r"\d[_,.、()'\"·]+\d")
#: Places by whose names an address is found.
_NAMED: Final = ("road", "compound", "community", "group")
#: Reasons for which another name may be meant.
_UNNAMED: Final = {"name_goes_on", "unread", "no_such_building", "no_such_number", "number_unknown"}
#: Characters that no address holds.
_MARKUP: Final = frozenset("<>=%\\'\";$@^`")


@dataclass(frozen=True)
class Answer:
    """``rows`` of the library that are meant (several only for a range), or ``candidates``, best first.

    ``reasons`` are codes: why it is not sure, or in what the text differs from the standard one.
    """

    status: Status
    rows: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()
    score: float = 0.0
    reasons: tuple[str, ...] = ()


class _Hit(NamedTuple):
    """Rows one way of reading leads to, and why it may not be taken as it is."""

    rows: tuple[int, ...]
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    near: tuple[int, ...] = ()
    cost: float = 0.0


class Matcher:
    """Matches texts with one library; ``parser`` reads what the library's names do not explain."""

    def __init__(self, library: Library, parser: Parser | None = None) -> None:
        self.library = library
        self.parser = parser

    def match(self, text: str, parsed: Parsed | None = None) -> Answer:
        """The address a text means."""
        if len(text) > LONGEST:
            return Answer("none", reasons=("too_long",))
        whole = folded(text)
        if not whole:
            return Answer("none", reasons=("empty",))
        # two numbers that only a mark parts are not the number they make together
        row = -1 if _PARTED.search(plain(text)) else self.library.by_text(whole)
        if row >= 0 and not self.library.ended(row):
            return Answer("exact", (row,), (), 1.0)
        asked = ask(text, self.library.names)
        hits = self._hits(asked)
        if not hits:
            return self._alike(text, parsed)
        found = self._verdict(asked, hits)
        if found.status == "exact" or not _UNNAMED & set(found.reasons):
            return found
        return self._or_alike(found, text, parsed)

    def _hits(self, asked: Asked) -> list[_Hit]:
        """Every way the named places lead to rows."""
        road, compound, village = asked.road, asked.compound, asked.village
        found: list[_Hit] = []
        if compound is not None:
            for c in compound.named.compounds:
                found += self._in_compound(asked, c, compound, road)
        if road is not None and not any(h.rows and not h.doubts for h in found):
            for r in road.named.roads:
                found += self._on_road(r, road, compound)
        if village is not None and compound is None and road is None:
            for v in village.named.villages:
                found += self._in_village(v, village)
        return found

    def find(self, parts: Parts) -> Answer:
        """The address that labelled parts name: a look in the library, nothing is read or guessed."""
        known, rows = self.library.known, None
        inside = (known("building", parts.building), known("unit", parts.unit), known("room", parts.room))
        for branch, head in (
            (ROAD, (("road", parts.road), ("number", parts.number))),
            (COMPOUND, (("compound", parts.compound),)),
            (GROUP, (("group", parts.group),)),
            (COMMUNITY, (("community", parts.community),)),
        ):
            if not all(text for _, text in head) or (rows is not None and branch >= GROUP):
                continue
            found = self.library.find(branch, *(known(k, t) for k, t in head), *inside)
            rows = found if rows is None else [r for r in rows if r in found]
            if not rows:
                return Answer("none", reasons=("no_such_address",))
        if parts.community and rows:
            here, value = known("community", parts.community), self.library.value
            rows = [r for r in rows if value("community", r) in (here, 0)]
        live = [r for r in rows or () if not self.library.ended(r)]
        if len(live) == 1:
            return Answer("exact", (live[0],), (), 1.0)
        if not rows:
            return Answer("none", reasons=("no_such_address",))
        return Answer("unsure", (), tuple(rows[:MOST]), _UNSURE, ("several" if live else "ended",))

    # --- branches

    def _in_compound(self, asked: Asked, place: Name, piece: Piece, road: Piece | None) -> list[_Hit]:
        behind = piece.behind or (asked.before if _turned(asked) else "")
        stated, clear = self._number_of(road)
        found = []
        for tail in readings(behind, road=False):
            hit = self._rows(COMPOUND, (place.number,), tail)
            hit = self._rest(hit, tail, named_only=tail.empty)
            rows = self._agree(hit.rows, road, stated)
            if hit.rows and not rows:
                hit = hit._replace(doubts=(*hit.doubts, "number_differs"))
            elif not clear and rows:
                hit = hit._replace(rows=rows, doubts=(*hit.doubts, "unread"))
            else:
                hit = hit._replace(rows=rows)
            found.append(hit._replace(cost=hit.cost + _COST[place.how], notes=_how(hit.notes, place)))
        return found

    def _number_of(self, road: Piece | None) -> tuple[str, bool]:
        """The door number behind a road, and whether nothing unread is left behind it."""
        if road is None:
            return "", True
        tail = readings(road.behind, road=True, place=False)[0]
        return tail.number, harmless(tail.rest) and not (tail.last or tail.building)

    def _agree(self, rows: tuple[int, ...], road: Piece | None, number: str) -> tuple[int, ...]:
        """Those rows whose road and number are the stated ones, or that have none."""
        if road is None or not rows:
            return rows
        value = self.library.value
        roads = {n.number for n in road.named.roads} | {0}
        numbers = {self.library.number("number", number), 0} if number else {value("number", r) for r in rows}
        return tuple(r for r in rows if value("road", r) in roads and value("number", r) in numbers)

    def _on_road(self, place: Name, piece: Piece, compound: Piece | None) -> list[_Hit]:
        """By road and number; a compound behind it must be the rows' own."""
        found = []
        for tail in readings(piece.behind, road=True, place=False):
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

    def _on_number(self, place: Name, tail: Tail) -> _Hit:
        if not tail.number:
            return _Hit((), ("no_number",))
        if tail.last or tail.each:
            numbers = list(tail.each) or between(tail.number, tail.last, parity=True)
            hits = [self._rows(ROAD, (place.number, self._label("number", n)), Tail()) for n in numbers]
            return self._range(hits, all_of=bool(tail.each))
        number = self._label("number", tail.number)
        if not self.library.find(ROAD + 20, place.number, number):
            return _Hit((), ("number_unknown",), near=self._other_numbers(place, tail.number))
        return self._rows(ROAD, (place.number, number), tail)

    def _other_numbers(self, place: Name, number: str) -> tuple[int, ...]:
        """Addresses whose number has the same digits but another suffix: candidates."""
        digits = re.search(r"\d+", number)
        if digits is None:
            return ()
        rows = [r for n in self.library.suffixed(digits[0]) for r in self.library.find(ROAD + 20, place.number, n)]
        return tuple(sorted(rows, key=self.library.id)[:MOST])

    def _in_village(self, place: Name, piece: Piece) -> list[_Hit]:
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

    def _rows(self, branch: int, head: tuple[int, ...], tail: Tail) -> _Hit:
        """Rows under a place with exactly a tail's building, unit and room."""
        if head[0] < 0:
            return _Hit((), ("place_unknown",))
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
            return _Hit(tuple(rows), doubts, notes)
        if tail.empty and not tail.rest and branch == COMPOUND:
            return _Hit((), ("no_number",), near=tuple(self.library.buildings_of(head[0])[:MOST]))
        return _Hit((), ("no_such_" + _deepest(tail),), near=self._under(branch, head, tail, building))

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

    def _range(self, hits: Sequence[_Hit], *, all_of: bool) -> _Hit:
        """Rows of a range; those of a list (``all_of``) are candidates, as none of them alone is meant."""
        rows = tuple(r for h in hits for r in h.rows if not h.doubts)
        ends = hits and hits[0].rows and hits[-1].rows
        missing = any(not h.rows for h in hits)
        notes = ("range", "range_gaps") if missing else ("range",)
        doubts = () if ends else ("range_ends",)
        if all_of:
            doubts = ("several",)
        return _Hit(rows, doubts, notes, near=rows[:MOST])

    def _rest(self, hit: _Hit, tail: Tail, *, named_only: bool) -> _Hit:
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

    # --- verdict

    def _verdict(self, asked: Asked, hits: list[_Hit]) -> Answer:
        """One answer from all ways of reading."""
        doubts, notes = self._around(asked)
        hits = [self._divided(asked, h) for h in hits]
        sure = [h for h in hits if h.rows and not h.doubts]
        rows = {h.rows for h in sure}
        if len(rows) == 1 and not doubts:
            hit = min(sure, key=lambda h: (h.cost, h.notes))
            one = len(hit.rows) == 1 or "range" in hit.notes
            live = tuple(r for r in hit.rows if not self.library.ended(r))
            if one and live:
                return Answer("exact", live, (), round(1.0 - hit.cost - 0.02 * len(notes), 3), (*hit.notes, *notes))
            if len(live) == 1:
                return Answer("exact", live, (), round(1.0 - hit.cost - 0.02, 3), (*hit.notes, *notes))
            reason = "several" if live else "ended"
            return Answer("unsure", (), hit.rows[:MOST], _UNSURE / len(hit.rows), (reason, *hit.notes, *notes))
        if len(rows) > 1 and not doubts:
            doubts = ["several_readings"]
        ordered = sorted(hits, key=lambda h: (not h.rows, len(h.doubts), h.cost, self._first(h), h.doubts, h.notes))
        candidates = list(dict.fromkeys(r for h in ordered for r in (*h.rows, *h.near)))[:MOST]
        reasons = list(dict.fromkeys([*doubts, *ordered[0].doubts, *ordered[0].notes, *notes]))
        if not candidates:
            return Answer("none", (), (), 0.0, tuple(reasons) or ("nothing_like_it",))
        score = _UNSURE - ordered[0].cost - 0.1 * len(ordered[0].doubts)
        return Answer("unsure", (), tuple(candidates), round(max(score, 0.05), 3), tuple(reasons))

    def _first(self, hit: _Hit) -> int:
        """What orders hits that are as good as each other: the oldest address they lead to."""
        return min(map(self.library.id, (*hit.rows, *hit.near)), default=0)

    def _around(self, asked: Asked) -> tuple[list[str], tuple[str, ...]]:
        """What stands before the places, and between divisions."""
        doubts, notes = [], []
        before = asked.before
        if before and any(c.isalnum() for c in before) and not _turned(asked):
            if administrative(before):
                doubts.append("outside")
            elif any(c.isdigit() for c in before):
                doubts.append("unread")
            elif not asked.parted:
                doubts.append("name_goes_on")
            else:
                notes.append("more_text")
        for piece in asked.pieces:
            if not (piece.named.divisions or self._meant(asked, piece)):
                doubts.append("unread")
        for piece in asked.pieces[:-1]:
            if piece.behind and not any(piece is a for a in asked.anchors) and not harmless(piece.behind):
                doubts.append("outside" if administrative(piece.behind) else "name_goes_on")
        return list(dict.fromkeys(doubts)), tuple(notes)

    @staticmethod
    def _meant(asked: Asked, piece: Piece) -> bool:
        """Whether a named place is one the address hangs on, or says nothing beside it."""
        return any(piece is a or set(piece.named.names) & set(a.named.names) for a in asked.anchors)

    def _divided(self, asked: Asked, hit: _Hit) -> _Hit:
        """Leave out rows that lie in other divisions than the text says."""
        rows, value = hit.rows, self.library.value
        if not rows:
            return hit
        for piece in asked.pieces:
            names = piece.named.divisions
            if not names or piece is asked.road or piece is asked.compound:
                continue
            if any(n.number < 0 for n in names):
                above = {n.number for n in names}
                rows = tuple(r for r in rows if self.library.lies_in(r, above))
                continue
            rows = tuple(r for r in rows if any(value(n.kind, r) in (n.number, 0) for n in names))
        if not rows:
            return hit._replace(doubts=(*hit.doubts, "division_differs"))
        return hit if len(rows) == len(hit.rows) else hit._replace(rows=rows)

    # --- names that are not there

    def _or_alike(self, found: Answer, text: str, parsed: Parsed | None) -> Answer:
        """The name itself is in doubt, or leads nowhere: what is named alike is a candidate too."""
        alike = self._alike(text, parsed).candidates
        if not alike:
            return found
        candidates = tuple(dict.fromkeys((*alike, *found.candidates)))[:MOST]
        reasons = tuple(dict.fromkeys((*found.reasons, "name_like")))
        return Answer("unsure", (), candidates, max(found.score, 0.3), reasons)

    def _alike(self, text: str, parsed: Parsed | None) -> Answer:
        """No place of the library is named: candidates by names one character away."""
        parser = self.parser
        read = parsed or (parser.parse(text) if parser is not None else None)
        if read is None:
            return Answer("none", reasons=("no_place",))
        candidates: list[int] = []
        names = self.library.names
        for spelt, end in _spoken(read):
            known = names.exact(spelt)
            if known is not None and any(n.how in ("same", "alias") for n in known.names):
                continue  # that is the place
            for name in (*names.longer(spelt, _NAMED), *names.like(spelt, _NAMED)):
                candidates += self._guess(name, text[end:])
        if not candidates:
            return Answer("none", reasons=("no_place",))
        rows = tuple(dict.fromkeys(candidates))[:MOST]
        return Answer("unsure", (), rows, 0.3, ("name_like",))

    def _guess(self, name: Name, behind: str) -> list[int]:
        piece: Any = Piece(named((name,)), name.text, ask(behind, self.library.names).text)
        empty = Asked("", "", True, (piece,))
        ways = {
            "road": lambda: self._on_road(name, piece, None),
            "compound": lambda: self._in_compound(empty, name, piece, None),
        }
        hits = ways.get(name.kind, lambda: self._in_village(name, piece))()
        return [r for h in hits for r in (*h.rows, *h.near)]


def _spoken(read: Parsed) -> list[tuple[str, int]]:
    """Names of places in a parsed text, folded, each with where it ends; a compound also with its section."""
    found: list[tuple[str, int]] = []
    for k, part in enumerate(read.parts):
        if part.kind in ("road", "compound", "section", "community"):
            found.append((folded(part.text), part.end))
        if k and part.kind == "section" and read.parts[k - 1].kind == "compound":
            found.append((folded(read.parts[k - 1].text + part.text), part.end))
    return found


def _turned(asked: Asked) -> bool:
    """Whether the number stands before the only place, as in 11栋兴业小区."""
    if not asked.before or not asked.anchors or asked.pieces[-1].behind or len(asked.pieces) > 1:
        return False
    first = readings(asked.before, road=False)[0]
    return not first.rest and not first.empty


def _deepest(tail: Tail) -> str:
    return next((k for k in ("room", "unit", "building", "number") if getattr(tail, k)), "number")


def _how(notes: tuple[str, ...], place: Name) -> tuple[str, ...]:
    return notes if place.how in ("same", "short") else (*notes, place.how)
