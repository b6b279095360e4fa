"""What commands that plan share: numbers of grids asked for, and what is said when they are stopped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from api.cli.progress import PATIENCE, ConsoleProgress
from api.messages import shell_language, text
from gis.interrupts import gentle

#: Exit status of a command that Ctrl-C ended before there was anything to keep, as shells have it.
INTERRUPTED: Final = 130


@contextmanager
def progressing() -> Iterator[ConsoleProgress]:
    """Progress on this terminal; Ctrl-C that nothing inside answered ends the command in one line."""
    progress = ConsoleProgress(patience=PATIENCE)
    try:
        with gentle():
            yield progress
    except KeyboardInterrupt:
        progress.close()
        click.echo(text("plan.interrupted", shell_language()), err=True)
        click.get_current_context().exit(INTERRUPTED)
    finally:
        progress.close()


def wanted(grids: tuple[str, ...], language: str) -> tuple[tuple[str, int], ...]:
    """Values of ``--grids`` as (code of the community, number); no code: of each other community."""
    out = []
    for value in grids:
        code, _, number = value.rpartition("=")
        if not number.isdecimal() or int(number) < 1:
            raise click.UsageError(text("plan.grids_not_a_number", language, value=value))
        out.append((code.strip(), int(number)))
    return tuple(out)


def stopped_lines(report: dict[str, Any], kept: str | None, language: str) -> list[str]:
    """The lines about a plan that Ctrl-C ended early: what it is, and how to go on."""
    if not report["stopped"]:
        return []
    lines = [text("plan.stopped", language, rounds=report["iterations"])]
    return lines if kept is None else [*lines, text("plan.stopped_kept", language, file=kept)]
