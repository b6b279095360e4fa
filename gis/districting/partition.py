"""Set partitioning: choose regions that hold every unit once at the least cost (HiGHS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix

from gis.districting.cover import MOST_UNITS, cover, masks_of
from gis.districting.kernels import Int
from gis.districting.regions import Regions
from gis.territory.model import Floats

#: Price of leaving a unit uncovered while the linear program is built up.
UNCOVERED: Final = 1e6
#: Regions added to the linear program at a time.
BATCH: Final = 600
TOLERANCE: Final = 1e-6
#: Where the known plan is further than this (share) from the bound, the integer program is worth its time.
FAR: Final = 0.2


@dataclass(frozen=True)
class Choice:
    """Regions chosen (None: none better than ``known`` was found), their cost, and a bound no choice can beat.

    ``bound`` is infinite when no choice of the regions holds every unit once; ``proven``: the choice (or, where
    there is none, ``known``) is the best there is.
    """

    chosen: Int | None
    cost: float
    bound: float
    proven: bool


@dataclass(frozen=True)
class Effort:
    """Limits of the integer program: counts, not seconds, so that runs repeat."""

    nodes: int
    columns: int  # most regions it takes
    gap: float  # relative gap at which it stops
    cover_nodes: int  # of the depth-first search that goes before it; 0: none


#: For windows, which are many, and for a whole community, which is proven.
QUICK: Final = Effort(nodes=20, columns=1500, gap=5e-4, cover_nodes=300_000)
THOROUGH: Final = Effort(nodes=20, columns=5_000, gap=0.0, cover_nodes=2_000_000)
BOUND_ONLY: Final = Effort(nodes=0, columns=0, gap=0.0, cover_nodes=0)


def choose(found: Regions, n: int, known: float, effort: Effort = THOROUGH) -> Choice:
    """The cheapest partition of ``n`` units into regions, when it costs less than ``known`` (may be infinite).

    The linear program is solved by column generation over the regions; regions whose reduced cost exceeds the gap
    to ``known`` cannot be part of a better choice.
    """
    cost = found.cost
    if not len(cost):
        return Choice(None, known, np.inf, True)
    covers = csc_matrix((np.ones(len(found.unit)), found.unit, found.start), shape=(n, len(cost)))
    bound, reduced, uncovered = _relax(covers, cost, n)
    if uncovered:
        return Choice(None, known, np.inf, True)
    if bound >= known - 1e-3 or not effort.columns:
        return Choice(None, known, min(bound, known), bound >= known - 1e-3)
    keep = np.flatnonzero(reduced <= known - bound + TOLERANCE)
    if effort.cover_nodes and n <= MOST_UNITS:
        quick = by_cover(found, keep, np.maximum(reduced, 0.0), n, known, bound, effort)
        if quick.proven or quick.chosen is not None or known - bound < FAR * abs(bound):
            return quick
    return _by_program(covers, cost, reduced, keep, known, bound, effort)


def _by_program(
    covers: Any, cost: Floats, reduced: Floats, keep: Int, known: float, bound: float, effort: Effort
) -> Choice:
    """Choose among the regions worth keeping by the integer program."""
    every = len(keep) <= effort.columns
    if not every:
        keep = np.sort(keep[np.argsort(reduced[keep], kind="stable")[: effort.columns]])
    chosen, value, dual, optimal = _integer(covers[:, keep], cost[keep], covers.shape[0], effort)
    proven = every and optimal
    if every:
        bound = max(bound, dual)
    if chosen is None or value >= known - 1e-3:
        return Choice(None, known, known if proven else min(bound, known), proven)
    return Choice(keep[chosen], value, value if proven else min(bound, value), proven)


def by_cover(
    found: Regions, keep: Int, reduced: Floats, n: int, known: float, bound: float, effort: Effort
) -> Choice:
    """Choose among the regions worth keeping by depth-first search."""
    order = keep[np.argsort(reduced[keep], kind="stable")]
    masks = masks_of(found.unit, found.start, order)
    picked, _, ended = cover(masks, reduced[order], n, known - bound - TOLERANCE, effort.cover_nodes)
    value = float(found.cost[order[picked]].sum()) if len(picked) else known
    chosen = order[picked] if len(picked) else None
    return Choice(chosen, value, value if ended else min(bound, value), bool(ended))


def _relax(covers: Any, cost: Floats, n: int) -> tuple[float, Floats, bool]:
    """Bound of the linear program, reduced cost of every region, and whether some unit stays uncovered."""
    size = np.diff(covers.indptr)
    taken = np.zeros(len(cost), bool)
    taken[np.argsort(cost / size, kind="stable")[:BATCH]] = True
    first = np.flatnonzero(taken)
    start, index = _columns(covers, first)
    solver = _solver()
    lp = highspy.HighsLp()
    lp.num_col_ = n + len(first)
    lp.num_row_ = n
    lp.col_cost_ = np.concatenate([np.full(n, UNCOVERED), cost[first]])
    lp.col_lower_ = np.zeros(n + len(first))
    lp.col_upper_ = np.full(n + len(first), highspy.kHighsInf)
    lp.row_lower_ = np.ones(n)
    lp.row_upper_ = np.ones(n)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.concatenate([np.arange(n), n + start]).astype(np.int32)
    lp.a_matrix_.index_ = np.concatenate([np.arange(n), index]).astype(np.int32)
    lp.a_matrix_.value_ = np.ones(n + len(index))
    solver.passModel(lp)
    rows = covers.T.tocsr()
    while True:
        solver.run()
        solution = solver.getSolution()
        dual = np.array(solution.row_dual)
        reduced = cost - rows @ dual
        new = np.flatnonzero((reduced < -TOLERANCE) & ~taken)
        if not len(new):
            break
        if len(new) > BATCH:
            new = np.sort(new[np.argpartition(reduced[new], BATCH)[:BATCH]])
        taken[new] = True
        start, index = _columns(covers, new)
        solver.addCols(
            len(new),
            cost[new],
            np.zeros(len(new)),
            np.full(len(new), highspy.kHighsInf),
            len(index),
            start[:-1].astype(np.int32),
            index.astype(np.int32),
            np.ones(len(index)),
        )
    value = np.array(solution.col_value)
    slack = float(value[:n].sum())
    return float(dual.sum()), reduced, slack > 1e-7


def _integer(
    covers: Any, cost: Floats, n: int, effort: Effort
) -> tuple[NDArray[np.int64] | None, float, float, bool]:
    """Chosen columns, their cost, the proven bound, and whether the choice is optimal."""
    solver = _solver()
    solver.setOptionValue("mip_max_nodes", effort.nodes)
    solver.setOptionValue("mip_rel_gap", effort.gap)
    solver.setOptionValue("mip_abs_gap", 1e-4)
    lp = highspy.HighsLp()
    m = len(cost)
    lp.num_col_ = m
    lp.num_row_ = n
    lp.col_cost_ = cost
    lp.col_lower_ = np.zeros(m)
    lp.col_upper_ = np.ones(m)
    lp.row_lower_ = np.ones(n)
    lp.row_upper_ = np.ones(n)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = covers.indptr.astype(np.int32)
    lp.a_matrix_.index_ = covers.indices.astype(np.int32)
    lp.a_matrix_.value_ = np.ones(len(covers.indices))
    lp.integrality_ = [highspy.HighsVarType.kInteger] * m
    solver.passModel(lp)
    solver.run()
    status = solver.getModelStatus()
    info = solver.getInfo()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None, np.inf, np.inf, True
    value = np.array(solver.getSolution().col_value)
    chosen = np.flatnonzero(value > 0.5)
    once = len(value) == m and bool((np.asarray(covers[:, chosen].sum(axis=1)).ravel() == 1).all())
    if not once:
        return None, np.inf, float(info.mip_dual_bound), False
    optimal = status == highspy.HighsModelStatus.kOptimal and effort.gap == 0.0
    return chosen, float(cost[chosen].sum()), float(info.mip_dual_bound), optimal


def _solver() -> Any:
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 0)
    return solver


def _columns(covers: Any, which: Int) -> tuple[Int, Int]:
    part = covers[:, which]
    return part.indptr.astype(np.int64), part.indices.astype(np.int64)
