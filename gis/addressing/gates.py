"""The gates 编号校验: checks numbers that are about to be issued, by means of their own.

It knows nothing of how numbers were found: it reads every number on a street again and looks whether the new ones
are unique, of their side's parity and in order, and whether the old ones are as they were.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from gis.addressing import doornumbers
from gis.addressing.assign import Addresses
from gis.addressing.doornumbers import Key
from gis.territory.model import Texts

GATES: Final = ("unique", "parity", "order", "changed")


@dataclass(frozen=True)
class Violation:
    """A gate that a number breaks: the street's position, the number, and the gate."""

    gate: str
    street: int
    number: str


@dataclass(frozen=True)
class Placed:
    """A number on a street: metre, side, text, whether it was there before."""

    station: float
    right: bool
    number: str
    kept: bool


def check(found: Addresses, stated: Texts | None = None, *, consecutive: bool = False) -> tuple[Violation, ...]:
    """Every violation in what was assigned. ``stated`` are the numbers that buildings had before ("": none; default:
    what the addresses say); ``consecutive``: the ruleset lets streets of one side count every number."""
    stated = found.stated if stated is None else stated
    broken = [
        Violation("changed", int(found.thoroughfare[k]), str(found.number[k]))
        for k in np.flatnonzero(stated != "")
        if str(found.number[k]) != str(stated[k]).strip().rstrip("号號")
    ]
    streets: dict[int, dict[tuple[int, str], Placed]] = defaultdict(dict)
    for k in np.flatnonzero((found.thoroughfare >= 0) & (found.number != "")):
        of, number = int(found.thoroughfare[k]), str(found.number[k])
        placed = Placed(float(found.station[k]), bool(found.right[k]), number, bool(found.kept[k]))
        # the buildings of one compound share its number: they are one place
        streets[of][int(found.item[k]), number] = placed
    doors = found.doors
    for k in np.flatnonzero(doors.thoroughfare >= 0):
        placed = Placed(float(doors.station[k]), bool(doors.right[k]), str(doors.number[k]), bool(doors.kept[k]))
        streets[int(doors.thoroughfare[k])][10**9 + int(k), placed.number] = placed
    for street, places in streets.items():
        broken += _street(street, list(places.values()), consecutive, bool(found.through[street]))
    return tuple(broken)


def _street(street: int, places: Sequence[Placed], consecutive: bool, through: bool) -> Iterable[Violation]:
    block = doornumbers.block_of([p.number for p in places if p.kept])
    times = Counter(p.number for p in places)
    for p in places:
        if not p.kept and times[p.number] > 1:
            yield Violation("unique", street, p.number)
    new = [(p, _key(p.number, block)) for p in places if not p.kept]
    one_side = consecutive and len({p.right for p in places}) == 1
    sides = {right: [(p, key) for p, key in new if p.right == right] for right in (True, False)}
    if through:  # odd and even stand on one side already, and may run up the one side and down the other
        for right, rows in sides.items():
            yield from _order(street, {right: rows})
        return
    if not one_side:
        yield from _parity(street, sides)
    yield from _order(street, sides)


def _key(number: str, block: int) -> Key:
    found = doornumbers.read(number, block=block)
    return found[0].low if found else ()


def _parity(street: int, sides: dict[bool, list[tuple[Placed, Key]]]) -> Iterable[Violation]:
    """New numbers of a side have one parity, and not that of the other side."""
    usual = {}
    for right, rows in sides.items():
        odd = Counter(key[0] % 2 for _, key in rows if key)
        if odd:
            usual[right] = odd.most_common(1)[0][0]
            for p, key in rows:
                if not key or key[0] % 2 != usual[right]:
                    yield Violation("parity", street, p.number)
    if len(usual) == 2 and usual[True] == usual[False]:
        yield from (Violation("parity", street, p.number) for p, _ in sides[True])


def _order(street: int, sides: dict[bool, list[tuple[Placed, Key]]]) -> Iterable[Violation]:
    """New numbers grow one way along both sides; doors at one and the same metre may stand either way."""
    up: list[tuple[bool, str]] = []
    for rows in sides.values():
        along = sorted(rows, key=lambda row: row[0].station)
        for (a, first), (b, second) in pairwise(along):
            if a.station != b.station and first != second:
                up.append((second > first, b.number))
    rising = sum(u for u, _ in up)
    forward = rising * 2 >= len(up)
    return (Violation("order", street, number) for u, number in up if u != forward)
