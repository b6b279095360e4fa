"""From a text to the address: exact, not sure (with candidates and the reason), or none.

``exact`` is said only when every part of the text is accounted for: the places are the library's by their names,
aliases or known misprints, the number and everything behind it is that of one address and of no other, and no
stated division contradicts it. Whatever else is found is a candidate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gis.addressing.compose import Parts
from gis.addressing.matching.asking import (
    Asked,
    Piece,
    administrative,
    ask,
    harmless,
    turned,
)
from gis.addressing.matching.library import COMMUNITY, COMPOUND, GROUP, ROAD, Library
from gis.addressing.matching.names import folded
from gis.addressing.matching.ways import MOST, Hit, Ways
from gis.addressing.parsing.model import Parsed, Parser
from gis.addressing.parsing.normalise import LONGEST, plain

Status = Literal["exact", "unsure", "none"]
_UNSURE: Final = 0.6
_PARTED: Final = re.compile(r"\d[_,.、()'\"·]+\d")
_BRACKETS: Final = re.compile(r"\(([^()]*)\)")
#: What is said before another name of the same place.
_AGAIN: Final = re.compile("^[_,]*(?:今|现|原|旧|即|又名|也叫|别名|旧[称名]|曾用名|现[称名]|原[称名]|俗称)[为是:_]*")
#: Ends of names of streets and compounds, wherever they stand.
_NAME_END: Final = re.compile("[路街巷道条里弄苑园庭村城厦]|胡同|小区|公寓")
#: Places by whose names an address is found.
_NAMED: Final = ("road", "compound", "community", "group")
#: Reasons for which another name may be meant.
_UNNAMED: Final = {"name_goes_on", "unread", "no_such_building", "no_such_number", "number_unknown"}


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


class Matcher:
    """Matches texts with one library; ``parser`` reads what the library's names do not explain."""

    def __init__(self, library: Library, parser: Parser | None = None) -> None:
        self.library = library
        self.parser = parser
        self.ways = Ways(library)

    def match(self, text: str, parsed: Parsed | None = None) -> Answer:
        """The address a text means."""
        if len(text) > LONGEST:
            return Answer("none", reasons=("too_long",))
        found = self._read(text, parsed)
        clean = plain(text) if found.status != "exact" else ""
        return self._unbracketed(clean, found) if "(" in clean else found

    def _read(self, text: str, parsed: Parsed | None = None) -> Answer:
        """What a text means, its brackets taken as blanks."""
        whole = folded(text)
        if not whole:
            return Answer("none", reasons=("empty",))
        # two numbers that only a mark parts are not the number they make together
        row = -1 if _PARTED.search(plain(text)) else self.library.by_text(whole)
        if row >= 0 and not self.library.ended(row):
            return Answer("exact", (row,), (), 1.0)
        asked = ask(text, self.library.names)
        hits = self.ways.hits(asked)
        if not hits:
            return self._alike(text, parsed, asked)
        found = self._verdict(asked, hits)
        if found.status == "exact" or not _UNNAMED & set(found.reasons):
            return found
        return self._or_alike(found, self._alike(text, parsed, asked).candidates, hits)

    def _unbracketed(self, clean: str, found: Answer) -> Answer:
        """The same where brackets hold a part of the address (280号(附1号)), or say a part of it again (今A路)."""
        inner = _BRACKETS.findall(clean)
        if not 0 < len(inner) < 4:
            return found
        joined = self._read(_BRACKETS.sub(_opened, clean))
        if joined.status == "exact":
            return joined
        outer = self._read(_BRACKETS.sub("_", clean))
        if outer.status != "exact":
            return found
        if all(self._says_again(said, row) for said in inner for row in outer.rows):
            return outer
        candidates = tuple(dict.fromkeys((*outer.rows, *found.candidates)))[:MOST]
        return Answer("unsure", (), candidates, max(found.score, 0.3), found.reasons)

    def _says_again(self, said: str, row: int) -> bool:
        """Whether what brackets hold is an address's own road and number, its compound or a division of it."""
        asked = ask(_AGAIN.sub("", said), self.library.names)
        if not asked.pieces or asked.before:
            return False
        value = self.library.value
        for piece in asked.pieces:
            here = [n for n in piece.named.names if n.number >= 0 and value(n.kind, row) == n.number]
            above = {n.number for n in piece.named.names if n.number < 0}
            if not here and not (above and self.library.lies_in(row, above)):
                return False
            number, clear = (
                self.ways.number_of(piece) if any(n.kind == "road" for n in here) else ("", harmless(piece.behind))
            )
            if not clear or number not in ("", self.library.label("number", row)):
                return False
        return True

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

    # --- verdict

    def _verdict(self, asked: Asked, hits: list[Hit]) -> Answer:
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

    def _first(self, hit: Hit) -> int:
        """What orders hits that are as good as each other: the oldest address they lead to."""
        return min(map(self.library.id, (*hit.rows, *hit.near)), default=0)

    def _around(self, asked: Asked) -> tuple[list[str], tuple[str, ...]]:
        """What stands before the places, and between divisions."""
        doubts, notes = [], []
        before = asked.before
        if before and any(c.isalnum() for c in before) and not (asked.home or turned(asked)):
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
            anchor = any(piece is a for a in asked.anchors) and not _divides(piece, asked)
            if piece.behind and not anchor and not harmless(piece.behind):
                doubts.append("outside" if administrative(piece.behind) else "name_goes_on")
        return list(dict.fromkeys(doubts)), tuple(notes)

    @staticmethod
    def _meant(asked: Asked, piece: Piece) -> bool:
        """Whether a named place is one the address hangs on, or says nothing beside it."""
        return any(piece is a or set(piece.named.names) & set(a.named.names) for a in asked.anchors)

    def _divided(self, asked: Asked, hit: Hit) -> Hit:
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

    def _or_alike(self, found: Answer, alike: tuple[int, ...], hits: Sequence[Hit]) -> Answer:
        """The name itself is in doubt, or leads nowhere: what is named alike is a candidate too."""
        if not alike:
            return found
        read = [r for h in hits if {*h.doubts} <= {"name_goes_on"} for r in h.rows if r in found.candidates]
        candidates = tuple(dict.fromkeys((*read, *alike, *found.candidates)))[:MOST]
        reasons = tuple(dict.fromkeys((*found.reasons, "name_like")))
        return Answer("unsure", (), candidates, max(found.score, 0.3), reasons)

    def _alike(self, text: str, parsed: Parsed | None, asked: Asked) -> Answer:
        """No place of the library is named: candidates by names one character away."""
        parser = self.parser
        read = parsed or (parser.parse(text) if parser is not None else None)
        if read is None:
            return Answer("none", reasons=("no_place",))
        candidates: list[int] = []
        near: list[int] = []
        names = self.library.names
        for spelt, end in _spoken(read):
            known = names.exact(spelt)
            if known is not None and any(n.how in ("same", "alias") for n in known.names):
                continue  # that is the place
            alike = (names.beginning, names.like, names.ending)
            for name in (n for look in alike for n in look(spelt, _NAMED)):
                hits = self.ways.guess(name, text[end:])
                candidates += [r for h in hits for r in h.rows]
                near += [r for h in hits for r in h.near]
        candidates += near
        if not candidates and not asked.anchors:
            candidates = self._resembling(asked.text)
        if not candidates:
            return Answer("none", reasons=("no_place",))
        stated, _ = self.ways.number_of(asked.road)
        there = self.ways.agree(tuple(candidates), asked.road, stated) if asked.road is not None and stated else ()
        rows = tuple(dict.fromkeys((*there, *candidates)))[:MOST]
        return Answer("unsure", (), rows, 0.3, ("name_like",))

    def _resembling(self, text: str) -> list[int]:
        """Addresses of the longest piece of a text that ends like a name and is one character from one."""
        names = self.library.names
        for end in [m.end() for m in _NAME_END.finditer(text)][:4]:
            for start in range(max(0, end - 9), end - 2):
                hits = [h for n in names.like(text[start:end], _NAMED) for h in self.ways.guess(n, text[end:])]
                found = [r for h in hits for r in h.rows] + [r for h in hits for r in h.near]
                if found:
                    return found
        return []


def _spoken(read: Parsed) -> list[tuple[str, int]]:
    """Names of places in a parsed text, longest first, folded, each with where it ends; a compound with its section.

    A section alone (一期) is no name.
    """
    found: list[tuple[str, int]] = []
    for k, part in enumerate(read.parts):
        if part.kind in ("road", "compound", "community") or (part.kind == "section" and len(part.text) > 2):
            found.append((folded(part.text), part.end))
        if k and part.kind == "section" and read.parts[k - 1].kind == "compound":
            found.append((folded(read.parts[k - 1].text + part.text), part.end))
    return sorted(found, key=lambda f: -len(f[0]))


def _divides(piece: Piece, asked: Asked) -> bool:
    """Whether a community is only named around the road or compound the address hangs on: 威海 of 威海社区."""
    return piece is asked.village and not (piece is asked.road or piece is asked.compound) and len(asked.anchors) > 1


def _opened(found: re.Match[str]) -> str:
    """What brackets hold, parted from numbers on both sides."""
    return f"_{found[1]}_"
