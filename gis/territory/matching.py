"""Which building a row of a table means: by its id, its address or its name."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

#: How a row was understood. ``contradiction``: its id, address and name mean different buildings; ``twice``: another
#: row means the same building.
Outcome = Literal["id", "address", "name", "unknown", "ambiguous", "contradiction", "twice"]
MATCHED: Final[frozenset[str]] = frozenset({"id", "address", "name"})

#: Spaces, brackets, quotes and punctuation (after NFKC, which makes full-width forms plain).
_IGNORED: Final = re.compile(r"""[\s,.;:()\[\]{}<>"'_\u3001\u3002\u3008-\u3011\u3014-\u301b\u2018-\u201f\u00b7]+""")
#: Every dash is one dash: hyphens, en and em dashes, the minus sign, the wave.
_HYPHENS: Final = re.compile("[\u2010-\u2015\u2212\u301c\ufe58\ufe63~]")


@dataclass(frozen=True)
class Clue:
    """What a row says of its building; "" where it says nothing."""

    source_id: str = ""
    address: str = ""
    name: str = ""


@dataclass(frozen=True)
class Match:
    """What became of one row: the building (a position) or -1, and the positions it could also mean."""

    outcome: Outcome
    building: int = -1
    candidates: tuple[int, ...] = ()


@dataclass
class Register:
    """Every spelling by which buildings are known, folded; several buildings may share one."""

    ids: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    addresses: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    names: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, building: int, source_id: str, addresses: Iterable[str], names: Iterable[str]) -> None:
        """Enter a building under its id, its addresses and its names."""
        self.ids[source_id.strip()].add(building)
        for spelling in addresses:
            if key := fold_address(spelling):
                self.addresses[key].add(building)
        for spelling in names:
            if key := fold(spelling):
                self.names[key].add(building)


def fold(text: str) -> str:
    """One spelling for many: full width, case, spaces, brackets and kinds of dash do not count."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", _HYPHENS.sub("-", _IGNORED.sub("", plain)))


def fold_address(text: str) -> str:
    """As :func:`fold`, and 号 at the end does not count. A suffix does: 12附3 is neither 12 nor 12-3."""
    return fold(text).removesuffix("号")


def match(clues: Sequence[Clue], register: Register) -> list[Match]:
    """One answer a row. What a row says must agree; buildings that two rows mean are given to neither."""
    found = [_match(clue, register) for clue in clues]
    rows_of: dict[int, int] = defaultdict(int)
    for one in found:
        rows_of[one.building] += one.outcome in MATCHED
    return [
        Match("twice", -1, (m.building,)) if m.outcome in MATCHED and rows_of[m.building] > 1 else m for m in found
    ]


def _match(clue: Clue, register: Register) -> Match:
    told: list[tuple[Outcome, set[int]]] = []
    if clue.source_id:
        told.append(("id", _known(register.ids, clue.source_id.strip())))
    if clue.address:
        told.append(("address", _known(register.addresses, fold_address(clue.address))))
    if clue.name:
        told.append(("name", _known(register.names, fold(clue.name))))
    known = [(how, buildings) for how, buildings in told if buildings]
    if not known:
        return Match("unknown")
    if clue.source_id and known[0][0] != "id":
        return Match("unknown", -1, tuple(sorted(known[0][1]))[:5])
    # "1栋" alone is many buildings; with its address it is one
    common = set.intersection(*[buildings for _, buildings in known])
    if not common:
        return Match("contradiction", -1, tuple(sorted(set().union(*[b for _, b in known])))[:5])
    if len(common) > 1:
        return Match("ambiguous", -1, tuple(sorted(common))[:5])
    return Match(known[0][0], common.pop())


def _known(spellings: Mapping[str, set[int]], key: str) -> set[int]:
    return spellings.get(key, set()) if key else set()
