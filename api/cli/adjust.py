"""``./wangge adjust``: see the help of the command, which the catalogues hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.adjusting import options, run, words


@click.command(help=words("adjust"))
@click.argument("subject")
@click.argument("source", metavar="[INPUT]", required=False, type=click.Path(path_type=Path))
@options()
def adjust(subject: str, source: Path | None, **asked: Any) -> None:
    """Adjust a plan 动态调整, of a file or of the database."""
    run("adjust", subject, source, asked)
