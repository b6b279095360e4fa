"""What can be proven of a plan: the best there is over stated units, or a bound on how far it is from that.

The units are whole blocks, cut where the plan cuts them (so that the plan is one of the candidates); blocks above
the maximum are opened to their atoms. Empty units and units of few households are joined to a neighbour of their
grid first. Over these units every feasible region is listed; set partitioning then gives the best plan, or its
linear relaxation a bound. Where the list would be too long, more units are joined, and the proof says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from gis.districting import partition
from gis.districting.cover import MOST_UNITS as MASKED_UNITS
from gis.districting.kernels import Int, Terms
from gis.districting.regions import Regions, gather, regions
from gis.districting.units import Units
from gis.districting.windows import joined_regions, present_regions

#: A piece of no more grids than this is solved to the optimum; a larger one gets a bound.
SOLVED_GRIDS: Final = 10
#: Pieces of more units than this get no proof.
MOST_UNITS: Final = 400
#: Limits of the list of regions.
MOST_REGIONS: Final = 1_000_000
MOST_VISITS: Final = 1_500_000
MOST_MEMBERS: Final = 64
#: Units of fewer households than this share of the minimum are joined to a neighbour.
FEW: Final = 0.1


@dataclass(frozen=True)
class Proof:
    """``optimal``: no plan over the units is better; else ``bound`` is what none can fall below."""

    optimal: bool
    bound: float
    fine: bool  # no more was joined than the units of few households
    restrictions: tuple[str, ...]


def prove(units: Units, part: Int, label: Int, terms: Terms, outside: float) -> tuple[Int, Proof | None]:
    """The best plan over units made from ``label`` (coarse units) and the plan, and what is proven of it.

    The plan is returned unchanged, with None, where a grid is out of range or the regions cannot be listed.
    """
    grids = int(part.max()) + 1
    held = np.bincount(part, units.arrays.counted)
    if held.min() < terms.minimum or held.max() > terms.maximum:
        return part, None
    found, joined, restrictions = _listed(units, part, label, terms, grids <= SOLVED_GRIDS)
    if found is None:
        return part, None
    small = units.contract(joined)
    now = np.zeros(len(small), np.int64)
    now[joined] = part
    present, known = present_regions(small, now, terms, outside)
    every = joined_regions(found, present)
    effort = partition.THOROUGH if grids <= SOLVED_GRIDS else partition.BOUND_ONLY
    choice = partition.choose(every, len(small), known, effort)
    if choice.chosen is not None:
        fresh = np.empty(len(small), np.int64)
        for i, j in enumerate(choice.chosen):
            fresh[every.unit[every.start[j] : every.start[j + 1]]] = i
        part = fresh[joined]
    return part, Proof(choice.proven, min(choice.bound, choice.cost), len(restrictions) < 3, restrictions)


def _listed(
    units: Units, part: Int, label: Int, terms: Terms, solved: bool
) -> tuple[Regions | None, Int, tuple[str, ...]]:
    """Regions over units as fine as can be listed, the unit of every atom, and what was restricted."""
    label = _refined(label, part)
    cut = int(label.max()) + 1
    label = _gathered(units, label, part, terms.minimum * FEW, cut)
    restrictions = ["blocks_whole_unless_cut_here", f"units_below_{round(terms.minimum * FEW)}_joined"]
    most = int(label.max()) + 1
    visits = MOST_VISITS
    while most <= MOST_UNITS:
        found = regions(units.contract(label).arrays, terms, MOST_REGIONS, visits, MOST_MEMBERS)
        if found.complete:
            return found, label, tuple(restrictions)
        most = most * 3 // 4 if most <= MASKED_UNITS or not solved else MASKED_UNITS
        if not solved or most < 3 * (int(part.max()) + 1):
            break
        label = _gathered(units, label, part, 1.0, most)
        restrictions = [*restrictions[:2], "more_units_joined"]
        visits = MOST_VISITS // 3
    return None, label, ()


def _refined(label: Int, part: Int) -> Int:
    key = label * (int(part.max()) + 1) + part
    return np.asarray(np.unique(key, return_inverse=True)[1], np.int64)


def _gathered(units: Units, label: Int, part: Int, least: float, most: int) -> Int:
    small = units.contract(label)
    owner = np.zeros(len(small), np.int64)
    owner[label] = part
    return np.asarray(gather(small.arrays, owner, least, most, np.inf, np.ones(len(small)))[label], np.int64)
