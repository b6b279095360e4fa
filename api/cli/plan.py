"""``./wangge plan``: a map file into a plan file, without a database."""

from __future__ import annotations

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
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same plan.")
@click.option("--crs", metavar="EPSG:n", help="Re-project what is written (never what is measured).")
@click.option("--iterations", type=click.IntRange(1), help="Rounds of search: repeatable to the byte.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="Search so long; the report says how far.")
@click.option("--workers", type=click.IntRange(1), help="Processes; the plan is the same with any number.")
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
    seed: int,
    crs: str | None,
    iterations: int | None,
    seconds: float | None,
    workers: int | None,
    lots: Path | None,
    report: Path | None,
) -> None:
    """Cut a map file (.osm.pbf, .osm, .osm.gz or .gpkg) into responsibility grids 网格.

    Exit status 0: the plan meets its rules, or every exception is proven; 3: rules missed, each named;
    2: the input cannot be used, nothing is written.
    """
    if iterations is not None and seconds is not None:
        raise click.UsageError(text("plan.iterations_or_seconds", shell_language()))
    from api.cli.progress import PATIENCE, ConsoleProgress
    from api.services.planning import Job, plan_file, ruleset_of

    progress = ConsoleProgress(patience=PATIENCE)
    job = Job(ruleset_of(ruleset, minimum, maximum, target), seed, iterations, seconds, workers)
    try:
        outcome = plan_file(
            source, output, job, territory=territory, to_crs=crs, report=report, lots=lots, progress=progress
        )
    finally:
        progress.close()
    for line in summary(outcome.report, output, shell_language()):
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
    from api.services.rules import rule_notes

    lines += rule_notes(report, language)
    if not report["communities_given"]:
        lines.append(text("plan.communities_made", language, count=len(report["communities"])))
    return lines
