"""Read sources into the database: file to territory, layers and a new atom set, in one transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, Engine, insert

from data import staff
from data.files import read_sources
from data.postgres import atom_sets, divisions, events, generations, people, publications, schema, territories
from data.postgres.atom_sets import Loads, StoredAtoms
from data.postgres.territories import BuildingRows, Territory
from data.postgres.unit_of_work import UnitOfWork
from gis.blocks.build import build_atoms
from gis.blocks.graph import graph_of
from gis.blocks.model import AtomSet
from gis.blocks.parameters import DEFAULT, Parameters
from gis.progress import Progress, silent
from gis.territory.check import prepare
from gis.territory.households import Households, estimate
from gis.territory.hull import territory_of
from gis.territory.model import Sources

#: What changes for readers when sources are imported.
LAYERS = (*territories.SOURCE_LAYERS, "atoms")


@dataclass(frozen=True)
class Imported:
    """What an import did. ``atom_set`` is the id of its atom set; ``fresh`` is false when it was there already."""

    territory: str
    crs: str
    streets: int
    buildings: int
    communities: int
    households: int
    atoms: int
    excluded: int
    people: int
    atom_set: int
    fresh: bool


@dataclass(frozen=True)
class Cut:
    """Sources in their metre CRS with everything derived from them."""

    sources: Sources
    area: Any
    households: Households
    atoms: AtomSet


def import_file(
    engine: Engine,
    path: Path,
    name: str,
    *,
    area: Path | None = None,
    title: str = "",
    fictitious: bool = False,
    crs: str | None = None,
    parameters: Parameters = DEFAULT,
    actor: str = "",
    progress: Progress = silent,
) -> Imported:
    """Read a map file (and the staff and divisions it may hold) into the territory ``name``."""
    sources = read_sources(path, area, progress)
    return import_sources(
        engine,
        sources,
        name,
        origin=path.name,
        administration=path,
        title=title,
        fictitious=fictitious,
        crs=crs,
        parameters=parameters,
        actor=actor,
        progress=progress,
    )


def import_sources(
    engine: Engine,
    sources: Sources,
    name: str,
    *,
    origin: str,
    administration: Path | None = None,
    title: str = "",
    fictitious: bool = False,
    crs: str | None = None,
    parameters: Parameters = DEFAULT,
    actor: str = "",
    progress: Progress = silent,
) -> Imported:
    """Write sources that were read already. All or nothing: a fault leaves the database as it was.

    A territory keeps its CRS: newer sources are moved to it. Households that tables gave stay in force.
    """
    with UnitOfWork(engine, read_only=True) as work:
        old = territories.find(work.connection, name)
        given = {} if old is None else territories.table_households(work.connection, old.id)
    cut = cut_sources(
        sources, crs=crs if old is None else old.crs, given=given, parameters=parameters, progress=progress
    )
    members = [] if administration is None else staff.read_staff(administration, cut.sources.crs)
    areas = [] if administration is None else staff.read_divisions(administration)
    progress("store", 0.0)
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.save(connection, name, cut.area, cut.sources, title=title, fictitious=fictitious)
        territories.lock(connection, territory.id)
        divisions.save(connection, areas, publications.today(territory))
        before = atom_sets.newest(connection, territory.id)
        atom_set = _save(connection, territory, cut, parameters, progress)
        staffed = people.save_staff(connection, territory, members)
        done = _summary(cut, territory, atom_set, staffed, atom_set != before)
        connection.execute(
            insert(schema.import_run).values(
                territory_id=territory.id, source=origin, digest=cut.sources.digest, summary=asdict(done)
            )
        )
        generations.bump(connection, territory.id, LAYERS)
        events.record(
            connection, "imported", f"territory:{territory.id}", actor=actor, territory_id=territory.id,
            body=asdict(done) | {"source": origin},
        )  # fmt: skip
        work.commit()
    progress("store", 1.0)
    return done


def cut_sources(
    sources: Sources,
    *,
    crs: str | None = None,
    given: dict[str, tuple[int, int | None]] | None = None,
    parameters: Parameters = DEFAULT,
    progress: Progress = silent,
) -> Cut:
    """Project, check, estimate households and cut into atoms. ``given``: households by source id from tables."""
    prepared = with_given(prepare(sources, crs), given or {})
    area = territory_of(prepared)
    households = estimate(prepared.buildings)
    atoms = build_atoms(prepared, area, households.households, parameters=parameters, progress=progress)
    return Cut(prepared, shapely.coverage_union_all(atoms.geometry), households, atoms)


def with_given(sources: Sources, given: dict[str, tuple[int, int | None]]) -> Sources:
    """Sources whose buildings have the households that tables gave."""
    if not given:
        return sources
    buildings = sources.buildings
    households, occupied = buildings.households.copy(), buildings.occupied_households.copy()
    for k, source_id in enumerate(buildings.source_id):
        if source_id in given:
            all_of_them, lived_in = given[source_id]
            households[k] = all_of_them
            occupied[k] = np.nan if lived_in is None else lived_in
    return replace(sources, buildings=replace(buildings, households=households, occupied_households=occupied))


def loads_of(atoms: AtomSet, households: Households) -> Loads:
    """Households, counted households and work of every atom."""
    inside = atoms.building_atom >= 0
    atom, n = atoms.building_atom[inside], len(atoms.geometry)

    def total(values: Any) -> Any:
        return np.bincount(atom, values[inside], minlength=n)

    return Loads(
        np.rint(total(households.households)).astype(np.int64),
        np.rint(total(households.counted)).astype(np.int64),
        total(households.work).astype(np.float64),
    )


def _save(connection: Connection, territory: Territory, cut: Cut, parameters: Parameters, progress: Progress) -> int:
    sources, atoms, households = cut.sources, cut.atoms, cut.households
    territories.save_lines(connection, territory, sources)
    progress("store", 0.2)
    communities = territories.save_communities(connection, territory, sources.communities)
    compounds = territories.save_compounds(connection, territory, sources.compounds)
    inside = atoms.building_atom >= 0
    community = np.full(len(inside), -1, dtype=np.int64)
    if len(communities):
        community[inside] = communities[atoms.community[atoms.building_atom[inside]]]
    rows = BuildingRows(
        keep=inside,
        households=households.households,
        counted=households.counted,
        work=households.work,
        source=households.source,
        community=community,
        compound=territories.compounds_of(sources.buildings.geometry, sources.compounds, compounds),
    )
    buildings = territories.save_buildings(connection, territory, sources, rows)
    progress("store", 0.5)
    territories.save_excluded(connection, territory, (*sources.excluded, *atoms.excluded))
    stored = StoredAtoms(
        0,
        atoms,
        loads_of(atoms, households),
        buildings,
        Loads(households.households, households.counted, households.work),
        communities,
    )
    return atom_sets.save(
        connection,
        territory,
        stored,
        graph_of(atoms.segments, len(atoms.geometry)),
        source_digest=sources.digest,
        parameters=asdict(parameters),
    )


def _summary(cut: Cut, territory: Territory, atom_set: int, staffed: int, fresh: bool) -> Imported:
    inside = cut.atoms.building_atom >= 0
    return Imported(
        territory=territory.name,
        crs=territory.crs,
        streets=len(cut.sources.streets),
        buildings=int(inside.sum()),
        communities=len(cut.sources.communities),
        households=int(cut.households.households[inside].sum()),
        atoms=len(cut.atoms.geometry),
        excluded=len(cut.sources.excluded) + len(cut.atoms.excluded),
        people=staffed,
        atom_set=atom_set,
        fresh=fresh,
    )
