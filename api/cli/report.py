"""``./wangge report``: a plan file as one offline HTML map."""

from __future__ import annotations

from pathlib import Path

import click

from api.messages import LANGUAGES, shell_language, text


@click.command()
@click.argument("plan", metavar="PLAN.gpkg", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="HTML file to write.")
@click.option("--figures", type=click.Path(path_type=Path), help="The plan's JSON report: adds bounds, proof, names.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh-CN", show_default=True, help="Words of the page."
)
def report(plan: Path, output: Path, figures: Path | None, language: str) -> None:
    """Write a plan as one HTML file with its map inside: opens anywhere, asks no server for anything."""
    from api.services.plans.report import write_report

    page = write_report(plan, output, figures=figures, language=language)
    click.echo(
        text("report.done", shell_language(), file=page.path, grids=page.grids, size=f"{page.bytes / 1e6:.1f}")
    )
