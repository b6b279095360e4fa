"""One window of an adjustment solved exactly: the fewest households moved so that every grid meets its bounds.

An integer program over units: which grid each unit goes to, among those it can be joined to by moving no more
households than the window may move. Contiguity is demanded of neighbours from the start, and of whole grids by cuts
that are added until every grid is of one piece.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import highspy
import numpy as np

from gis.districting.adjust_effort import BUILD, STEP, Effort
from gis.districting.adjust_kernels import paid_moves, reach
from gis.districting.kernels import Int, Sums, Terms, sum_up
from gis.districting.units import Units, edges, pieces
from gis.territory.model import Bools, Floats

#: Price, in households moved, of one household out of range: never worth it where the bounds can be met.
AMISS: Final = 1000.0
#: What a household moved is worth against a priced metre of border, where households decide and metres break ties.
METRE: Final = 1e-5
#: Price of moving a unit at all, households or none: grids that need no change get none.
UNIT: Final = 0.004
#: Limits of the integer program (counts, not seconds, so that runs repeat), and rounds of cuts.
NODES: Final = 400
FLOW_NODES: Final = 30
#: Flows are added to programs of no more variables than this; larger ones make do with cuts.
FLOW_COLUMNS: Final = 1000
ROUNDS: Final = 8
#: Variables above which a program gets fewer rounds: another window costs less than its proof.
LARGE: Final = 800
LARGE_ROUNDS: Final = 3
#: Variables above which no program is solved, only descents are tried.
MOST_COLUMNS: Final = 2500
#: Rounds in which cuts are tried before the grids that fall apart get flows, and descents tried a round.
CUTS: Final = 1
DESCENTS: Final = 2
SWEEPS: Final = 150
#: Cuts for one loose piece: units of it that are tied to the way that joins it.
TIED: Final = 6


@dataclass(frozen=True)
class Window:
    """Some grids, whole. Labels 0 .. k-1 are the grids; ``home`` is -1 where a unit has none.

    ``low`` and ``high`` bound the counted households of a label; one that ``may_end`` may be left without units.
    ``weight``: households that move with a unit. ``slack``: households by which a label may miss its bounds, at a
    price that is never worth paying.
    """

    units: Units
    home: Int
    now: Int
    weight: Floats
    low: Floats
    high: Floats
    may_end: Bools
    slack: Floats

    @property
    def labels(self) -> int:
        """Number of grids."""
        return len(self.low)


@dataclass(frozen=True)
class Answer:
    """The best assignment found: households moved from home, households out of range, loose pieces.

    ``proven``: nothing in the window is better under the limit on ways that was given.
    """

    part: Int
    moved: float
    amiss: float
    loose: int
    proven: bool

    @property
    def order(self) -> tuple[float, float, float]:
        """What is compared: contiguity and range before households moved."""
        return (self.loose, self.amiss, self.moved)


@dataclass
class _Rows:
    """Rows of the program as they are added."""

    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    index: list[list[int]] = field(default_factory=list)
    value: list[list[float]] = field(default_factory=list)

    def add(self, lower: float, upper: float, index: list[int], value: list[float]) -> None:
        self.lower.append(lower)
        self.upper.append(upper)
        self.index.append(index)
        self.value.append(value)


def judged(window: Window, part: Int, proven: bool = False) -> Answer:
    """What an assignment of a window is worth."""
    away = (part != window.home) & (window.home >= 0)
    held = np.bincount(part, window.units.arrays.counted, minlength=window.labels)
    used = np.bincount(part, minlength=window.labels) > 0
    amiss = np.maximum(window.low - held, 0.0) + np.maximum(held - window.high, 0.0)
    piece = pieces(window.units.arrays, part)
    loose = int(piece.max()) + 1 - int(used.sum()) if len(piece) else 0
    kept_empty = ~used & ~window.may_end
    return Answer(part, float(window.weight[away].sum()), float(amiss[used | kept_empty].sum()), loose, proven)


def fewest_moved(window: Window, limit: float, cap: float, effort: Effort) -> Answer:
    """The assignment that moves the fewest households, over ways of at most ``limit`` households, widened to ``cap``.

    A plan that moves m households uses no way of more than m, so an answer within the limit is the best there is.
    """
    best = judged(window, window.now)
    while True:
        answer = _solved(window, limit, best, effort)
        if answer.order < best.order:
            best = answer
        met = best.loose == 0 and best.amiss == 0
        if limit >= cap or effort.spent or (met and best.moved <= limit):
            proven = answer.proven and met and best.moved <= limit
            return Answer(best.part, best.moved, best.amiss, best.loose, proven)
        limit = min(cap, max(best.moved, limit + 1) if met else 2.5 * limit)


def _solved(window: Window, limit: float, known: Answer, effort: Effort) -> Answer:
    """The program with cuts, then flows, until contiguous; ``known`` where nothing better came out of it.

    Every solution that falls apart gives a bound; a whole one found by descent that meets it is the best there is.
    """
    best = known
    if known.amiss + known.loose > 0:
        best = min(best, *_whole(window, window.now, effort), key=lambda answer: answer.order)
    allowed = _allowed(window, limit)
    if allowed.sum() > MOST_COLUMNS:
        return best
    program = _Program(window, allowed)
    effort.take(BUILD * program.columns)
    for round_ in range(ROUNDS if program.columns <= LARGE else LARGE_ROUNDS):
        if effort.spent:
            break
        part, bound, optimal = program.run(effort)
        if part is None:
            break
        found = judged(window, part, optimal)
        if found.loose == 0:
            return found if found.order < best.order or optimal else best
        best = min(best, *_whole(window, part, effort), key=lambda answer: answer.order)
        if optimal and best.loose == 0 and AMISS * best.amiss + best.moved < np.floor(bound - UNIT) + 1:
            return replace(best, proven=True)
        if not (program.flow(part) if round_ >= CUTS else program.cut(part)):
            break
    return best


def _whole(window: Window, part: Int, effort: Effort) -> list[Answer]:
    """Contiguous assignments near one that falls apart: loose pieces sent home, then a descent."""
    begin = _reattached(window, part)
    out = [judged(window, begin)]
    terms = Terms(float(window.low.max()), float(window.high[np.isfinite(window.high)].min()), 0.0, 1.0, 0.0, 0.0)
    still = (window.low == 0).astype(np.int64)
    arrays = window.units.arrays._replace(price=METRE * window.units.arrays.price)
    for seed in range(DESCENTS):
        now = begin.copy()
        sums = Sums(*(np.zeros(window.labels, t) for t in (np.int64, float, float, float, np.int64)))
        sum_up(arrays, now, sums)
        paid_moves(
            arrays, now, window.home, window.weight + UNIT, still, sums, terms, 1.0, SWEEPS, 20.0, 0.02,
            100.0, seed,
        )  # fmt: skip
        effort.take(STEP * SWEEPS * len(now))
        out.append(judged(window, now))
    return out


def _reattached(window: Window, part: Int) -> Int:
    """The assignment with every loose piece sent home, or to the grid around it."""
    piece = pieces(window.units.arrays, part)
    size = np.bincount(piece, window.units.arrays.counted + 1e-3)
    owner = part[np.unique(piece, return_index=True)[1]]
    order = np.lexsort((-size, owner))
    first = np.unique(owner[order], return_index=True)[1]
    main = np.zeros(len(size), bool)
    main[order[first]] = True
    part = np.where(main[piece] | (window.home < 0), part, window.home)
    return np.asarray(part, np.int64)


class _Program:
    """Variables: x[v, g] for units that may go to several grids, slack of every bound, whether a grid lives on."""

    def __init__(self, window: Window, allowed: Bools) -> None:
        self.window = window
        self.start, self.neighbour = window.units.arrays.start, window.units.arrays.neighbour
        self.fixed = np.where(allowed.sum(axis=1) == 1, allowed.argmax(axis=1), -1)
        free = np.flatnonzero(self.fixed < 0)
        self.x = np.full(allowed.shape, -1, np.int64)
        unit, label = np.nonzero(allowed[free])
        self.unit, self.label = free[unit], label
        self.x[self.unit, self.label] = np.arange(len(unit))
        k = window.labels
        self.short = len(unit) + np.arange(k)
        self.over = self.short + k
        rooted = np.bincount(self.fixed[self.fixed >= 0], minlength=k) > 0
        self.lives = np.where(window.may_end & ~rooted, 0, -1)
        self.lives[self.lives == 0] = len(unit) + 2 * k + np.arange((self.lives == 0).sum())
        self.columns = len(unit) + 2 * k + int((self.lives >= 0).sum())
        self.rows = _Rows()
        self._assign()
        self._bound()
        self._join()
        self.flowing: set[int] = set()
        self.solver = self._model()

    def _cost(self) -> Floats:
        """Households that move, and metres of border that change when a unit moves alone, to break ties."""
        w = self.window
        cost = np.zeros(self.columns)
        away = (self.label != w.home[self.unit]) & (w.home[self.unit] >= 0)
        ease = METRE * _border_change(w, self.unit, self.label)
        cost[: len(self.unit)] = away * (w.weight[self.unit] + UNIT)
        moved_at_all = self.label != np.where(w.home >= 0, w.home, w.now)[self.unit]
        cost[: len(self.unit)] += moved_at_all * np.maximum(ease, -UNIT / 2)
        cost[self.short] = AMISS
        cost[self.over] = AMISS
        return cost

    def _model(self) -> Any:
        lp = highspy.HighsLp()
        lp.num_col_ = self.columns
        lp.num_row_ = len(self.rows.lower)
        lp.col_cost_ = self._cost()
        upper = np.ones(self.columns)
        upper[self.short] = upper[self.over] = self.window.slack
        lp.col_lower_ = np.zeros(self.columns)
        lp.col_upper_ = upper
        lp.row_lower_ = np.array(self.rows.lower)
        lp.row_upper_ = np.array(self.rows.upper)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(i) for i in self.rows.index])]).astype(np.int32)
        lp.a_matrix_.index_ = np.array([i for row in self.rows.index for i in row], np.int32)
        lp.a_matrix_.value_ = np.array([x for row in self.rows.value for x in row], np.float64)
        kinds = [highspy.HighsVarType.kInteger] * self.columns
        for j in (*self.short, *self.over):
            kinds[j] = highspy.HighsVarType.kContinuous
        lp.integrality_ = kinds
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (
            ("output_flag", False), ("threads", 1), ("random_seed", 0), ("mip_max_nodes", NODES),
            ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.5),
        ):  # fmt: skip
            solver.setOptionValue(option, value)
        solver.passModel(lp)
        return solver

    def _assign(self) -> None:
        """Every free unit goes to one grid."""
        for v in np.flatnonzero(self.fixed < 0):
            mine = self.x[v][self.x[v] >= 0].tolist()
            self.rows.add(1.0, 1.0, mine, [1.0] * len(mine))

    def _bound(self) -> None:
        """Counted households of every grid, with slack; of one that may end, times whether it lives."""
        w = self.window
        counted = w.units.arrays.counted
        here = self.fixed >= 0
        held = np.bincount(self.fixed[here], counted[here], minlength=w.labels)
        for g in range(w.labels):
            mine = np.flatnonzero((self.label == g) & (counted[self.unit] > 0))
            index, value = mine.tolist(), counted[self.unit[mine]].astype(float).tolist()
            if self.lives[g] < 0:
                self.rows.add(w.low[g] - held[g], np.inf, [*index, int(self.short[g])], [*value, 1.0])
                self.rows.add(-np.inf, w.high[g] - held[g], [*index, int(self.over[g])], [*value, -1.0])
                continue
            alive = int(self.lives[g])
            self.rows.add(0.0, np.inf, [*index, int(self.short[g]), alive], [*value, 1.0, -w.low[g]])
            self.rows.add(-np.inf, 0.0, [*index, int(self.over[g]), alive], [*value, -1.0, -w.high[g]])
            for j in np.flatnonzero(self.label == g).tolist():
                self.rows.add(-np.inf, 0.0, [j, alive], [1.0, -1.0])

    def _join(self) -> None:
        """A unit of a grid has a neighbour in that grid."""
        alone = np.bincount(self.label, minlength=self.window.labels) + np.bincount(
            self.fixed[self.fixed >= 0], minlength=self.window.labels
        )
        for j, (v, g) in enumerate(zip(self.unit.tolist(), self.label.tolist(), strict=True)):
            if alone[g] == 1:
                continue
            near = self.neighbour[self.start[v] : self.start[v + 1]]
            if (self.fixed[near] == g).any():
                continue
            beside = self.x[near, g]
            beside = beside[beside >= 0].tolist()
            self.rows.add(-np.inf, 0.0, [j, *beside], [1.0] + [-1.0] * len(beside))

    def run(self, effort: Effort) -> tuple[Int | None, float, bool]:
        """Solve; the assignment, what none can fall below, and whether it is optimal."""
        effort.solve(self.solver)
        status = self.solver.getModelStatus()
        value = np.array(self.solver.getSolution().col_value)
        if len(value) < self.columns or status == highspy.HighsModelStatus.kInfeasible:
            return None, -np.inf, False
        part = self.fixed.copy()
        taken = value[: len(self.unit)] > 0.5
        part[self.unit[taken]] = self.label[taken]
        if (part < 0).any():
            return None, -np.inf, False
        bound = float(self.solver.getInfo().mip_dual_bound)
        return part, bound, status == highspy.HighsModelStatus.kOptimal

    def cut(self, part: Int) -> bool:
        """Demand a way between the pieces of every grid that came out in several; False when nothing was added."""
        piece = pieces(self.window.units.arrays, part)
        added = False
        for g in range(self.window.labels):
            found = np.unique(piece[part == g])
            if len(found) < 2:
                continue
            members = {p: np.flatnonzero(piece == p) for p in found}
            main = max(found, key=lambda p: ((self.fixed[members[p]] == g).any(), len(members[p])))
            for p in found:
                if p != main:
                    added |= self._tie(g, members[p], members[main])
        return added

    def _tie(self, g: int, loose: Int, main: Int) -> bool:
        """Whoever keeps a unit of ``loose`` and one of ``main`` in grid g must hold some unit around ``loose``."""
        around = np.unique(np.concatenate([self.neighbour[self.start[v] : self.start[v + 1]] for v in loose]))
        around = self.x[around[~np.isin(around, loose)], g]
        way = around[around >= 0].tolist()
        root = self._anchor(g, main)
        if (self.fixed[loose] == g).any():
            tied: list[int | None] = [None]
        else:
            heavy = loose[np.argsort(-self.window.weight[loose], kind="stable")][:TIED]
            tied = [int(self.x[v, g]) for v in heavy]
        for j in tied:
            ends = [i for i in (j, root) if i is not None]
            index, value = [*ends, *way], [1.0] * len(ends) + [-1.0] * len(way)
            self.solver.addRow(-highspy.kHighsInf, float(len(ends) - 1), len(index), index, value)
        return bool(way) or any(j is not None for j in (*tied, root))

    def flow(self, part: Int) -> bool:
        """Give every grid that came out in several pieces a flow from its core; cuts where it has none."""
        piece = pieces(self.window.units.arrays, part)
        first = np.unique(piece, return_index=True)[1]
        loose = np.flatnonzero(np.bincount(part[first], minlength=self.window.labels) > 1)
        added = self.cut(part)
        for g in loose.tolist():
            small = self.solver.getNumCol() <= FLOW_COLUMNS
            if small and g not in self.flowing and (self.fixed == g).any():
                self.flowing.add(g)
                self._add_flow(g)
                added = True
        return added

    def _add_flow(self, g: int) -> None:
        """Every unit of g draws one from the core of g, over units of g alone; other fixed pieces draw theirs."""
        self.solver.setOptionValue("mip_max_nodes", FLOW_NODES)
        node = np.where(self.x[:, g] >= 0, np.arange(len(self.fixed)), -1)
        fixed = np.flatnonzero(self.fixed == g)
        piece = pieces(self.window.units.arrays, self.fixed)[fixed]
        core = np.bincount(piece).argmax()
        for p in np.unique(piece):
            node[fixed[piece == p]] = -2 if p == core else fixed[piece == p][0]
        heads, tails = edges(self.window.units.arrays)
        arcs = np.stack([node[heads], node[tails]], axis=1)[(node[tails] >= 0) & (node[heads] != -1)]
        arcs = np.unique(arcs[arcs[:, 0] != arcs[:, 1]], axis=0)
        drawing = np.unique(node[node >= 0])
        most = float(len(drawing))
        at = self.solver.getNumCol()
        for _ in arcs:
            self.solver.addVar(0.0, most)
        for v in drawing.tolist():
            into = (at + np.flatnonzero(arcs[:, 1] == v)).tolist()
            out = (at + np.flatnonzero(arcs[:, 0] == v)).tolist()
            j = int(self.x[v, g])
            own = [j] if j >= 0 else []
            need = 0.0 if own else 1.0
            index, value = [*into, *out, *own], [1.0] * len(into) + [-1.0] * (len(out) + len(own))
            self.solver.addRow(need, need, len(index), index, value)
            if own:
                self.solver.addRow(-highspy.kHighsInf, 0.0, len(into) + 1, [*into, j], [1.0] * len(into) + [-most])

    def _anchor(self, g: int, main: Int) -> int | None:
        """A unit of the main piece: None where one is fixed in g, else the variable of its heaviest."""
        if (self.fixed[main] == g).any():
            return None
        return int(self.x[main[np.argmax(self.window.weight[main])], g])


def _allowed(window: Window, limit: float) -> Bools:
    """Which grids every unit may go to: its home, where it is now, and those in reach.

    The unit of a grid that lies farthest from every other stays, so that each grid has a core.
    """
    n, k = len(window.units), window.labels
    each = np.arange(n)
    ending = window.may_end[window.now]
    most = max(limit, window.low.max()) if ending.any() else limit
    far = np.empty((n, k))
    for g in range(k):
        cost = np.where((window.home == g) | (window.home < 0), 0.0, window.weight)
        beginning = np.where((window.now == g) | (window.home == g), g, -1).astype(np.int64)
        far[:, g] = reach(window.units.arrays, beginning, g, cost, most)
    allowed = (far <= limit) | (ending[:, None] & np.isfinite(far))
    allowed[each, window.now] = True
    allowed[each[window.home >= 0], window.home[window.home >= 0]] = True
    own = np.where(window.home >= 0, window.home, window.now)
    others = far.copy()
    others[each, own] = np.inf
    depth = others.min(axis=1)
    piece = pieces(window.units.arrays, own)
    size = np.bincount(piece, window.units.arrays.counted + 1e-3)
    for g in np.flatnonzero(~window.may_end).tolist():
        mine = np.flatnonzero(own == g)
        if len(mine):
            mine = mine[piece[mine] == piece[mine[np.argmax(size[piece[mine]])]]]
            stays = mine[np.argmax(np.minimum(depth[mine], 1e9))]
            allowed[stays] = False
            allowed[stays, g] = True
    return allowed


def _border_change(window: Window, unit: Int, label: Int) -> Floats:
    """Priced metres of border that a unit brings when it alone moves from where it is now to ``label``."""
    a = window.units.arrays
    heads, tails = edges(a)
    n, k = len(window.units), window.labels
    shared = np.bincount(heads * k + window.now[tails], a.price, minlength=n * k).reshape(n, k)
    return np.asarray(shared[unit, window.now[unit]] - shared[unit, label], np.float64)
