"""The units a proof is made over: blocks kept whole or opened, single houses and empty blocks joined.

The rule looks at the graph alone, never at a plan, so that what is proven does not hang on the search that went
before:

1. A connected part of a block with no more than ``above`` households is one unit; of a heavier one every atom is.
2. A unit of fewer than ``few`` households (a single house, an empty block) joins the neighbour with which it shares
   the dearest border for the size of both, the smallest unit first, as long as both together fit a grid.
3. Where there are still too many regions to list, step 2 goes on with a higher bar around the units at which they
   crowd; the certificate names the bar.

Only where a given plan cuts a unit (``cut_by``) is the unit parted along that cut: the plan must be one of those
that the proof compares.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gis.districting.kernels import Int, Terms
from gis.districting.regions import crowd, gather
from gis.districting.units import Units, edges, pieces

#: A unit with fewer households than this share of the minimum is a single house.
SINGLE: Final = 0.01
#: How much the bar rises at a time, and how far around a crowded unit it is raised (steps in the graph).
HIGHER: Final = 1.5
AROUND: Final = 3
#: Sets looked at for one region within the bounds, and the fewest that are worth a limit.
VISITS: Final = 20
FEWEST_VISITS: Final = 2_000_000


class Clusters(NamedTuple):
    """Unit of every atom. ``bar``: units of fewer households were joined; ``fine``: none but single houses were;
    ``cut``: a given plan parts units that would be whole."""

    label: Int
    bar: float
    fine: bool
    cut: bool
    regions: int


def visits_for(most: int) -> int:
    """Sets looked at, at most, to list so many regions."""
    return max(FEWEST_VISITS, VISITS * most)


def opened(units: Units, above: float) -> Int:
    """Connected parts of blocks with no more than ``above`` households as one unit, the atoms of others each."""
    label = pieces(units.arrays, units.arrays.block)
    heavy = np.bincount(label, units.arrays.counted) > above
    if not heavy.any():
        return label
    return numbered(np.where(heavy[label], len(heavy) + np.arange(len(label)), label))


def numbered(label: Int) -> Int:
    """Labels 0 .. n-1, by first member."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[inverse], np.int64)


def cut_by(units: Units, label: Int, part: Int) -> Int:
    """Units parted where a plan cuts them, each of one piece: a grid may hold both ends of a block only."""
    return pieces(units.arrays, label * (int(part.max()) + 1) + part)


def joined(
    units: Units,
    label: Int,
    few: float,
    maximum: float,
    where: Int | None = None,
    lots: np.random.Generator | None = None,
) -> Int:
    """Units below ``few`` households joined to neighbours; ``where``: only units (positions) that may join.

    ``lots`` varies which neighbour a unit joins (the strongest when left out).
    """
    small = units.contract(label)
    group = np.zeros(len(small), np.int64)
    if where is not None:
        group = 1 + np.arange(len(small), dtype=np.int64)
        group[where] = 0
    favour = np.ones(len(small)) if lots is None else lots.uniform(0.8, 1.25, len(small))
    return np.asarray(gather(small.arrays, group, few, len(small), maximum, favour)[label], np.int64)


def clusters(
    units: Units,
    label: Int,
    terms: Terms,
    few: float,
    most: int,
    *,
    slack: float = 0.0,
    visits: int | None = None,
    a_root: int = 1 << 62,
    part: Int | None = None,
    join: bool = True,
    lots: np.random.Generator | None = None,
) -> Clusters | None:
    """Units made from ``label`` with no more than ``most`` regions, as fine as can be; None: there are too many.

    ``visits`` and ``a_root`` limit the sets looked at, all together (``visits_for(most)`` when left out) and from
    one unit: where the bounds are narrow, few of many sets are regions. ``slack``: households out
    of the bounds that a region may be; ``part``: a plan that cuts the units; ``join``: False leaves all units as
    they are (bar 0); ``lots``: see ``joined``.
    """
    low, high = terms.minimum - slack, terms.maximum + slack
    visits = visits_for(most) if visits is None else visits
    if not join:
        count, _ = crowd(units.contract(label).arrays, low, high, most, visits, 1 << 62)
        return Clusters(label, 0.0, True, False, int(count)) if count <= most else None
    single = max(1.0, terms.minimum * SINGLE)
    bar = max(few, single)
    own = label = joined(units, label, bar, terms.maximum, None, lots)
    while bar <= terms.minimum:
        own = label if part is None else cut_by(units, label, part)
        small = units.contract(own)
        count, crowded = crowd(small.arrays, low, high, most, visits, a_root)
        if count <= most and not len(crowded):
            return Clusters(own, bar, bar <= single, bool(own.max() > label.max()), int(count))
        bar *= HIGHER
        where = None
        if count <= most:
            seed = np.zeros(len(small), np.bool_)
            seed[crowded] = True
            near = np.zeros(int(label.max()) + 1, np.bool_)
            near[label[_around(small, seed)[own]]] = True
            where = np.flatnonzero(near)
        label = joined(units, label, bar, terms.maximum, where, lots)
    return None


def _around(small: Units, seed: np.ndarray) -> np.ndarray:
    """Units within a few steps of some."""
    heads, tails = edges(small.arrays)
    for _ in range(AROUND):
        wider = seed.copy()
        wider[tails[seed[heads]]] = True
        seed = wider
    return seed
