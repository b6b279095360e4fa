"""Addresses as arrays that never change: what a library is put together from, in memory or mapped from a file.

Every level of an address is a small integer, its branches are 64-bit keys in a sorted array. A million addresses
take some two hundred megabytes, which all processes share where they are mapped from one file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.addressing.matching.names import Kind, folded
from gis.addressing.matching.tails import door, label
from gis.territory.model import Bools, Floats, Ints, Texts

_PRIME: Final = 0x9E3779B97F4A7C15
_MASK: Final = (1 << 64) - 1
PLACES: Final[tuple[Kind, ...]] = ("county", "town", "community", "group", "road", "compound")
LABELS: Final = ("number", "building", "unit", "room")
#: Branches of an address. A key with 10 more leaves the unit out, one with 20 more all but the number or building.
ROAD, COMPOUND, GROUP, COMMUNITY = 1, 2, 3, 4
_INSIDE: Final = ("building", "unit", "room")
#: Which levels a key of each branch holds.
LEVELS: Final[dict[int, tuple[str, ...]]] = {
    ROAD: ("road", "number", *_INSIDE),
    ROAD + 10: ("road", "number", "building", "room"),
    ROAD + 20: ("road", "number"),
    COMPOUND: ("compound", *_INSIDE),
    COMPOUND + 10: ("compound", "building", "room"),
    COMPOUND + 20: ("compound", "building"),
    GROUP: ("group", *_INSIDE),
    GROUP + 20: ("group", "building"),
    COMMUNITY: ("community", *_INSIDE),
    COMMUNITY + 20: ("community", "building"),
}
#: No more rows are taken from under one key.
_MOST: Final = 2000
Arrays = Mapping[str, NDArray[Any]]


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


class Strings(Sequence[str]):
    """Texts packed into one array of bytes; ``ends`` (n + 1) where each begins and the next one ends."""

    def __init__(self, packed: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
        self._packed, self._ends = packed, ends

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: Any) -> Any:
        return self._packed[self._ends[at] : self._ends[at + 1]].tobytes().decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        whole, ends = self._packed.tobytes(), self._ends.tolist()
        for k in range(len(self)):
            yield whole[ends[k] : ends[k + 1]].decode("utf-8", "surrogatepass")


class Segment:
    """Some addresses with their indexes, made of the arrays of :func:`pack`."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.id: Ints = arrays["id"]
        self.x: Floats = arrays["x"]
        self.y: Floats = arrays["y"]
        self.ended: Bools = arrays["ended"]
        self.columns = {k: arrays[f"column.{k}"] for k in (*PLACES, *LABELS)}
        self.code, self.text = _strings(arrays, "code"), _strings(arrays, "text")
        self.place = {k: list(_strings(arrays, f"place.{k}")) for k in PLACES}
        self.label = {k: list(_strings(arrays, f"label.{k}")) for k in LABELS}
        self._keys, self._rows = arrays["keys"], arrays["rows"]
        self._hashes, self._whole = arrays["hashes"], arrays["whole"]
        self._levels = {b: tuple(self.columns[k] for k in levels) for b, levels in LEVELS.items()}

    def __len__(self) -> int:
        return len(self.id)

    def find(self, branch: int, levels: Sequence[int]) -> list[int]:
        """Rows under a key. The key only leads there: every level is compared."""
        key = branch
        for level in levels:
            key = (key * _PRIME + level + 1) & _MASK
        keys = self._keys
        wanted = np.uint64(key)
        at = int(keys.searchsorted(wanted))
        if at >= len(keys) or keys[at] != wanted:
            return []
        until = at + 1
        while until < len(keys) and until - at <= _MOST and keys[until] == wanted:
            until += 1
        columns = self._levels[branch]
        return [
            r
            for r in self._rows[at:until].tolist()
            if all(c[r] == level for c, level in zip(columns, levels, strict=True))
        ]

    def by_text(self, hashed: int) -> list[int]:
        """Rows whose standard text or other name has a hash."""
        wanted = np.uint64(hashed)
        at = int(self._hashes.searchsorted(wanted))
        found = []
        while at < len(self._hashes) and self._hashes[at] == wanted:
            found.append(int(self._whole[at]))
            at += 1
        return found

    @cached_property
    def buildings(self) -> Ints:
        """Rows that stand for a building: no unit and no room, in force."""
        return np.flatnonzero((self.columns["unit"] == 0) & (self.columns["room"] == 0) & ~self.ended)

    @cached_property
    def of_compound(self) -> tuple[Ints, Ints]:
        """Rows of :attr:`buildings` sorted by their compound, and where each compound's rows begin."""
        compound = self.columns["compound"][self.buildings]
        order = np.argsort(compound, kind="stable")
        starts = np.searchsorted(compound[order], np.arange(len(self.place["compound"])))
        return self.buildings[order], starts

    @cached_property
    def short_groups(self) -> list[tuple[str, str]]:
        """Groups of a village by what is said behind its name: 鹿角村三组 by 三组."""
        pairs = np.unique(np.column_stack([self.columns["group"], self.columns["community"]]), axis=0)
        named = [(self.place["group"][g], self.place["community"][c]) for g, c in pairs.tolist() if g and c]
        return [(g, g.removeprefix(c)) for g, c in named if g.startswith(c) and len(g) - len(c) >= 2]

    def entries(self) -> Entries:
        """All rows as texts; labels in their canonical spelling."""
        shown: dict[str, list[str]] = {k: self.place[k] for k in PLACES} | self.label
        texts = {k: np.array(names, dtype=object)[self.columns[k]] for k, names in shown.items()}
        code, text = (np.array(list(s), dtype=object) for s in (self.code, self.text))
        return Entries(code=code, text=text, x=self.x, y=self.y, ended=self.ended, **texts)


def pack(entries: Entries, ids: Ints | None = None, texts: Sequence[tuple[str, int]] = ()) -> dict[str, NDArray[Any]]:
    """The arrays of a segment. ``ids`` order rows of several segments; ``texts`` are whole other texts by row."""
    columns: dict[str, Any] = {}
    made: dict[str, NDArray[Any]] = {
        "id": np.arange(len(entries), dtype=np.int64) if ids is None else ids.astype(np.int64),
        "x": entries.x.astype(np.float64),
        "y": entries.y.astype(np.float64),
        "ended": entries.ended.astype(np.bool_),
        **_packed("code", entries.code.tolist()),
        **_packed("text", entries.text.tolist()),
    }
    for kind in PLACES:
        columns[kind], _, names = numbered(getattr(entries, kind), folded)
        made |= _packed(f"place.{kind}", names)
    for what in LABELS:
        columns[what], spelt, _ = numbered(getattr(entries, what), SPELL[what])
        made |= _packed(f"label.{what}", list(spelt))
    made |= {f"column.{k}": v for k, v in columns.items()}
    made["keys"], made["rows"] = _index(columns)
    every = [*entries.text.tolist(), *(t for t, _ in texts)]
    hashes = np.fromiter((hash_text(folded(t)) for t in every), dtype=np.uint64, count=len(every))
    whole = np.concatenate([np.arange(len(entries)), np.array([r for _, r in texts], dtype=np.int64)])
    order = np.lexsort((whole, hashes))
    made["hashes"], made["whole"] = hashes[order], whole[order].astype(np.int32)
    return made


def _index(c: Mapping[str, Any]) -> tuple[NDArray[np.uint64], NDArray[np.int32]]:
    """All keys of all addresses, sorted, each with its row."""
    parts: list[tuple[Any, Any]] = []

    def enter(branch: int, where: Any) -> None:
        rows = np.flatnonzero(where)
        key = np.full(len(rows), branch, dtype=np.uint64)
        for level in LEVELS[branch]:
            key = key * np.uint64(_PRIME) + c[level][rows].astype(np.uint64) + np.uint64(1)
        parts.append((key, rows.astype(np.int32)))

    on_road, in_compound = (c["road"] > 0) & (c["number"] > 0), c["compound"] > 0
    home_in_unit, building = (c["room"] > 0) & (c["unit"] > 0), c["building"] > 0
    enter(ROAD, on_road)
    enter(ROAD + 10, on_road & home_in_unit)
    enter(ROAD + 20, on_road)
    enter(COMPOUND, in_compound)
    enter(COMPOUND + 10, in_compound & home_in_unit)
    enter(COMPOUND + 20, in_compound & building)
    in_group, in_community = c["group"] > 0, c["community"] > 0
    enter(GROUP, in_group & ~in_compound & building)
    enter(GROUP + 20, in_group & ~in_compound & building)
    enter(COMMUNITY, in_community & building)
    enter(COMMUNITY + 20, in_community & ~in_compound & building)
    keys = np.concatenate([p[0] for p in parts])
    rows = np.concatenate([p[1] for p in parts])
    order = np.lexsort((rows, keys))
    return keys[order], rows[order]


def folded_label(text: str) -> str:
    """A label in one way of writing."""
    return folded(text.replace("—", "-")) if not text.isascii() else text.upper().strip()


def spelt_number(text: str) -> str:
    """A door number in its canonical spelling."""
    return door(folded_label(text))


def spelt_label(text: str) -> str:
    """A building, unit or room in its canonical spelling."""
    return label(folded_label(text))


SPELL: Final = {"number": spelt_number, "building": spelt_label, "unit": spelt_label, "room": spelt_label}


def hash_text(text: str) -> int:
    """64 bits of BLAKE2: the same on every machine and in every process."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def numbered(values: Texts, spell: Callable[[str], str]) -> tuple[NDArray[np.int32], dict[str, int], list[str]]:
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
    return out, seen, names


def _packed(name: str, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    encoded = [str(t).encode("utf-8", "surrogatepass") for t in texts]
    ends = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(e) for e in encoded], out=ends[1:])
    return {f"{name}.bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8), f"{name}.ends": ends}


def _strings(arrays: Arrays, name: str) -> Strings:
    return Strings(arrays[f"{name}.bytes"], arrays[f"{name}.ends"])
