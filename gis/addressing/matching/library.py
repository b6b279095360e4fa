"""The addresses of a deployment in a form that answers "is there this one?" in microseconds.

Every address hangs on a road with a number, on a compound, or on a villager group or community, and goes on with
building, unit and room. Each level is a small integer; an address's branches are 64-bit keys in a sorted array, so
a million addresses take some tens of megabytes and a question is a search in it. What a key finds is compared
level by level: a key alone never decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.addressing.matching.names import Kind, Name, NameIndex, folded
from gis.addressing.matching.tails import door, label
from gis.territory.model import Bools, Floats, Ints, Texts

_PRIME: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
#: Branches of an address, and what of it a key holds.
ROAD, COMPOUND, GROUP, COMMUNITY = 1, 2, 3, 4
_PLACES: Final[tuple[Kind, ...]] = ("county", "town", "community", "group", "road", "compound")
_LABELS: Final = ("number", "building", "unit", "room")


@dataclass(frozen=True)
class Entries:
    """Addresses as rows of texts, "" for a level a row lacks; ``x, y`` WGS84 degrees; ``ended``: no longer valid.

    ``code`` is the permanent code, ``text`` the standard text shown to people.
    """

    code: Texts
    text: Texts
    county: Texts
    town: Texts
    community: Texts
    group: Texts
    road: Texts
    number: Texts
    compound: Texts
    building: Texts
    unit: Texts
    room: Texts
    x: Floats
    y: Floats
    ended: Bools

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class OtherName:
    """Another name of a place: an alias, a former name, a known misprint."""

    kind: Kind
    name: str
    other: str
    how: str = "alias"


class Library:
    """Addresses, their places and every spelling of these. ``above``: province and city of the deployment."""

    def __init__(
        self,
        entries: Entries,
        other_names: Sequence[OtherName] = (),
        above: Sequence[tuple[Kind, str]] = (),
        texts: Sequence[tuple[str, int]] = (),
    ) -> None:
        self.entries = entries
        self.place: dict[str, list[str]] = {}
        self._ids: dict[str, dict[str, int]] = {}
        columns: dict[str, Ints] = {}
        for kind in _PLACES:
            columns[kind], self._ids[kind], self.place[kind] = _numbered(getattr(entries, kind), folded)
        for what in _LABELS:
            columns[what], self._ids[what], _ = _numbered(getattr(entries, what), _SPELL[what])
        self.columns = columns
        self.names = NameIndex(self._spellings(other_names, above))
        self._keys, self._rows = self._index(columns)
        self._texts = self._whole(entries.text, texts)

    def __len__(self) -> int:
        return len(self.entries)

    def _spellings(self, other_names: Sequence[OtherName], above: Sequence[tuple[Kind, str]]) -> list[Name]:
        names = [Name(k, i, n, "same") for k in _PLACES for i, n in enumerate(self.place[k]) if n]
        names += [Name(kind, -1, name, "same") for kind, name in above]
        for o in other_names:
            number = self._ids[o.kind].get(folded(o.name), -1)
            if number >= 0 and o.other:
                names.append(Name(o.kind, number, o.other, o.how))  # type: ignore[arg-type]  # stored as text
        return names

    # --- keys

    def _index(self, c: Mapping[str, Ints]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
        """All keys of all addresses, sorted, each with its row."""
        parts: list[tuple[Any, Any]] = []

        def enter(branch: int, where: Any, *levels: Any) -> None:
            rows = np.flatnonzero(where)
            key = np.full(len(rows), branch, dtype=np.uint64)
            for level in levels:
                value = np.zeros(len(rows)) if isinstance(level, int) else level[rows]
                key = key * np.uint64(_PRIME) + value.astype(np.uint64) + np.uint64(1)
            parts.append((key, rows.astype(np.int32)))

        number, building, unit, room = (c[k] for k in _LABELS)
        on_road, in_compound = (c["road"] > 0) & (number > 0), c["compound"] > 0
        in_group, in_community = c["group"] > 0, c["community"] > 0
        rest = (building, unit, room)
        enter(ROAD, on_road, c["road"], number, *rest)
        enter(ROAD + 10, on_road & (room > 0) & (unit > 0), c["road"], number, building, room)
        enter(ROAD + 20, on_road, c["road"], number)
        enter(COMPOUND, in_compound, c["compound"], *rest)
        enter(COMPOUND + 10, in_compound & (room > 0) & (unit > 0), c["compound"], building, room)
        enter(COMPOUND + 20, in_compound & (building > 0), c["compound"], building)
        lone = ~in_compound & (building > 0)
        enter(GROUP, in_group & lone, c["group"], *rest)
        enter(GROUP + 20, in_group & lone, c["group"], building)
        enter(COMMUNITY, in_community & lone, c["community"], *rest)
        enter(COMMUNITY + 20, in_community & lone, c["community"], building)
        with_block = in_community & (building > 0) & in_compound
        enter(COMMUNITY, with_block, c["community"], *rest)
        keys = np.concatenate([p[0] for p in parts])
        rows = np.concatenate([p[1] for p in parts])
        order = np.lexsort((rows, keys))
        return keys[order], rows[order]

    def find(self, branch: int, *levels: int) -> list[int]:
        """Rows under a key; ``levels`` as in :meth:`_index`, -1 for a label no address has."""
        key = branch
        for level in levels:
            if level < 0:
                return []
            key = (key * _PRIME + level + 1) & _MASK
        wanted = np.uint64(key)
        at = int(self._keys.searchsorted(wanted))
        found = []
        while at < len(self._keys) and self._keys[at] == wanted:
            found.append(int(self._rows[at]))
            at += 1
            if len(found) > 2000:
                break
        return found

    def number(self, what: str, text: str) -> int:
        """The integer of a label or folded place name; 0 for "", -1 for one that no address has."""
        return self._ids[what].get(text, -1) if text else 0

    def known(self, what: str, text: str) -> int:
        """The integer of a label or place by any of its own spellings; 0 for "", -1 for an unknown one."""
        if not text:
            return 0
        number = self._ids[what].get(text)
        if number is not None:
            return number
        if what in _LABELS:
            return self._ids[what].get(_SPELL[what](text), -1)
        named = self.names.exact(folded(text))
        of_kind = [n.number for n in named.names if n.kind == what] if named is not None else []
        return of_kind[0] if len(of_kind) == 1 else -1

    def _whole(self, texts: Texts, more: Sequence[tuple[str, int]]) -> dict[int, int]:
        """Hash of a whole standard or alias text -> row, -2 where several share it."""
        found: dict[int, int] = {}
        for row, text in [*enumerate(texts), *((r, t) for t, r in more)]:
            key = hash_text(folded(str(text)))
            found[key] = row if found.get(key, row) == row else -2
        return found

    def by_text(self, text: str) -> int:
        """The row whose standard text or alias is a folded text; -1 none, -2 several."""
        return self._texts.get(hash_text(text), -1)


def folded_label(text: str) -> str:
    """A label in one way of writing."""
    return folded(text.replace("—", "-")) if not text.isascii() else text.upper().strip()


def spelt_number(text: str) -> str:
    """A door number in its canonical spelling."""
    return door(folded_label(text))


def spelt_label(text: str) -> str:
    """A building, unit or room in its canonical spelling."""
    return label(folded_label(text))


_SPELL: Final = {"number": spelt_number, "building": spelt_label, "unit": spelt_label, "room": spelt_label}


def hash_text(text: str) -> int:
    """64 bits of BLAKE2: the same on every machine and in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _numbered(values: Texts, spell: Callable[[str], str]) -> tuple[Ints, dict[str, int], list[str]]:
    """Each value as an integer (0 for ""), the integer of each spelling, and a name for each integer."""
    seen: dict[str, int] = {"": 0}
    names = [""]
    raw: dict[str, int] = {}
    out = np.empty(len(values), dtype=np.int32)
    for k, value in enumerate(values.tolist()):
        number = raw.get(value)
        if number is None:
            spelt = spell(value) if value else ""
            number = seen.get(spelt)
            if number is None:
                number = seen[spelt] = len(names)
                names.append(value)
            raw[value] = number
        out[k] = number
    return out.astype(np.int64), seen, names


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
