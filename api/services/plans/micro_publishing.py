"""Micro-grids 微网格 of a plan version on the day it is published."""

from __future__ import annotations

import numpy as np
import shapely
from sqlalchemy import Connection

from data.micro_layers import buildings_held, micro_codes, micro_names, micro_notes
from data.postgres.imported.sources import compounds
from data.postgres.imported.territories import Territory
from data.postgres.plans.atom_sets import StoredAtoms
from data.postgres.plans.grids import Draft
from data.postgres.plans.micro_grids import MicroRows, Steward, save, structures
from data.postgres.plans.plans import Version
from data.postgres.plans.publications import Publication
from gis.districting.microgrids import Homes, micro_grids
from gis.districting.microshapes import micro_shapes, slice_shapes
from gis.districting.rulesets import Bounds
from gis.districting.slices import structure_of
from gis.territory.compounds import compounds_of


def publish(
    connection: Connection,
    territory: Territory,
    version: Version,
    stored: StoredAtoms,
    publication: Publication,
    drafts: list[Draft],
    stewards: list[Steward],
) -> int:
    """Make and write the micro-grids of a published version, where its rules want them; how many there are."""
    said = version.report.get("micro_bounds")
    if not said:
        return 0
    loads = stored.building_loads
    rows = np.flatnonzero((stored.atoms.building_atom >= 0) & (loads.households > 0))
    own = structures(connection, stored.buildings[rows])
    atom = stored.atoms.building_atom[rows].astype(np.int64)
    middle = shapely.point_on_surface(own.geometry)
    bounded = loads.counted[rows] if said["count"] == "resident" else loads.households[rows]
    homes = Homes(
        households=loads.households[rows],
        counted=np.minimum(bounded, loads.households[rows]),
        structure=structure_of(own, loads.households[rows]),
        x=shapely.get_x(middle),
        y=shapely.get_y(middle),
        grid=version.grid_of_atom[atom].astype(np.int64),
        block=stored.atoms.block[atom].astype(np.int64),
        yard=compounds_of(middle, compounds(connection, territory)),
    )
    micro = micro_grids(homes, Bounds(said["minimum"], said["target"], said["maximum"]))
    shapes = slice_shapes(micro, homes.structure, own.geometry, atom, stored.atoms)
    code, grid_id = np.full(len(drafts), "", object), np.full(len(drafts), None, object)
    for d in drafts:
        code[d.number], grid_id[d.number] = d.code, d.grid_id
    written = MicroRows(
        geometry=micro_shapes(micro, shapes),
        grid_id=grid_id[micro.grid],
        code=micro_codes(micro, code),
        name=micro_names(micro),
        households=micro.households,
        counted=micro.counted,
        buildings=buildings_held(micro),
        note=micro_notes(micro),
        steward=np.full(len(micro), "", object),
    )
    save(connection, territory, publication, written, micro.slices, stored.buildings[rows], stewards)
    return len(micro)
