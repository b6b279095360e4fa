"""Set partitioning: choose regions that hold every unit once at the least cost.

The linear relaxation (``relaxation``) gives a bound and what every region costs at least beyond it; only regions
that can be part of a better choice than the one known go to a depth-first search (few units) or to HiGHS.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import highspy
import numpy as np

from gis.districting.cover import MOST_UNITS, cover, masks_of
from gis.districting.kernels import Float, Int
from gis.districting.regions import Regions
from gis.districting.relaxation import TOLERANCE, Relaxed, new_solver, relax, taken_units
from gis.interrupts import held

#: Where the known plan is further than this (share) from the bound, the integer program is worth its time.
FAR: Final = 0.2
#: Two plans whose costs differ by less (priced metres) are taken as equal.
EQUAL: Final = 1e-3
#: Regions of the first integer program of an exact solution; each further one takes so many times more.
FIRST_COLUMNS: Final = 2_000
WIDER: Final = 4
#: Room above the bound (share of it) in which a depth-first search looks for a choice, one after another.
ROOMS: Final = (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.27, 0.35, 0.45, 0.6, 0.8, 1.1, 1.6, np.inf)


@dataclass(frozen=True)
class Choice:
    """Regions chosen (None: none better than ``known`` was found), their cost, and a bound no choice can beat.

    ``bound`` is infinite when no choice of the regions holds every unit once; ``proven``: the choice (or, where
    there is none, ``known``) is the best there is. ``dual``: price of every unit in the linear program, whose own
    bound is ``relaxed``.
    """

    chosen: Int | None
    cost: float
    bound: float
    proven: bool
    dual: Float | None = None
    relaxed: float = 0.0


@dataclass(frozen=True)
class Effort:
    """Limits of the integer program: counts, not seconds, so that runs repeat."""

    nodes: int  # of one integer program; -1: the best choice is wanted, however many
    columns: int  # most regions it takes; -1: no limit
    gap: float  # relative gap at which it stops
    cover_nodes: int  # of the depth-first search that goes before it; 0: none
    cuts: int = 0  # rounds of cuts that tighten the bound
    whole: bool = False  # what the depth-first search found will do, where it is not far from the bound
    all_or_none: bool = False  # no integer program where it could not take all regions worth keeping
    checks: int = 1 << 62  # of one integer program: how often it may ask whether to go on, 5 to 50 ms of work each


#: For windows, which are many; for a whole community, which is proven; for one of which no plan within the bounds is
#: known; for one that has none; to find out whether there is any choice.
QUICK: Final = Effort(nodes=5, columns=600, gap=5e-4, cover_nodes=100_000, whole=True, checks=30)
THOROUGH: Final = Effort(nodes=-1, columns=-1, gap=0.0, cover_nodes=2_000_000, cuts=20)
SEARCHING: Final = Effort(nodes=5, columns=800, gap=0.0, cover_nodes=300_000, cuts=8, checks=60)
LEAST: Final = Effort(nodes=50, columns=3_000, gap=0.0, cover_nodes=2_000_000, cuts=20, all_or_none=True, checks=100)
FEASIBLE: Final = Effort(nodes=30, columns=3_000, gap=0.0, cover_nodes=2_000_000, all_or_none=True, checks=60)
#: A whole community of more grids than must be solved to the optimum.
BOUNDED: Final = replace(THOROUGH, checks=300)


def choose(found: Regions, n: int, known: float, effort: Effort = THOROUGH, first: Int | None = None) -> Choice:
    """The cheapest partition of ``n`` units into regions, when it costs less than ``known`` (may be infinite).

    Regions whose reduced cost exceeds the gap to ``known`` cannot be part of a better choice. ``first``: regions
    the linear program should begin with, such as those of the known plan.
    """
    if not len(found.cost):
        return Choice(None, known, np.inf, True)
    relaxed = relax(found, n, 0, known - EQUAL, first)
    if relaxed.uncovered:
        return Choice(None, known, np.inf, True)
    if relaxed.bound >= known - EQUAL:
        return Choice(None, known, known, True, relaxed.dual, relaxed.bound)
    quick = Choice(None, known, relaxed.bound, False)
    if effort.cover_nodes and n <= MOST_UNITS:
        quick = _by_rooms(found, n, relaxed, known, effort)
        ample = effort.whole and (quick.chosen is not None or known - relaxed.bound < FAR * abs(relaxed.bound))
        if quick.proven or ample:
            return replace(quick, dual=relaxed.dual, relaxed=relaxed.bound)
    if effort.cuts:
        relaxed = relax(found, n, effort.cuts, quick.cost - EQUAL, first)
    made = _chosen(found, n, relaxed, quick.cost, effort)
    if made.chosen is None:
        made = replace(made, chosen=quick.chosen)
    return replace(made, dual=relaxed.dual, relaxed=relaxed.bound)


def _by_rooms(found: Regions, n: int, relaxed: Relaxed, known: float, effort: Effort) -> Choice:
    """Depth-first search in ever more room above the bound: the first cover found, in a search that ends, is best."""
    reduced = np.maximum(relaxed.reduced, 0.0)
    best = Choice(None, known, relaxed.bound, False)
    for share in ROOMS:
        room = min(best.cost, relaxed.bound + share * max(abs(relaxed.bound), 1.0))
        keep = _keep(relaxed, room)
        last = by_cover(found, keep, reduced, n, room, relaxed.bound, effort)
        if last.chosen is not None:
            best = replace(last, bound=relaxed.bound, proven=False)
        if not last.proven:
            return best
        if last.chosen is not None or room >= best.cost:
            return replace(best, bound=best.cost, proven=True)
    return best


def _chosen(found: Regions, n: int, relaxed: Relaxed, known: float, effort: Effort) -> Choice:
    """By the integer program: the best there is, or the best of the most promising regions."""
    if effort.nodes < 0:
        return _exactly(found, n, relaxed, known, effort)
    return _by_program(found, n, relaxed, known, effort)


def _keep(relaxed: Relaxed, known: float) -> Int:
    """Regions that may be part of a choice cheaper than ``known``."""
    return np.flatnonzero(relaxed.reduced <= known - relaxed.bound + TOLERANCE)


def _cheapest(relaxed: Relaxed, keep: Int, most: int) -> Int:
    """The regions of least reduced cost, in the order of the list."""
    if len(keep) <= most:
        return keep
    return np.sort(keep[np.argsort(relaxed.reduced[keep], kind="stable")[:most]])


def _exactly(found: Regions, n: int, relaxed: Relaxed, known: float, effort: Effort) -> Choice:
    """The best choice there is: among the regions of least reduced cost, then of all that could still better it.

    Where the effort ends before, the best that was found and a bound.
    """
    best: Int | None = None
    cost = known
    most = FIRST_COLUMNS
    while True:
        keep = _keep(relaxed, cost)
        some = _cheapest(relaxed, keep, most)
        chosen, value, dual, optimal = _integer(found, some, n, effort)
        if chosen is not None and value < cost - EQUAL:
            best, cost = chosen, value
        if not optimal:
            bound = max(relaxed.bound, dual) if len(some) == len(keep) else relaxed.bound
            return Choice(best, cost, min(bound, cost), False)
        if len(some) == len(keep) or len(_keep(relaxed, cost)) <= len(some):
            return Choice(best, cost, cost, True)
        most *= WIDER


def _by_program(found: Regions, n: int, relaxed: Relaxed, known: float, effort: Effort) -> Choice:
    """Choose among the regions worth keeping by the integer program."""
    keep = _keep(relaxed, known)
    some = _cheapest(relaxed, keep, effort.columns)
    every = len(some) == len(keep)
    if effort.all_or_none and not every:
        return Choice(None, known, relaxed.bound, False)
    chosen, value, dual, optimal = _integer(found, some, n, effort)
    proven = every and optimal and effort.gap == 0.0
    bound = max(relaxed.bound, dual) if every else relaxed.bound
    if chosen is None or value >= known - EQUAL:
        return Choice(None, known, known if proven else min(bound, known), proven)
    return Choice(chosen, value, value if proven else min(bound, value), proven)


def by_cover(found: Regions, keep: Int, reduced: Float, n: int, known: float, bound: float, effort: Effort) -> Choice:
    """Choose among the regions worth keeping by depth-first search (``reduced`` without cuts)."""
    order = keep[np.argsort(reduced[keep], kind="stable")]
    masks = masks_of(found.unit, found.start, order)
    picked, _, ended = cover(masks, reduced[order], n, known - bound - TOLERANCE, effort.cover_nodes)
    value = float(found.cost[order[picked]].sum()) if len(picked) else known
    chosen = order[picked] if len(picked) else None
    return Choice(chosen, value, value if ended else min(bound, value), bool(ended))


def _integer(found: Regions, which: Int, n: int, effort: Effort) -> tuple[Int | None, float, float, bool]:
    """Chosen regions of ``which``, their cost, the proven bound, and whether the choice is optimal."""
    solver = new_solver()
    if effort.nodes >= 0:
        solver.setOptionValue("mip_max_nodes", effort.nodes)
    solver.setOptionValue("mip_rel_gap", effort.gap)
    solver.setOptionValue("mip_abs_gap", 1e-4)
    lp = highspy.HighsLp()
    m = len(which)
    start, index = taken_units(found.unit, found.start, which)
    lp.num_col_ = m
    lp.num_row_ = n
    lp.col_cost_ = found.cost[which]
    lp.col_lower_ = np.zeros(m)
    lp.col_upper_ = np.ones(m)
    lp.row_lower_ = np.ones(n)
    lp.row_upper_ = np.ones(n)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = start.astype(np.int32)
    lp.a_matrix_.index_ = index
    lp.a_matrix_.value_ = np.ones(len(index))
    lp.integrality_ = [highspy.HighsVarType.kInteger] * m
    solver.passModel(lp)
    _run(solver, effort.checks)
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None, np.inf, np.inf, True
    dual = float(solver.getInfo().mip_dual_bound)
    value = np.array(solver.getSolution().col_value)
    chosen = np.flatnonzero(value > 0.5)
    held = np.bincount(taken_units(index, start, chosen)[1], minlength=n) if len(value) == m else np.zeros(n)
    if not (held == 1).all():
        return None, np.inf, dual, False
    optimal = status == highspy.HighsModelStatus.kOptimal
    return which[chosen], float(found.cost[which[chosen]].sum()), dual, optimal


def _run(solver: Any, checks: int) -> None:
    """Run the solver until it has asked so often whether to go on (a count that repeats), or until Ctrl-C."""
    asked = 0
    with held() as pressed:

        def ask(_kind: Any, _message: str, _out: Any, reply: Any, _data: Any) -> None:
            nonlocal asked
            asked += 1
            if asked > checks or pressed():
                reply.user_interrupt = True

        solver.setCallback(ask, None)
        solver.startCallback(highspy.cb.HighsCallbackType.kCallbackMipInterrupt)
        solver.run()
