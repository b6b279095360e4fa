"""``./wangge plan``: a map file into a plan file, without a database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from api.messages import shell_language, text


@click.command()
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="GeoPackage to write.")
@click.option("--territory", type=click.Path(path_type=Path), help="File with the area to plan, as a polygon.")
@click.option("--ruleset", default="default", show_default=True, help="Rules by name, or a TOML file.")
@click.option("--min", "minimum", type=click.IntRange(1), help="Least households of a grid.")
@click.option("--max", "maximum", type=click.IntRange(1), help="Most households of a grid.")
@click.option("--target", type=click.IntRange(1), help="Households aimed at.")
@click.option(
    "--micro", is_flag=True, help="Micro-grids 微网格 too, of 10-15 households where the rules say nothing."
)
@click.option("--grids", multiple=True, metavar="[COMMUNITY=]N", help="Number of grids of each community, or of one.")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same plan.")
@click.option("--crs", metavar="EPSG:n", help="Re-project what is written (never what is measured).")
@click.option("--iterations", type=click.IntRange(1), help="Rounds of search: repeatable to the byte.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Search so long; the report says how far.")
@click.option("--workers", type=click.IntRange(1), help="Processes; the plan is the same with any number.")
@click.option("--scheduler", metavar="URL", help="Dask cluster that does the work: tcp://HOST:8786.")
@click.option("--resume", is_flag=True, help="Only go on with a run that was killed, never start anew.")
@click.option("--lots", type=click.Path(path_type=Path), help="CSV of lots to fit the estimate to.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the measures as JSON.")
def plan(
    source: Path,
    output: Path,
    territory: Path | None,
    ruleset: str,
    minimum: int | None,
    maximum: int | None,
    target: int | None,
    micro: bool,
    grids: tuple[str, ...],
    seed: int,
    crs: str | None,
    iterations: int | None,
    seconds: float | None,
    workers: int | None,
    scheduler: str | None,
    resume: bool,
    lots: Path | None,
    report: Path | None,
) -> None:
    """Cut a map file (.osm.pbf, .osm, .osm.gz or .gpkg) into responsibility grids 网格.

    Exit status 0: the plan meets its rules, or every exception is proven; 3: rules missed, each named;
    2: the input cannot be used, nothing is written. Ctrl-C while grids are planned writes the best plan so far
    (status 0 or 3, as it deserves); before or after that nothing is written, and the status is 130. A run that was
    killed goes on where it was when the same command is given again.
    """
    if workers is not None and scheduler is not None:
        raise click.UsageError(text("plan.workers_or_scheduler", shell_language()))
    if iterations is not None and seconds is not None:
        raise click.UsageError(text("plan.iterations_or_seconds", shell_language()))
    from api.cli.planning_options import progressing, stopped_lines, wanted
    from api.services.plans.planning import Job, plan_file, ruleset_of

    job = Job(ruleset_of(ruleset, minimum, maximum, target, micro=micro), seed, iterations, seconds, workers)
    job = replace(job, scheduler=scheduler, resume=resume, grids=wanted(grids, shell_language()))
    with progressing() as progress:
        outcome = plan_file(
            source, output, job, territory=territory, to_crs=crs, report=report, lots=lots, progress=progress
        )
    lines = summary(outcome.report, output, shell_language())
    for line in [*lines, *stopped_lines(outcome.report, outcome.kept, shell_language())]:
        click.echo(line)
    click.get_current_context().exit(outcome.exit_status)


def summary(report: dict[str, Any], output: Path, language: str) -> list[str]:
    """The lines a person reads at the end: what was made, what was left out, which rules were missed."""

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    lines = [
        text(
            "plan.summary",
            language,
            file=output,
            grids=report["grids"],
            households=f"{report['households']:,}",
            buildings=f"{report['buildings']:,}",
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
    for row in report["excluded"]:
        lines.append(
            text(
                "plan.excluded",
                language,
                layer=row["layer"],
                count=row["features"],
                households=row["households"],
                reason=text(f"excluded.{row['reason']}", language),
            )
        )
    shown = report["exceptions"][:10]
    for row in shown:
        reason = text(f"exception_{row['reason']}", language)
        lines.append(text("plan.exception", language, grid=row["grid"], households=row["households"], reason=reason))
    if len(report["exceptions"]) > len(shown):
        lines.append(text("plan.more_exceptions", language, count=len(report["exceptions"]) - len(shown)))
    if report.get("micro"):
        lines += micro_summary(report["micro"], language)
    from api.services.plans.rules import rule_notes

    lines += rule_notes(report, language)
    if not report["communities_given"]:
        lines.append(text("plan.communities_made", language, count=len(report["communities"])))
    return lines


def micro_summary(micro: dict[str, Any], language: str) -> list[str]:
    """The lines about micro-grids: how many, and why some are out of their bounds."""
    bounds = micro["bounds"]
    share = "-" if micro["in_range_share"] is None else f"{100 * micro['in_range_share']:.1f} %"
    lines = [
        text(
            "micro.summary",
            language,
            count=f"{micro['micro_grids']:,}",
            grids=micro["grids"],
            least=bounds["minimum"],
            most=bounds["maximum"],
            range=share,
        )
    ]
    for reason, count in micro["reasons"].items():
        lines.append(text("micro.missed", language, count=count, reason=text(f"micro.{reason}", language)))
    return lines
