"""Known names by their kind, as one hash table that compiled loops can ask.

The divisions of the country come with the model; those of a deployment, its streets, compounds and communities are
added when it is loaded, so that a parse knows the place it is made for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.addressing.parsing.tokens import CLASS, points, tokenise
from gis.compiling import njit

#: Kinds of names, one bit each; ``_short`` is a name without its ending (岳麓 for 岳麓区).
#: From "home" on they are words that names of places end with, or that stand behind them.
KINDS: Final = (
    "prov", "city", "district", "town", "community", "road", "compound", "zone",
    "prov_short", "city_short", "district_short", "town_short", "community_short", "road_short", "compound_short",
    "home", "house", "market", "works", "company", "office", "shop", "trade", "zone_section", "part_section",
    "recipient", "relation",
)  # fmt: skip
BIT: Final = {name: 1 << k for k, name in enumerate(KINDS)}
#: Longest name in tokens.
LONGEST: Final = 12
_ENDINGS: Final = {
    "prov": ("壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区", "省", "市"),
    "city": ("自治州", "地区", "市", "盟"),
    "district": ("自治县", "自治旗", "区", "县", "市", "旗"),
    "town": ("街道办事处", "民族乡", "街道", "镇", "乡"),
    "community": ("社区居委会", "居民委员会", "村民委员会", "居委会", "村委会", "社区", "村"),
    "compound": ("小区", "住宅区"),
}


@dataclass(frozen=True)
class Lexicon:
    """Open addressing: ``keys`` (uint64, 0 empty) and ``masks`` of kinds, a power of two long."""

    keys: NDArray[np.uint64]
    masks: NDArray[np.uint32]

    def __len__(self) -> int:
        return int((self.keys != 0).sum())


def short(name: str, kind: str) -> str:
    """A name without the ending of its kind; "" where less than two characters would be left."""
    for ending in _ENDINGS.get(kind, ()):
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name[: -len(ending)]
    return ""


def entries(names: Iterable[tuple[str, str]]) -> dict[int, int]:
    """Hash -> kinds for (name, kind) pairs and the short forms of the names."""
    found: dict[int, int] = {}
    for name, kind in names:
        _enter(found, name, BIT[kind])
        cut = short(name, kind)
        if cut:
            _enter(found, cut, BIT[kind + "_short"])
    return found


def _enter(found: dict[int, int], name: str, bit: int) -> None:
    key = key_of(name)
    if key:
        found[key] = found.get(key, 0) | bit


def key_of(name: str) -> int:
    """Hash of a name as the compiled loops see it; 0 for names of one token or too many."""
    exact = tokenise(points(name), CLASS).exact
    return int(chain(exact)) if 2 <= len(exact) <= LONGEST else 0


def build(found: dict[int, int]) -> Lexicon:
    """The table of hashes and kinds."""
    size = 1 << max(4, (len(found) * 2).bit_length())
    table = np.zeros(size, dtype=np.uint64), np.zeros(size, dtype=np.uint32)
    keys = np.array(sorted(found), dtype=np.uint64)
    _fill(keys, np.array([found[int(k)] for k in keys], dtype=np.uint32), *table)
    return Lexicon(*table)


@njit(cache=True)
def step(h: Any, exact: Any) -> Any:  # pragma: no cover - compiled
    """Hash of a phrase with one more token."""
    h = (h ^ exact) * np.uint64(0x9E3779B97F4A7C15)
    return h ^ (h >> np.uint64(29))


@njit(cache=True)
def chain(exact: Any) -> Any:  # pragma: no cover - compiled
    """Hash of a whole phrase."""
    h = np.uint64(0x2545F4914F6CDD1D)
    for e in exact:
        h = step(h, e)
    return h


@njit(cache=True)
def find(keys: Any, masks: Any, h: Any) -> Any:  # pragma: no cover - compiled
    """Kinds of a phrase by its hash, 0 where it is none."""
    last = np.uint64(len(keys) - 1)
    at = (h >> np.uint64(7)) & last
    while keys[at] != 0:
        if keys[at] == h:
            return masks[at]
        at = (at + np.uint64(1)) & last
    return np.uint32(0)


@njit(cache=True)
def _fill(wanted: Any, kinds: Any, keys: Any, masks: Any) -> None:  # pragma: no cover - compiled
    last = np.uint64(len(keys) - 1)
    for k in range(len(wanted)):
        at = (wanted[k] >> np.uint64(7)) & last
        while keys[at] != 0 and keys[at] != wanted[k]:
            at = (at + np.uint64(1)) & last
        keys[at] = wanted[k]
        masks[at] |= kinds[k]
