"""Adjust, repair, rebase and score plans of files: grids drawn before meet new sources, and change the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from api.messages import text
from api.services.plans import planning
from api.services.plans.planning import Clock, Cut, Job
from api.services.wording import bounds_columns
from data.drawn_files import has_micro, read_drawn
from data.files import read_sources
from data.move_files import Move, write_moves
from data.outputs import require_writable
from data.plan_files import tables_of, write_plan
from gis.districting import carry as carrying
from gis.districting.adjust_plan import Adjustment, Linked, Proposal, adjust_plan
from gis.districting.carry import Carried, Drawn
from gis.districting.microgrids import USUAL
from gis.districting.model import Plan
from gis.districting.report import report_of
from gis.districting.standing import Base, base_of, plan_of
from gis.errors import InputError
from gis.progress import Progress, silent
from gis.territory.check import prepare
from gis.territory.model import Texts

#: adjust: new households, the fewest moves; repair: a plan drawn by hand; rebase: carried, mended only when asked;
#: score: measured as it is.
Task = Literal["adjust", "repair", "rebase", "score"]
#: Which option is taken: by name, or by its number from 1.
CHOICES: Final = ("least", "priced", "free")


@dataclass(frozen=True)
class Change:
    """What is asked of an adjustment. ``choose``: one of ``CHOICES`` or a number; ``mend``: rules are to be met."""

    locked: Sequence[str] = ()
    choose: str | int = "priced"
    mend: bool = True
    frontier: bool = True


@dataclass(frozen=True)
class Adjusted:
    """The plan taken, its report, the list of moves, and the exit status of the contract."""

    plan: Plan
    report: dict[str, Any]
    moves: list[Move]
    exit_status: int


@dataclass(frozen=True)
class Changed:
    """A plan made from drawn grids, before it is written. ``adjustment`` is None where nothing was mended."""

    plan: Plan
    label: Any
    adjustment: Adjustment | None
    proposal: Proposal | None
    report: dict[str, Any]


def change_file(
    drawn_path: str | Path,
    source: str | Path,
    output: str | Path | None,
    job: Job,
    change: Change,
    *,
    task: Task,
    territory: str | Path | None = None,
    moves: Path | None = None,
    report: Path | None = None,
    language: str = "zh-CN",
    progress: Progress = silent,
) -> Adjusted:
    """Carry the grids of ``drawn_path`` onto the atoms of ``source``, mend them where asked, write what comes out.

    Raises :class:`InputError` before anything is written when a file or a locked code is at fault.
    """
    _require_places(drawn_path, source, output, moves, report)
    clock = Clock()
    with clock.step("read"):
        progress("read", 0.0)
        sources = prepare(read_sources(source, territory, progress))
    with clock.step("blocks"):
        made = planning.cut(sources, job.ruleset, progress=progress)
    with clock.step("carry"):
        drawn = read_drawn(drawn_path, made.atom_set.crs)
        households = made.estimated.households.astype(np.float64)
        carried = carrying.carry(made.atom_set, list(sources.buildings.source_id), households, drawn)
        if carried.untold == len(carried.home):
            raise InputError("drawn.elsewhere", file=Path(drawn_path).name, other=Path(source).name)
        base = _base(made, drawn, carried, job)
    with clock.step("solve"):
        done = changed(base, change, job, progress)
    moved = building_moves(made, drawn, carried, done)
    figures = {
        **done.report,
        "task": task,
        "input": Path(source).name,
        "drawn": Path(drawn_path).name,
        "crs": made.atom_set.crs,
        "attribution": sources.attribution,
        "atoms": len(made.atom_set.geometry),
        "carried": {"by_building": carried.by_building, "by_area": carried.by_area, "untold": carried.untold},
        "buildings": {c: sum(m.change == c for m in moved) for c in ("moved", "new", "gone")},
    }
    if task in ("score", "repair"):
        figures["as_drawn"] = as_drawn(made, drawn)
    if output is not None:
        with clock.step("write"):
            second = _write(Path(output), made, done.plan, drawn, done.label, micro=has_micro(drawn_path))
            figures["micro"] = second
    figures |= planning.run_figures(clock)
    planning.share_run_figures(figures)
    if moves is not None:
        write_moves(moves, moved, headings(language), title=text("moves.title", language))
    if report is not None:
        planning.write_json(report, figures)
    return Adjusted(done.plan, figures, moved, done.plan.exit_status)


def _require_places(
    drawn: str | Path, source: str | Path, output: str | Path | None, moves: Path | None, report: Path | None
) -> None:
    if output is not None:
        planning.require_writable(source, output, report)
        planning.require_writable(drawn, output, report)
    for file in (moves, report):
        if file is not None:
            require_writable(file)
    if moves is not None and moves.suffix.lower() not in (".csv", ".xlsx"):
        raise InputError("drawn.moves_kind", file=moves.name)


def _base(made: Cut, drawn: Drawn, carried: Carried, job: Job) -> Base:
    groups = made.sources.villager_groups
    return base_of(
        made.atom_set,
        made.graph,
        made.households,
        made.counted,
        made.work,
        planning.communities_of(made),
        groups if len(groups) else None,
        job.ruleset,
        drawn,
        carried.home,
    )


def changed(base: Base, change: Change, job: Job, progress: Progress = silent) -> Changed:
    """The plan that the drawn grids become: mended with the fewest moves, or as they were drawn."""
    places = {str(c): g for g, c in enumerate(base.drawn.code)}
    unknown = [c for c in change.locked if c not in places]
    if unknown:
        raise InputError("drawn.unknown_locked", grid=", ".join(unknown[:5]))
    locked = [places[c] for c in change.locked]
    if not change.mend:
        label = filled(base)
        plan = plan_of(base, label, job.seed, reason="drawn", locked=locked)
        return Changed(plan, label, None, None, report_of(base.atom_set, plan))
    found = adjust_plan(
        base, locked=locked, price=job.ruleset.moved, frontier=change.frontier, seed=job.seed, progress=progress
    )
    proposal = found.chosen(change.choose)
    plan = found.plan(proposal, job.seed)
    report = {**report_of(base.atom_set, plan), **adjustment_report(found, proposal, plan)}
    return Changed(plan, proposal.label, found, proposal, report)


def filled(base: Base) -> Any:
    """The drawn grid of every atom; one without goes to the neighbour it shares most with."""
    from gis.districting.rural import fill

    label = fill(base.units, base.home)
    return np.where(label < 0, len(base.drawn), label)


def adjustment_report(found: Adjustment, taken: Proposal, plan: Plan) -> dict[str, Any]:
    """What was at fault, what may be chosen, which grids changed together and why."""
    old = [str(c) for c in found.base.drawn.code]
    used = np.unique(taken.label)
    name = {int(g): str(plan.grids.code[i]) for i, g in enumerate(used)} | dict(enumerate(old))
    return {
        "price_of_a_move": found.base.ruleset.moved,
        "at_fault": [old[g] for g in found.at_fault],
        "excess": found.excess,
        "shortage": found.shortage,
        "moved_lower_bound": found.lower_bound,
        "moved_unit_bound": found.unit_bound,
        "moved_households": taken.moved,
        "chosen": found.proposals.index(taken) + 1,
        "options": [
            {
                "number": i,
                "name": p.name,
                "moved_households": p.moved,
                "objective": p.cost,
                "out_of_range": p.amiss,
                "grids_changed": len({g for c in p.chains for g in c.grids}),
                "opened": len(p.opened),
                "ended": [old[g] for g in p.ended],
            }
            for i, p in enumerate(found.proposals, 1)
        ],
        "opened": [name[g] for g in taken.opened],
        "ended": [old[g] for g in taken.ended],
        "locked": [old[g] for g in found.locked],
        "chains": [_chain(chain, name) for chain in taken.chains],
    }


def _chain(chain: Linked, name: dict[int, str]) -> dict[str, Any]:
    return {
        "grids": [name[g] for g in chain.grids],
        "at_fault": [name[g] for g in chain.at_fault],
        "proven": chain.proven,
        "steps": [
            {"from": name[s.giver], "to": name[s.taker], "atoms": len(s.atoms), "households": s.households}
            for s in chain.steps
        ],
    }


def building_moves(made: Cut, drawn: Drawn, carried: Carried, done: Changed) -> list[Move]:
    """Every building whose grid is another than before, every new one, every one that is gone."""
    buildings, estimated = made.sources.buildings, made.estimated
    code = done.plan.grids.code[done.plan.assignment]
    out: list[Move] = []
    for b, atom in enumerate(made.atom_set.building_atom.tolist()):
        if atom < 0:
            continue
        own = str(buildings.source_id[b])
        before = drawn.buildings.get(own, int(carried.home[atom]) if not drawn.buildings else -1)
        old = str(drawn.code[before]) if before >= 0 else ""
        new = str(code[atom])
        if old != new:
            households = int(estimated.households[b])
            change = "moved" if old else "new"
            out.append(Move(own, str(buildings.name[b]), _address(buildings, b), households, old, new, change))
    there = {str(s) for s in buildings.source_id}
    gone = sorted(set(drawn.buildings) - there)
    return out + [Move(own, "", "", 0, str(drawn.code[drawn.buildings[own]]), "", "gone") for own in gone]


def _address(buildings: Any, b: int) -> str:
    number = str(buildings.housenumber[b])
    return f"{buildings.street[b]}{number}" if number else ""


def as_drawn(made: Cut, drawn: Drawn) -> dict[str, Any]:
    """The measures of polygons as they were drawn, in square metres, before they are snapped to atoms."""
    found = carrying.fit(made.atom_set, drawn)
    return {
        "grids": len(drawn),
        "area_m2": round(found.area, 2),
        "gap_m2": round(found.gap, 2),
        "overlap_m2": round(found.overlap, 2),
        "outside_m2": round(found.outside, 2),
        "seamless": found.seamless,
        "grids_in_pieces": list(found.in_pieces),
        "compactness_mean": float(carrying.compactness(drawn).mean()) if len(drawn) else None,
    }


def _write(output: Path, made: Cut, plan: Plan, drawn: Drawn, label: Any, *, micro: bool) -> dict[str, Any] | None:
    """The plan file; grids that go on keep their ``grid_id``. What is told of its micro-grids.

    It has them where the rules want them, or, with ``micro``, by the usual rule where the plan before had them.
    """
    sources = made.sources
    words = bounds_columns(sources, made.atom_set, plan)
    tables = tables_of(sources, made.atom_set, plan, made.estimated, made.households, made.work, words)
    wanted = plan.ruleset.micro or (USUAL if micro else None)
    second = planning.second_level(made, replace(plan, ruleset=replace(plan.ruleset, micro=wanted)))
    if second is not None:
        tables |= second[0]
    tables["grids"]["grid_id"] = kept_ids(tables["grids"]["grid_id"], drawn, label)
    write_plan(output, tables, made.atom_set.crs, attribution=sources.attribution)
    return None if second is None else second[1]


def kept_ids(made: Sequence[str], drawn: Drawn, label: Any) -> Texts:
    """Ids of the grids of a plan: those they had, else those made for it."""
    used = np.unique(label)
    kept = [str(drawn.grid_id[g]) if g < len(drawn) else "" for g in used]
    return np.array([old or str(new) for old, new in zip(kept, made, strict=True)], object)


def headings(language: str) -> dict[str, str]:
    """Words for the columns of the list of moves."""
    columns = ("source_id", "name", "address", "households", "old_grid", "new_grid", "change")
    return {c: text(f"moves.{c}", language) for c in columns}
