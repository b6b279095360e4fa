"""``./wangge boards``: print notice boards 公示牌 and contact cards 联系卡, and list those out of date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from api.messages import LANGUAGES, shell_language, text

_PDF = click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="PDF to write.")
_DAY = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="People and grids of this day (else today).")


def _scope(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say which boards or cards."""
    for option in (
        click.option("--language", type=click.Choice(LANGUAGES), default=LANGUAGES[0], show_default=True),
        _DAY,
        click.option("--outdated", is_flag=True, help="Only those printed before that are out of date."),
        click.option("--grid", help="Only one grid, by its code."),
        click.option("--community", help="Only one community, by code or name."),
    ):
        command = option(command)
    return command


@click.group()
def boards() -> None:
    """Print notice boards and contact cards, list those out of date."""


@boards.command("print")
@click.argument("territory")
@_PDF
@click.option("--code", help="Only the building of one address code.")
@click.option("--paper", default="A4", show_default=True, help="A4 or A3.")
@_scope
def print_(
    territory: str,
    output: Path,
    code: str | None,
    paper: str,
    community: str | None,
    grid: str | None,
    outdated: bool,
    as_of: datetime | None,
    language: str,
) -> None:
    """Print a notice board for every building: grid, range, people with phones and duties, 12345, QR."""
    from api.cli.store import actor, opened, progressing
    from api.services.plates import boards as service

    scope = service.Scope(community, grid, code, outdated, as_of.date() if as_of else None)
    with opened() as engine, progressing() as progress:
        done = service.print_boards(
            engine, territory, output, scope, paper=paper, language=language, actor=actor(), progress=progress
        )
    click.echo(text("boards.printed", shell_language(), file=output, count=done.count, verified=done.verified))


@boards.command()
@click.argument("territory")
@_PDF
@click.option("--copies", default=1, show_default=True, type=click.IntRange(1, 500), help="Cards of each person.")
@_scope
def cards(
    territory: str,
    output: Path,
    copies: int,
    community: str | None,
    grid: str | None,
    outdated: bool,
    as_of: datetime | None,
    language: str,
) -> None:
    """Print a contact card for every person on a post, ten on an A4 sheet with crop marks."""
    from api.cli.store import actor, opened, progressing
    from api.services.plates import boards as service

    scope = service.Scope(community, grid, None, outdated, as_of.date() if as_of else None)
    with opened() as engine, progressing() as progress:
        done = service.print_cards(
            engine, territory, output, scope, copies=copies, language=language, actor=actor(), progress=progress
        )
    click.echo(text("boards.cards_printed", shell_language(), file=output, count=done.count))


@boards.command("outdated")
@click.argument("territory")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Also as CSV, one row a reason.")
@_DAY
def outdated_(territory: str, output: Path | None, as_of: datetime | None) -> None:
    """List boards and cards to print again, and why: people, phones, posts, grids or ranges have changed."""
    from api.cli.store import opened
    from api.services.plates import boards as service

    language = shell_language()
    with opened() as engine:
        found = service.outdated(engine, territory, as_of=as_of.date() if as_of else None)
    for item in found:
        why = text("boards.join", language).join(
            " ".join(v for v in (text(f"boards.reason_{c.reason}", language), _shown(c.before, c.now)) if v)
            for c in item.changes
        )
        kind = text(f"boards.kind_{item.kind}", language)
        click.echo(text("boards.line", language, kind=kind, what=item.what, why=why))
    if output is not None:
        service.write_table(output, found, language)
    click.echo(text("boards.to_print" if found else "boards.all_good", language, count=len(found)))


def _shown(before: str, now: str, most: int = 40) -> str:
    before, now = (v if len(v) <= most else v[: most - 1] + "…" for v in (before, now))
    return f"({before} → {now})" if before and now else f"({before or now})" if before or now else ""
