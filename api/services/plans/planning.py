"""File to file, no database: read, check, cut, plan, write."""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import shapely

from api.services.plans.microgrids import micro_of, micro_report
from api.services.plans.rules import place_figures
from api.services.plans.solving import Answers, Wanted, answering, depends_on, numbers_asked, runner_of
from api.services.wording import bounds_columns
from api.version import VERSION
from data import rulesets
from data.files import read_sources
from data.lots import read_lots
from data.micro_layers import micro_tables
from data.plan_files import tables_of, write_plan
from gis.blocks.build import build_atoms
from gis.blocks.given import atoms_from_given
from gis.blocks.graph import graph_of
from gis.blocks.model import AtomSet, Graph
from gis.blocks.parameters import Parameters
from gis.districting.dedicated import places_of
from gis.districting.microgrids import USUAL as MICRO
from gis.districting.model import Plan
from gis.districting.plan import make_plan
from gis.districting.report import report_of
from gis.districting.rulesets import Ruleset
from gis.districting.units import members_of
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.check import prepare
from gis.territory.crs import parsed
from gis.territory.households import Calibration, Households, Rule, calibrate, estimate
from gis.territory.hull import territory_of
from gis.territory.layers import make_areas
from gis.territory.model import Areas, Floats, Ints, Sources

#: Lots with known dwellings below which a sample says too little.
LEAST_LOTS: Final = 50

Origin = Literal["atoms", "communities", "given", "hull"]


@dataclass(frozen=True)
class Job:
    """What a planner asks for. ``iterations`` wins over ``seconds``; None of both: the planner's own number."""

    ruleset: Ruleset
    seed: int = 1
    iterations: int | None = None
    seconds: float | None = None
    workers: int | None = None
    scheduler: str | None = None  # of a Dask cluster, which then does the work of ``workers``
    resume: bool = False  # the checkpoint of an earlier run of the same job must be there
    grids: Wanted = ()  # numbers of grids asked for; as many as are best where it says nothing


@dataclass(frozen=True)
class Cut:
    """An input cut into atoms: the columns that the planner needs, one row an atom."""

    sources: Sources
    estimated: Households
    origin: Origin
    atom_set: AtomSet
    graph: Graph
    households: Ints
    counted: Ints
    work: Floats


@dataclass(frozen=True)
class Outcome:
    """A plan as made: the report of the contract, and the exit status it asks for."""

    cut: Cut
    plan: Plan
    report: dict[str, Any]
    kept: str | None = None  # file with the answers of a run that was stopped: the same command goes on from it

    @property
    def exit_status(self) -> int:
        """0: the rules are met, or every exception is proven; 3: rules missed, each named."""
        return self.plan.exit_status


@dataclass
class Clock:
    """Wall-clock seconds of every step, and the processor seconds of this process and its children."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time inside to a step."""
        begun, used = time.perf_counter(), cpu_seconds()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun
            self.cpu[name] = self.cpu.get(name, 0.0) + cpu_seconds() - used


def ruleset_of(
    name: str,
    minimum: int | None = None,
    maximum: int | None = None,
    target: int | None = None,
    *,
    micro: bool = False,
) -> Ruleset:
    """A ruleset by name, with bounds of one's own; ``micro``: with micro-grids even where it has none."""
    ruleset = rulesets.load(name)
    if micro and ruleset.micro is None:
        ruleset = replace(ruleset, micro=MICRO)
    if minimum is maximum is target is None:
        return ruleset
    return ruleset.with_bounds(minimum=minimum, maximum=maximum, target=target)


def cut(sources: Sources, ruleset: Ruleset, *, rule: Rule | None = None, progress: Progress = silent) -> Cut:
    """Atoms, graph and households of a prepared input (metres, checked)."""
    estimated = estimate(sources.buildings, rule, weights=ruleset.work, household=ruleset.household_work)
    bounded = estimated.counted if ruleset.count == "resident" else estimated.households
    if sources.atoms is not None:
        return _cut_given(sources, estimated)
    parameters = Parameters(maximum=ruleset.residential.maximum)
    atom_set = build_atoms(sources, territory_of(sources), bounded, parameters=parameters, progress=progress)
    held = atom_set.building_atom >= 0
    atom, n = atom_set.building_atom[held], len(atom_set.geometry)

    def total(values: Any) -> Floats:
        return np.bincount(atom, values[held], n).astype(np.float64)

    origin: Origin = "hull" if sources.territory is None else "given"
    return Cut(
        sources,
        estimated,
        "communities" if len(sources.communities) else origin,
        atom_set,
        graph_of(atom_set.segments, n),
        np.rint(total(estimated.households)).astype(np.int64),
        np.rint(total(bounded)).astype(np.int64),
        total(estimated.work),
    )


def _cut_given(sources: Sources, estimated: Households) -> Cut:
    """Atoms taken as they are: their own households count, not those of any buildings."""
    assert sources.atoms is not None
    atom_set = atoms_from_given(sources)
    households = sources.atoms.households
    work = np.where(np.isfinite(sources.atoms.work), sources.atoms.work, households).astype(np.float64)
    graph = graph_of(atom_set.segments, len(atom_set.geometry))
    return Cut(sources, estimated, "atoms", atom_set, graph, households, households, work)


def communities_of(made: Cut) -> Areas | None:
    """The communities given: their own layer, or the ``community`` column of given atoms; None: there are none."""
    sources, atoms = made.sources, made.sources.atoms
    if len(sources.communities):
        return sources.communities
    if atoms is None or not any(atoms.community):
        return None
    number = made.atom_set.community
    first = np.unique(number, return_index=True)[1]
    members = [shapely.coverage_union_all(made.atom_set.geometry[at]) for at in members_of(number, len(first))]
    labels = list(atoms.community[first])
    return make_areas(members, source_id=labels, code=labels, name=labels)


def solve(made: Cut, job: Job, progress: Progress = silent, answers: Answers | None = None) -> Plan:
    """Grids for the atoms of a cut, on the processes or the cluster of the job. ``answers``: what is known."""
    groups = made.sources.villager_groups
    areas = communities_of(made)
    with runner_of(job.workers, job.scheduler) as runner:
        return make_plan(
            made.atom_set,
            made.graph,
            made.households,
            made.counted,
            made.work,
            areas,
            job.ruleset,
            villager_groups=groups if len(groups) else None,
            compounds=made.sources.compounds,
            places=places_of(made.atom_set, made.households, made.sources.buildings, made.sources.sites, job.ruleset),
            grids=numbers_asked(job.grids, areas),
            seed=job.seed,
            iterations=job.iterations,
            seconds=job.seconds,
            progress=progress,
            runner=runner if answers is None else answers.around(runner),
        )


def about(made: Cut, job: Job) -> dict[str, str]:
    """What the plan of a cut depends on, for its checkpoint."""
    sources = made.sources
    columns = (made.households, made.counted, made.work, made.estimated.households)
    areas = (sources.communities, sources.villager_groups, sources.sites, sources.compounds)
    return depends_on(job.ruleset, job.seed, made.atom_set, made.graph, columns, areas, job.grids)


def checkpoint_of(output: str | Path) -> Path:
    """Where the answers of an unfinished plan lie: beside its output."""
    return Path(output).with_name(f".{Path(output).name}.resume")


def plan_file(
    source: str | Path,
    output: str | Path,
    job: Job,
    *,
    territory: str | Path | None = None,
    to_crs: str | None = None,
    report: str | Path | None = None,
    lots: str | Path | None = None,
    progress: Progress = silent,
) -> Outcome:
    """Read a map file, cut it into grids, write the plan file and, where asked, the report.

    ``to_crs`` re-projects what is written, never what is measured; ``lots`` is a CSV sample to which the estimate of
    households is fitted. Raises :class:`InputError` before anything is
    written when the input, the output's place or ``to_crs`` is at fault.
    """
    require_writable(source, output, report)
    if to_crs is not None:
        parsed(to_crs)
    fitted = None if lots is None else calibrated(lots)
    clock = Clock()
    with clock.step("read"):
        progress("read", 0.0)
        sources = prepare(read_sources(source, territory, progress))
        progress("read", 1.0, f"{len(sources.buildings):,} + {len(sources.streets):,}")
    with clock.step("blocks"):
        made = cut(sources, job.ruleset, rule=None if fitted is None else fitted.rule, progress=progress)
        progress("atoms", 1.0, f"{len(made.atom_set.geometry):,}")
    with answering(checkpoint_of(output), about(made, job), job.resume, progress) as answers:
        with clock.step("solve"):
            plan = solve(made, job, progress, answers)
        with clock.step("write"):
            progress("write", 0.0)
            words = bounds_columns(sources, made.atom_set, plan)
            tables = tables_of(sources, made.atom_set, plan, made.estimated, made.households, made.work, words)
            second = second_level(made, plan, progress)
            if second is not None:
                tables |= second[0]
            write_plan(output, tables, made.atom_set.crs, to_crs=to_crs, attribution=sources.attribution)
        with clock.step("measure"):
            measured = report_of(made.atom_set, plan)
        figures = {
            **measured,
            **_about(made, tables, source),
            "micro": None if second is None else second[1],
            "households_rule": asdict(Rule() if fitted is None else fitted.rule),
            "calibration": None if fitted is None else {k: v for k, v in asdict(fitted).items() if k != "rule"},
            **run_figures(clock, job.workers or 1),
        }
        place_figures(figures, job.ruleset)
        share_run_figures(figures)
        if report is not None:
            write_json(Path(report), figures)
        answers.done = not plan.stopped
    progress("write", 1.0)
    return Outcome(made, plan, figures, answers.kept)


def second_level(made: Cut, plan: Plan, progress: Progress = silent) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Layers and report of the micro-grids, where the rules want them and the input has buildings."""
    buildings = made.sources.buildings
    found = micro_of(buildings, made.estimated, made.atom_set, plan, made.sources.compounds, progress)
    if found is None:
        return None
    micro, homes, rows = found
    layers = micro_tables(micro, homes, buildings, rows, made.atom_set, plan.grids.code)
    return layers, micro_report(micro, homes, layers["micro_grids"].code.to_numpy())


def calibrated(lots: str | Path) -> Calibration:
    """The estimate of households fitted to a deployment's own sample, with its error."""
    sample = read_lots(lots)
    known = int(np.count_nonzero((sample.residential_area > 0) & (sample.dwellings > 0)))
    if known < LEAST_LOTS:
        raise InputError("lots.too_few", file=Path(lots).name, count=known)
    return calibrate(sample)


def _about(made: Cut, tables: dict[str, Any], source: str | Path) -> dict[str, Any]:
    """What the report says of the input."""
    left_out = tables["excluded"]
    kept = made.atom_set.building_atom >= 0
    sums: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for origin, count in zip(made.estimated.source[kept], made.estimated.households[kept], strict=True):
        sums[str(origin)] += int(count)
        rows[str(origin)] += 1
    return {
        "input": Path(source).name,
        "input_sha256": made.sources.digest,
        "attribution": made.sources.attribution,
        "crs": made.atom_set.crs,
        "territory": made.origin,
        "atoms": len(made.atom_set.geometry),
        "blocks": int(made.atom_set.block.max()) + 1,
        "buildings": int(kept.sum()),
        "households_source": {k: {"buildings": rows[k], "households": sums[k]} for k in sorted(rows)},
        "excluded": [
            {"layer": layer, "reason": reason, "features": len(group), "households": int(group.households.sum())}
            for (layer, reason), group in left_out.groupby(["layer", "reason"])
        ],
    }


def require_writable(source: str | Path, output: str | Path, report: str | Path | None) -> None:
    """Raise :class:`InputError` unless the output can be written and is not the input."""
    out = Path(output)
    if out.suffix.lower() != ".gpkg":
        raise InputError("plan_file.not_gpkg", file=str(output))
    for file in (out, *([] if report is None else [Path(report)])):
        if not file.parent.is_dir() or not os.access(file.parent, os.W_OK) or file.is_dir():
            raise InputError("plan_file.not_written", file=str(file), detail=str(file.parent))
        if file.exists() and Path(source).exists() and file.samefile(source):
            raise InputError("plan_file.same_file", file=str(file))


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a report, whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(values, ensure_ascii=False, indent=1, default=_plain) + "\n", encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else str(value)


def cpu_seconds() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


#: Figures of the run, which a community's part of the report repeats so that it can be read alone.
_OF_THE_RUN: Final = ("seconds", "cpu_seconds", "peak_mb", "seed", "iterations", "ruleset", "version")


def run_figures(clock: Clock, workers: int = 1) -> dict[str, Any]:
    """What the run took: seconds of each step, processor seconds, memory, and the version that ran."""
    return {
        "seconds": {k: round(v, 3) for k, v in clock.seconds.items()},
        "cpu_steps": {k: round(v, 3) for k, v in clock.cpu.items()},
        "cpu_seconds": round(cpu_seconds(), 3),
        "peak_mb": round(peak_mb(workers), 1),
        "version": VERSION,
    }


def share_run_figures(report: dict[str, Any]) -> None:
    """Repeat the figures of the run in each community of a report: they are the whole run's, not its part."""
    for community in report["communities"]:
        community |= {name: report[name] for name in _OF_THE_RUN}


def peak_mb(workers: int = 1) -> float:
    """Peak resident megabytes of this process, and of its largest child as often as there are workers."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, child = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (own + child * (workers if workers > 1 else 1)) * unit / 1e6
