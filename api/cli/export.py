"""``./wangge export``: what is planned or published, as files for other programs and for people."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from api.cli import export_files
from api.cli.export_pmtiles import pmtiles
from api.messages import LANGUAGES, shell_language, text


@click.group()
def export() -> None:
    """Export plans and what is published."""


@export.command()
@click.argument("plan", metavar="[PLAN.gpkg]", required=False, type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="XLSX file to write.")
@click.option("--territory", help="Of what is published there, instead of a plan file.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As in force on that day (else today).")
@click.option("--title", help="What stands over every page (else the name of the file or territory).")
@click.option("--language", type=click.Choice(LANGUAGES), default="zh-CN", show_default=True, help="Its words.")
def ledger(
    plan: Path | None, output: Path, territory: str | None, as_of: datetime | None, title: str | None, language: str
) -> None:
    """Write the ledger of grids 网格台账: one row a grid, with its four bounds 四至, buildings, streets and people.

    A second sheet lists every street on a border and the one grid that answers for it.
    """
    from api.services.plans import ledger as ledgers

    if (plan is None) == (territory is None):
        raise click.UsageError(text("ledger.one_source", shell_language()))
    if plan is not None:
        found = ledgers.of_plan_file(plan, language)
    else:
        from api.cli.store import opened

        with opened() as engine:
            day = None if as_of is None else as_of.date()
            found = ledgers.of_published(engine, str(territory), as_of=day, language=language)
    count = ledgers.write(ledgers.with_title(found, title), output, language)
    click.echo(text("ledger.done", shell_language(), file=output, grids=count))


for command in (*export_files.commands(), pmtiles):
    export.add_command(command)
