"""A plan version of the database in the shape of a plan file: for explaining and comparing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from api.services.plans.comparing import Comparison, Side, compare_sides, side_of
from api.services.plans.explaining import Explained, explain_plan, require_grids
from data import rulesets
from data.plan_files import PlanFile, layer
from data.plan_inside import Planned, edges_of
from data.postgres.imported import sources, territories
from data.postgres.imported.lines import names_of_lines
from data.postgres.imported.territories import Territory
from data.postgres.plans import atom_sets, grids, plans
from data.postgres.plans.atom_sets import StoredAtoms
from data.postgres.plans.grids import Draft
from data.postgres.plans.micro_grids import structures
from data.postgres.plans.plans import Version
from data.street_layer import atom_compounds
from gis.districting.borders import borders_of, grid_polygons
from gis.districting.rulesets import Ruleset
from gis.territory.layers import texts
from gis.territory.model import Texts


def explain_version(
    engine: Engine, name: str, number: int | None, language: str, wanted: Sequence[str] = ()
) -> Explained:
    """Explain a version of a territory's plan; the newest where ``number`` is None."""
    with engine.connect() as connection:
        plan = _stored(connection, territories.get(connection, name), number).plan
    require_grids(plan, wanted, name)
    return explain_plan(plan, language, wanted)


def compare_versions(engine: Engine, name: str, a: int, b: int) -> Comparison:
    """Compare two versions of a territory's plan."""
    with engine.connect() as connection:
        territory = territories.get(connection, name)
        return compare_sides(_stored(connection, territory, a), _stored(connection, territory, b))


def _stored(connection: Connection, territory: Territory, number: int | None) -> Side:
    version = plans.load(connection, plans.find(connection, territory.id, number=number))
    stored = atom_sets.load(connection, version.atom_set_id)
    drafts = grids.drafts(connection, version.id)
    codes = texts([d.code for d in drafts])
    plan = _planned(connection, territory, version, stored, drafts, codes)
    file = PlanFile(territory.crs, _layers(connection, version, stored, drafts, codes), territory.attribution)
    return side_of(f"{territory.name}:{version.number}", file, plan)


def _planned(
    connection: Connection,
    territory: Territory,
    version: Version,
    stored: StoredAtoms,
    drafts: list[Draft],
    codes: Texts,
) -> Planned:
    vector = version.grid_of_atom.astype(np.int64)
    community = texts([d.community_code or d.community for d in drafts])
    ruleset = ruleset_of(version)
    loads = stored.loads
    return Planned(
        crs=stored.atoms.crs,
        atom_id=texts([str(i) for i in range(len(vector))]),
        geometry=stored.atoms.geometry,
        block=texts([str(b) for b in stored.atoms.block]),
        community=community[vector],
        households=loads.households,
        bounded=loads.counted if ruleset.count == "resident" else loads.households,
        work=loads.work,
        grid=vector,
        code=codes,
        name=texts([d.name for d in drafts]),
        kind=texts([d.kind for d in drafts]),
        edges=edges_of(stored.atoms, names_of_lines(connection, territory.id)),
        ruleset=ruleset,
        exceptions=tuple(_exceptions(version, stored, drafts, ruleset)),
        communities=tuple(_communities(drafts)),
        compound=atom_compounds(stored.atoms.geometry, sources.compounds(connection, territory)),
    )


def ruleset_of(version: Version) -> Ruleset:
    """The rules a version was made under: by name, with the bounds its report states.

    Raises ``InputError`` where the ruleset is no longer there.
    """
    ruleset = rulesets.load(version.ruleset)
    bounds = version.report.get("bounds")
    return ruleset if not bounds or bounds == asdict(ruleset.residential) else ruleset.with_bounds(**bounds)


def _exceptions(version: Version, stored: StoredAtoms, drafts: list[Draft], ruleset: Ruleset) -> list[dict[str, Any]]:
    """Grids out of their bounds. Publication may have given them other codes than the report knew."""
    counted = stored.loads.counted if ruleset.count == "resident" else stored.loads.households
    held = np.bincount(version.grid_of_atom, counted, minlength=len(drafts)).astype(int)
    proven = {(e["reason"], e["households"]): bool(e["proven"]) for e in version.report.get("exceptions", [])}
    return [
        {"grid": d.code, "reason": d.note, "block": -1, "households": int(held[d.number]),
         "proven": proven.get((d.note, int(held[d.number])), False)}
        for d in drafts
        if d.note
    ]  # fmt: skip


def _communities(drafts: list[Draft]) -> list[dict[str, Any]]:
    found = {d.community_code or d.community: d for d in drafts}
    return [{"code": c, "name": d.community or c, "rural": d.kind == "rural"} for c, d in sorted(found.items())]


def _layers(
    connection: Connection, version: Version, stored: StoredAtoms, drafts: list[Draft], codes: Texts
) -> dict[str, Any]:
    """Grids, borders and buildings, as frames in the territory's CRS."""
    vector, atoms = version.grid_of_atom, stored.atoms
    borders = borders_of(atoms, vector)
    inside = np.flatnonzero(atoms.building_atom >= 0)
    own = structures(connection, stored.buildings[inside])
    grid = vector[atoms.building_atom[inside]]
    frames = {
        "grids": layer(
            grid_polygons(atoms, vector),
            {
                "grid_id": ["" if d.grid_id is None else str(d.grid_id) for d in drafts],
                "code": codes,
                "name": [d.name for d in drafts],
                "households": np.bincount(vector, stored.loads.households, minlength=len(drafts)).astype(int),
                "buildings": np.bincount(grid, minlength=len(drafts)),
            },
        ),
        "borders": layer(borders.geometry, {"left": codes[borders.left], "right": codes[borders.right]}),
        "buildings": layer(
            own.geometry,
            {"source_id": own.source_id, "grid": codes[grid], "households": stored.building_loads.households[inside]},
        ),
    }
    return {name: frame.set_crs(atoms.crs) for name, frame in frames.items()}
