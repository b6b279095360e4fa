"""``./wangge db``: make, start, stop, look at and back up the database."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.progress import ConsoleProgress
from api.messages import shell_language, text
from api.services.operating import database as service


def _say(code: str, **values: object) -> None:
    click.echo(text(code, shell_language(), **values))


def _address(url: str) -> str:
    """A database's address without its password."""
    head, separator, rest = url.partition("://")
    who, at, where = rest.rpartition("@")
    return f"{head}{separator}{who.partition(':')[0]}{at}{where}"


@click.group()
def db() -> None:
    """Make, start, stop and back up the database."""


@db.command()
@click.option("--yes", is_flag=True, help="With DATABASE_URL: run the statements there.")
def init(yes: bool) -> None:
    """Make everything the service needs: extensions, role, newest schema.

    With DATABASE_URL the statements that need an administrator are printed; --yes runs them.
    """
    url = service.up(ConsoleProgress())
    if service.is_external():
        wanted = service.statements(url)
        for statement in wanted:
            click.echo(f"{statement};")
        if not yes:
            _say("db_init_ask" if wanted else "db_init_ready", url=_address(url))
            return
    _say("db_init_done", url=_address(url), revision=service.init(url))


@db.command()
def up() -> None:
    """Start the private database."""
    if service.is_external():
        _say("db_external")
        return
    _say("db_up", url=_address(service.up(ConsoleProgress())))


@db.command()
def down() -> None:
    """Stop the private database."""
    if service.is_external():
        _say("db_external")
        return
    _say("db_down" if service.down() else "db_was_down")


@db.command()
def status() -> None:
    """Whether the database runs, where it is, and how new its schema is. Exit status 1 when it does not run."""
    found = service.state()
    if found.external:
        _say("db_external")
    elif found.version is None:
        _say("db_none")
    else:
        _say("db_cluster", version=found.version, folder=found.folder, pid=found.pid or "-")
    _say("db_running" if found.running else "db_stopped", url=_address(found.url))
    if found.running:
        _say("db_schema", revision=found.revision or "-", newest=found.newest)
    raise SystemExit(0 if found.running else 1)


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write the whole database into FILE (PostgreSQL's custom format)."""
    size = service.backup(file, ConsoleProgress())
    _say("db_backed_up", file=file, megabytes=f"{size / 1e6:.1f}")


@db.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--yes", is_flag=True, help="Do not ask before replacing what is there.")
def restore(file: Path, yes: bool) -> None:
    """Put the backup FILE in the place of everything in the database."""
    if not yes:
        click.confirm(text("db_restore_ask", shell_language()), abort=True)
    service.restore(file, ConsoleProgress())
    _say("db_restored", file=file)
