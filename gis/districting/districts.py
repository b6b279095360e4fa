"""The bound of the relaxation for very many units: district by district, in time linear in their number.

Prices of units under which no region has a negative reduced cost bound every plan by their sum. They are found for
one district of units after the other: the linear program of a district takes every region that touches it, at its
cost less the prices settled in districts before, and less an estimate for units of districts to come. When the last
district is settled, all regions have been held to, and the estimates are gone: the bound holds as it stands.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.districting import kernels
from gis.districting.clusters import numbered
from gis.districting.kernels import Float, Int
from gis.districting.regions import Regions
from gis.districting.relaxation import relax
from gis.districting.units import Units

Unit32 = NDArray[np.int32]

#: Units of a district, about; of no more than ``UNPARTED`` units all are one district.
UNITS: Final = 500
UNPARTED: Final = 1_200


def districts(units: Units) -> Int:
    """District of every unit: connected, of about as many units each."""
    one_each = units.arrays._replace(counted=np.ones(len(units), np.int64))
    label = kernels.grow(one_each, units.hilbert(), float(UNITS), 1.3 * UNITS)
    kernels.dissolve(one_each, label, 0.4 * UNITS)
    return numbered(label)


def bound_by_districts(found: Regions, district: Int, estimate: Float, rounds: int) -> tuple[float, Float]:
    """A bound over ``district`` (number of every unit), and the prices of the units (cuts left aside, see ``relax``).

    ``estimate``: price of every unit that is thought fair, to divide the cost of a region among districts;
    ``rounds``: of cuts inside a district.
    """
    k = int(district.max()) + 1
    begin, region = touching(found.unit, found.start, district, k)
    left = found.cost.copy()
    dual = np.zeros(len(district))
    place = np.full(len(district), -1, np.int64)
    bound = 0.0
    for i in range(k):
        mine = np.flatnonzero(district == i)
        which = region[begin[i] : begin[i + 1]]
        place[mine] = np.arange(len(mine))
        unit, start, ahead = within(found.unit, found.start, which, district, i, place, estimate)
        part = Regions(unit, start, left[which] - ahead, True)
        relaxed = relax(part, len(mine), rounds, np.inf)
        bound += relaxed.bound
        dual[mine] = relaxed.dual
        left[which] = relaxed.reduced + ahead
    worst = min(0.0, float(left.min()))
    return bound + worst * len(district) / float(np.diff(found.start).min()), dual


@njit(cache=True, nogil=True)
def touching(unit: Unit32, start: Int, district: Int, k: int) -> tuple[Int, Int]:
    """Regions that touch each of k districts, in the order of the list (CSR)."""
    amount = np.zeros(k + 1, np.int64)
    last = np.full(k, -1, np.int64)
    for j in range(len(start) - 1):
        for e in range(start[j], start[j + 1]):
            i = district[unit[e]]
            if last[i] != j:
                last[i] = j
                amount[i + 1] += 1
    begin = np.cumsum(amount)
    out = np.empty(begin[k], np.int64)
    fill = begin[:k].copy()
    last[:] = -1
    for j in range(len(start) - 1):
        for e in range(start[j], start[j + 1]):
            i = district[unit[e]]
            if last[i] != j:
                last[i] = j
                out[fill[i]] = j
                fill[i] += 1
    return begin, out


@njit(cache=True, nogil=True)
def within(
    unit: Unit32, start: Int, which: Int, district: Int, now: int, place: Int, estimate: Float
) -> tuple[Unit32, Int, Float]:
    """Of some regions the units in district ``now`` (their places), as CSR, and the estimates for later ones."""
    begin = np.zeros(len(which) + 1, np.int64)
    out = np.empty(16 * len(which) + 64, np.int32)
    ahead = np.zeros(len(which))
    at = 0
    for i in range(len(which)):
        for e in range(start[which[i]], start[which[i] + 1]):
            u = unit[e]
            if district[u] == now:
                if at == len(out):
                    longer = np.empty(2 * len(out), np.int32)
                    longer[:at] = out
                    out = longer
                out[at] = place[u]
                at += 1
            elif district[u] > now:
                ahead[i] += estimate[u]
        begin[i + 1] = at
    return out[:at].copy(), begin, ahead


def warm() -> None:
    """Compile the loops that only large pieces reach."""
    unit, start = np.array([0, 1, 1, 2], np.int32), np.array([0, 2, 4], np.int64)
    district = np.array([0, 0, 1], np.int64)
    region = touching(unit, start, district, 2)[1]
    within(unit, start, region[:2], district, 0, np.zeros(3, np.int64), np.zeros(3))
