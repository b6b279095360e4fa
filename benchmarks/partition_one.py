"""Our plan of one city file in a fresh process on one core.

``python -m benchmarks.partition_one CITY.npz OUT.npy [--iterations N] [--seed N]``. CPU is that of the whole solve
(search, windows, proof, numbering) in this process; kernels are loaded from the compile cache first, as the peers'
libraries are loaded before their clock starts. The city counts as one community.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks import cities
from benchmarks.graph_measures import judge, objective
from benchmarks.runner import peak_mb
from data import rulesets
from gis.districting.measures import measure
from gis.districting.plan import make_plan
from gis.districting.warming import warm
from gis.territory.layers import make_areas


def solve(city_file: Path, out: Path, *, iterations: int | None, seed: int) -> dict[str, Any]:
    """Plan the city, keep the grid of every atom, and say what it took and what is proven."""
    warm()
    city = cities.load(city_file)
    atom_set, graph = cities.atom_set_of(city)
    households = city["hh"].astype(np.int64)
    rules = rulesets.load()
    whole = make_areas([shapely.box(*shapely.total_bounds(atom_set.geometry))], code=["1"], name=["city"])
    start = time.process_time()
    plan = make_plan(
        atom_set,
        graph,
        households,
        households,
        households.astype(np.float64),
        whole,
        rules,
        seed=seed,
        iterations=iterations,
    )
    seconds = time.process_time() - start
    peak = peak_mb()
    np.save(out, plan.assignment)
    community = plan.communities[0]
    bound = community.lower_bound
    priced = objective(city, plan.assignment, (rules.balance, rules.compactness, rules.outside))
    own, ours = judge(city, plan.assignment), measure(atom_set, plan)[0]
    told = {"on_street": ours.on_street_share, "cv": ours.cv_households, "pp": ours.compactness_mean}
    for key, value in told.items():
        if value is not None and abs(value - own[key]) > 1e-6:
            raise RuntimeError(f"the plan's report says {key} {value}, the benchmark {own[key]}")
    if abs(priced / community.objective.total - 1) > 1e-6:
        raise RuntimeError(f"the plan's report says objective {community.objective.total}, the benchmark {priced}")
    return {
        **own,
        "cpu_s": round(seconds, 3),
        "peak_mb": peak,
        "atoms": len(households),
        "objective": community.objective.total,
        "bound": bound,
        "gap": None if bound is None else max(0.0, 1 - bound / community.objective.total),
        "status": community.certificate.status,
        "units": community.certificate.units,
        "restrictions": list(community.certificate.restrictions),
        "unproven": sum(not e.proven for e in community.exceptions),
        "exceptions": len(community.exceptions),
        "iterations": plan.iterations,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("city", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--iterations", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(json.dumps(solve(given.city, given.out, iterations=given.iterations, seed=given.seed)))
