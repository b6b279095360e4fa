"""``./wangge user``: who may do more than read. Until accounts come, that is who holds the operator's token."""

from __future__ import annotations

import click

from api.cli.progress import PATIENCE, ConsoleProgress
from api.messages import shell_language, text
from api.services.operating import database, operator


@click.group()
def user() -> None:
    """The operator's token: it opens drafts and everything that writes."""


@user.command()
@click.option("--renew", is_flag=True, help="Make a new token; the one before is worth nothing from then on.")
def token(renew: bool) -> None:
    """Say whether there is a token, or make a new one and show it, once."""
    from api.cli.store import actor

    url = database.ready(ConsoleProgress(patience=PATIENCE))
    if renew:
        _show(operator.renew(url, actor()))
        return
    since = operator.since(url)
    code = "user.token_none" if since is None else "user.token_since"
    click.echo(text(code, shell_language(), since=since and since.astimezone().isoformat(" ", "minutes")))


def announce(url: str) -> None:
    """At first start: make the token and show it, once. Nothing where there is one."""
    made = operator.first_token(url)
    if made is not None:
        _show(made)


def _show(made: str) -> None:
    click.echo(text("user.token", shell_language(), token=made))
