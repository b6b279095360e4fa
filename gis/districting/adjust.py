"""Dynamic adjustment 动态调整: the cheapest new plan where moving a household costs, and others to choose from.

The first option moves the fewest households: windows round every grid at fault are solved by an integer program.
The others trade households moved against the objective, up to a plan that moves at will.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from gis.districting import search
from gis.districting.adjust_effort import Effort
from gis.districting.adjust_kernels import paid_moves
from gis.districting.adjust_windows import (
    Standing,
    at_fault,
    chains_of,
    figures,
    is_least,
    least_of_units,
    mend,
    moved,
    padded,
)
from gis.districting.kernels import Int, Terms
from gis.districting.rulesets import Bounds
from gis.districting.rural import fill
from gis.districting.units import Units, pieces
from gis.progress import Progress, silent
from gis.territory.model import Bools, Floats

#: What a household moved costs where the ruleset says nothing, in priced metres.
PRICE: Final = 100.0
#: Cheaper moves tried for the options between the cheapest plan and the free one, as shares of the price.
SHARES: Final = (0.2, 0.05, 0.01)
#: Sweeps of the paid search, fewer where there are many units.
SWEEPS: Final = 200
VISITS: Final = 4_000_000
#: A grid this many minimums above the maximum may be cheaper to cut in two than to empty into its neighbours.
WORTH_CUTTING: Final = 0.5
#: Share of grids at fault above which the whole is searched anew before windows are tried.
MANY: Final = 0.4
#: Grids of which both ways are tried.
TRIED_CUT: Final = 8

OptionName = Literal["least", "priced", "between", "free"]


@dataclass(frozen=True)
class Transfer:
    """Units that went from one grid to another; ``giver`` is -1 for units that had none."""

    giver: int
    taker: int
    units: Int
    households: int


@dataclass(frozen=True)
class Chain:
    """Grids that changed together, because of those ``at_fault`` among them (none: to better the objective).

    ``proven``: no plan that changes only these grids and those around them, each kept round its core, moves fewer
    households; an integer program over whole units says so, or what whole units the grids at fault must lose or gain.
    """

    grids: tuple[int, ...]
    at_fault: tuple[int, ...]
    transfers: tuple[Transfer, ...]
    proven: bool = False


@dataclass(frozen=True)
class Option:
    """One new plan. ``part``: label of every unit: an old grid's, or a new one from ``Adjusted.grids`` on.

    ``moved``: households whose grid changed; ``cost``: the objective without them (priced metres); ``amiss``:
    households out of range; ``opened`` and ``ended``: labels of new grids and of grids without units.
    """

    name: OptionName
    price: float  # of a household moved, for which it is the cheapest plan found
    part: Int
    moved: int
    cost: float
    amiss: int
    left: tuple[int, ...]  # grids still at fault
    opened: tuple[int, ...]
    ended: tuple[int, ...]
    chains: tuple[Chain, ...]


@dataclass(frozen=True)
class Adjusted:
    """Options from the fewest households moved to the least objective; ``lower_bound``: no plan can move fewer.

    ``lower_bound`` is max(excess, shortage) of the grids that were there, where none is opened or dissolved.
    ``unit_bound`` says the same of plans that move whole units only, each with what lies on its way.
    """

    options: tuple[Option, ...]
    grids: int
    at_fault: tuple[int, ...]
    excess: int
    shortage: int
    unit_bound: int = 0  # as ``lower_bound``, where only whole units can leave a grid

    @property
    def lower_bound(self) -> int:
        """Households that must leave grids above the maximum, or come to grids below the minimum."""
        return max(self.excess, self.shortage)

    def cheapest(self, price: float) -> Option:
        """The option that costs least where a household moved costs ``price``; those with fewer faults first."""
        return min(self.options, key=lambda o: (len(o.left), o.amiss, o.cost + price * o.moved))


def adjust(
    units: Units,
    home: Int,
    bounds: Bounds,
    terms: Terms,
    outside: float,
    *,
    weight: Floats | None = None,
    locked: Bools | None = None,
    dedicated: Bools | None = None,
    price: float = PRICE,
    frontier: bool = True,
    seed: int = 1,
    progress: Progress = silent,
) -> Adjusted:
    """Mend a plan under new households with as few of them moved as can be, and offer plans that move more.

    ``units`` carry the new counted households; ``home`` is the grid of every unit before (labels 0 .. k-1, -1:
    none yet). ``weight``: households that move with a unit (its counted ones where left out). ``locked`` and
    ``dedicated`` grids, by label, keep their units exactly; dedicated ones have no bounds. ``price``: priced metres
    for a household moved. Grids keep their labels; new ones are numbered from k on. With ``frontier`` False the only
    options are the one with the fewest moves and the cheapest near it.
    """
    k = int(home.max()) + 1 if len(home) and home.max() >= 0 else 0
    none = np.zeros(k, bool)
    still = (none if locked is None else locked) | (none if dedicated is None else dedicated)
    standing = Standing(
        units=units,
        home=home,
        weight=units.arrays.counted.astype(np.float64) if weight is None else weight,
        minimum=float(bounds.minimum),
        maximum=float(bounds.maximum),
        still=still,
        free=none if dedicated is None else dedicated,
    )
    begin = completed(standing, bounds)
    start, faults = begin, at_fault(standing, begin)
    held, used, _ = figures(standing, begin)
    bounded = used & ~padded(standing.free, len(held))
    if len(faults) > MANY * max(k, 4):
        begin = _anew(standing, begin, faults, bounds, terms, outside, price, seed)
    effort = Effort.of(len(faults))
    least = _least(standing, begin, bounds, effort, progress)
    found = [_option("least", np.inf, standing, least, faults, terms, outside, effort)]
    if found[0].left:  # where windows find nothing the whole is searched anew
        anew = _free(found[0], standing, faults, bounds, terms, outside, seed)
        found.append(_priced(anew, "priced", price, standing, faults, terms, outside, seed, widely=True))
    found.append(_priced(found[0], "priced", price, standing, faults, terms, outside, seed, widely=False))
    if frontier:
        found += _wider(found[-1], price, standing, faults, bounds, terms, outside, seed, progress)
    return Adjusted(
        options=tuple(_undominated(found)),
        grids=k,
        at_fault=tuple(int(g) for g in faults),
        excess=int(np.maximum(held - bounds.maximum, 0)[bounded].sum()),
        shortage=int(np.maximum(bounds.minimum - held, 0)[bounded].sum()),
        unit_bound=_unit_bound(standing, start, held, bounded),
    )


def _unit_bound(standing: Standing, part: Int, held: Int, bounded: Bools) -> int:
    """Fewest households that whole units make of what grids must lose and gain."""
    amiss = np.flatnonzero(bounded & ((held > standing.maximum) | (held < standing.minimum)))
    return least_of_units(standing, part, amiss) if len(amiss) else 0


def completed(standing: Standing, bounds: Bounds) -> Int:
    """Every unit in a grid: those without go to the neighbour they share most with, or to new grids of their own."""
    part = fill(standing.units, standing.home)
    alone = np.flatnonzero(part < 0)
    k = len(standing.still)
    if len(alone):
        piece = pieces(standing.units.subset(alone).arrays, np.zeros(len(alone), np.int64))
        for p in range(int(piece.max()) + 1):
            mine = alone[piece == p]
            fresh = search.first_plan(standing.units.subset(mine), bounds)
            part[mine] = k + fresh
            k += int(fresh.max()) + 1
    return part


def _anew(
    standing: Standing, begin: Int, faults: Int, bounds: Bounds, terms: Terms, outside: float, price: float, seed: int
) -> Int:
    """A beginning where most grids are at fault: the search's own plan, brought back towards the old one."""
    free = _free(
        _option("free", 0.0, standing, begin, faults, terms, outside), standing, faults, bounds, terms, outside, seed
    )
    if len(free.left) >= len(faults):
        return begin
    return _priced(free, "priced", price, standing, faults, terms, outside, seed, widely=True).part


def _least(standing: Standing, begin: Int, bounds: Bounds, effort: Effort, progress: Progress) -> Int:
    """The fewest moves: windows first. Grids far too large are cut before, those not much so are tried both ways."""
    held, _, _ = figures(standing, begin)
    for g in np.flatnonzero(held >= bounds.maximum + bounds.minimum):
        begin = _cut(standing, begin, int(g), bounds, begin)
    part = mend(standing, begin, effort, progress)
    large = np.flatnonzero(held >= bounds.maximum + WORTH_CUTTING * bounds.minimum)
    for g in large[held[large] < bounds.maximum + bounds.minimum][:TRIED_CUT]:
        other = mend(standing, _cut(standing, begin, int(g), bounds, begin), effort, progress)
        part = min(part, other, key=lambda p: _rank(standing, p))
    left = at_fault(standing, part)
    other = part
    for g in left[figures(standing, part)[0][left] > bounds.maximum]:
        other = _cut(standing, other, int(g), bounds, other)
    if other is not part:
        part = min(part, mend(standing, other, effort, progress), key=lambda p: _rank(standing, p))
    return part


def _cut(standing: Standing, part: Int, g: int, bounds: Bounds, otherwise: Int) -> Int:
    """The plan with one grid cut into as few as its households need; its largest part keeps the label."""
    mine = np.flatnonzero(part == g)
    counted = int(standing.units.arrays.counted[mine].sum())
    fewest, most = search.possible_numbers(counted, bounds)
    parts = max(2, fewest)
    if padded(standing.still, g + 1)[g] or most < parts or fewest > most:
        return otherwise
    even = replace(bounds, target=min(max(counted // parts, bounds.minimum), bounds.maximum))
    fresh = search.first_plan(standing.units.subset(mine), even)
    keep = int(np.bincount(fresh, standing.weight[mine]).argmax())
    new = max(len(standing.still), int(part.max()) + 1)
    part = part.copy()
    part[mine] = np.where(fresh == keep, g, new + fresh - (fresh > keep))
    return part


def _rank(standing: Standing, part: Int) -> tuple[int, float, float]:
    return (len(at_fault(standing, part)), _amiss(standing, part), moved(standing, part))


def _amiss(standing: Standing, part: Int) -> float:
    held, used, _ = figures(standing, part)
    bounded = used & ~padded(standing.free, len(held))
    amiss = np.maximum(standing.minimum - held, 0) + np.maximum(held - standing.maximum, 0)
    return float(amiss[bounded].sum())


def _option(
    name: OptionName,
    price: float,
    standing: Standing,
    part: Int,
    faults: Int,
    terms: Terms,
    outside: float,
    effort: Effort | None = None,
) -> Option:
    """Describe one plan; chains of one that moves the least are proven from the windows that were solved."""
    k = len(standing.still)
    used = np.bincount(part, minlength=k) > 0
    return Option(
        name=name,
        price=price,
        part=part,
        moved=round(moved(standing, part)),
        cost=search.cost_of(standing.units, part, terms, outside),
        amiss=round(_amiss(standing, part)),
        left=tuple(int(g) for g in at_fault(standing, part)),
        opened=tuple(int(g) for g in np.flatnonzero(used) if g >= k),
        ended=tuple(int(g) for g in np.flatnonzero(~used[:k])),
        chains=tuple(_chain(standing, part, labels, faults, effort) for labels in chains_of(standing, part)),
    )


def _chain(standing: Standing, part: Int, labels: Int, faults: Int, effort: Effort | None) -> Chain:
    """What grids that changed together gave each other."""
    away = np.flatnonzero((part != standing.home) & np.isin(part, labels) & (standing.home >= 0))
    pairs = np.stack([standing.home[away], part[away]], axis=1)
    transfers = []
    for giver, taker in np.unique(pairs, axis=0):
        units = away[(pairs[:, 0] == giver) & (pairs[:, 1] == taker)]
        transfers.append(Transfer(int(giver), int(taker), units, round(float(standing.weight[units].sum()))))
    at = tuple(int(g) for g in labels if g in faults)
    proven = is_least(standing, part, labels, effort or Effort(0.0))
    return Chain(tuple(int(g) for g in labels), at, tuple(transfers), proven)


def _priced(
    begin: Option,
    name: OptionName,
    price: float,
    standing: Standing,
    faults: Int,
    terms: Terms,
    outside: float,
    seed: int,
    *,
    widely: bool,
) -> Option:
    """A plan near ``begin`` that costs less where a household moved costs ``price``.

    Unless ``widely``, only the grids of its chains change: every other grid stays as it is.
    """
    k = max(len(standing.still), int(begin.part.max()) + 1)
    still = padded(standing.still, k)
    if not widely:
        touched = np.zeros(k, bool)
        touched[[g for chain in begin.chains for g in chain.grids]] = True
        still = still | ~touched
    if still.all():
        return begin
    part = begin.part.copy()
    sweeps = max(20, min(SWEEPS, VISITS // max(1, len(part))))
    sums = search.sums_of(standing.units, part)
    paid_moves(
        standing.units.arrays, part, standing.home, standing.weight, still.astype(np.int64), sums, terms, price,
        sweeps, 40.0 if widely else 10.0, 0.5, 4 * outside, seed & 0x7FFFFFFF,
    )  # fmt: skip
    found = _option(name, price, standing, part, faults, terms, outside)
    worse = (len(found.left), found.amiss) > (len(begin.left), begin.amiss)
    return begin if worse or found.cost + price * found.moved >= begin.cost + price * begin.moved else found


def _wider(
    begin: Option,
    price: float,
    standing: Standing,
    faults: Int,
    bounds: Bounds,
    terms: Terms,
    outside: float,
    seed: int,
    progress: Progress,
) -> list[Option]:
    """Plans for cheaper and cheaper moves, and one for which moves cost nothing."""
    out = []
    now = begin
    for i, share in enumerate(SHARES):
        progress("frontier", i / (len(SHARES) + 1))
        now = _priced(now, "between", price * share, standing, faults, terms, outside, seed + i, widely=True)
        out.append(now)
    out.append(_free(now, standing, faults, bounds, terms, outside, seed))
    progress("frontier", 1.0)
    return out


def _free(
    begin: Option, standing: Standing, faults: Int, bounds: Bounds, terms: Terms, outside: float, seed: int
) -> Option:
    """The search's own plan, begun from here: grids take the old label with which they share most."""
    moving = ~padded(standing.still, int(begin.part.max()) + 1)[begin.part]
    mine = np.flatnonzero(moving)
    if not len(mine):
        return begin
    units = standing.units if moving.all() else standing.units.subset(mine)
    part = search.renumbered(begin.part[mine])
    found = search.Search(part, search.cost_of(units, part, terms, outside), 1)
    for lots in range(2):
        found = search.better(units, bounds, terms, outside, found, seed + lots)
    part = begin.part.copy()
    part[mine] = relabelled(found.part, standing.home[mine], standing.weight[mine], len(standing.still))
    return _option("free", 0.0, standing, part, faults, terms, outside)


def relabelled(part: Int, home: Int, weight: Floats, k: int) -> Int:
    """Grids of a plan made anew under the labels of old ones, so that the fewest households change theirs."""
    n = int(part.max()) + 1
    shared = np.zeros((n, max(k, 1)))
    old = home >= 0
    np.add.at(shared, (part[old], home[old]), weight[old] + 1e-3)
    rows, columns = linear_sum_assignment(-shared)
    label = np.full(n, -1, np.int64)
    good = shared[rows, columns] > 0
    label[rows[good]] = columns[good]
    fresh = np.flatnonzero(label < 0)
    label[fresh] = k + np.arange(len(fresh))
    return np.asarray(label[part], np.int64)


def _undominated(options: list[Option]) -> list[Option]:
    """Options in order of households moved, without those another beats in both; the least and the priced stay."""
    out: list[Option] = []
    for o in sorted(options, key=lambda o: (len(o.left), o.amiss, o.moved, o.cost)):
        if not out or (o.cost < out[-1].cost - 1e-6 and (len(o.left), o.amiss) <= (len(out[0].left), out[0].amiss)):
            out.append(o)
    return out
