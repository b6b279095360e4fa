"""One published plan adjusted after households changed, in a fresh process on one core.

``python -m benchmarks.partition_adjust_one CITY.npz PLAN.npy SEED``: the households of 5 % of the atoms, drawn at
random, go up or down by half; the engine mends the plan, and what it did is counted here, not taken from its word.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import cities
from benchmarks.graph_measures import MAXIMUM, MINIMUM, Arrays, judge
from data import rulesets
from gis.districting import search
from gis.districting.adjust import PRICE, adjust
from gis.districting.units import atom_units
from gis.districting.warming import warm

SHARE: Final = 0.05
CHANGE: Final = 0.5


def changed(households: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Households after 5 % of the atoms gained or lost half of theirs."""
    rng = np.random.default_rng([seed, len(households)])
    which = rng.choice(len(households), round(SHARE * len(households)), replace=False)
    out = households.copy()
    out[which] = np.rint(out[which] * (1 + CHANGE * rng.choice([-1.0, 1.0], len(which))))
    return out


def run(city_file: Path, plan_file: Path, seed: int) -> dict[str, Any]:
    """Adjust, then count."""
    warm()
    city = cities.load(city_file)
    home = np.load(plan_file).astype(np.int64)
    city["hh"] = changed(city["hh"].astype(np.int64), seed)
    counted = city["hh"]
    rules = rulesets.load()
    atom_set, graph = cities.atom_set_of(city)
    units = atom_units(atom_set, graph, rules.class_prices(), counted, counted.astype(np.float64))
    terms = search.terms_of(rules, rules.residential)
    start = time.process_time()
    done = adjust(units, home, rules.residential, terms, rules.outside, frontier=False, seed=1)
    seconds = time.process_time() - start
    option = done.cheapest(PRICE)
    out = count(city, home, option.part, [c.grids for c in option.chains if c.at_fault])
    before, after = judge(city, home), judge(city, option.part)
    return {
        **out,
        "told": [option.moved, done.lower_bound],
        "unit_bound": done.unit_bound,
        "proven": all(c.proven for c in option.chains),
        "cost_before": before["cost"],
        "cost_after": after["cost"],
        "cpu_s": round(seconds, 3),
    }


def count(
    city: Arrays, home: NDArray[np.int64], part: NDArray[np.int64], chains: list[tuple[int, ...]]
) -> dict[str, Any]:
    """Households moved, the least there must be, and whether grids outside every chain stayed as they were."""
    k = int(max(home.max(), part.max())) + 1
    held = np.bincount(home, city["hh"], minlength=k)
    held = held[np.bincount(home, minlength=k) > 0]
    excess, shortage = np.maximum(held - MAXIMUM, 0).sum(), np.maximum(MINIMUM - held, 0).sum()
    away = home != part
    touched = set(home[away].tolist()) | set(part[away].tolist())
    told = {g for grids in chains for g in grids}
    return {
        "in_range": judge(city, part)["both"],
        "moved": int(city["hh"][away].sum()),
        "least": int(max(excess, shortage)),
        "at_fault": int(((held < MINIMUM) | (held > MAXIMUM)).sum()),
        "touched": len(touched),
        "unchanged": touched <= told,
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
