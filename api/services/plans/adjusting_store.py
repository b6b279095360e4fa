"""Adjust, repair and rebase plans of the database: a new draft version whose grids keep their ids and codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Connection, Engine

from api.messages import text
from api.services.plans import partitioning, planning
from api.services.plans.adjusting import Adjusted, Change, Changed, Task, changed, headings
from api.services.plans.planning import Clock, Job
from data.drawn_files import read_drawn
from data.move_files import Move, write_moves
from data.outputs import require_writable
from data.postgres import events
from data.postgres.imported import sources, territories
from data.postgres.imported.territories import Territory
from data.postgres.plans import atom_sets, grids, moves, plans, publications
from data.postgres.plans.atom_sets import StoredAtoms
from data.postgres.plans.grids import Draft
from data.postgres.unit_of_work import UnitOfWork
from gis.blocks.graph import graph_of
from gis.districting import carry as carrying
from gis.districting.carry import Drawn
from gis.districting.standing import Base, base_of
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.model import Texts


def change_territory(
    engine: Engine,
    name: str,
    job: Job,
    change: Change,
    *,
    task: Task,
    plan_name: str = plans.DEFAULT,
    layer: Path | None = None,
    moves: Path | None = None,
    report: Path | None = None,
    language: str = "zh-CN",
    actor: str = "",
    progress: Progress = silent,
) -> Adjusted:
    """Carry a plan of the database onto its territory's newest atoms, mend it where asked, keep it as a draft.

    ``adjust`` and ``rebase`` begin from what is in force (or the newest version where nothing is), ``repair`` from
    the newest version, or from a ``layer`` of polygons. All in one transaction: a fault leaves everything as it was.
    """
    for file in (moves, report):
        if file is not None:
            require_writable(file)
    if moves is not None and moves.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError("drawn.moves_kind", file=moves.name)
    clock = Clock()
    with UnitOfWork(engine) as work:
        connection = work.connection
        with clock.step("read"):
            progress("read", 0.0)
            territory = territories.get(connection, name)
            territories.lock(connection, territory.id)
            drawn = _drawn(connection, territory, task, plan_name, layer)
            latest = atom_sets.load(connection, atom_sets.latest(connection, territory.id))
        with clock.step("blocks"):
            stored = partitioning.fitting(connection, territory, latest, job.ruleset, progress)
        with clock.step("carry"):
            base, about = _base(connection, territory, stored, drawn, job)
        with clock.step("solve"):
            done = changed(base, change, job, progress)
        rows = _moves(connection, territory, stored, drawn, base, done)
        figures = {**done.report, **about, **_figures(territory, stored, task, rows), **planning.run_figures(clock)}
        planning.share_run_figures(figures)
        version = plans.save(connection, territory.id, stored, done.plan, figures, name=plan_name, author=actor)
        _keep_ids(connection, version, drawn, done)
        figures["plan_version"] = plans.load(connection, version).number
        events.record(
            connection, "adjusted", f"plan_version:{version}", actor=actor, territory_id=territory.id,
            body={"task": task, "moved_households": figures.get("moved_households", 0), **figures["buildings"]},
        )  # fmt: skip
        work.commit()
    if moves is not None:
        write_moves(moves, rows, headings(language), title=text("moves.title", language))
    if report is not None:
        planning.write_json(report, figures)
    return Adjusted(done.plan, figures, rows, done.plan.exit_status)


def _drawn(connection: Connection, territory: Territory, task: Task, plan_name: str, layer: Path | None) -> Drawn:
    """The grids to begin from."""
    if layer is not None:
        return read_drawn(layer, territory.crs)
    now = publications.nearest(connection, territory.id, publications.today(territory))
    if now is None or task == "repair":
        version = plans.load(connection, plans.find(connection, territory.id, name=plan_name))
    else:
        version = plans.load(connection, now.plan_version_id)
    old = atom_sets.load(connection, version.atom_set_id)
    rows = grids.drafts(connection, version.id)
    return drawn_of(rows, version.grid_of_atom, old)


def drawn_of(rows: list[Draft], grid_of_atom: Any, old: StoredAtoms) -> Drawn:
    """A plan version as drawn grids; buildings are known by their row ids."""

    def column(values: list[str]) -> Texts:
        return np.array(values, object)

    inside = old.atoms.building_atom >= 0
    held = grid_of_atom[old.atoms.building_atom[inside]]
    return Drawn(
        code=column([d.code for d in rows]),
        name=column([d.name for d in rows]),
        kind=column([d.kind for d in rows]),
        community=column([d.community_code for d in rows]),
        grid_id=column(["" if d.grid_id is None else str(d.grid_id) for d in rows]),
        shapes=old.atoms.geometry,
        shape_grid=grid_of_atom.astype(np.int64),
        buildings={str(b): int(g) for b, g in zip(old.buildings[inside], held, strict=True)},
        community_name=column([d.community for d in rows]),
    )


def _base(
    connection: Connection, territory: Territory, stored: StoredAtoms, drawn: Drawn, job: Job
) -> tuple[Base, dict[str, Any]]:
    ids = [str(b) for b in stored.buildings]
    carried = carrying.carry(stored.atoms, ids, stored.building_loads.households.astype(np.float64), drawn)
    if carried.untold == len(carried.home):
        raise InputError("drawn.elsewhere", file=territory.name, other=territory.name)
    areas = sources.communities(connection, territory, stored.communities)
    groups = sources.villager_groups(connection, territory)
    loads = stored.loads
    base = base_of(
        stored.atoms,
        graph_of(stored.atoms.segments, len(stored.atoms.geometry)),
        loads.households,
        loads.counted if job.ruleset.count == "resident" else loads.households,
        loads.work,
        areas if len(areas) else None,
        groups if len(groups) else None,
        job.ruleset,
        drawn,
        carried.home,
    )
    told = {"by_building": carried.by_building, "by_area": carried.by_area, "untold": carried.untold}
    return base, {"carried": told}


def _moves(
    connection: Connection, territory: Territory, stored: StoredAtoms, drawn: Drawn, base: Base, done: Changed
) -> list[Move]:
    """A row for every door of every building whose grid is another; for the building where it has no door."""
    code = done.plan.grids.code[done.plan.assignment]
    found: dict[int, tuple[str, str, str]] = {}
    for building, atom in zip(stored.buildings.tolist(), stored.atoms.building_atom.tolist(), strict=True):
        before = drawn.buildings.get(str(building), int(base.home[atom]) if not drawn.buildings and atom >= 0 else -1)
        old = str(drawn.code[before]) if before >= 0 else ""
        new = str(code[atom]) if atom >= 0 else ""
        if old != new:
            found[building] = (old, new, "moved" if old and new else "new" if new else "gone")
    there = {str(b) for b in stored.buildings}
    for own, grid in drawn.buildings.items():
        if own not in there and own.isdigit():
            found[int(own)] = (str(drawn.code[grid]), "", "gone")
    known = moves.buildings(connection, territory.id, np.array(sorted(found), np.int64))
    out: list[Move] = []
    for building, change in sorted(found.items()):
        row = known.get(building)
        if row is not None:
            out += [Move(row.source_id, row.name, door, row.households, *change) for door in row.doors or ("",)]
    return out


def _figures(territory: Territory, stored: StoredAtoms, task: Task, rows: list[Move]) -> dict[str, Any]:
    changed_ids = {c: len({m.source_id for m in rows if m.change == c}) for c in ("moved", "new", "gone")}
    return {
        "task": task,
        "crs": territory.crs,
        "attribution": territory.attribution,
        "atoms": len(stored.atoms.geometry),
        "buildings": changed_ids,
        "doors": sum(bool(m.address) for m in rows),
    }


def _keep_ids(connection: Connection, version: int, drawn: Drawn, done: Changed) -> None:
    """Grids that go on are known by their permanent id from the start, so that publishing does not guess."""
    used = np.unique(done.label)
    ids = {
        number: UUID(str(drawn.grid_id[g]))
        for number, g in enumerate(used.tolist())
        if g < len(drawn) and drawn.grid_id[g]
    }
    moves.keep_ids(connection, version, ids)
