"""``./wangge address``: assign and list standard addresses 标准地址."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.cli import address_life
from api.messages import shell_language, text

if TYPE_CHECKING:
    from api.services.addresses.addresses import Assigned


@click.group()
def address() -> None:
    """Assign and list standard addresses."""


@address.command()
@click.argument("territory")
@click.option(
    "--rule", default="beijing2012", help="Numbering ruleset 编号规则: a shipped one's name, or a TOML file."
)
@click.option(
    "--preview",
    is_flag=False,
    flag_value="",
    type=str,
    metavar="[FILE.html]",
    help="Write nothing; say what would be done, and show it on a map page where a file is named.",
)
@click.option(
    "--faults", type=click.Path(path_type=Path), help="Write every break of numbering to a CSV or JSON file."
)
def assign(territory: str, rule: str, preview: str | None, faults: Path | None) -> None:
    """Give every building, gate, unit and room without an address its own; what has one keeps it.

    Existing door numbers are kept, new ones fit between them. Run again after an import: only what is new
    gets an address.
    """
    from api.cli.store import actor, opened, progressing
    from api.services.addresses import addresses, addresses_page

    language = shell_language()
    rules = addresses.rule_of(rule)
    shown = Path(preview) if preview else None
    for file in (shown, faults):
        if file is not None:
            addresses.require_place(file)
    with opened() as engine, progressing() as progress:
        if preview is None:
            done = addresses.assign_territory(engine, territory, rule=rules, actor=actor(), progress=progress)
        else:
            done, made = addresses.preview_territory(engine, territory, rule=rules, progress=progress)
    for line in _summary(done, preview is not None, language):
        click.echo(line)
    if preview and shown is not None:
        size = addresses_page.write_preview(made, done, shown, language)
        click.echo(text("numbering.preview_written", language, file=shown, size=f"{size // 1024:,}"))
    if faults is not None:
        addresses.write_faults(faults, done, lambda reason: text(f"addresses.fault.{reason}", language))
        click.echo(text("addresses.faults_file", language, file=faults, count=len(done.faults)))


@address.command()
@click.argument("names", nargs=-1)
def rules(names: tuple[str, ...]) -> None:
    """List the numbering rulesets, with what was not checked against its source; one or a file with its sources."""
    from api.services.addresses import addresses

    language = shell_language()
    for rule in [addresses.rule_of(n) for n in names] or addresses.rules():
        words = ", ".join(rule.unverified) or rule.name
        mark = "" if rule.verified else text("numbering.rule_mark", language, words=words)
        click.echo(text("numbering.rule_line", language, name=rule.name, title=rule.title, mark=mark))
        for source in rule.sources if names else ():
            click.echo(text("numbering.rule_source", language, source=source))


@address.command("list")
@click.argument("territory")
@click.option("--community", default="", help="Only one community, by code or name.")
@click.option("--faults", is_flag=True, help="Only addresses with a fault (号址不一 ...).")
@click.option("--limit", type=click.IntRange(1), help="No more than so many.")
def list_(territory: str, community: str, faults: bool, limit: int | None) -> None:
    """List addresses with their permanent codes: code, community, text, fault; tabs between."""
    from api.cli.store import opened
    from api.services.addresses import addresses

    with opened() as engine:
        rows = addresses.listing(engine, territory, community=community, mess=faults, limit=limit)
    for row in rows:
        click.echo("\t".join([row.code, row.community_code, row.community, row.text, row.mess]))
    if not rows:
        click.echo(text("addresses.none", shell_language()), err=True)


def _summary(done: Assigned, preview: bool, language: str) -> list[str]:
    """The lines a person reads at the end."""
    total = done.total
    lines = [
        text(
            "addresses.preview" if preview else "addresses.assigned",
            language,
            territory=done.territory,
            issued=f"{done.issued:,}",
            streets=f"{done.thoroughfares:,}",
            kept=f"{done.kept:,}",
            buildings=f"{done.buildings if preview else total.get('premise', 0) + total.get('building', 0):,}",
            units=f"{total.get('unit', 0):,}",
            rooms=f"{total.get('room', 0):,}",
        )
    ]
    code = "numbering.ruleset_unverified" if done.unverified else "numbering.ruleset"
    lines.append(text(code, language, name=done.ruleset))
    if done.unsure:
        lines.append(text("addresses.unsure", language, count=f"{done.unsure:,}"))
    if done.outbuildings:
        lines.append(text("addresses.outbuildings", language, count=f"{done.outbuildings:,}"))
    kinds = sorted(done.by_kind.items(), key=lambda item: -item[1])
    return lines + [text("addresses.faults", language, kind=kind, count=f"{count:,}") for kind, count in kinds]


for _command in address_life.COMMANDS:
    address.add_command(_command)
