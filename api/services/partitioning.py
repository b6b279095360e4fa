"""Plan the grids of a territory in the database: a new draft version of its plan."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine

from api.services import importing, planning
from api.services.planning import Clock, Job
from api.version import VERSION
from data.postgres import atom_sets, events, plans, sources, territories
from data.postgres.atom_sets import StoredAtoms
from data.postgres.territories import Territory
from data.postgres.unit_of_work import UnitOfWork
from gis.blocks.graph import graph_of
from gis.districting.model import Plan
from gis.districting.plan import make_plan
from gis.districting.report import report_of
from gis.districting.rulesets import Ruleset
from gis.progress import Progress, silent


@dataclass(frozen=True)
class Partitioned:
    """A new plan version: its number, the report of the contract, and the exit status of the contract."""

    version_id: int
    number: int
    report: dict[str, Any]
    exit_status: int


def partition(
    engine: Engine,
    name: str,
    job: Job,
    *,
    plan_name: str = plans.DEFAULT,
    actor: str = "",
    progress: Progress = silent,
) -> Partitioned:
    """Make grids from the newest atoms of a territory and keep them as a draft.

    Atoms cut for another maximum of households are cut anew from the sources in the database first.
    """
    clock = Clock()
    with UnitOfWork(engine) as work:
        connection = work.connection
        territory = territories.get(connection, name)
        with clock.step("read"):
            progress("read", 0.0)
            latest = atom_sets.load(connection, atom_sets.latest(connection, territory.id))
        with clock.step("blocks"):
            stored = fitting(connection, territory, latest, job.ruleset, progress)
        with clock.step("solve"):
            plan = solve(connection, territory, stored, job, progress)
        report = {
            **report_of(stored.atoms, plan),
            "crs": territory.crs,
            "attribution": territory.attribution,
            "atoms": len(stored.atoms.geometry),
            "buildings": len(stored.buildings),
            "seconds": {k: round(v, 3) for k, v in clock.seconds.items()},
            "cpu_seconds": round(time.process_time(), 3),
            "peak_mb": round(planning.peak_mb(), 1),
            "version": VERSION,
        }
        version = plans.save(connection, territory.id, stored, plan, report, name=plan_name, author=actor)
        number = plans.load(connection, version).number
        events.record(
            connection, "planned", f"plan_version:{version}", actor=actor, territory_id=territory.id,
            body={"ruleset": plan.ruleset.name, "seed": plan.seed, "grids": len(plan.grids)},
        )  # fmt: skip
        work.commit()
    return Partitioned(version, number, report, plan.exit_status)


def fitting(
    connection: Connection, territory: Territory, latest: StoredAtoms, ruleset: Ruleset, progress: Progress
) -> StoredAtoms:
    """The newest atoms where they suit the ruleset, else new ones, cut from the stored sources and kept."""
    found = atom_sets.parameters(connection, latest.id)
    if importing.GIVEN in found or found == importing.parameters_of(ruleset):
        return latest
    return atom_sets.load(connection, importing.recut(connection, territory, ruleset, progress))


def solve(connection: Connection, territory: Territory, stored: StoredAtoms, job: Job, progress: Progress) -> Plan:
    """Grids for stored atoms."""
    atoms, loads = stored.atoms, stored.loads
    groups = sources.villager_groups(connection, territory)
    given = len(stored.communities) > 0
    return make_plan(
        atoms,
        graph_of(atoms.segments, len(atoms.geometry)),
        loads.households,
        loads.counted if job.ruleset.count == "resident" else loads.households,
        np.asarray(loads.work),
        sources.communities(connection, territory, stored.communities) if given else None,
        job.ruleset,
        villager_groups=groups if len(groups) else None,
        seed=job.seed,
        iterations=job.iterations,
        seconds=job.seconds,
        progress=progress,
    )
