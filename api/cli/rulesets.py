"""``./wangge rulesets``: which rules there are, what they say, whether one's own file is sound."""

from __future__ import annotations

import click

from api.messages import of_error, shell_language, text


@click.group()
def rulesets() -> None:
    """List, show and check rulesets 规则集 (TOML files; every word: docs/rulesets.md)."""


@rulesets.command("list")
def list_() -> None:
    """List the shipped rulesets."""
    from api.services.plans import rules

    language = shell_language()
    for r in rules.overview():
        doubt = "" if r.verified else f" [{text('rules.unverified', language)}]"
        click.echo(f"{r.name:14} {r.residential.minimum}-{r.residential.maximum}  {r.title}{doubt}")


@rulesets.command()
@click.argument("name", metavar="NAME|FILE.toml")
def show(name: str) -> None:
    """Say what a ruleset means: bounds, sources, check figures, what is unverified 未核对."""
    from api.services.plans import rules

    for line in rules.described(rules.check(name), shell_language()):
        click.echo(line)


@rulesets.command()
@click.argument("names", metavar="FILE.toml...", nargs=-1, required=True)
def check(names: tuple[str, ...]) -> None:
    """Check rulesets: one line each; exit status 2 where one has a fault, whose field is named."""
    from api.services.plans import rules

    language = shell_language()
    found = rules.faults(list(names))
    for name, error in found.items():
        if error is None:
            click.echo(text("rules.sound", language, name=name))
        else:
            click.echo(f"{name}: {of_error(error, language)}", err=True)
    if any(found.values()):
        click.get_current_context().exit(2)
