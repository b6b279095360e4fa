"""``./wangge partition``: plan the grids of a territory in the database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.messages import shell_language, text

if TYPE_CHECKING:
    from api.services.plans.partitioning import Partitioned


@click.command()
@click.argument("territory")
@click.option("--ruleset", default="default", show_default=True, help="Rules by name, or a TOML file.")
@click.option("--min", "minimum", type=click.IntRange(1), help="Least households of a grid.")
@click.option("--max", "maximum", type=click.IntRange(1), help="Most households of a grid.")
@click.option("--target", type=click.IntRange(1), help="Households aimed at.")
@click.option("--micro", is_flag=True, help="Micro-grids 微网格 too, made when the plan is published.")
@click.option("--grids", multiple=True, metavar="[COMMUNITY=]N", help="Number of grids of each community, or of one.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same plan.")
@click.option("--iterations", type=click.IntRange(1), help="Rounds of search: repeatable to the byte.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Search so long; the report says how far.")
@click.option("--workers", type=click.IntRange(1), help="Processes; the plan is the same with any number.")
@click.option("--scheduler", metavar="URL", help="Dask cluster that does the work: tcp://HOST:8786.")
@click.option("--resume", is_flag=True, help="Only go on with a run that was killed, never start anew.")
@click.option("--plan", "plan_name", default="main", show_default=True, help="Plan to which a version is added.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the measures as JSON.")
def partition(
    territory: str,
    ruleset: str,
    minimum: int | None,
    maximum: int | None,
    target: int | None,
    micro: bool,
    grids: tuple[str, ...],
    seed: int,
    iterations: int | None,
    seconds: float | None,
    workers: int | None,
    scheduler: str | None,
    resume: bool,
    plan_name: str,
    report: Path | None,
) -> None:
    """Plan grids 网格 for a territory in the database and keep them as a draft: nothing is public yet.

    Exit status 0: the plan meets its rules, or every exception is proven; 3: rules missed, each named.
    Ctrl-C while grids are planned keeps the best plan so far; before that nothing is kept, and the status is 130.
    """
    if workers is not None and scheduler is not None:
        raise click.UsageError(text("plan.workers_or_scheduler", shell_language()))
    if iterations is not None and seconds is not None:
        raise click.UsageError(text("plan.iterations_or_seconds", shell_language()))
    from api.cli.planning_options import progressing, stopped_lines, wanted
    from api.cli.store import actor, opened
    from api.services.plans import partitioning
    from api.services.plans.planning import Job, ruleset_of, write_json

    job = Job(ruleset_of(ruleset, minimum, maximum, target, micro=micro), seed, iterations, seconds, workers)
    job = replace(job, scheduler=scheduler, resume=resume, grids=wanted(grids, shell_language()))
    with opened() as engine, progressing() as progress:
        done = partitioning.partition(engine, territory, job, plan_name=plan_name, actor=actor(), progress=progress)
    if report is not None:
        write_json(report, done.report)
    lines = summary(territory, done, shell_language())
    for line in [*lines, *stopped_lines(done.report, done.kept, shell_language())]:
        click.echo(line)
    click.get_current_context().exit(done.exit_status)


def summary(territory: str, done: Partitioned, language: str) -> list[str]:
    """The lines a person reads at the end: what was made, and which rules were missed."""
    report = done.report

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    lines = [
        text(
            "store.planned",
            language,
            territory=territory,
            number=done.number,
            grids=report["grids"],
            households=f"{report['households']:,}",
        ),
        text(
            "plan.measures",
            language,
            range=percent(report["in_range_share"]),
            street=percent(report["on_street_share"]),
            whole=percent(report["contiguous_share"]),
            seconds=f"{sum(report['seconds'].values()):.1f}",
        ),
    ]
    shown = report["exceptions"][:10]
    for row in shown:
        reason = text(f"exception_{row['reason']}", language)
        lines.append(text("plan.exception", language, grid=row["grid"], households=row["households"], reason=reason))
    if len(report["exceptions"]) > len(shown):
        lines.append(text("plan.more_exceptions", language, count=len(report["exceptions"]) - len(shown)))
    return lines
