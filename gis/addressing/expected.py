"""Which number a door would carry, judged by the numbers around it.

The numbers that stand on a street say more than their order. Between two of them a new door gets the number of
its share of the way, bent as the numbers of the opposite side run (corner lots, narrow and wide frontages).
Where numbers jump (a new block, 89-55 then 90-01), doors before the jump count on from the number before it and
doors after it count back from the one behind it; the jump lies where the opposite side jumps too and where no
house stands: at the crossing. Weights were chosen on the street's own plain numbers, none is a city's habit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

#: Opposite numbers further apart than this say nothing of what lies between them.
OPPOSITE_REACH_M: Final = 150.0
#: Numbers this near to a place show how fast they grow there.
LOCAL_M: Final = 120.0
#: How far the opposite side bends the line between two numbers.
BEND: Final = 0.4
#: Without a jump in the numbers' own form, a step is one when it is this many times what the distance explains.
JUMP_TIMES: Final = 4.0
JUMP_LEAST: Final = 40.0
#: Numbers a metre where a street shows none: 10 m for each.
PLAIN_PACE: Final = 0.1


@dataclass
class Side:
    """The numbers that keep order on one side: metre along the street and base number, both rising."""

    at: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Around:
    """What a gap lies between: metre and number before it and after it, None at an open end."""

    before: tuple[float, float] | None
    after: tuple[float, float] | None


class Profile:
    """How the numbers of one street run; ``block`` as in ``doornumbers.block_of`` (0: plain numbers)."""

    def __init__(self, sides: tuple[Side, Side], block: int) -> None:
        self._sides, self.block = sides, block
        paces = sorted(p for side in sides for p in self._paces(side))
        self._pace = paces[len(paces) // 2] if paces else PLAIN_PACE
        self.known = len(paces) >= 3

    def side(self, side: int) -> Side:
        """The numbers of one side."""
        return self._sides[side]

    def expected(self, side: int, at: Sequence[float], around: Around) -> list[float]:
        """Expected base numbers, not yet whole, of doors at rising metres ``at`` between two known numbers."""
        before, after = around.before, around.after
        if before is None and after is None:
            return [1.0 + self._pace * (x - at[0]) for x in at]
        if before is None or after is None:
            near = before or after
            assert near is not None  # one of them is there
            return self._onward(at, near)
        if not self._jumps(before, after):
            return self._between(side, at, before, after)
        cut = self._cut(side, at, before, after)
        return self._onward(at[:cut], before) + self._onward(at[cut:], after)

    def _paces(self, side: Side) -> list[float]:
        steps = zip(pairwise(side.at), zip(side.high, side.low[1:], strict=False), strict=True)
        return [
            (b - a) / (y - x) for (x, y), (a, b) in steps if y - x > 1.0 and self._block_of(a) == self._block_of(b)
        ]

    def _block_of(self, number: float) -> int:
        return int(number) // self.block if self.block else 0

    def _jumps(self, before: tuple[float, float], after: tuple[float, float]) -> bool:
        if self.block:
            return self._block_of(before[1]) != self._block_of(after[1])
        step = after[1] - before[1]
        return step > JUMP_LEAST and step > JUMP_TIMES * self._pace * (after[0] - before[0])

    def _between(
        self, side: int, at: Sequence[float], before: tuple[float, float], after: tuple[float, float]
    ) -> list[float]:
        """On the line between two numbers, bent as the opposite side's numbers bend."""
        (x, a), (y, b) = before, after
        if y <= x:
            return [a + (b - a) * (k + 1) / (len(at) + 1) for k in range(len(at))]
        straight = [a + (b - a) * (s - x) / (y - x) for s in at]
        first, last = self._opposite(side, x, self._block_of(a)), self._opposite(side, y, self._block_of(a))
        if first is None or last is None:
            return straight
        bent = []
        for s, number in zip(at, straight, strict=True):
            there = self._opposite(side, s, self._block_of(a))
            bend = 0.0 if there is None else there - (first + (last - first) * (s - x) / (y - x))
            bent.append(number + BEND * bend)
        return bent

    def _opposite(self, side: int, at: float, block: int) -> float | None:
        """The number across the street at a metre, if numbers of that block stand near on both hands."""
        other = self._sides[1 - side]
        k = bisect_right(other.at, at)
        if k == 0 or k == len(other.at):
            return None
        x, y, a, b = other.at[k - 1], other.at[k], other.high[k - 1], other.low[k]
        if y - x > OPPOSITE_REACH_M or self._block_of(a) != block or self._block_of(b) != block:
            return None
        return a + (b - a) * (at - x) / (y - x) if y > x else a

    def _cut(self, side: int, at: Sequence[float], before: tuple[float, float], after: tuple[float, float]) -> int:
        """How many of the doors lie before the jump: it is in the widest stretch without a house."""
        low, high = before[0], after[0]
        other = self._sides[1 - side]
        for k in range(bisect_right(other.at, low), len(other.at)):
            if other.at[k] >= high:
                break
            if self._nearer_before(other.low[k], before[1], after[1]):
                low = max(low, other.at[k])
            else:
                high = min(high, other.at[k])
                break
        places = [before[0], *at, after[0]]
        open_ = [min(y, high) - max(x, low) for x, y in pairwise(places)]
        return max(range(len(open_)), key=lambda k: (open_[k], -k))

    def _nearer_before(self, number: float, before: float, after: float) -> bool:
        if self.block:
            return self._block_of(number) == self._block_of(before)
        return number - before < after - number

    def _onward(self, at: Sequence[float], near: tuple[float, float]) -> list[float]:
        """Counted on (or back) from one known number at the local pace, not before its block's first."""
        x, a = near
        pace = self._local_pace(x, self._block_of(a))
        first = self._block_of(a) * self.block + 1.0
        return [max(a + pace * (s - x), first) for s in at]

    def _local_pace(self, at: float, block: int) -> float:
        """Numbers a metre near a place, on both sides."""
        paces = []
        for side in self._sides:
            low, high = bisect_right(side.at, at - LOCAL_M), bisect_right(side.at, at + LOCAL_M)
            rows = [k for k in range(low, high) if self._block_of(side.low[k]) == block]
            if len(rows) > 1 and side.at[rows[-1]] - side.at[rows[0]] > 5.0:
                first, last = rows[0], rows[-1]
                paces.append((side.low[last] - side.high[first]) / (side.at[last] - side.at[first]))
        return sum(paces) / len(paces) if paces else self._pace
