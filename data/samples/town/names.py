"""Invented names, each given once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise, product
from typing import Any, Final

import numpy as np

NUMERALS: Final = "一二三四五六七八九十"


@cache
def words() -> dict[str, Any]:
    """The word lists of ``names.toml``."""
    return tomllib.loads((files(__package__) / "names.toml").read_text(encoding="utf-8"))


def numeral(number: int) -> str:
    """1 to 99 in Chinese: 一, 十二, 三十."""
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else NUMERALS[tens - 1]) + "十" if tens else ""
    return ten + (NUMERALS[ones - 1] if ones else "")


def one_by_one(rng: np.random.Generator, *lists: list[str]) -> Iterator[str]:
    """Every join of one word of each list, in random order, but none that stutters (塘塘).

    Then the same again with 新, 第二, 第三 … before them.
    """
    joined = ["".join(parts) for parts in product(*lists) if all(a[-1] != b[0] for a, b in pairwise(parts))]
    order = rng.permutation(len(joined))
    yield from (joined[i] for i in order)
    for again in range(2, 100):
        prefix = "新" if again == 2 else "第" + numeral(again - 1)
        yield from (prefix + joined[i] for i in order)


#: Kinds of public places; the list of each is its plural in ``names.toml``.
PLACES: Final = ("park", "mall", "business_park", "school", "hospital", "office")


class Names:
    """Draws names without ever giving one twice. The order of the calls decides who gets which."""

    def __init__(self, rng: np.random.Generator) -> None:
        w = words()
        self._rng = rng
        self._used: set[str] = set()
        first, second = w["street_first"], w["street_second"]
        self._pools: dict[str, list[Iterator[str]]] = {
            "street": [one_by_one(rng, w["street_words"]), one_by_one(rng, first, second)],
            "lane": [one_by_one(rng, w["lane_words"]), one_by_one(rng, w["lane_first"], w["lane_second"])],
            "compound": [one_by_one(rng, w["compound_first"], w["compound_last"])],
            "dormitory": [one_by_one(rng, w["work_units"])],
            "community": [one_by_one(rng, w["community_first"], w["community_second"])],
            "village": [one_by_one(rng, w["village_first"], w["village_second"])],
            "hamlet": [one_by_one(rng, w["hamlet_first"], w["hamlet_last"])],
            "person": [one_by_one(rng, w["surnames"], w["given_first"], w["given_second"])],
            **{k: [one_by_one(rng, w[k + "s"])] for k in PLACES},
        }
        self._sizes = {"street": len(w["street_words"]), "lane": len(w["lane_words"])}
        self._given: dict[str, int] = {}

    def draw(self, kind: str, suffix: str = "") -> str:
        """A name of its kind that was not given before, with ``suffix`` behind it."""
        while True:
            given = self._given.get(kind, 0)
            self._given[kind] = given + 1
            pool = self._pools[kind]
            name = next(pool[0] if len(pool) == 1 or given < self._sizes[kind] else pool[1]) + suffix
            if name not in self._used:
                self._used.add(name)
                return name
