"""Exact sign of a turn, and with it exact point in polygon: never a wrong answer next to a border.

The sign of ``(a - p) x (b - p)`` is taken in floating point when its error bound (Shewchuk, "Adaptive precision
floating-point arithmetic", 1997) leaves no doubt; otherwise the determinant is summed without any rounding.
``side_plain`` says the same with fractions and is the tests' oracle.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

import numba
import numpy as np

from gis.territory.model import Floats

#: (3 + 16 eps) eps with eps = 2**-53: below this share of the summed terms the float sign is in doubt.
_BOUND: Final = 3.3306690738754716e-16
_SPLIT: Final = 134217729.0  # 2**27 + 1


def side_plain(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """1, 0 or -1: p lies left of, on or right of the line a -> b. Exact, slow, no float arithmetic."""
    a, b, c, d, x, y = (Fraction(float(v)) for v in (ax, ay, bx, by, px, py))
    turn = (a - x) * (d - y) - (c - x) * (b - y)
    return (turn > 0) - (turn < 0)


@numba.njit(cache=True, nogil=True)
def side(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """1, 0 or -1 as ``side_plain``, exact for all coordinates of sane size."""
    left = (ax - px) * (by - py)
    right = (bx - px) * (ay - py)
    turn = left - right
    bound = _BOUND * (abs(left) + abs(right))
    if turn > bound:
        return 1
    if -turn > bound:
        return -1
    return _side_exact(ax, ay, bx, by, px, py)


@numba.njit(cache=True, nogil=True)
def _difference(a: float, b: float) -> tuple[float, float]:
    """a - b as an unevaluated sum of two floats, without error."""
    x = a - b
    bv = a - x
    av = x + bv
    return x, (a - av) + (bv - b)


@numba.njit(cache=True, nogil=True)
def _product(a: float, b: float) -> tuple[float, float]:
    """a * b as an unevaluated sum of two floats, without error."""
    x = a * b
    c = _SPLIT * a
    ah = c - (c - a)
    al = a - ah
    c = _SPLIT * b
    bh = c - (c - b)
    bl = b - bh
    return x, al * bl - (((x - ah * bh) - al * bh) - ah * bl)


@numba.njit(cache=True, nogil=True)
def _add(total: Floats, n: int, value: float) -> int:
    """Add a float to an exact expansion of n components (Shewchuk's grow-expansion)."""
    q = value
    for i in range(n):
        s = q + total[i]
        bv = s - q
        total[i] = (q - (s - bv)) + (total[i] - bv)
        q = s
    total[n] = q
    return n + 1


@numba.njit(cache=True, nogil=True)
def _side_exact(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    total = np.zeros(16)
    n = 0
    for sign in (1.0, -1.0):
        if sign > 0:
            u, ut = _difference(ax, px)
            v, vt = _difference(by, py)
        else:
            u, ut = _difference(bx, px)
            v, vt = _difference(ay, py)
        for a, b in ((u, v), (u, vt), (ut, v), (ut, vt)):
            high, low = _product(a, b)
            n = _add(total, n, sign * low)
            n = _add(total, n, sign * high)
    for i in range(n - 1, -1, -1):  # the largest component decides
        if total[i] != 0.0:
            return 1 if total[i] > 0.0 else -1
    return 0
