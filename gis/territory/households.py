"""How many households a building has: given, or estimated by one documented rule.

The rule, in the order tried:

1. ``given``: the ``households`` column (or ``occupied_households`` alone).
2. ``dwellings``: a count of flats; one household a dwelling.
3. Buildings whose use is known not to be residential, outbuildings, and points without a count: 0, ``none``.
4. ``levels``, ``height`` or ``area``: gross floor area = footprint x levels (levels from the tag, else
   height / ``level_height``, else a usual number for the use), divided by the gross area of a dwelling for
   that number of levels, at least 1. Where the use is not known the result is multiplied by ``unknown_share``
   and a residential use is assumed only for what is large enough to live in.

Error, measured by :func:`calibrate` on 1,500 lots of New York City (PLUTO 16v1, true dwellings known; 20 random
halves): see ``docs/households.md``. Elsewhere it is larger: calibrate with the deployment's own sample.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.territory.layers import texts
from gis.territory.model import Bools, Buildings, Floats, Ints, Texts

GIVEN, DWELLINGS, LEVELS, HEIGHT, AREA, NONE = "given", "dwellings", "levels", "height", "area", "none"

#: ``building`` values in which people live, with the levels supposed when none are known.
RESIDENTIAL: Final[dict[str, float]] = {
    "apartments": 6, "residential": 5, "dormitory": 6, "block": 6, "tower": 18,
    "house": 2, "detached": 2, "semidetached_house": 2, "semi": 2, "terrace": 2, "terraced": 2, "townhouse": 3,
    "villa": 2, "bungalow": 1, "cabin": 1, "hut": 1, "farm": 2, "farmhouse": 2, "static_caravan": 1,
    "houseboat": 1, "ger": 1, "stilt_house": 1, "siheyuan": 1, "courtyard_house": 1, "allotment_house": 1,
    "住宅": 6, "民房": 2, "宿舍": 6, "公寓": 10, "别墅": 2,
}  # fmt: skip

#: Values that say nothing about the use.
UNKNOWN: Final = frozenset(
    {"", "yes", "unclassified", "undefined", "unknown", "mixed", "mixed_use", "multi_use", "其他"}
)

#: Words in the name of a building of unknown use that say that nobody lives there.
_PUBLIC: Final = re.compile(
    "学校|小学|中学|大学|学院|幼儿园|医院|商场|超市|银行|体育馆|图书馆|博物馆|展览馆|教学楼|实验楼|食堂|办公楼|"
    "车站|工厂|车间|仓库|派出所|政府|法院|酒店|宾馆|影院|剧院|教堂|寺|"
    r"\b(?:school|college|university|hospital|clinic|church|mosque|temple|museum|library|mall|hotel|station|"
    r"factory|warehouse|theatre|theater|cinema|bank|stadium|supermarket|office|parking|garage)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Rule:
    """How floor area becomes households.

    ``low``, ``middle``, ``high``: gross m² a dwelling in buildings of up to 3, 4 to 6, and more levels.
    ``level_height``: metres. ``unknown_levels``: levels where nothing tells. ``unknown_share``: of the floor area
    of buildings of unknown use, the share lived in. ``smallest``: m² of footprint below which a building of
    unknown use is a shed; ``largest``: above which it is a mall, works or station; ``tallest``: levels above which
    it is an office tower (dwellings seldom pass 100 m). ``occupied``: residents' share of estimated households.
    """

    low: float = 101.0
    middle: float = 85.0
    high: float = 112.0
    level_height: float = 3.0
    unknown_levels: float = 3.0
    unknown_share: float = 0.78
    smallest: float = 30.0
    largest: float = 5000.0
    tallest: float = 33.0
    occupied: float = 1.0

    def dwelling(self, levels: Floats) -> Floats:
        """Gross m² of a dwelling in buildings with so many levels."""
        return np.where(levels < 3.75, self.low, np.where(levels < 6.75, self.middle, self.high))

    def households(self, floor_area: Floats, levels: Floats) -> Ints:
        """Households of residential floor area in m², at least 1."""
        count = np.rint(floor_area / self.dwelling(levels)).astype(np.int64)
        return np.maximum(count, 1)


@dataclass(frozen=True)
class Households:
    """Per building: all households, those the ruleset bounds, work, and where the number comes from."""

    households: Ints
    counted: Ints
    work: Floats
    source: Texts


def estimate(
    buildings: Buildings,
    rule: Rule | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    household: float = 1.0,
) -> Households:
    """Households of every building; footprints must be in metres.

    ``work`` is ``household`` x the counted households plus the input's ``work_*`` columns (shops, organisations, ...)
    x their ``weights`` (by name without ``work_``; 1 where a column has none): all in the work of one household.
    """
    rule = rule or Rule()
    n = len(buildings)
    households = np.zeros(n, dtype=np.int64)
    source = texts([NONE] * n)
    levels, told = _levels(buildings, rule)
    lived, certain = _lived_in(buildings)
    footprint = shapely.area(buildings.geometry)
    shed = (footprint < rule.smallest) | ((buildings.height < 3.5) & (footprint < 60))
    other = ~certain & (shed | (footprint > rule.largest) | (levels > rule.tallest))
    by_rule = lived & ~other & (footprint > 0)
    share = np.where(certain, 1.0, rule.unknown_share)
    households[by_rule] = rule.households((footprint * levels * share)[by_rule], levels[by_rule])
    source[by_rule] = told[by_rule]

    dwellings = np.isfinite(buildings.dwellings) & (buildings.dwellings >= 0)
    households[dwellings] = np.rint(buildings.dwellings[dwellings]).astype(np.int64)
    source[dwellings] = DWELLINGS
    counted = np.rint(households * rule.occupied).astype(np.int64)

    occupied, given = np.isfinite(buildings.occupied_households), np.isfinite(buildings.households)
    households[occupied & ~given] = buildings.occupied_households[occupied & ~given].astype(np.int64)
    households[given] = buildings.households[given].astype(np.int64)
    counted[given] = households[given]
    counted[occupied] = buildings.occupied_households[occupied].astype(np.int64)
    source[given | occupied] = GIVEN
    return Households(households, counted, _work(buildings, counted, weights or {}, household), source)


def _work(buildings: Buildings, counted: Ints, weights: Mapping[str, float], household: float) -> Floats:
    total = counted * household
    for name, amounts in buildings.work.items():
        total += np.nan_to_num(amounts) * weights.get(name.removeprefix("work_"), 1.0)
    return np.asarray(total, np.float64)


def _levels(buildings: Buildings, rule: Rule) -> tuple[Floats, Texts]:
    """Levels of every building, and which column told them."""
    tagged = np.where(np.isfinite(buildings.levels), buildings.levels, buildings.floors)
    by_height = np.maximum(np.rint(buildings.height / rule.level_height), 1)
    usual = np.array([RESIDENTIAL.get(u, rule.unknown_levels) for u in buildings.use], dtype=np.float64)
    has_tag, has_height = np.isfinite(tagged) & (tagged > 0), np.isfinite(by_height)
    levels = np.where(has_tag, tagged, np.where(has_height, by_height, usual))
    return levels, texts(np.where(has_tag, LEVELS, np.where(has_height, HEIGHT, AREA)).tolist())


def _lived_in(buildings: Buildings) -> tuple[Bools, Bools]:
    """Which buildings are taken as lived in, and of which that is certain."""
    use = [u.lower() for u in buildings.use]
    certain = np.array([u in RESIDENTIAL for u in use], dtype=bool)
    unknown = np.array([u in UNKNOWN for u in use], dtype=bool)
    public = np.array([bool(_PUBLIC.search(n)) for n in buildings.name], dtype=bool)
    return certain | (unknown & ~public), certain


@dataclass(frozen=True)
class Lots:
    """A sample whose dwellings are known: one row a lot, areas in m².

    ``floor_area`` is all of the building; ``residential_area`` the part lived in.
    """

    floor_area: Floats
    residential_area: Floats
    levels: Floats
    dwellings: Floats

    def take(self, which: NDArray[np.bool_] | Ints) -> Lots:
        """Some of the lots."""
        return Lots(self.floor_area[which], self.residential_area[which], self.levels[which], self.dwellings[which])


@dataclass(frozen=True)
class Calibration:
    """A rule fitted to a sample, and its error on the halves that it was not fitted to.

    ``mean_error``: mean absolute error a lot; ``total_error``: relative error of the total, mean of its absolute
    value; ``unknown_error``: signed relative error of the total where the use is not known and
    ``unknown_share`` is left at 1.
    """

    rule: Rule
    lots: int
    mean_error: float
    total_error: float
    unknown_error: float


def calibrate(lots: Lots, *, start: Rule | None = None, seed: int = 0, halves: int = 20) -> Calibration:
    """Fit the areas of a dwelling and the share of unknown use to a sample of lots."""
    base = start or Rule()
    rng = np.random.default_rng(seed)
    errors = []
    for _ in range(halves):
        order = rng.permutation(len(lots.dwellings))
        half = len(order) // 2
        rule = _fit(lots.take(order[:half]), base)
        errors.append(_errors(lots.take(order[half:]), rule))
    mean, total, unknown = np.array(errors).T
    return Calibration(
        _fit(lots, base),
        len(lots.dwellings),
        float(mean.mean()),
        float(np.abs(total).mean()),
        float(unknown.mean()),
    )


def _fit(lots: Lots, base: Rule) -> Rule:
    """Each class's area with the least sum of mean absolute error and bias; then the share of unknown use."""
    residential = lots.take((lots.residential_area > 0) & (lots.dwellings > 0))
    tried = np.arange(40.0, 260.0, 1.0)
    rule = base
    bounds = (("low", 0.0, 3.75), ("middle", 3.75, 6.75), ("high", 6.75, np.inf))
    for name, least, below in bounds:
        some = residential.take((residential.levels >= least) & (residential.levels < below))
        if len(some.dwellings) < 5:
            continue
        counts = np.maximum(np.rint(some.residential_area[:, None] / tried), 1)
        off = counts - some.dwellings[:, None]
        loss = np.abs(off).mean(axis=0) + np.abs(off.mean(axis=0))
        rule = replace(rule, **{name: float(tried[int(np.argmin(loss))])})
    blind = rule.households(lots.floor_area, lots.levels)
    share = lots.dwellings.sum() / max(blind.sum(), 1)
    return replace(rule, unknown_share=float(np.clip(share, 0.05, 1.0)))


def _errors(lots: Lots, rule: Rule) -> tuple[float, float, float]:
    known = lots.take((lots.residential_area > 0) & (lots.dwellings > 0))
    counts = rule.households(known.residential_area, known.levels)
    total = counts.sum() / known.dwellings.sum() - 1
    blind = rule.households(lots.floor_area, lots.levels).sum() / lots.dwellings.sum() - 1
    return float(np.abs(counts - known.dwellings).mean()), float(total), float(blind)
