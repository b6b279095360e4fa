"""The addresses of a deployment in a form that answers "is there this one?" in microseconds.

A library is put together from segments that never change (one a territory, mapped from files that all processes
share) and a small one that holds what was added or changed since: its rows stand in place of those of the others.
Such a library answers as one made of the same addresses at once.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.addressing.matching.names import Kind, Name, NameIndex, folded
from gis.addressing.matching.segment import (
    COMMUNITY,
    COMPOUND,
    GROUP,
    LABELS,
    LEVELS,
    PLACES,
    ROAD,
    SPELL,
    Entries,
    Segment,
    hash_text,
    pack,
)

__all__ = ["COMMUNITY", "COMPOUND", "GROUP", "ROAD", "Entries", "Library", "OtherName", "entries_of", "written"]
_NOTHING: Final = frozenset[int]()


@dataclass(frozen=True)
class OtherName:
    """Another name of a place: an alias, a former name, a known misprint."""

    kind: Kind
    name: str
    other: str
    how: str = "alias"


class _Part:
    """A segment as part of a library: where its rows begin, and its integers of places and labels in the library's.

    ``up`` and ``down`` are None where both are the same.
    """

    def __init__(self, segment: Segment, offset: int, up: dict[str, Any] | None) -> None:
        self.segment = segment
        self.offset = offset
        self.up = up
        self.down: dict[str, dict[int, int]] | None = None
        if up is not None:
            self.down = {k: {int(g): n for n, g in enumerate(of.tolist())} for k, of in up.items()}

    def find(self, branch: int, levels: Sequence[int]) -> list[int]:
        """Rows of the library under a key of its integers."""
        if self.down is not None:
            down = self.down
            own = [down[k].get(n, -1) for k, n in zip(LEVELS[branch], levels, strict=True)]
            if min(own) < 0:
                return []
            levels = own
        found = self.segment.find(branch, levels)
        return [r + self.offset for r in found] if self.offset else found

    def of_kind(self, kind: str, rows: Any) -> Any:
        """The library's integers of some of the segment's rows."""
        values = self.segment.columns[kind][rows]
        return values if self.up is None else self.up[kind][values]


class Library:
    """Addresses, their places and every spelling of these. ``above``: province and city of the deployment.

    Rows are numbered through all segments; ``hidden`` ones are replaced by later ones.
    """

    def __init__(
        self,
        entries: Entries,
        other_names: Sequence[OtherName] = (),
        above: Sequence[tuple[Kind, str]] = (),
        texts: Sequence[tuple[str, int]] = (),
    ) -> None:
        core = Library.of([Segment(pack(entries, texts=texts))])
        self.__dict__.update(core.grown(other_names=other_names, above=above).__dict__)

    @classmethod
    def of(cls, segments: Sequence[Segment]) -> Library:
        """The addresses of some segments, without other names."""
        made: Library = cls.__new__(cls)
        made.parts = []
        made.hidden = _NOTHING
        made._within = {}
        made._ids = {k: {"": 0} for k in (*PLACES, *LABELS)}
        made.place = {k: [""] for k in PLACES}
        for segment in segments:
            made._join(segment)
        made._parted()
        made.names = NameIndex(Name(k, i, n, "same") for k in PLACES for i, n in enumerate(made.place[k]) if n)
        return made

    def grown(
        self,
        segment: Segment | None = None,
        replaced: Collection[int] = (),
        other_names: Iterable[OtherName] = (),
        above: Iterable[tuple[Kind, str]] = (),
        within: Iterable[tuple[str, str]] = (),
    ) -> Library:
        """This library with a segment more and without the rows whose ids are ``replaced``; with other names.

        ``within``: pairs of a county and a city or province of ``above`` it lies in.
        """
        made: Library = Library.__new__(Library)
        made.parts, made._ids, made.place = list(self.parts), dict(self._ids), dict(self.place)
        known = {k: len(names) for k, names in self.place.items()}
        if segment is not None and len(segment):
            made._join(segment)
        made.hidden = self.hidden | self._rows_of(replaced)
        made._parted()
        added = [Name(k, i, n, "same") for k in PLACES for i, n in enumerate(made.place[k]) if n and i >= known[k]]
        gone = made._unused(self) if made.hidden else []
        higher = [Name(kind, -1 - k, name, "same") for k, (kind, name) in enumerate(above)]
        added += higher
        numbers = {n.text: n.number for n in higher}
        made._within = {}
        for county, name in within:
            number = made._ids["county"].get(folded(county), 0)
            if number and name in numbers:
                made._within.setdefault(number, set()).add(numbers[name])
        missing = {(n.kind, n.number) for n in gone}
        for o in other_names:
            number = made._ids[o.kind].get(folded(o.name), -1)
            if number >= 0 and o.other and (o.kind, number) not in missing:
                added.append(Name(o.kind, number, o.other, o.how))  # type: ignore[arg-type]  # stored as text
        made.names = self.names.changed(added, gone)
        return made

    parts: list[_Part]
    hidden: frozenset[int]
    place: dict[str, list[str]]
    names: NameIndex
    _ids: dict[str, dict[str, int]]
    _within: dict[int, set[int]]
    _starts: NDArray[np.int64]
    _begins: list[int]
    _size: int

    def __len__(self) -> int:
        return self._size - len(self.hidden)

    # --- making

    def _join(self, segment: Segment) -> None:
        """Number the places and labels of a segment behind those that are known."""
        offset = sum(len(p.segment) for p in self.parts)
        spelt = {k: [folded(n) for n in segment.place[k]] for k in PLACES} | segment.label
        shown: dict[str, list[str]] = {k: segment.place[k] for k in PLACES}
        up, same = {}, True
        for kind, texts in spelt.items():
            ids = dict(self._ids[kind])
            names = list(self.place[kind]) if kind in shown else None
            numbers = np.empty(len(texts), dtype=np.int64)
            for k, text in enumerate(texts):
                number = ids.setdefault(text, len(ids))
                numbers[k] = number
                if names is not None and number == len(names):
                    names.append(shown[kind][k])
            self._ids[kind], up[kind] = ids, numbers
            if names is not None:
                self.place[kind] = names
            same = same and bool((numbers == np.arange(len(texts))).all())
        self.parts.append(_Part(segment, offset, None if same else up))

    def _parted(self) -> None:
        sizes = [len(p.segment) for p in self.parts]
        self._starts = np.cumsum([0, *sizes])
        self._begins = self._starts[:-1].tolist()
        self._size = int(self._starts[-1])

    def _rows_of(self, ids: Collection[int]) -> frozenset[int]:
        """Rows of this library with some of the ids; ids are sorted in every segment."""
        wanted = np.array(sorted(ids), dtype=np.int64)
        rows: set[int] = set()
        for part in self.parts if len(wanted) else ():
            own = part.segment.id
            at = np.searchsorted(own, wanted)
            there = at < len(own)
            there[there] = own[at[there]] == wanted[there]
            rows.update((at[there] + part.offset).tolist())
        return frozenset(rows)

    @cached_property
    def _uses(self) -> dict[str, NDArray[np.int64]]:
        """How many rows hang on each place."""
        uses: dict[str, NDArray[np.int64]] = {k: np.zeros(len(self.place[k]), dtype=np.int64) for k in PLACES}
        for part in self.parts:
            for kind in PLACES:
                of = np.bincount(part.segment.columns[kind], minlength=len(part.segment.place[kind]))
                np.add.at(uses[kind], np.arange(len(of)) if part.up is None else part.up[kind], of)
        return uses

    def _unused(self, before: Library) -> list[Name]:
        """Places on which no row hangs any more that is not hidden, each by its own name."""
        gone: list[Name] = []
        rows = np.array(sorted(self.hidden), dtype=np.int64)
        for kind in PLACES:
            uses = np.zeros(len(self.place[kind]), dtype=np.int64)
            uses[: len(before.place[kind])] = before._uses[kind]
            for part in self.parts[len(before.parts) :]:
                np.add.at(uses, part.of_kind(kind, slice(None)), 1)
            for part in self.parts:
                own = rows[(rows >= part.offset) & (rows < part.offset + len(part.segment))] - part.offset
                np.subtract.at(uses, part.of_kind(kind, own), 1)
            gone += [Name(kind, int(k), self.place[kind][k], "same") for k in np.flatnonzero(uses <= 0) if k]
        return gone

    # --- asking

    def find(self, branch: int, *levels: int) -> list[int]:
        """Rows under a key; ``levels`` as in ``segment.LEVELS``, -1 for a label no address has."""
        if min(levels) < 0:
            return []
        if len(self.parts) == 1:
            return self.parts[0].find(branch, levels)
        found = [r for part in self.parts for r in part.find(branch, levels)]
        if self.hidden:
            found = [r for r in found if r not in self.hidden]
        return sorted(found, key=self.id) if len(found) > 1 else found

    def number(self, what: str, text: str) -> int:
        """The integer of a label or folded place name; 0 for "", -1 for one that no address has."""
        return self._ids[what].get(text, -1) if text else 0

    def label(self, what: str, row: int) -> str:
        """The canonical spelling of a row's label, "" where it has none."""
        segment, own = self.at(row)
        return segment.label[what][int(segment.columns[what][own])]

    def suffixed(self, digits: str) -> list[int]:
        """The integers of all door numbers with the same digits first: 12, 12A, 12附3, 12-3, 甲12."""
        return self._by_digits.get(digits, [])

    @cached_property
    def _by_digits(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for text, number in self._ids["number"].items():
            digits = re.search(r"\d+", text)
            if digits:
                found.setdefault(digits[0], []).append(number)
        return found

    def known(self, what: str, text: str) -> int:
        """The integer of a label or place by any of its own spellings; 0 for "", -1 for an unknown one."""
        if not text:
            return 0
        number = self._ids[what].get(text)
        if number is not None:
            return number
        if what in LABELS:
            return self._ids[what].get(SPELL[what](text), -1)
        named = self.names.exact(folded(text))
        of_kind = [n.number for n in named.names if n.kind == what] if named is not None else []
        return of_kind[0] if len(of_kind) == 1 else -1

    def by_text(self, text: str) -> int:
        """The row whose standard text or alias is a folded text; -1 none, -2 several."""
        hashed = hash_text(text)
        rows = {r + p.offset for p in self.parts for r in p.segment.by_text(hashed)}
        rows -= self.hidden
        return -1 if not rows else -2 if len(rows) > 1 else rows.pop()

    def buildings_of(self, compound: int) -> list[int]:
        """Rows in force that stand for the buildings of a compound."""
        found: list[int] = []
        for part in self.parts:
            own = compound if part.down is None else part.down["compound"].get(compound, -1)
            rows, starts = part.segment.of_compound
            if 0 < own < len(starts):
                until = int(starts[own + 1]) if own + 1 < len(starts) else len(rows)
                found += [r for r in (rows[int(starts[own]) : until] + part.offset).tolist() if r not in self.hidden]
        return found

    # --- rows

    def at(self, row: int) -> tuple[Segment, int]:
        """The segment of a row, and its place there."""
        parts = self.parts
        if len(parts) == 1:
            return parts[0].segment, row
        k = bisect_right(self._begins, row) - 1
        return parts[k].segment, row - parts[k].offset

    def value(self, kind: str, row: int) -> int:
        """The integer of a row's place or label."""
        parts = self.parts
        part = parts[0] if len(parts) == 1 else parts[bisect_right(self._begins, row) - 1]
        number = int(part.segment.columns[kind][row - part.offset])
        return number if part.up is None else int(part.up[kind][number])

    def id(self, row: int) -> int:
        """What orders rows of all segments: the id they were read with."""
        segment, own = self.at(row)
        return int(segment.id[own])

    def ended(self, row: int) -> bool:
        """Whether an address is no longer valid."""
        segment, own = self.at(row)
        return bool(segment.ended[own])

    def text(self, row: int) -> str:
        """An address's standard text."""
        segment, own = self.at(row)
        return str(segment.text[own])

    def code(self, row: int) -> str:
        """An address's permanent code."""
        segment, own = self.at(row)
        return str(segment.code[own])

    def position(self, row: int) -> tuple[float, float]:
        """Longitude and latitude in WGS84."""
        segment, own = self.at(row)
        return float(segment.x[own]), float(segment.y[own])

    def lies_in(self, row: int, above: Collection[int]) -> bool:
        """Whether an address may lie in one of some cities or provinces; what is not known of a county may be."""
        known = self._within.get(self.value("county", row))
        return known is None or any(n in known for n in above)

    def named(self, kind: Kind, row: int) -> str:
        """The name of a row's place, "" where it has none."""
        return self.place[kind][self.value(kind, row)]

    @cached_property
    def entries(self) -> Entries:
        """All rows as texts, hidden ones too. Takes time and memory with a large library."""
        every = [p.segment.entries() for p in self.parts]
        columns = {f.name: np.concatenate([getattr(e, f.name) for e in every]) for f in fields(Entries)}
        return Entries(**columns)

    def rows(self) -> list[int]:
        """All rows that are not hidden, in order of their ids."""
        return sorted(
            (r for a, b in pairwise(self._starts.tolist()) for r in range(a, b) if r not in self.hidden), key=self.id
        )


def entries_of(rows: Sequence[Mapping[str, Any]]) -> Entries:
    """Entries from dictionaries; what a row lacks is ""."""
    columns: dict[str, Any] = {}
    for f in fields(Entries):
        if f.name in ("x", "y"):
            columns[f.name] = np.array([float(r.get(f.name, np.nan)) for r in rows], dtype=np.float64)
        elif f.name == "ended":
            columns[f.name] = np.array([bool(r.get(f.name, False)) for r in rows], dtype=np.bool_)
        else:
            columns[f.name] = np.array([str(r.get(f.name, "")) for r in rows], dtype=object)
    made = Entries(**columns)
    return replace(made, text=np.array([t or written(made, k) for k, t in enumerate(made.text)], dtype=object))


def written(entries: Entries, row: int) -> str:
    """A row's standard text from its parts."""
    from gis.addressing.compose import Parts, place_text, road_text

    parts = Parts(**{f.name: str(getattr(entries, f.name)[row]) for f in fields(Parts)})
    return road_text(parts, "zh") or place_text(parts, "zh")
