"""Publish a plan version from a day on: permanent grids, their shapes, and the grid of every building."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID, uuid4

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from api.services.plans import micro_publishing
from data.postgres import events, generations
from data.postgres.bulk import WEB_MERCATOR
from data.postgres.imported import people, sources, territories
from data.postgres.imported.territories import Territory
from data.postgres.plans import atom_sets, grids, ledgers, plans, publications, read_published
from data.postgres.plans import micro_grids as micro_rows
from data.postgres.plans.atom_sets import StoredAtoms
from data.postgres.plans.grids import Draft, Measured
from data.postgres.plans.publications import Publication
from data.postgres.plans.read_published import PublishedGrids
from data.postgres.unit_of_work import UnitOfWork
from gis.districting.borders import grid_polygons
from gis.districting.responsibility import responsibilities_of
from gis.districting.sides import four_bounds, names_of_lines
from gis.progress import Progress, silent
from gis.territory.classes import BASIS_INDEX
from gis.territory.crs import reproject
from gis.territory.layers import make_areas, texts
from gis.territory.model import Floats, Ints, Sources
from gis.tiles.colour import tones

#: What changes for readers when a plan is published.
LAYERS = ("grids", "communities", "people", "micro_grids")
#: A grid of an earlier publication goes on in a new one when they share at least this part of either's buildings.
SAME_GRID = 0.5


@dataclass(frozen=True)
class Published:
    """What a publication did. ``kept`` grids existed before; ``moved`` buildings changed their grid.

    ``vacant`` are codes of grids nobody is responsible for on the first day; ``placed`` buildings came after the
    atoms were cut and were placed by their position; ``outside`` lie in no grid.
    """

    publication: Publication
    grids: int
    kept: int
    moved: int
    placed: int
    outside: int
    vacant: tuple[str, ...]


def publish(
    engine: Engine,
    name: str,
    *,
    since: date | None = None,
    plan: str = plans.DEFAULT,
    number: int | None = None,
    actor: str = "",
    staff: bool = False,
    demo_people: bool = False,
    progress: Progress = silent,
) -> Published:
    """Publish the newest (or the numbered) version of a territory's plan, in one transaction.

    ``since`` is today in the territory's time zone where it is None; a later day becomes active by itself.
    ``staff`` gives every vacant grid someone of its community's staff; ``demo_people`` makes up people, marked
    as fictitious, for grids still vacant.
    """
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        territories.lock(connection, territory.id)
        now = publications.today(territory)
        version = plans.load(connection, plans.find(connection, territory.id, name=plan, number=number))
        progress("publish", 0.1)
        done = _publish(connection, territory, version, since or now, now, actor, progress)
        people.close_vanished(connection, territory.id, done.publication)
        if staff:
            people.staff_vacant(connection, territory.id, done.publication)
        if demo_people:
            people.make_up_for_vacant(connection, territory, done.publication)
        done = replace(done, vacant=tuple(people.vacant(connection, done.publication)))
        generations.bump(connection, territory.id, LAYERS)
        work.commit()
    progress("publish", 1.0)
    return done


def _publish(
    connection: Connection,
    territory: Territory,
    version: plans.Version,
    since: date,
    now: date,
    actor: str,
    progress: Progress,
) -> Published:
    stored = atom_sets.load(connection, version.atom_set_id)
    progress("publish", 0.3)
    drafts = grids.drafts(connection, version.id)
    drafts = _with_communities(connection, territory, stored, version, drafts)
    like = publications.nearest(connection, territory.id, since)
    old_grids = {} if like is None else grids.building_grids(connection, like.id)
    known = {} if like is None else grids.published(connection, like.id)
    ever = grids.codes_ever(connection, territory.id)
    stewards = [] if like is None else micro_rows.stewards(connection, like.id)
    opened = publications.open_from(connection, territory, version.id, since, now, actor=actor)
    drafts = identify(drafts, _numbers_of(stored, version), old_grids, _weights(stored))
    kept = sum(d.grid_id in known for d in drafts)
    measured = measure(stored, version.grid_of_atom)
    shown = None if like is None else read_published.grids(connection, like.id)
    if shown is not None:
        drafts = identify_bare(drafts, measured, shown)
        kept = sum(d.grid_id in known for d in drafts)
    drafts = grids.free_codes([d if d.grid_id else replace(d, grid_id=uuid4()) for d in drafts], known, ever)
    grids.settle(connection, territory, version.id, drafts)
    progress("publish", 0.5)
    lines = sources.lines(connection, territory)
    bounds = bounds_of(stored, version.grid_of_atom, drafts, lines)
    measured = replace(measured, bounds=bounds, tone=tones_of(drafts, measured, shown))
    grids.save_versions(connection, territory, opened.publication, drafts, measured)
    grids.register_codes(connection, territory, opened.publication, drafts)
    found = responsibilities_of(stored.atoms, version.grid_of_atom, names_of_lines(lines), lines.streets)
    ledgers.save_responsibilities(connection, territory, opened.publication, drafts, found)
    progress("publish", 0.8)
    ids = {d.number: d.grid_id for d in drafts if d.grid_id is not None}
    new_grids = {b: ids[number] for b, number in _numbers_of(stored, version).items()}
    placed, outside = grids.save_building_grids(connection, opened.publication, new_grids)
    micro_publishing.publish(connection, territory, version, stored, opened.publication, drafts, stewards)
    moved = sum(new_grids[b] != g for b, g in old_grids.items() if b in new_grids)
    _record(connection, territory, version, opened, actor, moved)
    return Published(opened.publication, len(drafts), kept, moved, placed, outside, ())


def identify(
    drafts: list[Draft],
    number_of: Mapping[int, int],
    old_grid: Mapping[int, UUID],
    weight: Mapping[int, float],
) -> list[Draft]:
    """Let grids go on under their permanent id where a plan was made anew.

    ``number_of`` and ``old_grid`` give the new number and the old grid of buildings, ``weight`` counts their
    households. A draft without an id takes the old grid with which it shares most, when that is at least half of
    either and nobody shares more with it; drafts that already know their id keep it.
    """
    shared: dict[tuple[int, UUID], float] = defaultdict(float)
    of_new: dict[int, float] = defaultdict(float)
    of_old: dict[UUID, float] = defaultdict(float)
    for building, grid in old_grid.items():
        of_old[grid] += weight.get(building, 1.0)
    for building, number in number_of.items():
        of_new[number] += weight.get(building, 1.0)
        if building in old_grid:
            shared[number, old_grid[building]] += weight.get(building, 1.0)
    found = {d.number: d.grid_id for d in drafts if d.grid_id is not None}
    taken = set(found.values())
    for (number, grid), together in sorted(shared.items(), key=lambda s: (-s[1], s[0][0], str(s[0][1]))):
        if number in found or grid in taken or together < SAME_GRID * min(of_new[number], of_old[grid]):
            continue
        found[number] = grid
        taken.add(grid)
    return [replace(d, grid_id=found.get(d.number)) for d in drafts]


def identify_bare(drafts: list[Draft], measured: Measured, old: PublishedGrids) -> list[Draft]:
    """Grids without buildings, which :func:`identify` cannot know, go on where at least half of either is shared."""
    taken = {str(d.grid_id) for d in drafts if d.grid_id is not None}
    free = [i for i in range(len(old)) if not old.buildings[i] and old.grid_id[i] not in taken]
    out = list(drafts)
    for k, d in enumerate(drafts):
        if d.grid_id is not None or measured.buildings[d.number] or not free:
            continue
        shape = measured.geometry[d.number]
        common = shapely.area(shapely.intersection(old.geometry[free], shape))
        best = int(np.argmax(common))
        if common[best] >= SAME_GRID * min(shape.area, old.geometry[free[best]].area):
            out[k] = replace(d, grid_id=UUID(str(old.grid_id[free.pop(best)])))
    return out


def tones_of(drafts: list[Draft], measured: Measured, shown: PublishedGrids | None) -> Ints:
    """Fill tones by number: grids keep those they are shown with, as far as they can."""
    before = np.full(len(drafts), -1, dtype=np.int64)
    if shown is not None and len(shown):
        kept = shown.tone if shown.tone.min() >= 0 else tones(shown.geometry)
        tone = dict(zip(shown.grid_id.tolist(), kept.tolist(), strict=True))
        for d in drafts:
            before[d.number] = tone.get(str(d.grid_id), -1)
    return tones(measured.geometry, before)


def bounds_of(
    stored: StoredAtoms, vector: NDArray[np.int32], drafts: list[Draft], lines: Sources
) -> list[dict[str, list[list[str]]]]:
    """The four bounds of every grid as JSON, by number; streets have the names of the latest sources."""
    name, community = ({d.number: getattr(d, f) for d in drafts} for f in ("name", "community"))
    numbers = range(len(drafts))
    found = four_bounds(
        stored.atoms, vector, texts([name[n] for n in numbers]), texts([community[n] for n in numbers]), lines
    )
    return [{side: [[b.kind, b.name] for b in named] for side, named in sides.items()} for sides in found]


def measure(stored: StoredAtoms, vector: NDArray[np.int32]) -> Measured:
    """Shapes and figures of every grid, from the atoms and the vector alone."""
    n = int(vector.max()) + 1
    shapes = grid_polygons(stored.atoms, vector)
    inside = stored.atoms.building_atom >= 0
    buildings = np.bincount(vector[stored.atoms.building_atom[inside]], minlength=n)
    mercator = reproject(shapes, stored.atoms.crs, WEB_MERCATOR)
    return Measured(
        geometry=shapes,
        label=shapely.point_on_surface(mercator),
        households=np.bincount(vector, stored.loads.households, minlength=n).astype(np.int64),
        counted=np.bincount(vector, stored.loads.counted, minlength=n).astype(np.int64),
        work=np.bincount(vector, stored.loads.work, minlength=n).astype(np.float64),
        buildings=buildings.astype(np.int64),
        on_street_share=_on_street(stored, vector, n),
        compactness=4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2,
    )


def _on_street(stored: StoredAtoms, vector: NDArray[np.int32], n: int) -> Floats:
    """Share of each grid's border with other grids that runs on a street or barrier; NaN without a border."""
    segments = stored.atoms.segments
    left, right = vector[segments.left], vector[segments.right]
    between = left != right
    metres = segments.metres[between]
    street = np.isin(segments.basis[between], [BASIS_INDEX[b] for b in ("street", "barrier", "moved")])
    total = sum(np.bincount(side[between], metres, minlength=n) for side in (left, right))
    on_street = sum(np.bincount(side[between], metres * street, minlength=n) for side in (left, right))
    share: Floats = np.divide(on_street, total, out=np.full(n, np.nan), where=np.asarray(total) > 0)
    return share


def _with_communities(
    connection: Connection, territory: Territory, stored: StoredAtoms, version: plans.Version, drafts: list[Draft]
) -> list[Draft]:
    """Where the sources gave no communities, those of the plan become real, with their buildings."""
    if all(d.community_id is not None for d in drafts):
        return drafts
    keys = sorted({(d.community_code, d.community) for d in drafts})
    position = np.array([keys.index((d.community_code, d.community)) for d in drafts])
    areas = make_areas(
        grid_polygons(stored.atoms, position[version.grid_of_atom]),
        source_id=[f"made:{code or name}" for code, name in keys],
        code=[code for code, _ in keys],
        name=[name for _, name in keys],
    )
    ids = territories.save_communities(connection, territory, areas, made=True)
    inside = stored.atoms.building_atom >= 0
    of_atom = ids[position[version.grid_of_atom]]
    territories.place_buildings(
        connection, territory, stored.buildings[inside], of_atom[stored.atoms.building_atom[inside]]
    )
    return [replace(d, community_id=int(ids[position[d.number]])) for d in drafts]


def _numbers_of(stored: StoredAtoms, version: plans.Version) -> dict[int, int]:
    inside = stored.atoms.building_atom >= 0
    numbers = version.grid_of_atom[stored.atoms.building_atom[inside]]
    return dict(zip(stored.buildings[inside].tolist(), numbers.tolist(), strict=True))


def _weights(stored: StoredAtoms) -> dict[int, float]:
    """Households of a building, and a little for the building itself, so that empty grids are told apart too."""
    weights = stored.building_loads.households + 0.01
    return dict(zip(stored.buildings.tolist(), weights.tolist(), strict=True))


def _record(
    connection: Connection,
    territory: Territory,
    version: plans.Version,
    opened: publications.Opened,
    actor: str,
    moved: int,
) -> None:
    new = opened.publication
    body = {
        "version": version.number,
        "valid_from": new.valid_from.isoformat(),
        "valid_to": None if new.valid_to is None else new.valid_to.isoformat(),
        "withdrawn": None if opened.withdrawn is None else opened.withdrawn.id,
        "moved_buildings": moved,
    }
    events.record(connection, "published", f"publication:{new.id}", actor=actor, territory_id=territory.id, body=body)
