"""Whole numbers for doors of one gap: rising, of one parity, free, and as near as can be to what is expected."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gis.addressing.doornumbers import Key

#: Below this an open gap has no lower number.
FIRST: Final = 1


@dataclass(frozen=True)
class Gap:
    """Numbers a gap may use: after ``low`` and before ``high`` (exclusive; None: open), every ``step`` from one
    of ``odd`` parity (2), every one (1), or those that leave ``phase`` when divided by a wider step."""

    low: Key | None
    high: Key | None
    odd: bool
    step: int = 2
    phase: int = 0


class Free:
    """The free numbers of a gap, by place: 0 is the lowest. ``taken`` are numbers in use, rising, each once."""

    def __init__(self, gap: Gap, taken: Sequence[int], first: int, largest: int) -> None:
        start = gap.low[0] + 1 if gap.low else first
        if gap.step == 2:
            start += (start % 2 == 1) != gap.odd
        if gap.step > 2:
            start += (gap.phase - start) % gap.step
        end = gap.high[0] if gap.high else largest + 1
        if gap.high and len(gap.high) > 1:
            end += 1  # 14 lies before 14附1
        self._start, self._step = start, gap.step
        total = max(0, -(-(end - start) // gap.step))
        inside = taken[bisect_left(taken, start) : bisect_left(taken, end)]
        self._taken = [(n - start) // gap.step for n in inside if (n - start) % gap.step == 0]
        self._shift = [n - k for k, n in enumerate(self._taken)]  # free places before each taken one
        self.count = total - len(self._taken)

    def number(self, place: int) -> int:
        """The free number at a place."""
        return self._start + self._step * (place + bisect_right(self._shift, place))

    def place(self, number: float) -> float:
        """Where an expected number lies among the free ones; may be outside them."""
        raw = (number - self._start) / self._step
        return raw - bisect_left(self._taken, raw)


def fit(wanted: Sequence[float], free: int, weight: Sequence[float] | None = None) -> list[int]:
    """Strictly rising whole places in ``range(free)`` nearest to ``wanted`` (least squares, pools of neighbours).

    ``len(wanted)`` must not exceed ``free``. ``weight``: how much each counts where they crowd.
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, members
    for k, place in enumerate(wanted):
        mean, heavy, members = place - k, (1.0 if weight is None else weight[k]), 1
        while pools and pools[-1][0] >= mean:
            other, more, count = pools.pop()
            mean = (mean * heavy + other * more) / (heavy + more)
            heavy, members = heavy + more, members + count
        pools.append((mean, heavy, members))
    room = free - len(wanted)
    found: list[int] = []
    for mean, _, members in pools:
        base = min(max(round(mean), 0), room)
        found += range(base + len(found), base + len(found) + members)
    return found
