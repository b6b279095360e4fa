"""The linear relaxation of set partitioning: a bound that no plan can fall below, and prices of the units.

Columns are regions, one row a unit. The program is built up by column generation over a list of regions and
tightened by cuts on triples of units (of the regions that hold two or three units of a triple at most one can be
chosen), so its bound often lies within half a per cent of the best plan. The bound is taken from the dual prices
alone and corrected for their rounding: it holds whatever the solver did.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import highspy
import numpy as np
from numpy.typing import NDArray

from gis.compiling import njit
from gis.districting.kernels import Float, Int
from gis.districting.regions import Regions

#: Price of leaving a unit uncovered while the linear program is built up.
UNCOVERED: Final = 1e6
#: Regions added to the linear program at a time: so many, or so many a unit where that is more.
BATCH: Final = 300
BATCH_A_UNIT: Final = 2
#: Regions of every unit to begin with.
FIRST_A_UNIT: Final = 5
TOLERANCE: Final = 1e-6
#: Cuts added in one round, and how often one unit may be in one of them.
CUTS: Final = 60
CUTS_A_UNIT: Final = 3

Unit32 = NDArray[np.int32]


class Relaxed(NamedTuple):
    """What the linear program says.

    ``bound``: no choice of regions that holds every unit once costs less; ``reduced``: reduced cost of every
    region, a choice with it costs at least ``bound + reduced``; ``value``: share of every region the program takes;
    ``dual``: price of every unit; ``uncovered``: some unit cannot be covered, there is no choice; ``tightened``:
    there are cuts, so that a choice may cost more than the bound and its reduced costs.
    """

    bound: float
    reduced: Float
    value: Float
    dual: Float
    uncovered: bool
    tightened: bool


def new_solver() -> Any:
    """A quiet HiGHS on one thread that repeats itself."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    return solver


def relax(
    found: Regions,
    n: int,
    rounds: int,
    enough: float,
    first: Int | None = None,
    price: float = UNCOVERED,
    weight: Int | None = None,
) -> Relaxed:
    """Solve the relaxation over regions of ``n`` units with up to ``rounds`` of cuts.

    Stops early when the bound reaches ``enough`` (infinite: never). ``first``: regions to begin with, beside the
    cheapest of every unit for their ``weight`` (households of every unit, say; 1 when left out). ``price``: of
    leaving a unit uncovered; with regions that cost nothing and a price of 1 the bound is the number of units that
    every choice leaves uncovered.
    """
    master = _Master(found, n, first, price, np.ones(n, np.int64) if weight is None else weight)
    master.solve()
    for _ in range(rounds):
        if master.bound() >= enough or not master.cut():
            break
        master.solve()
    return master.answer()


class _Master:
    """The linear program over the regions taken in so far: slack columns first, then regions; units, then cuts."""

    def __init__(self, found: Regions, n: int, first: Int | None, price: float, weight: Int) -> None:
        self.found = found
        self.n = n
        self.taken = np.zeros(len(found.cost), np.bool_)
        self.columns = np.empty(0, np.int64)
        self.cuts: list[Int] = []  # regions that hold two or more units of the triple
        self.triples: set[tuple[int, int, int]] = set()
        self.solver = new_solver()
        self.solver.setOptionValue("presolve", "off")  # it costs more than it saves: rows are few, columns good
        self.reduced = found.cost
        self.price = price
        begin = promising(found.unit, found.start, found.cost, weight, FIRST_A_UNIT)
        self._load(np.union1d(begin, first) if first is not None else begin)

    def _load(self, which: Int) -> None:
        """Pass the first program at once."""
        n = self.n
        start, index = taken_units(self.found.unit, self.found.start, which)
        lp = highspy.HighsLp()
        lp.num_col_ = n + len(which)
        lp.num_row_ = n
        lp.col_cost_ = np.concatenate([np.full(n, self.price), self.found.cost[which]])
        lp.col_lower_ = np.zeros(n + len(which))
        lp.col_upper_ = np.full(n + len(which), highspy.kHighsInf)
        lp.row_lower_ = np.ones(n)
        lp.row_upper_ = np.ones(n)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.concatenate([np.arange(n), n + start]).astype(np.int32)
        lp.a_matrix_.index_ = np.concatenate([np.arange(n), index]).astype(np.int32)
        lp.a_matrix_.value_ = np.ones(n + len(index))
        self.solver.passModel(lp)
        self._note(which)

    def _note(self, which: Int) -> None:
        self.taken[which] = True
        self.columns = np.concatenate([self.columns, which])

    def _add(self, which: Int) -> None:
        """Take regions in, with their units and cuts."""
        start, index = taken_units(self.found.unit, self.found.start, which)
        size = np.diff(start)
        column = np.repeat(np.arange(len(which)), size)
        row = index.astype(np.int64)
        for c, holders in enumerate(self.cuts):
            inside = np.flatnonzero(np.isin(which, holders, assume_unique=True))
            column = np.concatenate([column, inside])
            row = np.concatenate([row, np.full(len(inside), self.n + c)])
        order = np.argsort(column, kind="stable")
        begin = np.searchsorted(column[order], np.arange(len(which)))
        infinite = np.full(len(which), highspy.kHighsInf)
        self.solver.addCols(
            len(which),
            self.found.cost[which],
            np.zeros(len(which)),
            infinite,
            len(row),
            begin.astype(np.int32),
            row[order].astype(np.int32),
            np.ones(len(row)),
        )
        self._note(which)

    def solve(self) -> None:
        """Column generation until no region of the list has a negative reduced cost."""
        while True:
            self.solver.run()
            solution = self.solver.getSolution()
            self.dual = np.array(solution.row_dual)
            self.reduced = reduced_costs(self.found.unit, self.found.start, self.found.cost, self.dual)
            for c, holders in enumerate(self.cuts):
                self.reduced[holders] -= self.dual[self.n + c]
            new = np.flatnonzero((self.reduced < -TOLERANCE) & ~self.taken)
            if not len(new):
                self.value = np.array(solution.col_value)
                return
            batch = max(BATCH, BATCH_A_UNIT * self.n)
            if len(new) > batch:
                new = np.sort(new[np.argpartition(self.reduced[new], batch)[:batch]])
            self._add(new)

    def bound(self) -> float:
        """Sum of the dual prices, less what their rounding may have left below zero."""
        worst = min(0.0, float(self.reduced.min()))
        above = np.maximum(self.dual[self.n :], 0.0)  # a cut's price is not above zero but for rounding
        fewest = float(np.diff(self.found.start).min())
        return float(self.dual.sum() - above.sum() + worst * self.n / fewest)

    def cut(self) -> bool:
        """Add the most violated cuts on triples of units; False where there is none."""
        value = self.value[self.n :]
        split = (value > TOLERANCE) & (value < 1.0 - TOLERANCE)
        if not split.any():
            return False
        which = self.columns[split]
        start, index = taken_units(self.found.unit, self.found.start, which)
        triples, excess = violated(start, index, value[split])
        added = 0
        uses = np.zeros(self.n, np.int64)
        for t in np.argsort(-excess, kind="stable"):
            a, b, c = (int(u) for u in triples[t])
            if (a, b, c) in self.triples or max(uses[a], uses[b], uses[c]) >= CUTS_A_UNIT:
                continue
            uses[[a, b, c]] += 1
            self.triples.add((a, b, c))
            holders = holding_two(self.found.unit, self.found.start, a, b, c)
            inside = np.flatnonzero(np.isin(self.columns, holders, assume_unique=True))
            self.solver.addRow(
                -highspy.kHighsInf, 1.0, len(inside), (self.n + inside).astype(np.int32), np.ones(len(inside))
            )
            self.cuts.append(holders)
            added += 1
            if added == CUTS:
                break
        return added > 0

    def answer(self) -> Relaxed:
        """The state as plain values."""
        value = np.zeros(len(self.found.cost))
        value[self.columns] = self.value[self.n :]
        uncovered = bool(self.value[: self.n].sum() > 1e-7)
        return Relaxed(self.bound(), self.reduced, value, self.dual[: self.n], uncovered, bool(self.cuts))


@njit(cache=True, nogil=True)
def promising(unit: Unit32, start: Int, cost: Float, weight: Int, a_unit: int) -> Int:
    """Regions that are among the ``a_unit`` cheapest for their weight that hold some unit, or nearly so."""
    rate = np.empty(len(cost))
    for j in range(len(cost)):
        total = 0
        for e in range(start[j], start[j + 1]):
            total += weight[unit[e]]
        rate[j] = cost[j] / max(total, 1)
    held = np.zeros(len(weight), np.int64)
    taken = np.zeros(len(cost), np.bool_)
    for j in np.argsort(rate):
        for e in range(start[j], start[j + 1]):
            if held[unit[e]] < a_unit:
                taken[j] = True
                break
        if taken[j]:
            for e in range(start[j], start[j + 1]):
                held[unit[e]] += 1
    return np.flatnonzero(taken)


@njit(cache=True, nogil=True)
def reduced_costs(unit: Unit32, start: Int, cost: Float, dual: Float) -> Float:
    """Cost of every region less the dual prices of its units."""
    out = np.empty(len(cost))
    for j in range(len(cost)):
        z = cost[j]
        for e in range(start[j], start[j + 1]):
            z -= dual[unit[e]]
        out[j] = z
    return out


@njit(cache=True, nogil=True)
def taken_units(unit: Unit32, start: Int, which: Int) -> tuple[Int, Unit32]:
    """Units of some regions as CSR."""
    begin = np.zeros(len(which) + 1, np.int64)
    for i in range(len(which)):
        begin[i + 1] = begin[i] + start[which[i] + 1] - start[which[i]]
    out = np.empty(begin[-1], np.int32)
    for i in range(len(which)):
        at = begin[i]
        for e in range(start[which[i]], start[which[i] + 1]):
            out[at] = unit[e]
            at += 1
    return begin, out


@njit(cache=True, nogil=True)
def holding_two(unit: Unit32, start: Int, a: int, b: int, c: int) -> Int:
    """Regions that hold at least two of three units."""
    out = np.empty(len(start) - 1, np.int64)
    k = 0
    for j in range(len(start) - 1):
        held = 0
        for e in range(start[j], start[j + 1]):
            u = unit[e]
            if u in (a, b, c):
                held += 1
        if held >= 2:
            out[k] = j
            k += 1
    return out[:k].copy()


@njit(cache=True, nogil=True)
def _shared(start: Int, place: Int, value: Float, m: int) -> tuple[Float, NDArray[np.bool_]]:
    """How much of the regions holds two units together, and which region holds which unit."""
    pair = np.zeros((m, m))
    inside = np.zeros((len(value), m), np.bool_)
    for j in range(len(value)):
        for e in range(start[j], start[j + 1]):
            inside[j, place[e]] = True
            for f in range(start[j], start[j + 1]):
                pair[place[e], place[f]] += value[j]
    return pair, inside


@njit(cache=True, nogil=True)
def violated(start: Int, unit: Unit32, value: Float) -> tuple[Int, Float]:
    """Triples of units of which the regions that hold two or more are taken more than once together, and by how
    much; the first 4096."""
    name = np.unique(unit)
    place = np.searchsorted(name, unit)
    m = len(name)
    pair, inside = _shared(start, place, value, m)
    found = np.empty((4096, 3), np.int64)
    excess = np.empty(4096)
    k = 0
    for a in range(m):
        for b in range(a + 1, m):
            for c in range(b + 1, m):
                if pair[a, b] + pair[a, c] + pair[b, c] < 1.01 or k == len(excess):
                    continue
                total = 0.0
                for j in range(len(value)):
                    if int(inside[j, a]) + int(inside[j, b]) + int(inside[j, c]) >= 2:
                        total += value[j]
                if total > 1.01:
                    found[k, 0], found[k, 1], found[k, 2] = name[a], name[b], name[c]
                    excess[k] = total - 1.0
                    k += 1
    return found[:k], excess[:k]


def warm() -> None:
    """Compile the loops that small programs may not reach."""
    unit, start = np.array([0, 1, 1, 2, 0, 2], np.int32), np.array([0, 2, 4, 6], np.int64)
    violated(start, unit, np.full(3, 0.5))
    holding_two(unit, start, 0, 1, 2)
