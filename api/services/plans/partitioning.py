"""Plan the grids of a territory in the database: a new draft version of its plan."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from api.services import importing
from api.services.plans import planning
from api.services.plans.planning import Clock, Job
from api.services.plans.solving import Answers, answering, depends_on, numbers_asked, runner_of
from data.machine import places
from data.postgres import events
from data.postgres.imported import sources, territories
from data.postgres.imported.territories import Territory
from data.postgres.plans import atom_sets, plans
from data.postgres.plans.atom_sets import StoredAtoms
from data.postgres.unit_of_work import UnitOfWork
from gis.blocks.graph import graph_of
from gis.districting import dedicated
from gis.districting.dedicated import Places
from gis.districting.model import Plan
from gis.districting.plan import make_plan
from gis.districting.report import report_of
from gis.districting.rulesets import Ruleset
from gis.progress import Progress, silent
from gis.territory.model import Areas, Ints


@dataclass(frozen=True)
class Partitioned:
    """A new plan version: its number, the report of the contract, and the exit status of the contract."""

    version_id: int
    number: int
    report: dict[str, Any]
    exit_status: int
    kept: str | None = None  # file with the answers of a run that was stopped: the same command goes on from it


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
        with clock.step("read"):
            progress("read", 0.0)
            territory = territories.get(work.connection, name)
            latest = atom_sets.load(work.connection, atom_sets.latest(work.connection, territory.id))
        with clock.step("blocks"):
            stored = fitting(work.connection, territory, latest, job.ruleset, progress)
        areas = sources.communities(work.connection, territory, stored.communities)
        groups = sources.villager_groups(work.connection, territory)
        places = places_of(work.connection, territory, stored, job.ruleset)
        yards = sources.compounds(work.connection, territory)
        work.commit()
    # no transaction is held open while the solver runs: a version names its atom set, which never changes
    about = depends_on(job.ruleset, job.seed, stored.atoms, stored.loads, areas, groups, places, job.grids, yards)
    with answering(checkpoint_of(engine, about), about, job.resume, progress) as answers:
        with clock.step("solve"):
            plan = solve(stored, areas, groups, job, progress, answers, places, yards)
        done = _keep(engine, territory, stored, plan, job, plan_name, actor, clock)
        answers.done = not plan.stopped
    return replace(done, kept=answers.kept)


def _keep(
    engine: Engine,
    territory: Territory,
    stored: StoredAtoms,
    plan: Plan,
    job: Job,
    plan_name: str,
    actor: str,
    clock: Clock,
) -> Partitioned:
    """Save a plan as a new draft version, with its report."""
    report = {
        **report_of(stored.atoms, plan),
        "crs": territory.crs,
        "attribution": territory.attribution,
        "atoms": len(stored.atoms.geometry),
        "buildings": len(stored.buildings),
        **planning.run_figures(clock, job.workers or 1),
    }
    planning.share_run_figures(report)
    with UnitOfWork(engine) as work:
        version = plans.save(work.connection, territory.id, stored, plan, report, name=plan_name, author=actor)
        number = plans.load(work.connection, version).number
        events.record(
            work.connection, "planned", f"plan_version:{version}", actor=actor, territory_id=territory.id,
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
    territories.lock(connection, territory.id)
    return atom_sets.load(connection, importing.recut(connection, territory, ruleset, progress))


def checkpoint_of(engine: Engine, about: dict[str, str]) -> Path:
    """Where the answers of an unfinished plan lie: in the state of this checkout, a file a database and job."""
    job = engine.url.render_as_string(hide_password=True), sorted(about.items())
    name = hashlib.sha256(repr(job).encode()).hexdigest()[:16]
    return places.state() / "resume" / f"{name}.resume"


def places_of(connection: Connection, territory: Territory, stored: StoredAtoms, ruleset: Ruleset) -> Places | None:
    """Places without residents that the ruleset lets be dedicated grids, from what the database holds."""
    if not ruleset.dedicated_kinds:
        return None
    found = sources.uses(connection, stored.buildings)
    return dedicated.places_of(
        stored.atoms, stored.loads.households, found, sources.sites(connection, territory), ruleset
    )


def _counted(stored: StoredAtoms, job: Job) -> Ints:
    return stored.loads.counted if job.ruleset.count == "resident" else stored.loads.households


def solve(
    stored: StoredAtoms,
    communities: Areas,
    groups: Areas,
    job: Job,
    progress: Progress,
    answers: Answers | None = None,
    places: Places | None = None,
    compounds: Areas | None = None,
) -> Plan:
    """Grids for stored atoms. ``communities`` are in the order in which the atoms count them; empty: none given."""
    atoms, loads = stored.atoms, stored.loads
    with runner_of(job.workers, job.scheduler) as runner:
        return make_plan(
            atoms,
            graph_of(atoms.segments, len(atoms.geometry)),
            loads.households,
            _counted(stored, job),
            loads.work,
            communities if len(communities) else None,
            job.ruleset,
            villager_groups=groups if len(groups) else None,
            places=places,
            compounds=compounds,
            grids=numbers_asked(job.grids, communities if len(communities) else None),
            seed=job.seed,
            iterations=job.iterations,
            seconds=job.seconds,
            progress=progress,
            runner=runner if answers is None else answers.around(runner),
        )
