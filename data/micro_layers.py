"""The second level in plan files: layers ``micro_grids`` 微网格 and ``slices`` of the buildings they are made of."""

from __future__ import annotations

import numpy as np

from data.plan_files import Frame, layer
from gis.blocks.model import AtomSet
from gis.districting.microgrids import Homes, MicroGrids, micro_code, micro_name
from gis.districting.microshapes import micro_shapes, slice_shapes
from gis.territory.model import Buildings, Ints, Texts


def micro_codes(micro: MicroGrids, grid_code: Texts) -> Texts:
    """Codes of the micro-grids: of one width within a plan."""
    most = int(micro.number.max()) if len(micro) else 0
    out = np.empty(len(micro), object)
    out[:] = [micro_code(str(grid_code[g]), int(n), most) for g, n in zip(micro.grid, micro.number, strict=True)]
    return out


def micro_tables(
    micro: MicroGrids, homes: Homes, buildings: Buildings, rows: Ints, atom_set: AtomSet, grid_code: Texts
) -> dict[str, Frame]:
    """The two layers. ``rows``: positions in ``buildings`` (and ``building_atom``) of the buildings of ``homes``.

    ``steward`` is the empty place of a name: people are the deployment's to fill in. ``note`` is a reason code.
    """
    own = buildings.take(rows)
    atom = atom_set.building_atom[rows].astype(np.int64)
    shapes = slice_shapes(micro, homes.structure, own.geometry, atom, atom_set)
    s, codes = micro.slices, micro_codes(micro, grid_code)
    return {
        "micro_grids": layer(
            micro_shapes(micro, shapes),
            {
                "code": codes,
                "name": micro_names(micro),
                "grid": grid_code[micro.grid],
                "households": micro.households,
                "counted": micro.counted,
                "buildings": buildings_held(micro),
                "slices": np.bincount(s.micro, minlength=len(micro)).astype(np.int64),
                "steward": np.full(len(micro), "", object),
                "note": micro_notes(micro),
            },
        ),
        "slices": layer(
            shapes,
            {
                "micro_grid": codes[s.micro],
                "grid": grid_code[micro.grid[s.micro]],
                "building": own.source_id[s.building],
                "unit": s.unit,
                "units": homes.structure.units[s.building],
                "floor_from": s.floor_from,
                "floor_to": s.floor_to,
                "floors": homes.structure.floors[s.building],
                "households": s.households,
                "counted": s.counted,
                "structure": np.where(homes.structure.given[s.building], "given", "supposed").astype(object),
            },
        ),
    }


def micro_names(micro: MicroGrids) -> Texts:
    """Names of the micro-grids within their grids, 第一微网格 ..."""
    out = np.empty(len(micro), object)
    out[:] = [micro_name(int(n)) for n in micro.number]
    return out


def micro_notes(micro: MicroGrids) -> Texts:
    """Why a micro-grid is out of its bounds: a reason code, "" where it is not."""
    note = np.full(len(micro), "", object)
    for e in micro.exceptions:
        note[e.micro] = e.reason
    return note


def buildings_held(micro: MicroGrids) -> Ints:
    """How many buildings have a part in each micro-grid."""
    s = micro.slices
    held = np.unique(np.stack([s.micro, s.building], axis=1), axis=0)[:, 0]
    return np.bincount(held, minlength=len(micro)).astype(np.int64)
