"""One extract to atoms and graph in a fresh process: prints what it took and whether the result holds.

``python -m benchmarks.atoms_one FILE [--buildings OUT.wkb]``. CPU is that of the whole process from its start to
the finished graph, imports and reading included; checks come after.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from benchmarks.runner import peak_mb
from gis.blocks.build import build_atoms
from gis.blocks.graph import graph_of
from gis.blocks.model import AtomSet, Graph
from gis.progress import silent
from gis.territory.check import prepare
from gis.territory.households import estimate
from gis.territory.hull import territory_of
from gis.territory.model import Sources


def read(path: Path) -> Sources:
    """Read by extension, loading only the reader it needs."""
    if path.suffix == ".gpkg":
        from data.gis_files import read_geopackage

        return read_geopackage(path, progress=silent)
    from data.osm import read_osm

    return read_osm(path, progress=silent)


def measure(path: Path, keep: Path | None) -> dict[str, Any]:
    """Cut the file's territory into atoms; what it took, then what it is worth."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    given = read(path)
    sources = prepare(given)
    territory = territory_of(sources)
    households = estimate(sources.buildings).households
    atom_set = build_atoms(sources, territory, households)
    graph = graph_of(atom_set.segments, len(atom_set.geometry))
    out: dict[str, Any] = {"cpu_s": round(time.process_time(), 2), "peak_mb": peak_mb()}
    out |= {"buildings": len(sources.buildings), "atoms": len(atom_set.geometry), "edges": len(graph.heads)}
    out["blocks"] = int(atom_set.block.max()) + 1
    out |= judge(atom_set, graph, sources, territory)
    if keep is not None:
        keep.write_bytes(bytes(shapely.to_wkb(shapely.GeometryCollection(list(sources.buildings.geometry)))))
    return out


def judge(atom_set: AtomSet, graph: Graph, sources: Sources, territory: shapely.Geometry) -> dict[str, Any]:
    """Every property of the issue's table, by the geometry library alone."""
    atoms = atom_set.geometry
    union = shapely.coverage_union_all(atoms)
    wanted = shapely.get_parts(territory)
    holes = int(shapely.get_num_interior_rings(shapely.get_parts(union)).sum())
    area = shapely.area(atoms)
    thin = shapely.is_empty(shapely.buffer(atoms, -1.0, quad_segs=2))
    lost = int((atom_set.building_atom < 0).sum()) - sum(e.layer == "buildings" for e in atom_set.excluded)
    return {
        "valid": bool(shapely.is_valid(atoms).all() and shapely.coverage_is_valid(atoms)),
        "holes": holes - int(shapely.get_num_interior_rings(wanted).sum()),
        "multiparts": int((shapely.get_type_id(atoms) != 3).sum() + shapely.get_num_geometries(union) - len(wanted)),
        "unaccounted": lost,
        "cut_share": _cut_share(atom_set, sources),
        "thin_share": float(area[thin].sum() / area.sum()),
        "graph_error_m": graph_error(atoms, graph),
        "area_error": abs(float(area.sum()) / float(shapely.area(territory)) - 1.0),
    }


def _cut_share(atom_set: AtomSet, sources: Sources) -> float:
    """Share of footprints of which more than 5 % lie outside their own atom."""
    footprint = sources.buildings.geometry
    which = np.flatnonzero((atom_set.building_atom >= 0) & (shapely.area(footprint) > 0))
    if not len(which):
        return 0.0
    own = atom_set.geometry[atom_set.building_atom[which]]
    inside = shapely.area(shapely.intersection(footprint[which], own)) / shapely.area(footprint[which])
    return float((inside < 0.95).mean())


def graph_error(atoms: np.ndarray, graph: Graph) -> float:
    """Largest difference in metres between the graph and borders intersected pair by pair; inf for a wrong pair."""
    a, b = shapely.STRtree(atoms).query(atoms, predicate="intersects")
    a, b = a[a < b], b[a < b]
    slow = shapely.length(shapely.intersection(shapely.boundary(atoms[a]), shapely.boundary(atoms[b])))
    along = slow > 0
    keys = a[along].astype(np.int64) * len(atoms) + b[along]
    order = np.argsort(keys)
    fast = graph.heads.astype(np.int64) * len(atoms) + graph.tails
    if not np.array_equal(keys[order], fast):
        return float("inf")
    return float(np.abs(slow[along][order] - graph.metres.sum(axis=1)).max(initial=0.0))


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)))
