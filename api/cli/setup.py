"""``./wangge setup``: install what the machine lacks, without running anything."""

from __future__ import annotations

import time

import click

from api.cli.progress import ConsoleProgress
from api.messages import shell_language, text
from api.services.operating import setup as service


@click.command()
@click.option("--only", metavar="WHAT", help=f"Only these, separated by commas: {', '.join(service.NEEDS)}.")
@click.option("--quiet", is_flag=True, help="Say nothing about what is already there.")
def setup(only: str | None, quiet: bool) -> None:
    """Install what the machine lacks: PostGIS, the web pages, a browser and a font for the tests.

    Every step says what it does; one that cannot be done says in one line what to do instead.
    """
    needs = tuple(only.split(",")) if only else tuple(service.NEEDS)
    unknown = [need for need in needs if need not in service.NEEDS]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: choose from {', '.join(service.NEEDS)}", param_hint="--only")
    prepare(needs, quiet=quiet)


def prepare(needs: tuple[str, ...], *, quiet: bool = False) -> None:
    """Take the steps, saying how each ended."""
    language = shell_language()
    progress = ConsoleProgress()
    before = time.monotonic()
    for done in service.prepare(needs, progress):
        progress.close()
        seconds, before = time.monotonic() - before, time.monotonic()
        outcome = done.outcome
        if quiet and outcome.state == "there":
            continue
        name = text(f"step_{done.step}", language)
        state = text(f"setup_{outcome.state}", language)
        said = text(outcome.code, language, **dict(outcome.values))
        click.echo(f"[{done.number}/{done.of}] {name}: {state} ({seconds:.1f} s). {said}", err=True)
