"""``./wangge rebase``: see the help of the command, which the catalogues hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from api.cli.adjusting import options, run, words


@click.command(help=words("rebase"))
@click.argument("subject")
@click.argument("source", metavar="[INPUT]", required=False, type=click.Path(path_type=Path))
@options(mend=True)
def rebase(subject: str, source: Path | None, **asked: Any) -> None:
    """Carry a plan onto newer sources, of a file or of the database."""
    run("rebase", subject, source, asked)
