"""Communities 社区: where the input gives none, cut to comparable size by the same engine."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from gis.districting import search
from gis.districting.codes import ordinal, reading_order
from gis.districting.kernels import Int
from gis.districting.rulesets import Ruleset
from gis.districting.units import Units, pieces

#: Communities are larger than grids, and so are their borders: even size and shape must weigh more.
EVENNESS = 8.0


def derive(units: Units, ruleset: Ruleset, seed: int, *, quick: bool = False) -> Int:
    """Community of every unit, numbered in reading order, for a territory without given communities.

    Blocks stay whole where they can. A piece of the territory too small for a community of its own joins the
    nearest one: its grids stay its own, since grids are contiguous. ``quick``: grown in a moment, not searched.
    """
    bounds = ruleset.community_bounds()
    terms = search.terms_of(ruleset, bounds)
    terms = terms._replace(balance=terms.balance * EVENNESS, compactness=terms.compactness * EVENNESS)
    piece = pieces(units.arrays, np.zeros(len(units), np.int8))
    community = np.full(len(units), -1, np.int64)
    small: list[Int] = []
    found = 0
    order = np.argsort(-np.bincount(piece, units.arrays.counted), kind="stable")
    for which in order:
        members = np.flatnonzero(piece == which)
        households = int(units.arrays.counted[members].sum())
        if found and households < bounds.minimum:
            small.append(members)
            continue
        sub = units.subset(members)
        if quick:
            result = search.quick(sub, bounds, terms, ruleset.outside)
        else:
            result = search.start(sub, bounds, terms, ruleset.outside, seed + found)
        community[members] = found + result.part
        found += int(result.part.max()) + 1
    _join_nearest(units, community, small)
    return _in_reading_order(units, community)


def names(n: int) -> list[str]:
    """Names of derived communities: 第一社区, 第二社区 ..."""
    return [f"第{ordinal(i + 1)}社区" for i in range(n)]


def _join_nearest(units: Units, community: Int, small: list[Int]) -> None:
    placed = np.flatnonzero(community >= 0)
    if not small or not len(placed):
        return
    tree = cKDTree(np.column_stack([units.x[placed], units.y[placed]]))
    for members in small:
        distance, near = tree.query(np.column_stack([units.x[members], units.y[members]]))
        community[members] = community[placed[np.atleast_1d(near)[np.argmin(distance)]]]


def _in_reading_order(units: Units, community: Int) -> Int:
    n = int(community.max()) + 1
    area = np.maximum(units.arrays.area, 1e-9)
    total = np.bincount(community, area, minlength=n)
    x = np.bincount(community, units.x * area, minlength=n) / total
    y = np.bincount(community, units.y * area, minlength=n) / total
    rank = np.empty(n, np.int64)
    rank[reading_order(x, y, float(np.sqrt(np.median(total))))] = np.arange(n)
    return rank[community]
