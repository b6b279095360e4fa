"""Door numbers along thoroughfares: existing ones are kept, new ones fit between them.

What a place prescribes is a ``Rule`` (gis.addressing.rules). Where a street already has numbers, its own direction
and parity are read from them. What we issue is unique in its street, of its side's parity, and grows along its
side; where no such number exists none is issued, and the break is listed with its reason.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gis.addressing import doornumbers
from gis.addressing.breaks import MISMATCH, NO_NUMBER, NO_PLACE, SEVERAL, SHARED, Break
from gis.addressing.doornumbers import DoorNumber, Key
from gis.addressing.expected import Around, Profile, Side
from gis.addressing.fitting import Free, Gap, fit
from gis.addressing.rules import Rule
from gis.territory.model import Bools, Floats, Ints, Texts

__all__ = ["MISMATCH", "NO_NUMBER", "NO_PLACE", "SEVERAL", "SHARED", "Break", "Numbers", "Rule", "number"]


@dataclass(frozen=True)
class Numbers:
    """For each of n items: the number's text without 号 ("" for none), its key, and whether it was there before.

    ``turned`` are the streets whose own numbers run against the counting direction, ``swapped`` those with odd
    numbers on the other side than the rule has them.
    """

    text: Texts
    key: list[Key]
    kept: Bools
    breaks: tuple[Break, ...]
    turned: frozenset[int] = frozenset()
    swapped: frozenset[int] = frozenset()


@dataclass
class _Street:
    """The items of one thoroughfare in counting order, with what is known of its existing numbers.

    ``at``: metre in counting direction. ``unread`` have a number that cannot be read; ``loose`` ones are kept but
    nothing is fitted to them. ``step`` is 2, or 1 where a street of one side counts every number.
    """

    items: list[int]
    at: dict[int, float]
    odd: dict[int, bool]
    texts: dict[int, str]
    numbers: dict[int, DoorNumber]
    unread: set[int]
    loose: set[int]
    block: int
    step: int = 2
    turned: bool = False
    swapped: bool = False

    def written(self, item: int) -> str:
        """An item's existing number as text."""
        return doornumbers.write(self.numbers[item].low, block=self.block)


def number(
    street: Ints,
    station: Floats,
    right: Bools,
    existing: Texts,
    rule: Rule,
    *,
    identity: Texts | None = None,
    odd_right: Bools | None = None,
    weight: Floats | None = None,
) -> Numbers:
    """Number n items by their thoroughfare (-1: none), station in metres and side.

    ``existing`` holds the number an item already has, or "". ``identity`` breaks ties of station, so that the
    result does not depend on the order of the rows. ``odd_right`` says for each item whether odd numbers are on
    the right of its street (default: the rule's), ``weight`` how much it counts where doors crowd.
    """
    count = len(street)
    tie = np.arange(count) if identity is None else np.argsort(np.argsort(identity.astype(str), kind="stable"))
    order = np.lexsort((tie, station, street))
    order = order[street[order] >= 0]
    text = np.array([""] * count, dtype=object)
    keys: list[Key] = [()] * count
    kept = np.zeros(count, dtype=bool)
    breaks: list[Break] = []
    on_right = (right == (rule.odd_right if odd_right is None else odd_right)).tolist()
    metres, heavy = station.tolist(), None if weight is None else weight.tolist()
    said = [str(t).strip() for t in existing]
    turned: set[int] = set()
    swapped: set[int] = set()
    for items in np.split(order, np.flatnonzero(np.diff(street[order])) + 1) if len(order) else []:
        group = _read_street(items.tolist(), on_right, metres, said, rule, breaks)
        of = int(street[group.items[0]])
        turned |= {of} if group.turned else set()
        swapped |= {of} if group.swapped else set()
        for i, door in group.numbers.items():
            keys[i] = door.low
        for i in group.texts:
            text[i], kept[i] = said[i].rstrip("号號"), True
        for i, key in _issue(group, heavy, rule, breaks).items():
            keys[i] = key
            text[i] = doornumbers.write(key, infill=rule.infill, block=group.block)
    breaks.sort(key=lambda b: (b.item, b.kind, b.reason))
    return Numbers(text, keys, kept, tuple(breaks), frozenset(turned), frozenset(swapped))


def _read_street(
    items: list[int], odd: list[bool], metres: list[float], said: list[str], rule: Rule, breaks: list[Break]
) -> _Street:
    """Read existing numbers, list what is unreadable, several or too large; turn the street as its numbers run."""
    texts = {i: said[i] for i in items if said[i]}
    block = doornumbers.block_of(list(texts.values()))
    group = _Street(items, {i: metres[i] for i in items}, {i: odd[i] for i in items}, texts, {}, set(), set(), block)
    for i, value in texts.items():
        found = doornumbers.read(value, block=block)
        if not found:
            group.unread.add(i)
            breaks.append(Break(i, MISMATCH, "unreadable", value))
            continue
        if len(found) > 1:
            breaks.append(Break(i, SEVERAL, "several", value))
        if not block and found[-1].high[0] > rule.largest:
            group.loose.add(i)
            breaks.append(Break(i, MISMATCH, "too_large", value))
        group.numbers[i] = DoorNumber(min(f.low for f in found), max(f.high for f in found))
    _orient(group, rule)
    return group


def _orient(group: _Street, rule: Rule) -> None:
    """Turn counting direction and parity to those of the street's own numbers, where they show one."""
    known = [i for i in group.items if i in group.numbers and i not in group.loose]
    sides = [[i for i in known if group.odd[i] == odd] for odd in (True, False)]
    if sum(_rising(group, side) for side in sides) < 0:
        group.items.reverse()
        group.turned = True
        end = group.at[group.items[0]]
        group.at = {i: end - metre for i, metre in group.at.items()}
    one_side = len(set(group.odd.values())) == 1
    even = sum(group.numbers[i].low[0] % 2 == 0 for i in known)
    if one_side and rule.one_sided == "consecutive" and (not known or 0 < even < len(known)):
        group.step = 1
        return
    agree = sum((group.numbers[i].low[0] % 2 == 1) == group.odd[i] for i in known)
    if known and agree * 2 < len(known):
        group.odd = {i: not odd for i, odd in group.odd.items()}
        group.swapped = True


def _rising(group: _Street, side: list[int]) -> float:
    """Above 0 where the numbers of a side grow with the station, below where they fall."""
    if len(side) < 2:
        return 0.0
    rank = np.argsort(np.argsort([group.numbers[i].low[0] for i in side], kind="stable")).astype(np.float64)
    along = np.argsort(np.argsort([group.at[i] for i in side], kind="stable")).astype(np.float64)
    return float(np.dot(rank - rank.mean(), along - along.mean()))


def _issue(group: _Street, weight: list[float] | None, rule: Rule, breaks: list[Break]) -> dict[int, Key]:
    """Numbers for the items of one street that have none."""
    times = Counter(door.low for door in group.numbers.values())
    breaks += [Break(i, SHARED, "duplicate", group.written(i)) for i, d in group.numbers.items() if times[d.low] > 1]
    sides = {odd: [i for i in group.items if group.odd[i] == odd and i not in group.unread] for odd in (True, False)}
    anchors = {odd: _anchors(group, side, odd, breaks) for odd, side in sides.items()}
    issued: dict[int, Key] = {}
    if all(i in group.texts for i in group.items):
        return issued
    profile = Profile(
        (_side(group, sides[True], anchors[True]), _side(group, sides[False], anchors[False])), group.block
    )
    used = _Used(group, rule)
    for odd, side in sides.items():
        for before, run, after in _gaps(side, group, anchors[odd]):
            if not run:
                continue
            low = None if before is None else group.numbers[before].high
            high = None if after is None else group.numbers[after].low
            around = Around(
                None if before is None else (group.at[before], group.numbers[before].high[0]),
                None if after is None else (group.at[after], group.numbers[after].low[0]),
            )
            at = [group.at[i] for i in run]
            wanted = _wanted(profile, odd, at, around, rule, group.step)
            heavy = None if weight is None else [weight[i] for i in run]
            for item, key in zip(run, _fill(Gap(low, high, odd, group.step), wanted, used, rule, heavy), strict=True):
                if key is None:
                    reason = "no_room" if high is not None else "beyond_largest"
                    breaks.append(Break(item, NO_NUMBER, reason))
                else:
                    issued[item] = key
                    used.add(key)
    return issued


def _side(group: _Street, side: list[int], anchors: set[int]) -> Side:
    rows = [i for i in side if i in anchors]
    doors = [group.numbers[i] for i in rows]
    return Side([group.at[i] for i in rows], [float(d.low[0]) for d in doors], [float(d.high[0]) for d in doors])


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
    """Numbers of one street that are taken, by key and by what is written; the rule's skipped ones among them."""

    def __init__(self, group: _Street, rule: Rule) -> None:
        self._keys: set[Key] = set()
        self._texts = {t.rstrip("号號") for t in group.texts.values()}
        self._infill, self.block = rule.infill, group.block
        bases = set(rule.skip)
        for door in group.numbers.values():
            self._keys |= {door.low, door.high}
            bases |= {k[0] for k in (door.low, door.high) if len(k) == 1}
            if door.low[0] < door.high[0] <= door.low[0] + doornumbers.WIDEST_RANGE:
                bases |= set(range(door.low[0], door.high[0] + 1, 2))
        # what is written is taken too, however it was read (1-3 as block and house, say)
        bases |= {n for t in self._texts if (n := doornumbers.base_written(t, block=group.block)) is not None}
        if group.block:  # 90-00 is no house number
            bases |= {n - n % group.block + b for n in bases for b in (0, group.block)}
        self.bases = sorted(bases)

    def __contains__(self, key: Key) -> bool:
        return key in self._keys or doornumbers.write(key, infill=self._infill, block=self.block) in self._texts

    def add(self, key: Key) -> None:
        """Take a number."""
        self._keys.add(key)
        if len(key) == 1:
            insort(self.bases, key[0])


def _anchors(group: _Street, side: list[int], odd: bool, breaks: list[Break]) -> set[int]:
    """Existing numbers of a side that keep its parity and order: new numbers are fitted between these."""
    fit_ = []
    for i in side:
        if i not in group.numbers or i in group.loose:
            continue
        if group.step == 2 and (group.numbers[i].low[0] % 2 == 1) != odd:
            breaks.append(Break(i, MISMATCH, "parity", group.written(i)))
        else:
            fit_.append(i)
    rising = _longest_rising([group.numbers[i] for i in fit_])
    chosen = {fit_[k] for k in rising}
    seen = {group.numbers[i].low for i in chosen}
    breaks += [
        Break(i, MISMATCH, "order", group.written(i))
        for i in fit_
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


def _wanted(profile: Profile, odd: bool, at: list[float], around: Around, rule: Rule, step: int) -> list[float]:
    """Expected numbers of a run: by the rule where nothing stands behind it, else by the numbers around it."""
    if rule.mode == "metric" and not profile.block:
        return [s / rule.unit_m for s in at]
    if around.after is None and (rule.mode == "gaps" or not (around.before and profile.known)):
        first = rule.first + (step == 2 and (rule.first % 2 == 1) != odd)
        return _one_after_another(at, around.before or (at[0], float(first - step)), rule, step)
    return profile.expected(0 if odd else 1, at, around)


def _one_after_another(at: list[float], start: tuple[float, float], rule: Rule, step: int) -> list[float]:
    """Consecutive numbers of one side; with gaps, more are left where frontage is empty or the rule reserves."""
    here, number = start
    found: list[float] = []
    for s in at:
        number += step
        if rule.mode == "gaps" and (found or number > rule.first + 1):
            empty = int((s - here) // rule.frontage_m) if rule.frontage_m else 0
            number += step * (rule.reserve + empty)
        found.append(number)
        here = s
    return found


def _fill(gap: Gap, wanted: list[float], used: _Used, rule: Rule, weight: list[float] | None) -> list[Key | None]:
    """Keys for the unnumbered items of one gap, rising; None where the gap has no room."""
    need = len(wanted)
    free = Free(gap, used.bases, rule.first, doornumbers.limit(rule.largest, used.block))
    if free.count >= need:
        places = [free.place(n) for n in wanted]
        return [(free.number(k),) for k in fit(places, free.count, weight)]
    keys: list[Key | None] = [(free.number(k),) for k in range(free.count)]
    anchor = keys[-1] if keys else gap.low
    if gap.high is None:
        return keys + [None] * (need - free.count)
    return keys + _attached(anchor, gap.high, need - free.count, used)


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
