"""What a plan of a synthetic city is worth, from its graph alone: the same code judges ours and every peer's.

Needs nothing but numpy and scipy, so that a peer's environment can run it too. Definitions are those of the
report (see ``gis.districting.measures``); a test holds the two against each other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

#: Classes of a city's border metres, in the order of the columns of ``el``, and the price of a metre of each.
CLASSES: Final = ("cell", "residential", "secondary", "primary")
PRICES: Final = np.array([4.0, 1.0, 0.5, 0.25])
MINIMUM: Final = 300
TARGET: Final = 450
MAXIMUM: Final = 600
Arrays = dict[str, NDArray[np.generic]]


def wanted(city: Arrays) -> int:
    """Number of grids asked of peers that want one."""
    return max(1, round(int(city["hh"].sum()) / TARGET))


def judge(city: Arrays, part: NDArray[np.integer]) -> dict[str, float]:
    """Every measure of one plan. ``part``: grid of every atom, numbers of any kind.

    ``both``: share of grids in range and of one piece; ``cost``: priced metres of border; ``pp``: mean
    Polsby-Popper; ``cv``: of households; shares are of border length.
    """
    part = np.unique(part, return_inverse=True)[1]
    k = int(part.max()) + 1
    heads, tails, metres = city["eu"], city["ev"], city["el"]
    crossing = part[heads] != part[tails]
    held = np.bincount(part, city["hh"], minlength=k)
    in_range = (held >= MINIMUM) & (held <= MAXIMUM)
    whole = _pieces(heads[~crossing], tails[~crossing], part, k) == 1
    border = metres[crossing]
    total = float(border.sum())
    shared = np.bincount(part[heads[~crossing]], metres[~crossing].sum(axis=1), minlength=k)
    perimeter = np.bincount(part, city["perim"], minlength=k) - 2 * shared
    area = np.bincount(part, city["area"], minlength=k)
    block = city["block"]
    inside = block[heads] == block[tails]
    small = np.bincount(block, city["hh"])[block[heads]] <= MAXIMUM
    avoidable = float(metres[crossing & inside & small, 0].sum())
    return {
        "grids": k,
        "both": float((in_range & whole).mean()),
        "in_range": float(in_range.mean()),
        "contiguous": float(whole.mean()),
        "cost": float((border @ PRICES).sum()),
        "on_street": float(border[:, 1:].sum()) / total if total else 1.0,
        "main": float(border[:, 2:].sum()) / total if total else 0.0,
        "avoidable": avoidable / total if total else 0.0,
        "pp": float((4 * np.pi * area / perimeter**2).mean()),
        "cv": float(held.std() / held.mean()),
        "least": float(held.min()),
        "most": float(held.max()),
    }


def objective(city: Arrays, part: NDArray[np.integer], weights: tuple[float, float, float]) -> float:
    """The planner's objective of a plan, terms as in ``gis.districting.kernels.grid_cost``, written anew.

    ``weights``: balance, compactness and range, as the ruleset has them.
    """
    part = np.unique(part, return_inverse=True)[1]
    k = int(part.max()) + 1
    balance, compactness, outside = weights
    heads, tails, metres = city["eu"], city["ev"], city["el"]
    crossing = part[heads] != part[tails]
    held = np.bincount(part, city["hh"], minlength=k)
    shared = np.bincount(part[heads[~crossing]], metres[~crossing].sum(axis=1), minlength=k)
    perimeter = np.bincount(part, city["perim"], minlength=k) - 2 * shared
    area = np.bincount(part, city["area"], minlength=k)
    amiss = np.maximum(0, MINIMUM - held) + np.maximum(0, held - MAXIMUM)
    out = float((metres[crossing] @ PRICES).sum())
    out += balance * float((((held - TARGET) / ((MAXIMUM - MINIMUM) / 2)) ** 2).sum())
    out += compactness * float((1 - 4 * np.pi * area / perimeter**2).sum())
    return out + outside * float(amiss.sum())


def _pieces(
    heads: NDArray[np.integer], tails: NDArray[np.integer], part: NDArray[np.integer], k: int
) -> NDArray[np.int64]:
    """Connected pieces of every grid."""
    n = len(part)
    joined = coo_matrix((np.ones(len(heads), np.int8), (heads, tails)), shape=(n, n))
    piece = connected_components(joined, directed=False)[1]
    first = np.unique(piece, return_index=True)[1]
    return np.asarray(np.bincount(part[first], minlength=k), np.int64)
