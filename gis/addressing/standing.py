"""What stands on a street already: its doors in counting order, the numbers they have, and what is taken."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass

import numpy as np

from gis.addressing import doornumbers, habits
from gis.addressing.breaks import MISMATCH, SEVERAL, Break
from gis.addressing.doornumbers import DoorNumber, Key
from gis.addressing.rules import Rule


@dataclass
class Street:
    """The items of one thoroughfare in counting order, with what is known of its existing numbers.

    ``at``: metre in counting direction. ``unread`` have a number that cannot be read; ``loose`` ones are kept but
    nothing is fitted to them. ``step`` is 2, or 1 where every number is counted; ``layout`` is the habit its numbers
    show. Of streets counted through (``one``, ``round``) all items are on one side, ``odd``, and ``at`` runs on along
    the way the numbers take. ``hundreds``: 100 where every block of houses begins a new hundred, else 0.
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
    layout: habits.Layout = "sides"
    hundreds: int = 0

    def sound(self) -> list[int]:
        """Items whose number can be fitted to, in counting order."""
        return [i for i in self.items if i in self.numbers and i not in self.loose]

    def written(self, item: int) -> str:
        """An item's existing number as text."""
        return doornumbers.write(self.numbers[item].low, block=self.block)


def read_street(
    items: list[int], odd: list[bool], metres: list[float], said: list[str], rule: Rule, breaks: list[Break]
) -> Street:
    """Read existing numbers, list what is unreadable, several or too large; turn the street as its numbers run."""
    texts = {i: said[i] for i in items if said[i]}
    block = doornumbers.block_of(list(texts.values()))
    group = Street(items, {i: metres[i] for i in items}, {i: odd[i] for i in items}, texts, {}, set(), set(), block)
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


def _orient(group: Street, rule: Rule) -> None:
    """Turn counting direction and parity to those of the street's own numbers, where they show one."""
    known = group.sound()
    right, low = [group.odd[i] for i in known], [group.numbers[i].low[0] for i in known]
    group.layout = habits.layout_of(right, low)
    if group.layout == "round":
        _unroll(group, *habits.way_round(right, low))
    if group.layout != "sides":
        group.step = 1
        if group.layout != "each":
            group.odd = dict.fromkeys(group.odd, True)
    sides = [[i for i in known if group.odd[i] == odd] for odd in (True, False)]
    if group.layout != "round" and sum(_rising(group, side) for side in sides) < 0:
        group.items.reverse()
        group.turned = True
        end = group.at[group.items[0]]
        group.at = {i: end - metre for i, metre in group.at.items()}
    if group.step == 2:
        _parity(group, known, rule)


def _unroll(group: Street, right_first: bool, far_first: bool) -> None:
    """Put the items in the order of numbers that go up one side and come back down the other."""
    metres = group.at.values()
    near, far = min(metres), max(metres)
    begin, turn = (far, near) if far_first else (near, far)
    once = abs(turn - begin) + 1.0
    group.at = {
        i: abs(metre - begin) if group.odd[i] == right_first else once + abs(turn - metre)
        for i, metre in group.at.items()
    }
    group.items.sort(key=group.at.__getitem__)


def _parity(group: Street, known: list[int], rule: Rule) -> None:
    """Which side is odd, or that the only side there is counts every number."""
    one_side = len(set(group.odd.values())) == 1
    even = sum(group.numbers[i].low[0] % 2 == 0 for i in known)
    if one_side and rule.one_sided == "consecutive" and (not known or 0 < even < len(known)):
        group.step = 1
        return
    agree = sum((group.numbers[i].low[0] % 2 == 1) == group.odd[i] for i in known)
    if known and agree * 2 < len(known):
        group.odd = {i: not odd for i, odd in group.odd.items()}
        group.swapped = True


def _rising(group: Street, side: list[int]) -> float:
    """Above 0 where the numbers of a side grow with the station, below where they fall."""
    if len(side) < 2:
        return 0.0
    rank = np.argsort(np.argsort([group.numbers[i].low[0] for i in side], kind="stable")).astype(np.float64)
    along = np.argsort(np.argsort([group.at[i] for i in side], kind="stable")).astype(np.float64)
    return float(np.dot(rank - rank.mean(), along - along.mean()))


class Used:
    """Numbers of one street that are taken, by key and by what is written; the rule's skipped ones among them."""

    def __init__(self, group: Street, rule: Rule) -> None:
        self._keys: set[Key] = set()
        self._texts = {t.rstrip("号號") for t in group.texts.values()}
        self._infill, self.block = rule.infill, group.block
        bases = set(rule.skip)
        for door in group.numbers.values():
            self._keys |= {door.low, door.high}
            bases |= {k[0] for k in (door.low, door.high) if len(k) == 1}
            if door.low[0] < door.high[0] <= door.low[0] + doornumbers.WIDEST_RANGE:
                bases |= set(range(door.low[0], door.high[0] + 1, group.step))
        # what is written is taken too, however it was read (1-3 as block and house, say)
        bases |= {n for t in self._texts if (n := doornumbers.base_written(t, block=group.block)) is not None}
        if group.block:  # 90-00 is no house number
            bases |= {n - n % group.block + b for n in bases for b in (0, group.block)}
        self.bases = sorted(bases)

    def __contains__(self, key: Key) -> bool:
        if key in self._keys:
            return True
        text = doornumbers.write(key, infill=self._infill, block=self.block)
        return text in self._texts or (len(key) == 2 and not doornumbers.reads_as(text, key, block=self.block))

    def add(self, key: Key) -> None:
        """Take a number."""
        self._keys.add(key)
        if len(key) == 1:
            insort(self.bases, key[0])
