"""``./wangge test``: set up, then every check and test."""

from __future__ import annotations

import sys

import click

from api.cli.setup import prepare
from api.messages import shell_language, text
from api.services.operating import checking
from api.services.operating import setup as service


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--slow", is_flag=True, help="The slow tests instead: acceptance on large inputs.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(slow: bool, arguments: tuple[str, ...]) -> None:
    """Set up and run every check and test; with pytest's ARGUMENTS, only the tests they name.

    Exit status 1 when anything failed.
    """
    language = shell_language()
    prepare(tuple(service.NEEDS))
    results: list[checking.Result] = []
    for event in checking.run(checking.checks(slow=slow, arguments=arguments)):
        if isinstance(event, checking.Check):
            click.secho(f"== {event.name}", bold=True, err=True)
        else:
            results.append(event)
    for result in results:
        state = text("check_passed" if result.passed else "check_failed", language)
        click.echo(f"{state}  {result.seconds:7.1f} s  {result.check.name}", err=True)
    sys.exit(0 if all(r.passed for r in results) else 1)
