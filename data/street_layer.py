"""Layers and columns of plan files for the ledger: who answers for the streets on borders, compounds of buildings."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from gis.blocks.model import AtomSet
from gis.districting.model import Plan
from gis.districting.responsibility import Responsibilities, responsibilities_of
from gis.districting.sides import names_of_lines
from gis.territory.compounds import compounds_of
from gis.territory.model import Areas, Geometries, Ints, Sources, Texts


def responsibilities(sources: Sources, atom_set: AtomSet, plan: Plan) -> tuple[Any, dict[str, Any]]:
    """Geometry and columns of the layer ``responsibilities``: one row a street section, ``grid`` answers for it.

    ``other`` lies across: "" on the territory's outer edge.
    """
    found: Responsibilities = responsibilities_of(atom_set, plan.assignment, names_of_lines(sources), sources.streets)
    code = plan.grids.code
    return found.geometry, {
        "grid": code[found.grid],
        "other": np.where(found.other >= 0, code[found.other], ""),
        "street": found.street,
        "class": found.street_class,
        "metres": np.round(found.metres, 2),
        "reason": found.reason,
        "source_ids": found.source_ids,
    }


def atom_compounds(geometry: Geometries, compounds: Areas) -> Ints:
    """Position of the compound 小区 of each atom as the planner sees it, -1 for none."""
    return compounds_of(shapely.point_on_surface(geometry), compounds)


def compound_names(geometry: Geometries, compounds: Areas) -> Texts:
    """Name of the compound 小区 that each building stands in, "" where it stands in none."""
    position = compounds_of(shapely.point_on_surface(geometry), compounds)
    out = np.full(len(geometry), "", object)
    inside = position >= 0
    out[inside] = compounds.name[position[inside]]
    return out
