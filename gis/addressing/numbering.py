"""Door numbers along thoroughfares: existing ones are kept, new ones fit between them.

Default rule (Beijing 2012): counting starts in the east or north; seen in counting direction the right side is
odd, so that north and west sides are odd, south and east even. Where a street already has numbers, its own
direction and parity are read from them. What we issue is unique in its street, of its side's parity, and grows
along its side; where no such number exists none is issued, and the break is listed with its reason.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from gis.addressing import doornumbers
from gis.addressing.doornumbers import DoorNumber, Infill, Key
from gis.addressing.thoroughfares import Start
from gis.territory.model import Bools, Floats, Ints, Texts

#: The five classes of address mess (地址乱象), as 宜昌 lists them.
MISMATCH: Final = "号址不一"  # the number does not fit its place
SHARED: Final = "一号多址"  # one number at several places
SEVERAL: Final = "多号一址"  # several numbers at one place
NO_NUMBER: Final = "有址无号"  # a place without a number
NO_PLACE: Final = "有号无址"  # a number whose street or place is not there


@dataclass(frozen=True)
class Rule:
    """One place's practice. ``odd_right``: odd numbers on the right in counting direction."""

    name: str = "beijing2012"
    start: Start = "east_north"
    odd_right: bool = True
    infill: Infill = "attached"
    skip: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Break:
    """One thing wrong with numbers: ``kind`` is one of the five classes, ``reason`` a catalogue code's end."""

    item: int
    kind: str
    reason: str
    value: str = ""


@dataclass(frozen=True)
class Numbers:
    """For each of n items: the number's text without 号 ("" for none), its key, and whether it was there before."""

    text: Texts
    key: list[Key]
    kept: Bools
    breaks: tuple[Break, ...]


@dataclass
class _Street:
    """The items of one thoroughfare in counting order, with what is known of its existing numbers.

    ``unread`` have a number that cannot be read; ``loose`` ones are kept but nothing is fitted to them.
    """

    items: list[int]
    odd: dict[int, bool]
    numbers: dict[int, DoorNumber]
    unread: set[int]
    loose: set[int]
    block: int

    def written(self, item: int) -> str:
        """An item's existing number as text."""
        return doornumbers.write(self.numbers[item].low, block=self.block)


def number(
    street: Ints, station: Floats, right: Bools, existing: Texts, rule: Rule, *, identity: Texts | None = None
) -> Numbers:
    """Number n items by their thoroughfare (-1: none), station in metres and side.

    ``existing`` holds the number an item already has, or "". ``identity`` breaks ties of station, so that the
    result does not depend on the order of the rows.
    """
    count = len(street)
    tie = np.arange(count).astype(object) if identity is None else identity
    order = sorted(range(count), key=lambda i: (int(street[i]), float(station[i]), tie[i]))
    groups: dict[int, list[int]] = defaultdict(list)
    for i in order:
        if street[i] >= 0:
            groups[int(street[i])].append(i)
    text = np.array([""] * count, dtype=object)
    keys: list[Key] = [()] * count
    kept = np.zeros(count, dtype=bool)
    breaks: list[Break] = []
    for items in groups.values():
        group = _read_street(items, right, existing, rule, breaks)
        _orient(group, station)
        for i, door in group.numbers.items():
            keys[i], kept[i] = door.low, True
        for i in items:
            if existing[i]:
                text[i], kept[i] = str(existing[i]).strip().rstrip("号號"), True
        for i, key in _issue(group, station, existing, rule, breaks).items():
            keys[i] = key
            text[i] = doornumbers.write(key, infill=rule.infill, block=group.block)
    breaks.sort(key=lambda b: (b.item, b.kind, b.reason))
    return Numbers(text, keys, kept, tuple(breaks))


def _read_street(items: list[int], right: Bools, existing: Texts, rule: Rule, breaks: list[Break]) -> _Street:
    """Read existing numbers, list what is unreadable, several or too large."""
    texts = {i: str(existing[i]) for i in items if existing[i]}
    odd = {i: bool(right[i]) == rule.odd_right for i in items}
    group = _Street(items, odd, {}, set(), set(), doornumbers.block_of(list(texts.values())))
    for i, value in texts.items():
        found = doornumbers.read(value, block=group.block)
        if not found:
            group.unread.add(i)
            breaks.append(Break(i, MISMATCH, "unreadable", value))
            continue
        if len(found) > 1:
            breaks.append(Break(i, SEVERAL, "several", value))
        if not group.block and found[-1].high[0] > doornumbers.LARGEST:
            group.loose.add(i)
            breaks.append(Break(i, MISMATCH, "too_large", value))
        group.numbers[i] = DoorNumber(min(f.low for f in found), max(f.high for f in found))
    return group


def _orient(group: _Street, station: Floats) -> None:
    """Turn counting direction and parity to those of the street's own numbers, where they show one."""
    known = [i for i in group.items if i in group.numbers and i not in group.loose]
    sides = [[i for i in known if group.odd[i] == odd] for odd in (True, False)]
    if sum(_rising(group, side, station) for side in sides) < 0:
        group.items.reverse()
    agree = sum((group.numbers[i].low[0] % 2 == 1) == group.odd[i] for i in known)
    if known and agree * 2 < len(known):
        group.odd = {i: not odd for i, odd in group.odd.items()}


def _rising(group: _Street, side: list[int], station: Floats) -> float:
    """Above 0 where the numbers of a side grow with the station, below where they fall."""
    if len(side) < 2:
        return 0.0
    rank = np.argsort(np.argsort([group.numbers[i].low[0] for i in side], kind="stable")).astype(np.float64)
    along = np.argsort(np.argsort(station[side], kind="stable")).astype(np.float64)
    return float(np.dot(rank - rank.mean(), along - along.mean()))


def _issue(group: _Street, station: Floats, existing: Texts, rule: Rule, breaks: list[Break]) -> dict[int, Key]:
    """Numbers for the items of one street that have none."""
    used = _Used(group, existing, rule.infill)
    times = Counter(door.low for door in group.numbers.values())
    breaks += [Break(i, SHARED, "duplicate", group.written(i)) for i, d in group.numbers.items() if times[d.low] > 1]
    issued: dict[int, Key] = {}
    for odd in (True, False):
        side = [i for i in group.items if group.odd[i] == odd and i not in group.unread]
        for before, run, after in _gaps(side, group, _anchors(group, side, odd, breaks)):
            gap = _Gap(
                low=None if before is None else group.numbers[before].high,
                high=None if after is None else group.numbers[after].low,
                odd=odd,
            )
            ends = (None if before is None else station[before], None if after is None else station[after])
            for item, key in zip(run, _fill(gap, station[run], ends, used, rule), strict=True):
                if key is None:
                    breaks.append(Break(item, NO_NUMBER, "no_room"))
                else:
                    issued[item] = key
                    used.add(key)
    return issued


def _gaps(side: list[int], group: _Street, anchors: set[int]) -> Iterator[tuple[int | None, list[int], int | None]]:
    """Runs of unnumbered items with the anchors before and after them."""
    before: int | None = None
    run: list[int] = []
    for item in side:
        if item in anchors:
            yield before, run, item
            before, run = item, []
        elif item not in group.numbers:
            run.append(item)
    yield before, run, None


class _Used:
    """Numbers of one street that are taken, by key and by what is written."""

    def __init__(self, group: _Street, existing: Texts, infill: Infill) -> None:
        self._keys: set[Key] = set()
        self._texts = {str(existing[i]).strip().rstrip("号號") for i in group.items if existing[i]}
        self._infill, self._block = infill, group.block
        for door in group.numbers.values():
            self._keys |= {door.low, door.high}
            if door.high[0] - door.low[0] <= 80:
                self._keys |= {(n,) for n in range(door.low[0], door.high[0] + 1, 2)}

    def __contains__(self, key: Key) -> bool:
        written = doornumbers.write(key, infill=self._infill, block=self._block)
        return key in self._keys or written in self._texts

    def add(self, key: Key) -> None:
        """Take a number."""
        self._keys.add(key)


def _anchors(group: _Street, side: list[int], odd: bool, breaks: list[Break]) -> set[int]:
    """Existing numbers of a side that keep its parity and order: new numbers are fitted between these."""
    fit = []
    for i in side:
        if i not in group.numbers or i in group.loose:
            continue
        if (group.numbers[i].low[0] % 2 == 1) != odd:
            breaks.append(Break(i, MISMATCH, "parity", group.written(i)))
        else:
            fit.append(i)
    rising = _longest_rising([group.numbers[i] for i in fit])
    chosen = {fit[k] for k in rising}
    seen = {group.numbers[i].low for i in chosen}
    breaks += [
        Break(i, MISMATCH, "order", group.written(i))
        for i in fit
        if i not in chosen and group.numbers[i].low not in seen
    ]
    return chosen


def _longest_rising(doors: list[DoorNumber]) -> list[int]:
    """Positions of a longest strictly rising subsequence (patience sorting), ranges not overlapping."""
    tops: list[Key] = []
    top_at: list[int] = []
    before = [-1] * len(doors)
    for i, door in enumerate(doors):
        k = bisect_left(tops, door.low)
        before[i] = top_at[k - 1] if k else -1
        if k == len(tops):
            tops.append(door.high)
            top_at.append(i)
        elif door.high < tops[k]:
            tops[k], top_at[k] = door.high, i
    chain = []
    i = top_at[-1] if top_at else -1
    while i >= 0:
        chain.append(i)
        i = before[i]
    return chain[::-1]


@dataclass(frozen=True)
class _Gap:
    """Between two anchors of one side, exclusive; None: open."""

    low: Key | None
    high: Key | None
    odd: bool


def _fill(
    gap: _Gap, at: Floats, ends: tuple[float | None, float | None], used: _Used, rule: Rule
) -> list[Key | None]:
    """Keys for the unnumbered items of one gap, rising; None where the gap has no room."""
    need = len(at)
    if need == 0:
        return []
    first = (gap.low[0] + 1) if gap.low else 1
    first += (first % 2 == 1) != gap.odd
    if gap.high is None:
        return list(_open_end(first, need, used, rule))
    free = [n for n in range(first, gap.high[0], 2) if (n,) not in used and n not in rule.skip]
    if len(free) >= need:
        return [(free[k],) for k in _spread(len(free), at, ends)]
    keys: list[Key | None] = [(n,) for n in free]
    anchor = (free[-1],) if free else gap.low
    return keys + _attached(anchor, gap.high, need - len(free), used)


def _open_end(first: int, need: int, used: _Used, rule: Rule) -> list[Key]:
    """The next numbers after the last anchor, one after the other."""
    keys: list[Key] = []
    n = first
    while len(keys) < need:
        if (n,) not in used and n not in rule.skip:
            keys.append((n,))
        n += 2
    return keys


def _spread(free: int, at: Floats, ends: tuple[float | None, float | None]) -> list[int]:
    """Rising positions among ``free`` numbers, near where each item lies between the two anchors."""
    need = len(at)
    low = ends[0] if ends[0] is not None else at[0]
    high = ends[1] if ends[1] is not None else at[-1]
    share = (at - low) / (high - low) if high != low else (np.arange(need) + 0.5) / need
    wanted = np.clip(np.rint(share * (free + 1) - 1), 0, free - 1)
    chosen: list[int] = []
    for k in range(need):
        lowest = chosen[-1] + 1 if chosen else 0
        chosen.append(int(min(max(wanted[k], lowest), free - need + k)))
    return chosen


def _attached(after: Key | None, before: Key, need: int, used: _Used) -> list[Key | None]:
    """Attached numbers (附N号) that lie after one key and before another: the next ones, else one level deeper."""
    if after is None:
        return [None] * need
    tries = [(after[:-1], after[-1] + 1)] if len(after) > 1 else []
    for stem, start in [*tries, (after, 1)]:
        keys: list[Key | None] = []
        n = start
        while len(keys) < need and (*stem, n) < before:
            if (*stem, n) not in used:
                keys.append((*stem, n))
            n += 1
        if len(keys) == need:
            return keys
    return [None] * need
