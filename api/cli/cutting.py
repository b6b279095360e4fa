"""``./wangge check``, ``blocks`` and ``atoms``: the steps before a plan, each by itself, without a database."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from api.messages import shell_language, text

_SOURCE = click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
_OUTPUT = click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="GeoPackage to write.")
_RULESET = click.option("--ruleset", default="default", show_default=True, help="Rules by name, or a TOML file.")


@click.command()
@_SOURCE
@click.option("--territory", type=click.Path(path_type=Path), help="File with the area to plan, as a polygon.")
@click.option("--list", "every", is_flag=True, help="Name every feature that is left out.")
def check(source: Path, territory: Path | None, every: bool) -> None:
    """Check a map file: what it holds, what would be left out and why.

    Exit status 2 when it cannot be used at all.
    """
    from api.cli.store import progressing
    from api.services.plans import cutting

    with progressing() as progress:
        found = cutting.check_file(source, territory, progress)
    language = shell_language()
    click.echo(text("check.crs", language, file=source, crs=found.crs))
    for name, count in found.features.items():
        click.echo(text("check.layer", language, layer=name, count=f"{count:,}"))
    for origin, count in found.households.items():
        click.echo(text("check.households", language, source=text(f"check.{origin}", language), count=f"{count:,}"))
    groups = Counter((e.layer, e.reason) for e in found.excluded)
    for (name, reason), count in sorted(groups.items()):
        why = text(f"excluded.{reason}", language)
        click.echo(text("check.excluded", language, layer=name, count=count, reason=why))
    for e in found.excluded if every else ():
        click.echo(f"{e.layer}\t{e.source_id}\t{text(f'excluded.{e.reason}', language)}")


@click.command()
@_SOURCE
@_OUTPUT
@_RULESET
def blocks(source: Path, output: Path, ruleset: str) -> None:
    """Write the blocks that streets, water, railways and walls enclose, with their households."""
    from api.cli.store import progressing
    from api.services.plans import cutting, planning

    with progressing() as progress:
        made = cutting.blocks_file(source, output, planning.ruleset_of(ruleset), progress)
    click.echo(
        text("blocks.written", shell_language(), file=output, blocks=f"{made.blocks:,}", households=made.households)
    )


@click.command()
@_SOURCE
@_OUTPUT
@_RULESET
def atoms(source: Path, output: Path, ruleset: str) -> None:
    """Write the atoms (one cell a building) and the borders they share; the file can be given to `plan`."""
    from api.cli.store import progressing
    from api.services.plans import cutting, planning

    with progressing() as progress:
        made = cutting.atoms_file(source, output, planning.ruleset_of(ruleset), progress)
    language = shell_language()
    click.echo(text("atoms.written", language, file=output, atoms=f"{made.atoms:,}", edges=f"{made.edges:,}"))
