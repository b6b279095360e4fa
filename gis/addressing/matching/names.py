"""Names of places found in a text: as they are, by another name, or with a character mistaken for one like it.

A name that only resembles one in the library is never taken for it: it is a candidate (see :func:`NameIndex.like`).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import takewhile
from typing import Final, Literal

from gis.addressing.matching.tails import arabic
from gis.addressing.parsing.normalise import plain
from gis.addressing.parsing.variants import ALIKE

#: Kinds of places an address hangs on, and the divisions around them (largest first).
Kind = Literal["province", "city", "county", "town", "community", "group", "road", "compound"]
DIVISIONS: Final = ("province", "city", "county", "town", "community")
#: How a name was recognised, surest first.
How = Literal["same", "short", "alias", "former", "misprint", "variant", "like"]
#: Longest name in characters.
LONGEST: Final = 24

_LOOSE: Final = str.maketrans({c: group[0] for group in ALIKE for c in group[1:]})
_NOISE: Final = str.maketrans(dict.fromkeys("_,.、()'\"·", ""))
_LATIN: Final = re.compile("[^\\W\\d_\u2e80-\U0010ffff]")
_NUMERALS: Final = "零一二三四五六七八九十甲乙丙丁"
_SURE: Final = {"same": 0, "alias": 1, "former": 1, "misprint": 1, "short": 2, "variant": 3, "like": 4}
_ORDINAL: Final = re.compile("[一二三四五六七八九十]+(?=[组期区段片路街巷弄村队社条]|大道)")
#: Villager groups in all their words: 第1村民小组, 一小组.
_GROUP: Final = re.compile(r"(?:第(?=[\d一二三四五六七八九十]))?([\d一二三四五六七八九十]*)(?:村民|居民)?小?组")
_SHORT: Final = {
    "province": ("壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区", "省", "市"),
    "city": ("市", "地区", "盟", "自治州"),
    "county": ("区", "县", "市"),
    "town": ("街道", "镇", "乡"),
    "community": ("社区", "村"),
    "group": ("组",),
    "road": (),
    "compound": ("小区",),
}


def folded(name: str) -> str:
    """A name as names are compared: one way of writing, no punctuation, capitals."""
    return plain(name).translate(_NOISE).upper()


def grouped(text: str) -> str:
    """A text with its villager groups said in one way: 第1村民小组 -> 1组."""
    return _GROUP.sub(r"\1组", text) if "组" in text else text


def loose(name: str) -> str:
    """A folded name with every character that has doubles replaced by the first of its group."""
    return name.translate(_LOOSE)


@dataclass(frozen=True)
class Name:
    """One spelling of a place: ``number`` is the place's position among those of its kind."""

    kind: Kind
    number: int
    text: str
    how: How


@dataclass(frozen=True)
class Named:
    """The places one spelling may mean, all and by what they can be in an address."""

    names: tuple[Name, ...]
    roads: tuple[Name, ...]
    compounds: tuple[Name, ...]
    villages: tuple[Name, ...]
    divisions: tuple[Name, ...]
    shortened: bool


def named(names: Iterable[Name]) -> Named:
    """Places sorted by what they can be."""
    every = tuple(names)
    return Named(
        every,
        tuple(n for n in every if n.kind == "road"),
        tuple(n for n in every if n.kind == "compound"),
        tuple(n for n in every if n.kind in ("group", "community")),
        tuple(n for n in every if n.kind in DIVISIONS),
        all(n.how == "short" for n in every),
    )


@dataclass(frozen=True)
class Found:
    """A place named in a text from ``start`` to ``end``."""

    start: int
    end: int
    named: Named


class NameIndex:
    """All spellings of a library's places. It never changes: :meth:`changed` makes another one from it."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._by_text: dict[str, Named] = {}
        self._by_loose: dict[str, Named] = {}
        self._sizes: dict[str, tuple[int, ...]] = {}
        self._near: tuple[_Near, ...] = ()
        self._enter(_expanded(names), [])

    def changed(self, names: Iterable[Name], gone: Iterable[Name] = ()) -> NameIndex:
        """The index with some names more, and without the places of others (each by its own name)."""
        added, removed = _expanded(names), _expanded(gone)
        if not added and not removed:
            return self
        made = copy(self)
        made._enter(added, removed)
        return made

    def _enter(self, added: list[Name], removed: list[Name]) -> None:
        spoken = [replace(n, how="variant") for n in added if n.how != "short"]
        known = self._by_loose
        self._by_text = _regrouped(self._by_text, added, removed, lambda n: n.text)
        self._by_loose = _regrouped(known, spoken, removed, lambda n: loose(n.text))
        sizes = _sizes(n.text for n in added)
        self._sizes = {**self._sizes, **{h: _both(self._sizes.get(h, ()), s) for h, s in sizes.items()}}
        fresh = {loose(n.text): None for n in spoken}
        self._near = (*self._near, _Near([t for t in fresh if t not in known]))

    def exact(self, text: str, bent: str | None = None) -> Named | None:
        """Places a whole folded text names; a spelling letter by letter wins over one by look-alikes."""
        return self._by_text.get(text) or self._by_loose.get(loose(text) if bent is None else bent)

    def scan(self, text: str) -> list[Found]:
        """The places named in a folded text, not overlapping, such that most of it is covered by long names."""
        n, bent = len(text), loose(text)
        latin = _LATIN.search(text) is not None
        by_text, by_loose, by_head = self._by_text, self._by_loose, self._sizes
        worth = [0.0] * (n + 1)
        choice: list[tuple[int, Named] | None] = [None] * n
        for i in range(n - 2, -1, -1):
            worth[i] = worth[i + 1]
            sizes = by_head.get(bent[i : i + 2])
            if sizes is None or (latin and i and _latin(text[i]) and _latin(text[i - 1])):
                continue
            if i and text[i].isdigit() and text[i - 1].isdigit():
                continue  # 11组 is not 1组
            for size in sizes:
                j = i + size
                if j > n:
                    break
                if latin and j < n and _latin(text[j - 1]) and _latin(text[j]):
                    continue
                found = by_text.get(text[i:j]) or by_loose.get(bent[i:j])
                if found is not None:
                    gain = size * size - 0.5 * found.shortened + worth[j]
                    if gain > worth[i]:
                        worth[i], choice[i] = gain, (j, found)
        places, i = [], 0
        while i < n:
            chosen = choice[i]
            if chosen is None:
                i += 1
            else:
                places.append(Found(i, chosen[0], chosen[1]))
                i = chosen[0]
        return places

    def like(self, text: str, kinds: tuple[str, ...]) -> list[Name]:
        """Places whose name differs from a text by one character: candidates, never an answer."""
        key = loose(text)
        texts: dict[str, None] = {}
        for cut in (key, *(key[:k] + key[k + 1 :] for k in range(len(key)))):
            for near in self._near:
                texts.update(dict.fromkeys(near.texts.get(cut, ())))
        found = [self._by_loose[t] for t in texts if t in self._by_loose and _one_apart(t, key)]
        names = [n for f in found for n in f.names]
        return [Name(n.kind, n.number, n.text, "like") for n in names if n.kind in kinds][:20]

    def beginning(self, text: str, kinds: tuple[str, ...]) -> list[Name]:
        """Places whose name begins with a text and goes on (潇湘南路一段): candidates, never an answer."""
        return self._holding(loose(text), kinds, _Near.beginning)

    def ending(self, text: str, kinds: tuple[str, ...]) -> list[Name]:
        """Places whose name ends with a text (石桥老街 of 老街): candidates, never an answer."""
        return self._holding(loose(text), kinds, _Near.ending)

    def _holding(self, key: str, kinds: tuple[str, ...], look: Callable[[_Near, str], list[str]]) -> list[Name]:
        texts = [t for near in self._near for t in look(near, key) if t in self._by_loose and t != key]
        names = [n for t in dict.fromkeys(texts) for n in self._by_loose[t].names]
        return [Name(n.kind, n.number, n.text, "like") for n in names if n.kind in kinds][:20]


class _Near:
    """Every spelling under each of its forms with one character left out. Made when first needed."""

    def __init__(self, spellings: list[str]) -> None:
        self._spellings = spellings

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(self._spellings)

    def beginning(self, text: str) -> list[str]:
        """Spellings that begin with a text, some at most."""
        at = bisect_left(self._sorted, text)
        return list(takewhile(lambda t: t.startswith(text), self._sorted[at : at + 40]))

    @cached_property
    def _turned(self) -> list[str]:
        return sorted(t[::-1] for t in self._spellings)

    def ending(self, text: str) -> list[str]:
        """Spellings that end with a text of two characters or more, some at most."""
        key = text[::-1]
        at = bisect_left(self._turned, key)
        found = takewhile(lambda t: t.startswith(key), self._turned[at : at + 40])
        return [t[::-1] for t in found] if len(text) >= 2 else []

    @cached_property
    def texts(self) -> dict[str, list[str]]:
        near: dict[str, list[str]] = defaultdict(list)
        for text in self._spellings:
            if len(text) >= 3:
                for cut in {text, *(text[:k] + text[k + 1 :] for k in range(len(text)))}:
                    near[cut].append(text)
        return dict(near)


def _expanded(names: Iterable[Name]) -> list[Name]:
    """Names folded, and the ways to shorten them or to write their ordinals in digits. The first of each stays."""
    known: dict[tuple[str, int, str], Name] = {}
    for n in names:
        text = folded(n.text)
        if len(text) >= 2:
            known.setdefault((n.kind, n.number, text), Name(n.kind, n.number, text, n.how))
    for n in list(known.values()):
        if n.kind == "group" and (said := grouped(n.text)) != n.text:
            known.setdefault((n.kind, n.number, said), Name(n.kind, n.number, said, n.how))
    for n in list(known.values()):
        short = n.how == "same" or (n.kind == "group" and n.how == "short")
        if short and (cut := _shortened(n)):
            known.setdefault((n.kind, n.number, cut), Name(n.kind, n.number, cut, "short"))
    for n in list(known.values()):
        counts = n.how in ("same", "alias") or (n.kind == "group" and n.how == "short")
        if counts and (counted := in_digits(n.text)) != n.text:
            known.setdefault((n.kind, n.number, counted), Name(n.kind, n.number, counted, "variant"))
    return list(known.values())


def _regrouped(
    held: dict[str, Named], added: list[Name], removed: list[Name], key: Callable[[Name], str]
) -> dict[str, Named]:
    """What each spelling means when some names came and the places of others went; the surest name of each stays."""
    gone = {(n.kind, n.number) for n in removed}
    groups: dict[str, dict[tuple[str, int, str], Name]] = {}
    for n in (*removed, *added):
        if (text := key(n)) not in groups:
            there = held[text].names if text in held else ()
            groups[text] = {(m.kind, m.number, m.text): m for m in there if (m.kind, m.number) not in gone}
    for n in added:
        group, own = groups[key(n)], (n.kind, n.number, n.text)
        if own not in group or _SURE[n.how] < _SURE[group[own].how]:
            group[own] = n
    made = held | {text: named(group.values()) for text, group in groups.items() if group}
    for text in [t for t, group in groups.items() if not group]:
        made.pop(text, None)
    return made


def _both(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted({*a, *b}))


def _one_apart(a: str, b: str) -> bool:
    """Whether one change, one more or one fewer character makes the same of two texts."""
    if a == b:
        return True
    if abs(len(a) - len(b)) > 1:
        return False
    k = next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return a[k + 1 :] == b[k + 1 :] or a[k:] == b[k + 1 :] or a[k + 1 :] == b[k:]


def _latin(c: str) -> bool:
    """A letter of a word that is written letter by letter: no name ends inside such a word."""
    return c.isalpha() and ord(c) < 0x2E80


def _shortened(name: Name) -> str:
    """A name without the ending of its kind, "" where less than two characters are left."""
    for ending in _SHORT[name.kind]:
        cut = name.text.removesuffix(ending)
        if cut != name.text:
            numbered = name.kind == "group" and (cut[-1:].isdigit() or cut[-1:] in _NUMERALS)
            return cut if len(cut) >= 2 and not numbered else ""
    return ""


def in_digits(text: str) -> str:
    """A name with its ordinal in digits: 三组 -> 3组, 枫林一路 -> 枫林1路."""
    return _ORDINAL.sub(lambda m: arabic(m[0]), text)


def _sizes(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Which lengths names have, by their first two characters (as loose): what a scan has to try."""
    sizes: dict[str, set[int]] = defaultdict(set)
    for text in texts:
        if len(text) <= LONGEST:
            sizes[loose(text[:2])].add(len(text))
    return {head: tuple(sorted(found)) for head, found in sizes.items()}
