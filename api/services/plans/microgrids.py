"""Micro-grids 微网格 of a plan that is already made: a second level inside every grid."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import numpy as np
import shapely

from gis.blocks.model import AtomSet
from gis.districting.microgrids import Homes, MicroGrids, micro_grids
from gis.districting.model import Plan
from gis.districting.slices import structure_of
from gis.progress import Progress, silent
from gis.territory.compounds import compounds_of
from gis.territory.households import Households
from gis.territory.model import Areas, Buildings


def homes_of(
    buildings: Buildings, estimated: Households, atom_set: AtomSet, plan: Plan, compounds: Areas
) -> tuple[Homes, Any]:
    """The residential buildings of a plan, and their positions in ``buildings``.

    Bounded are the households the ruleset counts (all, or those of residents).
    """
    rows = np.flatnonzero((atom_set.building_atom >= 0) & (estimated.households > 0))
    own = buildings.take(rows)
    atom = atom_set.building_atom[rows]
    middle = shapely.point_on_surface(own.geometry)
    households = estimated.households[rows]
    bounded = estimated.counted[rows] if plan.ruleset.count == "resident" else households
    homes = Homes(
        households=households,
        counted=np.minimum(bounded, households),
        structure=structure_of(own, households),
        x=shapely.get_x(middle),
        y=shapely.get_y(middle),
        grid=plan.assignment[atom].astype(np.int64),
        block=atom_set.block[atom].astype(np.int64),
        yard=compounds_of(middle, compounds),
    )
    return homes, rows


def micro_of(
    buildings: Buildings,
    estimated: Households,
    atom_set: AtomSet,
    plan: Plan,
    compounds: Areas,
    progress: Progress = silent,
) -> tuple[MicroGrids, Homes, Any] | None:
    """Micro-grids, what they were made of, and the positions of those buildings; None where the rules want none."""
    if plan.ruleset.micro is None:
        return None
    homes, rows = homes_of(buildings, estimated, atom_set, plan, compounds)
    return micro_grids(homes, plan.ruleset.micro, progress=progress), homes, rows


def micro_report(micro: MicroGrids, homes: Homes, codes: Any) -> dict[str, Any]:
    """The report's section. ``codes`` of the micro-grids. Pooled over all of them; sizes by counted households."""
    within = (micro.counted >= micro.bounds.minimum) & (micro.counted <= micro.bounds.maximum)
    reasons = Counter(e.reason for e in micro.exceptions)
    grids = len(np.unique(micro.grid))
    sizes = np.bincount(micro.counted) if len(micro) else np.zeros(0, np.int64)
    s = micro.slices
    stairs = len(np.unique(np.stack([s.building, s.unit], axis=1), axis=0)) if len(s) else 0
    given = homes.structure.given
    return {
        "micro_grids": len(micro),
        "grids": grids,
        "per_grid": len(micro) / grids if grids else None,
        "bounds": asdict(micro.bounds),
        "households": int(micro.households.sum()),
        "counted": int(micro.counted.sum()),
        "in_range_share": float(within.mean()) if len(micro) else None,
        "sizes": {str(k): int(v) for k, v in enumerate(sizes) if v},
        "slices": len(s),
        "stairs": stairs,
        "divided_stairs": len(s) - stairs,
        "buildings": len(np.unique(s.building)),
        "structure_given_share": float(given.mean()) if len(given) else None,
        "reasons": dict(sorted(reasons.items())),
        "exceptions": [
            {"micro_grid": str(codes[e.micro]), "reason": e.reason, "households": e.households, "proven": e.proven}
            for e in micro.exceptions
        ],
    }
