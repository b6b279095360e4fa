"""What can be proven of a plan: the best there is over stated units, or a bound on how far it is from that.

The units are those of ``clusters``: blocks, opened to buildings where they are too heavy, single houses and empty
blocks joined, parted where the plan cuts them. Over them every feasible region is listed. A piece of few grids is
solved to the optimum, however long the search for it is; a larger one gets the bound of the linear relaxation, and
a better plan where rounding finds one.

Where the plan has grids out of range, regions that are so by a little are listed too, at the ruleset's price of a
household; that none further out could lower the bound is checked from the prices of the units. Why no plan is
within the bounds is for ``infeasible`` to prove.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from gis.districting import districts, partition
from gis.districting.clusters import Clusters, clusters, opened
from gis.districting.infeasible import Fault, faults
from gis.districting.kernels import Float, Int, Terms
from gis.districting.regions import Regions, regions
from gis.districting.relaxation import relax
from gis.districting.rounding import round_up
from gis.districting.units import Units
from gis.districting.windows import joined_regions, present_regions

#: A piece of no more grids than this is listed whole and its best plan is looked for; a larger one gets a bound.
SOLVED_GRIDS: Final = 10
#: Of no more grids than this it is solved to the optimum, however long that takes; else the effort has an end.
SURELY: Final = 8
#: Regions up to which it is asked whether any choice of them holds every unit, where the search found none.
FEW_REGIONS: Final = 20_000
#: Most regions that are listed: for an optimum, and (a unit) for a bound, with the sets that begin at one unit.
MOST_REGIONS: Final = 1_000_000
BOUND_REGIONS: Final = 600
BOUND_SETS: Final = 4_000
#: Units of fewer households than this share of the minimum are joined for a bound.
FEW: Final = 0.1
#: Shares of the minimum above which blocks are opened when no plan keeps those within the maximum whole.
OPENED: Final = (1.0, 0.5, 0.2, 0.0)
#: Households out of range up to which regions are listed for the bound of a plan with grids out of range.
BOUND_SLACKS: Final = (20.0, 60.0, 150.0)
#: Rounds of cuts that tighten the bound. Rounding: reduced cost above which a region is left aside (priced metres),
#: most regions a unit, and sets looked at in one search.
CUTS: Final = 8
ROOM: Final = 700.0
CONSIDERED: Final = 40
NODES: Final = 60_000

#: Households out of range up to which regions are listed for the least violation, and most regions then (also of
#: opened blocks while no plan within the bounds is known).
SLACKS: Final = (10.0, 60.0, 200.0)
MOST_PRICED: Final = 200_000

_NO_LIMIT: Final = 1 << 62
#: The last share in ``OPENED``: nothing is joined, not even an empty atom.
_EACH: Final = -1.0


@dataclass(frozen=True)
class Proof:
    """``optimal``: no plan over the units is better; else ``bound`` is what none can fall below (0: not known).

    ``faults``: why no plan is within the bounds, proven over the finest units; then, and wherever the plan has
    grids out of range, the bound holds for plans with grids out of range too, at the price in the objective.
    """

    optimal: bool
    bound: float
    fine: bool  # none was joined but single houses and empty blocks
    restrictions: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    units: str = "blocks"


def within(units: Units, part: Int, label: Int, terms: Terms, outside: float) -> tuple[Int, Proof] | None:
    """A plan within the bounds for a small piece whose plan ``part`` has grids out of range; None: none was found.

    Does not hang on how ``part`` runs, so that one answer serves for all plans of the piece.
    """
    if int(part.max()) >= SOLVED_GRIDS or not _fits(int(units.arrays.counted.sum()), terms):
        return None
    return _solve(units, part, label, terms, outside, valid=False)


def prove(
    units: Units, part: Int, label: Int, terms: Terms, outside: float, *, sought: bool = False
) -> tuple[Int, Proof | None]:
    """The best plan over units made from ``label`` (coarse units), or a better one than ``part``, and its proof.

    The plan is returned unchanged, with None, where nothing can be proven. ``sought``: ``within`` found nothing.
    """
    counted = np.bincount(part, units.arrays.counted)
    out = (counted < terms.minimum) | (counted > terms.maximum)
    few = len(counted) <= SOLVED_GRIDS
    if few and not (sought and out.any()) and _fits(int(counted.sum()), terms):
        found = _solve(units, part, label, terms, outside, valid=not out.any())
        if found is not None:
            return found
    if not out.any():
        return _bound(units, part, label, terms, outside)
    why = tuple(faults(units, terms, np.flatnonzero(out[part])))
    solved = _least(units, part, label, terms, outside) if few else None
    part, proof = solved or _bound(units, part, label, terms, outside)
    if proof is None:
        return part, Proof(False, 0.0, False, (), why) if why else None
    return part, replace(proof, faults=why)


def _fits(total: int, terms: Terms) -> bool:
    """Whether some number of grids can hold ``total`` households; where none can, there is nothing to look for."""
    fewest = max(1, -(-total // int(terms.maximum)))
    return fewest <= (total // int(terms.minimum) if terms.minimum >= 1 else total)


def _solve(
    units: Units, part: Int, label: Int, terms: Terms, outside: float, *, valid: bool
) -> tuple[Int, Proof] | None:
    """The best plan within the bounds, over blocks if they can stay whole, else over blocks opened step by step."""
    known = present_regions(units, part, terms, outside)[1] if valid else np.inf
    effort = partition.THOROUGH if int(part.max()) < SURELY else partition.BOUNDED
    tried: Int | None = None
    for share in (None, *OPENED, _EACH):
        if share is not None:
            label = opened(units, terms.minimum * max(share, 0.0))
        most = MOST_REGIONS if share is None or valid else MOST_PRICED
        made = clusters(units, label, terms, 0.0, most, join=share != _EACH)
        if made is None:
            return None
        if tried is not None and np.array_equal(made.label, tried):
            continue
        tried = made.label
        best, cost, bound = _best(units, made, terms, known, effort)
        if best is None and valid:  # the plan cuts units, and is better than every plan that does not
            made = clusters(units, made.label, terms, 0.0, MOST_REGIONS, part=part)
            if made is None:
                return None
            best, cost, bound = _best(units, made, terms, known, effort)
            best = part if best is None else best
        if best is not None:
            return best, _proof(bound >= cost - partition.EQUAL, bound, made, share)
    return None


def _best(
    units: Units, made: Clusters, terms: Terms, known: float, effort: partition.Effort
) -> tuple[Int | None, float, float]:
    """The best plan over the units (None: none below ``known`` was found), its cost, and the bound.

    Where no plan is known (infinite) one is looked for with limits: for a cheap one, then for any at all.
    """
    small = units.contract(made.label)
    found = regions(small.arrays, terms, made.regions, _NO_LIMIT, len(small))
    valid = bool(np.isfinite(known))
    choice = partition.choose(found, len(small), known, effort if valid else partition.SEARCHING)
    if not valid and choice.chosen is None and not choice.proven and len(found.cost) <= FEW_REGIONS:
        free = found._replace(cost=np.zeros(len(found.cost)))
        any_at_all = partition.choose(free, len(small), np.inf, partition.FEASIBLE)
        if any_at_all.chosen is not None:
            choice = replace(any_at_all, cost=float(found.cost[any_at_all.chosen].sum()), proven=False)
    if not valid and choice.chosen is not None and not choice.proven:  # now one is known
        better = partition.choose(found, len(small), choice.cost + 2 * partition.EQUAL, effort)
        choice = replace(better, chosen=choice.chosen, cost=choice.cost) if better.chosen is None else better
    if choice.chosen is None:
        return None, known, min(choice.bound, known)
    return _assigned(found, choice.chosen, made.label), choice.cost, min(choice.bound, choice.cost)


def _assigned(found: Regions, chosen: Int, label: Int) -> Int:
    """Grid of every atom."""
    grid = np.empty(int(label.max()) + 1, np.int64)
    for i, j in enumerate(chosen):
        grid[found.unit[found.start[j] : found.start[j + 1]]] = i
    return grid[label]


def _proof(optimal: bool, bound: float, made: Clusters, share: float | None, *more: str) -> Proof:
    """A proof and what it holds for; ``share`` of the minimum: blocks above it are opened (None: the maximum)."""
    said = list(more)
    if made.bar > 0:
        said = [f"units_below_{int(np.ceil(made.bar))}_joined", *said]
    if made.cut:
        said = ["or_cut_here", *said]
    if share is None:
        said = ["blocks_whole", *said]
    elif share > 0:
        said = [f"blocks_above_{share:.0%}_of_minimum_opened", *said]
    units = "atoms" if share is not None and share <= 0 else "blocks"
    return Proof(optimal, bound, made.fine, tuple(said), (), units)


def _least(units: Units, part: Int, label: Int, terms: Terms, outside: float) -> tuple[Int, Proof] | None:
    """The best plan of all, grids out of range at their price, over units as fine as can be listed.

    Regions are listed up to some households out of range; when those further out cannot be part of a better plan,
    the best of the listed ones is the best of all.
    """
    small, extra = _clipped(units, terms, outside)
    for share in (_EACH, *OPENED[::-1], None):
        finer = label if share is None else opened(small, terms.minimum * max(share, 0.0))
        for slack in SLACKS:
            own = None if share == _EACH else part
            made = clusters(small, finer, terms, 0.0, MOST_PRICED, slack=slack, part=own, join=share != _EACH)
            if made is None:
                break
            joint = small.contract(made.label)
            found = regions(joint.arrays, terms, made.regions, _NO_LIMIT, len(joint), slack=slack, outside=outside)
            known = present_regions(small, part, terms, outside)[1]
            choice = partition.choose(found, len(joint), known, partition.LEAST)
            if choice.chosen is not None:
                part = _assigned(found, choice.chosen, made.label)
            if not choice.proven or choice.dual is None:
                return None
            further = choice.relaxed + beyond(joint.arrays.counted, choice.dual, terms, slack, outside)
            if max(further, outside * (slack + 1)) >= choice.cost - partition.EQUAL:
                return part, _proof(True, choice.cost + extra, made, share, "range_priced")
    return None


def _clipped(units: Units, terms: Terms, outside: float) -> tuple[Units, float]:
    """Units of no more than the maximum, and the price of what was left off: no plan escapes it."""
    counted = units.arrays.counted
    over = np.maximum(counted - int(terms.maximum), 0)
    return replace(units, arrays=units.arrays._replace(counted=counted - over)), outside * float(over.sum())


def _bound(units: Units, part: Int, label: Int, terms: Terms, outside: float) -> tuple[Int, Proof | None]:
    """The bound of the relaxation, and the better of the plan and what rounding finds.

    With grids out of range, regions are listed ever further out until none beyond could lower the bound.
    """
    clipped, extra = _clipped(units, terms, outside)
    held = np.bincount(part, clipped.arrays.counted)
    valid = bool(held.min() >= terms.minimum and held.max() <= terms.maximum)
    most = BOUND_REGIONS * (int(label.max()) + 1)
    few = terms.minimum * FEW
    best: Proof | None = None
    for slack in (0.0,) if valid else BOUND_SLACKS:
        made = clusters(clipped, label, terms, few, most, slack=slack, a_root=BOUND_SETS, part=part)
        if made is None:
            break
        small = clipped.contract(made.label)
        now = np.zeros(len(small), np.int64)
        now[made.label] = part
        found = regions(small.arrays, terms, made.regions, _NO_LIMIT, len(small), slack=slack, outside=outside)
        choice, every = _relaxed(small, now, found, terms, outside)
        if choice.chosen is not None:
            part = _assigned(every, choice.chosen, made.label)
        bound = min(choice.bound, choice.cost)
        further = 0.0
        if slack and choice.dual is not None:
            further = min(0.0, beyond(small.arrays.counted, choice.dual, terms, slack, outside))
            bound = max(0.0, bound + further * np.floor(choice.cost / (outside * (slack + 1))))
        optimal = choice.proven and bound >= choice.cost - partition.EQUAL
        now_best = _proof(optimal, bound + extra, made, None, *(("range_priced",) if slack else ()))
        best = now_best if best is None or now_best.bound > best.bound else best
        if further >= 0.0:
            break
    return part, best


def _relaxed(
    small: Units, now: Int, found: Regions, terms: Terms, outside: float
) -> tuple[partition.Choice, Regions]:
    """A bound over all regions and the present grids, a better plan where one is rounded; and these regions."""
    present, known = present_regions(small, now, terms, outside)
    every = joined_regions(found, present)
    if len(small) <= districts.UNPARTED:
        return _rounded(small, every, known, np.arange(len(found.cost), len(every.cost))), every
    counted = small.arrays.counted
    estimate = present.cost[now] * counted / np.maximum(np.bincount(now, counted), 1)[now]
    bound, dual = districts.bound_by_districts(every, districts.districts(small), estimate, CUTS)
    return partition.Choice(None, known, min(bound, known), bound >= known - partition.EQUAL, dual), every


def _rounded(small: Units, every: Regions, known: float, present: Int) -> partition.Choice:
    """The bound of the whole relaxation, and the plan it is rounded to where that is better than the present one."""
    relaxed = relax(every, len(small), CUTS, known - partition.EQUAL, present, weight=small.arrays.counted)
    none = partition.Choice(None, known, min(relaxed.bound, known), relaxed.bound >= known - partition.EQUAL)
    if none.proven:
        return replace(none, dual=relaxed.dual)
    keep = np.flatnonzero(relaxed.reduced <= min(ROOM, known - relaxed.bound))
    order = keep[np.argsort(relaxed.reduced[keep], kind="stable")][: CONSIDERED * len(small)]
    graph = small.arrays
    owner = round_up(
        every.unit, every.start, relaxed.reduced, relaxed.value, order, graph.start, graph.neighbour, NODES
    )
    chosen = np.unique(owner)
    cost = float(every.cost[chosen].sum()) if owner.min() >= 0 else np.inf
    if cost >= known - partition.EQUAL:
        return replace(none, dual=relaxed.dual)
    proven = relaxed.bound >= cost - partition.EQUAL
    return partition.Choice(chosen, cost, min(relaxed.bound, cost), proven, relaxed.dual)


def beyond(counted: Int, dual: Float, terms: Terms, slack: float, outside: float) -> float:
    """What a region further out of range than ``slack`` households costs at least less the prices of its units.

    The units it could hold are bounded by the dearest for their households, taken in parts.
    """
    price = np.maximum(dual, 0.0)
    free = float(price[counted == 0].sum())
    some = np.flatnonzero((counted > 0) & (price > 0))
    some = some[np.argsort(-price[some] / counted[some], kind="stable")]
    held = np.concatenate([[0.0], np.cumsum(counted[some])])
    worth = np.concatenate([[0.0], np.cumsum(price[some])])
    low = terms.minimum - slack - 1
    under = outside * (slack + 1) - np.interp(low, held, worth) if low > 0 else np.inf
    high = terms.maximum + slack + 1
    at = np.concatenate([[high], held[held > high]])
    over = outside * (at - terms.maximum) - np.interp(at, held, worth)
    return float(min(under, over.min()) - free)
