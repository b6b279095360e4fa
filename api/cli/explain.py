"""``./wangge explain``: why each border of a plan is where it is, and why each exception cannot be met."""

from __future__ import annotations

from pathlib import Path

import click

from api.messages import LANGUAGES, shell_language, text


@click.command()
@click.argument("plan", metavar="PLAN.gpkg", type=click.Path(path_type=Path), required=False)
@click.option("--territory", metavar="NAME", help="A plan in the database instead of a file.")
@click.option("--version", "number", type=click.IntRange(1), help="Its version; the newest where it is left out.")
@click.option(
    "--grid", "grids", multiple=True, metavar="CODE", help="Only what concerns this grid (may be repeated)."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write figures and sentences as JSON.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the text to a file instead.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Words; the shell's where it is left out.")
def explain(
    plan: Path | None,
    territory: str | None,
    number: int | None,
    grids: tuple[str, ...],
    json_file: Path | None,
    output: Path | None,
    language: str | None,
) -> None:
    """Say for every border of a plan why it is there, and for every grid out of range why it cannot be met."""
    if (plan is None) == (territory is None):
        raise click.UsageError(text("explain.file_or_territory", shell_language()))
    from api.services.plans.explaining import explain_file, lines_of, save

    spoken = language or shell_language()
    if plan is not None:
        found = explain_file(plan, spoken, grids)
    else:
        from api.cli.store import opened
        from api.services.plans.stored_plans import explain_version

        with opened() as engine:
            found = explain_version(engine, str(territory), number, spoken, grids)
    save(found, spoken, as_text=output, as_json=json_file)
    if output is None:
        for line in lines_of(found, spoken):
            click.echo(line)
        return
    counts = {"borders": len(found.borders), "exceptions": len(found.exceptions)}
    click.echo(text("explain.done", shell_language(), file=output, **counts))
