"""``./wangge score``: grids drawn elsewhere, measured like our own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.adjusting import options, run, words


@click.command(help=words("score"))
@click.argument("subject", metavar="FOREIGN")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@options(score=True, database=False)
def score(subject: str, source: Path, **asked: Any) -> None:
    """Score a layer of grids drawn elsewhere."""
    run("score", subject, source, asked)
