"""Door numbers along thoroughfares: existing ones are kept, new ones fit between them.

What a place prescribes is a ``Rule`` (gis.addressing.rules). Where a street already has numbers, its own direction
and parity are read from them. What we issue is unique in its street, of its side's parity, and grows along its
side; where no such number exists none is issued, and the break is listed with its reason.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from gis.addressing import doornumbers, habits
from gis.addressing.breaks import MISMATCH, NO_NUMBER, NO_PLACE, SEVERAL, SHARED, Break
from gis.addressing.doornumbers import DoorNumber, Key
from gis.addressing.expected import Around, Profile, Side
from gis.addressing.fitting import Free, Gap, fit
from gis.addressing.rules import Rule
from gis.addressing.standing import Street, Used, read_street
from gis.territory.model import Bools, Floats, Ints, Texts

__all__ = ["MISMATCH", "NO_NUMBER", "NO_PLACE", "SEVERAL", "SHARED", "Break", "Numbers", "Rule", "number"]


@dataclass(frozen=True)
class Numbers:
    """For each of n items: the number's text without 号 ("" for none), its key, and whether it was there before.

    ``turned`` are the streets whose own numbers run against the counting direction, ``swapped`` those with odd
    numbers on the other side than the rule has them, ``through`` those that count odd and even on one side.
    """

    text: Texts
    key: list[Key]
    kept: Bools
    breaks: tuple[Break, ...]
    turned: frozenset[int] = frozenset()
    swapped: frozenset[int] = frozenset()
    through: frozenset[int] = frozenset()


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
    rows = np.split(order, np.flatnonzero(np.diff(street[order])) + 1) if len(order) else []
    groups = [read_street(items.tolist(), on_right, metres, said, rule, breaks) for items in rows]
    _find_hundreds(groups)
    small = rule.infill == "letter" and doornumbers.small_letters(said)
    for group in groups:
        for i, door in group.numbers.items():
            keys[i] = door.low
        for i in group.texts:
            text[i], kept[i] = said[i].rstrip("号號"), True
        for i, key in _issue(group, heavy, rule, breaks).items():
            keys[i] = key
            written = doornumbers.write(key, infill=rule.infill, block=group.block)
            text[i] = written.lower() if small else written
    breaks.sort(key=lambda b: (b.item, b.kind, b.reason))
    of = [int(street[group.items[0]]) for group in groups]
    turned = frozenset(t for t, group in zip(of, groups, strict=True) if group.turned)
    swapped = frozenset(t for t, group in zip(of, groups, strict=True) if group.swapped)
    through = frozenset(t for t, group in zip(of, groups, strict=True) if group.layout != "sides")
    return Numbers(text, keys, kept, tuple(breaks), turned, swapped, through)


def _find_hundreds(groups: list[Street]) -> None:
    """Mark streets whose blocks of houses begin new hundreds: by their own numbers, else as the whole town does."""
    found = []
    for group in groups:
        sound = [] if group.block or group.step == 1 else group.sound()
        within: list[float] = []
        across: list[float] = []
        for odd in (True, False):
            side = [i for i in sound if group.odd[i] == odd]
            more = habits.paces([group.at[i] for i in side], [group.numbers[i].low[0] for i in side])
            within += more[0]
            across += more[1]
        found.append((bool(sound), within, across))
    town = habits.in_hundreds([p for _, w, _ in found for p in w], [p for _, _, a in found for p in a])
    for group, (plain, within, across) in zip(groups, found, strict=True):
        own = len(across) >= habits.HUNDRED_PAIRS
        if plain and (habits.in_hundreds(within, across) if own else town):
            group.hundreds = 100


def _issue(group: Street, weight: list[float] | None, rule: Rule, breaks: list[Break]) -> dict[int, Key]:
    """Numbers for the items of one street that have none."""
    times = Counter(door.low for door in group.numbers.values())
    breaks += [Break(i, SHARED, "duplicate", group.written(i)) for i, d in group.numbers.items() if times[d.low] > 1]
    sides = {odd: [i for i in group.items if group.odd[i] == odd and i not in group.unread] for odd in (True, False)}
    anchors = {odd: _anchors(group, side, odd, breaks) for odd, side in sides.items()}
    issued: dict[int, Key] = {}
    if all(i in group.texts for i in group.items):
        return issued
    profile = Profile(
        (_side(group, sides[True], anchors[True]), _side(group, sides[False], anchors[False])),
        group.block or group.hundreds,
    )
    used = Used(group, rule)
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
            gap = Gap(low, high, odd, group.step)
            grid = _grid(gap, profile, odd, around)
            for item, key in zip(run, _fill(gap, grid, wanted, used, rule, heavy), strict=True):
                if key is None:
                    reason = "no_room" if high is not None else "beyond_largest"
                    breaks.append(Break(item, NO_NUMBER, reason))
                else:
                    issued[item] = key
                    used.add(key)
    return issued


def _side(group: Street, side: list[int], anchors: set[int]) -> Side:
    rows = [i for i in side if i in anchors]
    doors = [group.numbers[i] for i in rows]
    return Side([group.at[i] for i in rows], [float(d.low[0]) for d in doors], [float(d.high[0]) for d in doors])


def _gaps(side: list[int], group: Street, anchors: set[int]) -> Iterator[tuple[int | None, list[int], int | None]]:
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


def _anchors(group: Street, side: list[int], odd: bool, breaks: list[Break]) -> set[int]:
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
    if rule.mode == "metric" and not profile.known:
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


def _grid(gap: Gap, profile: Profile, odd: bool, around: Around) -> Gap | None:
    """The gap with only every so many-th number, where the numbers near it keep such a step."""
    if gap.step != 2:
        return None
    low = around.before[1] if around.before else float("-inf")
    high = around.after[1] if around.after else float("inf")
    step, phase = habits.grid_of(profile.side(0 if odd else 1).low, low, high)
    return replace(gap, step=step, phase=phase) if step else None


def _fill(
    gap: Gap, grid: Gap | None, wanted: list[float], used: Used, rule: Rule, weight: list[float] | None
) -> list[Key | None]:
    """Keys for the unnumbered items of one gap, rising; None where the gap has no room."""
    need = len(wanted)
    if grid is not None:
        free = Free(grid, used.bases, rule.first, doornumbers.limit(rule.largest, used.block))
        if free.count >= need:
            return [(free.number(k),) for k in fit([free.place(n) for n in wanted], free.count, weight)]
    free = Free(gap, used.bases, rule.first, doornumbers.limit(rule.largest, used.block))
    if free.count >= need:
        places = [free.place(n) for n in wanted]
        return [(free.number(k),) for k in fit(places, free.count, weight)]
    keys: list[Key | None] = [(free.number(k),) for k in range(free.count)]
    anchor = keys[-1] if keys else gap.low
    if gap.high is None:
        return keys + [None] * (need - free.count)
    return keys + _attached(anchor, gap.high, need - free.count, used)


def _attached(after: Key | None, before: Key, need: int, used: Used) -> list[Key | None]:
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
