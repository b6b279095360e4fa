"""Read sources into the database: file to territory, layers and a new atom set, in one transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, Engine, insert

from api.services.plans import planning
from api.services.plans.planning import Cut
from data import staff
from data.files import read_sources
from data.postgres import events, generations, schema
from data.postgres.imported import divisions, entrances, people, territories
from data.postgres.imported import sources as kept
from data.postgres.imported.territories import BuildingRows, Territory
from data.postgres.plans import atom_sets, publications
from data.postgres.plans.atom_sets import Loads, StoredAtoms
from data.postgres.unit_of_work import UnitOfWork
from data.samples import shipped
from gis.blocks.parameters import Parameters
from gis.districting.rulesets import Ruleset
from gis.errors import ConflictError
from gis.progress import Progress, silent
from gis.territory.check import prepare
from gis.territory.model import Ints, Sources

#: What changes for readers when sources are imported.
LAYERS = (*territories.SOURCE_LAYERS, "atoms")

#: The parameter of atom sets whose atoms the input gave: they are never cut anew.
GIVEN = "given"


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


def import_file(
    engine: Engine,
    path: Path,
    name: str,
    *,
    ruleset: Ruleset,
    area: Path | None = None,
    title: str = "",
    fictitious: bool = False,
    crs: str | None = None,
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
        ruleset=ruleset,
        actor=actor,
        progress=progress,
    )


def import_sample(
    engine: Engine, name: str, *, ruleset: Ruleset, actor: str = "", progress: Progress = silent
) -> Imported:
    """Read a shipped sample into the territory of its name. The town and its people are made up."""
    return import_file(
        engine,
        shipped.path_of(name),
        name,
        ruleset=ruleset,
        title=shipped.TITLES[name],
        fictitious=name == "town",
        actor=actor,
        progress=progress,
    )


def import_place(
    engine: Engine,
    query: str,
    name: str,
    *,
    ruleset: Ruleset,
    title: str = "",
    crs: str | None = None,
    actor: str = "",
    progress: Progress = silent,
) -> Imported:
    """Ask OpenStreetMap's servers for a place by its name and read it."""
    from data.place import read_place

    sources = read_place(query, progress=progress)
    return import_sources(
        engine, sources, name, ruleset=ruleset, origin=query, title=title, crs=crs, actor=actor, progress=progress
    )


def import_sources(
    engine: Engine,
    sources: Sources,
    name: str,
    *,
    ruleset: Ruleset,
    origin: str,
    administration: Path | None = None,
    title: str = "",
    fictitious: bool = False,
    crs: str | None = None,
    actor: str = "",
    progress: Progress = silent,
) -> Imported:
    """Write sources that were read already. All or nothing: a fault leaves the database as it was.

    A territory keeps its CRS: newer sources are moved to it. Households that tables gave stay in force.
    """
    with UnitOfWork(engine, read_only=True) as work:
        old, given = _known(work.connection, name)
    prepared = with_given(prepare(sources, crs if old is None else old.crs), given)
    cut = planning.cut(prepared, ruleset, progress=progress)
    members = [] if administration is None else staff.read_staff(administration, prepared.crs)
    areas = [] if administration is None else staff.read_divisions(administration)
    doors = [] if administration is None else staff.read_entrances(administration, prepared.crs)
    doors += entrances.of_map(prepared.doors)
    progress("store", 0.0)
    with UnitOfWork(engine) as work:
        connection = work.connection
        territories.hold_name(connection, name)
        if _known(connection, name) != (old, given):
            raise ConflictError("store.changed_meanwhile", territory=name)
        territory = territories.save(connection, name, area_of(cut), prepared, title=title, fictitious=fictitious)
        territories.lock(connection, territory.id)
        today = publications.today(territory)
        before = atom_sets.newest(connection, territory.id)
        atom_set = _save(connection, territory, cut, ruleset, progress)
        divisions.save(connection, areas, today)
        divisions.place_communities(connection, territory, today)
        entrances.save(connection, territory, doors, today)
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


def _known(connection: Connection, name: str) -> tuple[Territory | None, dict[str, tuple[int, int | None]]]:
    """What an import must heed of what is there: the territory with its CRS, and households from tables."""
    old = territories.find(connection, name)
    return old, {} if old is None else territories.table_households(connection, old.id)


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


def area_of(cut: Cut) -> Any:
    """The territory as it was cut: the union of its atoms."""
    return shapely.coverage_union_all(cut.atom_set.geometry)


def stored_of(cut: Cut, buildings: Ints, communities: Ints) -> StoredAtoms:
    """A cut with the row ids of its buildings (-1: left out) and communities, ready to be written."""
    estimated, atoms = cut.estimated, cut.atom_set
    loads = Loads(cut.households, cut.households, cut.work)
    inside = atoms.building_atom >= 0
    if cut.sources.atoms is None:
        n = len(atoms.geometry)
        counted = np.bincount(atoms.building_atom[inside], estimated.counted[inside], n)
        loads = replace(loads, counted=np.rint(counted).astype(np.int64))
    of_buildings = Loads(estimated.households, estimated.counted, estimated.work)
    return StoredAtoms(0, atoms, loads, buildings, of_buildings, communities)


def save_atoms(
    connection: Connection, territory: Territory, cut: Cut, ruleset: Ruleset, buildings: Ints, communities: Ints
) -> int:
    """Write the atom set of a cut; its id."""
    parameters = {GIVEN: True} if cut.sources.atoms is not None else parameters_of(ruleset)
    return atom_sets.save(
        connection,
        territory,
        stored_of(cut, buildings, communities),
        cut.graph,
        source_digest=cut.sources.digest,
        parameters=parameters,
    )


def parameters_of(ruleset: Ruleset) -> dict[str, Any]:
    """What an atom set depends on besides its sources."""
    made = {**asdict(Parameters(maximum=ruleset.residential.maximum)), "count": ruleset.count}
    if ruleset.work or ruleset.household_work != 1:
        made["work"] = {"household": ruleset.household_work, **ruleset.work}
    return made


def recut(connection: Connection, territory: Territory, ruleset: Ruleset, progress: Progress) -> int:
    """Cut the sources that the database holds anew: for other rules, or after tables changed households.

    Buildings take the new households; the id of the new atom set (an equal one is found, not made twice).
    """
    prepared = kept.load(connection, territory)
    cut = planning.cut(prepared, ruleset, progress=progress)
    _, buildings = kept.buildings(connection, territory)
    territories.update_households(connection, buildings, cut.estimated)
    return save_atoms(connection, territory, cut, ruleset, buildings, kept.community_ids(connection, territory))


def _save(connection: Connection, territory: Territory, cut: Cut, ruleset: Ruleset, progress: Progress) -> int:
    sources, atoms, households = cut.sources, cut.atom_set, cut.estimated
    territories.save_lines(connection, territory, sources)
    progress("store", 0.2)
    areas = planning.communities_of(cut)
    communities = territories.save_communities(connection, territory, sources.communities if areas is None else areas)
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
    return save_atoms(connection, territory, cut, ruleset, buildings, communities)


def _summary(cut: Cut, territory: Territory, atom_set: int, staffed: int, fresh: bool) -> Imported:
    inside = cut.atom_set.building_atom >= 0
    areas = planning.communities_of(cut)
    return Imported(
        territory=territory.name,
        crs=territory.crs,
        streets=len(cut.sources.streets),
        buildings=int(inside.sum()),
        communities=0 if areas is None else len(areas),
        households=int(cut.households.sum()),
        atoms=len(cut.atom_set.geometry),
        excluded=len(cut.sources.excluded) + len(cut.atom_set.excluded),
        people=staffed,
        atom_set=atom_set,
        fresh=fresh,
    )
