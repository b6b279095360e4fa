"""Names of places found in a text: as they are, by another name, or with a character mistaken for one like it.

A name that only resembles one in the library is never taken for it: it is a candidate (see :func:`NameIndex.like`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
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
_ORDINAL: Final = re.compile("[一二三四五六七八九十]+(?=[组期区路街巷弄村队社])")
_SHORT: Final = {
    "province": ("壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区", "省", "市"),
    "city": ("市", "地区", "盟", "自治州"),
    "county": ("区", "县", "市"),
    "town": ("街道", "镇", "乡"),
    "community": ("社区", "村"),
    "group": (),
    "road": (),
    "compound": ("小区",),
}


def folded(name: str) -> str:
    """A name as names are compared: one way of writing, no punctuation, capitals."""
    return plain(name).translate(_NOISE).upper()


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
        every[0].how == "short",
    )


@dataclass(frozen=True)
class Found:
    """A place named in a text from ``start`` to ``end``."""

    start: int
    end: int
    named: Named


class NameIndex:
    """All spellings of a library's places."""

    def __init__(self, names: Iterable[Name]) -> None:
        known: dict[tuple[str, int, str], Name] = {}
        for n in names:
            text = folded(n.text)
            if len(text) >= 2:
                known.setdefault((n.kind, n.number, text), Name(n.kind, n.number, text, n.how))
        for n in list(known.values()):
            if n.how == "same" and (cut := _shortened(n)):
                known.setdefault((n.kind, n.number, cut), Name(n.kind, n.number, cut, "short"))
        for n in list(known.values()):
            if n.how in ("same", "alias") and (counted := _in_digits(n.text)) != n.text:
                known.setdefault((n.kind, n.number, counted), Name(n.kind, n.number, counted, "variant"))
        by_text: dict[str, list[Name]] = defaultdict(list)
        by_loose: dict[str, list[Name]] = defaultdict(list)
        for n in known.values():
            by_text[n.text].append(n)
            if n.how != "short":
                by_loose[loose(n.text)].append(n)
        self._by_text = {t: named(group) for t, group in by_text.items()}
        self._by_loose = {
            t: named(Name(n.kind, n.number, n.text, "variant") for n in group) for t, group in by_loose.items()
        }
        self._longest = min(max((len(t) for t in by_text), default=2), LONGEST)
        self._sizes = _sizes(t for d in (by_text, by_loose) for t in d)
        self._near: dict[str, list[str]] | None = None

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
        near = self._near if self._near is not None else self._neighbours()
        key = loose(text)
        texts: dict[str, None] = {}
        for cut in (key, *(key[:k] + key[k + 1 :] for k in range(len(key)))):
            texts.update(dict.fromkeys(near.get(cut, ())))
        names = [n for t in texts if _one_apart(t, key) for n in self._by_loose[t].names]
        return [Name(n.kind, n.number, n.text, "like") for n in names if n.kind in kinds][:20]

    def _neighbours(self) -> dict[str, list[str]]:
        """Every spelling under each of its forms with one character left out. Made when first needed."""
        near: dict[str, list[str]] = defaultdict(list)
        for text in self._by_loose:
            if len(text) >= 3:
                for cut in {text, *(text[:k] + text[k + 1 :] for k in range(len(text)))}:
                    near[cut].append(text)
        self._near = dict(near)
        return self._near


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
            return cut if len(cut) >= 2 else ""
    return ""


def _in_digits(text: str) -> str:
    """A name with its ordinal in digits: 三组 -> 3组, 枫林一路 -> 枫林1路."""
    return _ORDINAL.sub(lambda m: arabic(m[0]), text)


def _sizes(texts: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Which lengths names have, by their first two characters (as loose): what a scan has to try."""
    sizes: dict[str, set[int]] = defaultdict(set)
    for text in texts:
        if len(text) <= LONGEST:
            sizes[loose(text[:2])].add(len(text))
    return {head: tuple(sorted(found)) for head, found in sizes.items()}
