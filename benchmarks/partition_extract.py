"""A real extract in a fresh process: our plan, the peers on the same graph, all judged on the map.

``python -m benchmarks.partition_extract FILE FOLDER [PEER=PYTHON ...]``; prints one JSON: a row a planner. Peers get
every connected part of the graph for itself. ``FOLDER`` keeps the graph and the plans.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from api.services.plans.planning import Cut, Job, communities_of, cut, solve
from benchmarks import cities
from benchmarks.atoms_one import read
from benchmarks.graph_measures import judge
from benchmarks.partition_peers import peer_process
from benchmarks.runner import peak_mb
from data import rulesets
from gis.districting.borders import borders_of, grid_polygons
from gis.districting.warming import warm
from gis.territory.check import prepare
from gis.territory.classes import BASIS_INDEX, LANE_RANK, STREET_RANK

NEAR: Final = 10.0  # metres between a border and a street, water or rail that it is said to follow
STEP: Final = 2.0  # metres between the points of a border that are looked at
CUT: Final = 0.05  # share of a footprint outside its grid that counts as cut
#: Ways that count as streets: whatever the planner takes as one, paths included; and those a car may take.
WAYS: Final = frozenset({*STREET_RANK, *LANE_RANK})
ROADS: Final = frozenset({*STREET_RANK, "service", "track"})


def run(file: Path, folder: Path, pythons: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Our plan and the peers', by planner."""
    warm()
    rules = rulesets.load()
    made = cut(prepare(read(file)), rules)
    start = time.process_time()
    plan = solve(made, Job(rules))
    took = {"cpu_s": round(time.process_time() - start, 3), "peak_mb": peak_mb()}
    given = communities_of(made) is not None
    graph = cities.graph_file(made.atom_set, made.graph, made.counted, rules.class_prices())
    stored = folder / f"{file.name}.npz"
    cities.save(graph, stored)
    np.save(folder / f"{file.name}.ours.npy", plan.assignment)
    proven = sum(e.proven for e in plan.exceptions)
    out: dict[str, dict[str, Any]] = {
        "ours": {**judge(graph, plan.assignment), **on_map(made, plan.assignment), **took},
    }
    out["ours"] |= {"exceptions": len(plan.exceptions), "proven": proven, "communities_given": given}
    out["ours"]["atoms"] = len(plan.assignment)
    for peer, python in pythons.items():
        part = folder / f"{file.name}.{peer}.npy"
        figures = peer_process(peer, python, stored, part)
        if "fault" in figures:
            out[peer] = figures
            continue
        found = np.load(part)
        out[peer] = {**judge(graph, found), **on_map(made, found), **figures}
    return out


def on_map(made: Cut, part: NDArray[np.integer]) -> dict[str, float]:
    """What can only be measured on the map: what borders run along, shape of the grids, footprints cut."""
    part = np.unique(part, return_inverse=True)[1]
    shapes = grid_polygons(made.atom_set, part)
    homes = np.bincount(part, made.counted) > 0
    outline = shapely.length(shapes)
    compact = (4 * np.pi * shapely.area(shapes) / outline**2)[homes]
    return {
        "near_share": near_share(made, part, WAYS),
        "near_road_share": near_share(made, part, ROADS),
        "pp_median": float(np.median(compact)),
        "cut_footprints": float(cut_footprints(made, part)),
    }


def near_share(made: Cut, part: NDArray[np.integer], ways: frozenset[str]) -> float:
    """Share of border within 10 m of such a way, water or rail, by points 2 m apart; 1 where there is no border."""
    borders = borders_of(made.atom_set, part).geometry
    if not len(borders):
        return 1.0
    metres = shapely.length(borders)
    count = np.maximum(1, np.ceil(metres / STEP)).astype(np.int64)
    owner = np.repeat(np.arange(len(borders)), count)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    points = shapely.line_interpolate_point(borders[owner], (place + 0.5) / count[owner], normalized=True)
    weight = (metres / count)[owner]
    streets, barriers = made.sources.streets, made.sources.barriers
    known = np.isin(streets.highway.astype(str), sorted(ways)) & ~streets.tunnel
    wet = np.isin(barriers.kind.astype(str), ["water", "rail"]) & ~barriers.tunnel
    tree = shapely.STRtree(np.concatenate([streets.geometry[known], barriers.geometry[wet]]))
    hit = np.zeros(len(points), bool)
    hit[tree.query(points, predicate="dwithin", distance=NEAR)[0]] = True
    return float(weight[hit].sum() / weight.sum())


def cut_footprints(made: Cut, part: NDArray[np.integer]) -> int:
    """Buildings with more than 5 % of their footprint in other grids, beyond borders of basis ``cell``."""
    s = made.atom_set.segments
    cell = (part[s.left] != part[s.right]) & (s.basis == BASIS_INDEX["cell"])
    if not cell.any():
        return 0
    lines = shapely.linestrings(np.stack([s.start[cell], s.end[cell]], axis=1))
    pairs = {tuple(sorted(p)) for p in zip(part[s.left[cell]], part[s.right[cell]], strict=True)}
    buildings, own = made.sources.buildings.geometry, made.atom_set.building_atom
    near = np.unique(shapely.STRtree(buildings).query(lines, predicate="intersects")[1])
    near = near[(own[near] >= 0) & (shapely.area(buildings[near]) > 0)]
    atoms = made.atom_set.geometry
    which, atom = shapely.STRtree(atoms).query(buildings[near], predicate="intersects")
    home = part[own[near[which]]]
    across = [tuple(sorted(p)) in pairs for p in zip(home, part[atom], strict=True)]
    outside = np.flatnonzero((part[atom] != home) & np.array(across, bool))
    shape = buildings[near[which[outside]]]
    lost = np.bincount(
        which[outside], shapely.area(shapely.intersection(shape, atoms[atom[outside]])), minlength=len(near)
    )
    return int((lost > CUT * shapely.area(buildings[near])).sum())


if __name__ == "__main__":
    chosen = dict(word.split("=", 1) for word in sys.argv[3:])
    print(json.dumps(run(Path(sys.argv[1]), Path(sys.argv[2]), chosen)))
