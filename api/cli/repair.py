"""``./wangge repair``: see the help of the command, which the catalogues hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.adjusting import options, run, words


@click.command(help=words("repair"))
@click.argument("subject")
@click.argument("source", metavar="[INPUT]", required=False, type=click.Path(path_type=Path))
@options()
@click.option("--layer", type=click.Path(path_type=Path), help=words("layer"))
def repair(subject: str, source: Path | None, layer: Path | None, **asked: Any) -> None:
    """Mend a plan drawn by hand, of a file or of the database."""
    run("repair", subject, source, asked, layer)
