"""Which habit the numbers of a street show: odd and even sides, or one after the other, in hundreds, every fourth.

A place's ruleset speaks of streets without numbers; a street that has some goes on as it began. Each habit is only
believed where the numbers show it plainly: else the sides are odd and even.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import gcd
from statistics import median
from typing import Final, Literal

#: ``sides``: odd and even 单双号分侧; ``one``: one after the other along the street, whatever the side 连续编号;
#: ``each``: so on each side for itself; ``round``: up the one side and back down the other 马蹄形.
Layout = Literal["sides", "one", "each", "round"]

#: Fewer numbers than this show no habit of their own.
LEAST: Final = 5
#: Of the numbers of both sides so many must be of the rarer parity of their side.
MIXED: Final = 0.25
#: A habit explains at least this share of the numbers, and clearly more than odd and even sides do.
EXPLAINED: Final = 0.85
CLEARLY: Final = 0.15
#: Numbers grow this much faster across a hundred than within one where every block of houses has its hundred.
HUNDRED_TIMES: Final = 1.6
HUNDRED_PAIRS: Final = 3
#: Neighbours that must all stand on one grid of numbers (1503, 1507, 1511: every fourth).
GRID_NUMBERS: Final = 8
GRIDS: Final = (10, 8, 6, 4)


def layout_of(right: Sequence[bool], number: Sequence[int]) -> Layout:
    """The habit of numbers that are given in order of their metre along a street, with the side of each."""
    if not mixed(right, number):
        return "sides"
    left_ = [n for n, r in zip(number, right, strict=True) if not r]
    right_ = [n for n, r in zip(number, right, strict=True) if r]
    apart = max(
        _longest_both([n for n in left_ if n % 2 == odd], [n for n in right_ if n % 2 != odd]) for odd in (0, 1)
    )
    found: dict[Layout, int] = {
        "one": max(longest(number), longest(number[::-1])),
        "each": _longest_both(left_, right_),
        "round": max(longest(list(way)) for way, _, _ in _ways_round(left_, right_)),
    }
    best = max(found, key=lambda layout: found[layout])
    count = len(number)
    fits = found[best] >= EXPLAINED * count and found[best] - apart >= max(2, CLEARLY * count)
    return best if fits else "sides"


def mixed(right: Sequence[bool], number: Sequence[int]) -> bool:
    """Whether odd and even numbers stand on one side, too many for mistakes."""
    rare = 0
    for side in (True, False):
        odd = sum(n % 2 for n, r in zip(number, right, strict=True) if r == side)
        rare += min(odd, sum(r == side for r in right) - odd)
    return len(number) >= LEAST and rare >= 2 and rare >= MIXED * len(number)


def way_round(right: Sequence[bool], number: Sequence[int]) -> tuple[bool, bool]:
    """For numbers that go round: whether they begin on the right, and whether they begin at the far end."""
    left_ = [n for n, r in zip(number, right, strict=True) if not r]
    right_ = [n for n, r in zip(number, right, strict=True) if r]
    _, first, far = max(_ways_round(left_, right_), key=lambda way: longest(way[0]))
    return first, far


def _ways_round(left: list[int], right: list[int]) -> list[tuple[list[int], bool, bool]]:
    """Numbers in the four orders of going round: begun on the right, begun at the far end."""
    return [
        (left + right[::-1], False, False),
        (right + left[::-1], True, False),
        (left[::-1] + right, False, True),
        (right[::-1] + left, True, True),
    ]


def _longest_both(left: list[int], right: list[int]) -> int:
    """How many numbers of two sides keep order in the better direction."""
    return max(longest(left) + longest(right), longest(left[::-1]) + longest(right[::-1]))


def longest(numbers: Sequence[int]) -> int:
    """Length of the longest subsequence that does not fall."""
    tops: list[int] = []
    for n in numbers:
        k = bisect_right(tops, n)
        tops[k : k + 1] = [n]
    return len(tops)


def paces(at: Sequence[float], number: Sequence[float]) -> tuple[list[float], list[float]]:
    """Numbers a metre between the neighbours of a side: within one hundred, and from one into the next two."""
    within: list[float] = []
    across: list[float] = []
    for (x, y), (a, b) in zip(pairwise(at), pairwise(number), strict=True):
        steps = b // 100 - a // 100
        if b > a and 3.0 < y - x < 300.0 and steps <= 2:
            (across if steps else within).append((b - a) / (y - x))
    return within, across


def in_hundreds(within: Sequence[float], across: Sequence[float]) -> bool:
    """Whether every block of houses has its own hundred (101-139, then 201), judged by ``paces``."""
    enough = len(across) >= HUNDRED_PAIRS and len(within) >= HUNDRED_PAIRS
    return enough and median(across) >= HUNDRED_TIMES * median(within)


def grid_of(numbers: Sequence[float], low: float, high: float) -> tuple[int, int]:
    """Step and phase of the grid on which the numbers of a side nearest to ``low`` and ``high`` stand.

    ``numbers`` rise. (0, 0) where they stand on none.
    """
    k, m = bisect_right(numbers, low), bisect_left(numbers, high)
    half = GRID_NUMBERS // 2
    near = [*numbers[max(0, k - half) : k], *numbers[m : m + half]]
    if len(near) < GRID_NUMBERS:  # at the end of a street: more from the one side there is
        near = [*numbers[max(0, k - GRID_NUMBERS) : k], *numbers[m : m + GRID_NUMBERS]][:GRID_NUMBERS]
    if len(near) < GRID_NUMBERS:
        return 0, 0
    first = int(near[0])
    apart = gcd(*(int(n) - first for n in near))
    step = next((step for step in GRIDS if apart % step == 0), 0)
    return (step, first % step) if step else (0, 0)
