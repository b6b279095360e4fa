"""What can be proven of a plan: the best there is over stated units, or a bound on how far it is from that.

The units are those of ``clusters``: blocks, opened to buildings where they are too heavy, single houses and empty
blocks joined, parted where the plan cuts them. Over them every feasible region is listed. A piece of few grids is
solved to the optimum, however long the search for it is; a larger one gets the bound of the linear relaxation, and
a better plan where rounding finds one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gis.districting import partition
from gis.districting.clusters import Clusters, clusters, opened
from gis.districting.kernels import Int, Terms
from gis.districting.regions import Regions, regions
from gis.districting.units import Units
from gis.districting.windows import joined_regions, present_regions

#: A piece of no more grids than this is solved to the optimum; a larger one gets a bound.
SOLVED_GRIDS: Final = 10
#: Most regions that are listed: for an optimum, and (a unit) for a bound, with the sets that begin at one unit.
MOST_REGIONS: Final = 1_000_000
BOUND_REGIONS: Final = 600
BOUND_SETS: Final = 4_000
#: Units of fewer households than this share of the minimum are joined for a bound.
FEW: Final = 0.1
#: Shares of the minimum above which blocks are opened when no plan keeps those within the maximum whole.
OPENED: Final = (1.0, 0.5, 0.2, 0.0)


@dataclass(frozen=True)
class Proof:
    """``optimal``: no plan over the units is better; else ``bound`` is what none can fall below."""

    optimal: bool
    bound: float
    fine: bool  # none was joined but single houses and empty blocks
    restrictions: tuple[str, ...]


def prove(units: Units, part: Int, label: Int, terms: Terms, outside: float) -> tuple[Int, Proof | None]:
    """The best plan over units made from ``label`` (coarse units), or a better one than ``part``, and its proof.

    The plan is returned unchanged, with None, where nothing can be proven.
    """
    held = np.bincount(part, units.arrays.counted)
    valid = bool(held.min() >= terms.minimum and held.max() <= terms.maximum)
    if len(held) <= SOLVED_GRIDS:
        found = _solve(units, part, label, terms, outside, valid)
        if found is not None:
            return found
    if not valid:
        return part, None
    return _bound(units, part, label, terms, outside)


def _solve(
    units: Units, part: Int, label: Int, terms: Terms, outside: float, valid: bool
) -> tuple[Int, Proof] | None:
    """The optimum, over blocks if they can stay whole, else over blocks opened step by step."""
    known = _cost(units, part, terms, outside) if valid else np.inf
    for share in (0.0, *OPENED):
        if share or not label.size:
            label = opened(units, terms.minimum * share)
        made = clusters(units, label, terms, 0.0, MOST_REGIONS)
        if made is None:
            break
        solved = _best(units, made, terms, known)
        if solved is not None:
            return solved[0], _optimum(solved[1], made, terms, cut=False)
        if valid:  # the plan cuts units, and is better than every plan that does not
            made = clusters(units, made.label, terms, 0.0, MOST_REGIONS, part=part)
            if made is None:
                break
            solved = _best(units, made, terms, known + 2 * partition.EQUAL) or (part, known)
            return solved[0], _optimum(solved[1], made, terms, cut=True)
    return None


def _best(units: Units, made: Clusters, terms: Terms, known: float) -> tuple[Int, float] | None:
    """The best plan over the units and its cost; None where there is none below ``known``."""
    small = units.contract(made.label)
    found = regions(small.arrays, terms, made.regions, 1 << 62, len(small))
    choice = partition.choose(found, len(small), known, partition.THOROUGH)
    if choice.chosen is None:
        return None
    return _assigned(found, choice.chosen, made.label), choice.cost


def _assigned(found: Regions, chosen: Int, label: Int) -> Int:
    """Grid of every atom."""
    grid = np.empty(int(label.max()) + 1, np.int64)
    for i, j in enumerate(chosen):
        grid[found.unit[found.start[j] : found.start[j + 1]]] = i
    return grid[label]


def _optimum(cost: float, made: Clusters, terms: Terms, *, cut: bool) -> Proof:
    return Proof(True, cost, made.fine, _restrictions(made, cut))


def _restrictions(made: Clusters, cut: bool) -> tuple[str, ...]:
    whole = "blocks_whole_unless_cut_here" if cut else "blocks_whole"
    return (whole, f"units_below_{int(np.ceil(made.bar))}_joined")


def _bound(units: Units, part: Int, label: Int, terms: Terms, outside: float) -> tuple[Int, Proof | None]:
    """The bound of the relaxation, and the better of the plan and what rounding finds."""
    most = BOUND_REGIONS * (int(label.max()) + 1)
    made = clusters(units, label, terms, terms.minimum * FEW, most, a_root=BOUND_SETS, part=part)
    if made is None:
        return part, None
    small = units.contract(made.label)
    now = np.zeros(len(small), np.int64)
    now[made.label] = part
    found = regions(small.arrays, terms, made.regions, 1 << 62, len(small))
    present, known = present_regions(small, now, terms, outside)
    every = joined_regions(found, present)
    first = np.arange(len(found.cost), len(every.cost))
    choice = partition.choose(every, len(small), known, partition.LARGE, first)
    if choice.chosen is not None:
        part = _assigned(every, choice.chosen, made.label)
    return part, Proof(choice.proven, min(choice.bound, choice.cost), made.fine, _restrictions(made, True))


def _cost(units: Units, part: Int, terms: Terms, outside: float) -> float:
    return present_regions(units, part, terms, outside)[1]
