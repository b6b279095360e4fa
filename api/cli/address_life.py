"""``./wangge address revoke|merge|split|name|history|codes``: what becomes of codes after they were issued."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.messages import catalogue, shell_language, text

if TYPE_CHECKING:
    from api.services.addresses.address_life import Ended
    from data.postgres.addresses.address_life import ForeignCode

DAY = click.DateTime(["%Y-%m-%d"])
_on = click.option("--on", type=DAY, help="Day from which it holds (else today).")
_note = click.option("--note", default="", help="A remark for the record.")
_parts = click.option("--with-parts", is_flag=True, help="Also revoke its units and rooms.")


@click.command()
@click.argument("code")
@_on
@_parts
@_note
def revoke(code: str, on: datetime | None, with_parts: bool, note: str) -> None:
    """End an address without a successor; its plates are revoked with it. The code is never used again."""
    from api.cli.store import actor, opened
    from api.services.addresses import address_life

    with opened() as engine:
        done = address_life.revoke(engine, code, on=_day(on), with_parts=with_parts, note=note, actor=actor())
    click.echo(_said(done))


@click.command()
@click.argument("code")
@click.option("--into", required=True, help="Code of the address that goes on.")
@_on
@_parts
@_note
def merge(code: str, into: str, on: datetime | None, with_parts: bool, note: str) -> None:
    """Let an address go up in another: its code and plates lead there from then on."""
    from api.cli.store import actor, opened
    from api.services.addresses import address_life

    with opened() as engine:
        done = address_life.merge(engine, code, into, on=_day(on), with_parts=with_parts, note=note, actor=actor())
    click.echo(_said(done))


@click.command()
@click.argument("code")
@click.option("--into", required=True, multiple=True, help="Code of an address that takes its place; twice or more.")
@_on
@_parts
@_note
def split(code: str, into: tuple[str, ...], on: datetime | None, with_parts: bool, note: str) -> None:
    """Let several addresses take the place of one: its code names them from then on."""
    from api.cli.store import actor, opened
    from api.services.addresses import address_life

    with opened() as engine:
        done = address_life.split(engine, code, into, on=_day(on), with_parts=with_parts, note=note, actor=actor())
    click.echo(_said(done))


@click.command()
@click.argument("code")
@click.argument("words")
@click.option("--kind", default="alias", show_default=True, help="alias, former, misprint or variant.")
@click.option("--from", "since", type=DAY, help="First day (else today).")
@click.option("--to", "until", type=DAY, help="First day no longer (else for good).")
def name(code: str, words: str, kind: str, since: datetime | None, until: datetime | None) -> None:
    """Give an address another name: its other branch, a former name, a misprint, a variant."""
    from api.cli.store import actor, opened
    from api.services.addresses import address_life

    with opened() as engine:
        found = address_life.name(engine, code, words, kind, since=_day(since), until=_day(until), actor=actor())
    click.echo(text("life.name_given", shell_language(), text=found.text, name=words))


@click.command()
@click.argument("code")
def history(code: str) -> None:
    """Everything recorded of a code: its issue, names, foreign codes, plates, and what became of it."""
    from api.cli.store import opened
    from api.services.addresses import address_life

    language = shell_language()
    with opened() as engine:
        found = address_life.history(engine, code)
    a = found.address
    click.echo(
        text("life.history", language, number=a.code, text=a.text, status=text(f"life.status.{a.status}", language),
             since=a.valid_from, until=a.valid_to or "")
    )  # fmt: skip
    for e in found.entries:
        kind = catalogue(language).get(f"life.event.{e.kind}", e.kind)
        body = " ".join(f"{k}={' '.join(v) if isinstance(v, list) else v}" for k, v in e.body.items() if v)
        click.echo(f"{e.at:%Y-%m-%d %H:%M}\t{kind}\t{e.actor}\t{body}")
    for f in found.foreign:
        click.echo(_linked(f))


@click.group()
def codes() -> None:
    """Codes of other systems (police plates, GB/T 39609) linked to our addresses, with dates."""


@codes.command("import")
@click.argument("territory")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--system", default="", help="Name of the system, where the table has no such column.")
@click.option("--faults", type=click.Path(path_type=Path), help="Write every fault to a CSV file.")
@click.option("--skip-faults", is_flag=True, help="Link the good rows although others are faulty.")
@click.option("--encoding", help="Encoding of a CSV (else found out).")
@click.option("--sheet", help="Sheet of a workbook (else the first).")
def import_(
    territory: str, file: Path, system: str, faults: Path | None, skip_faults: bool, encoding: str | None,
    sheet: str | None,
) -> None:  # fmt: skip
    """Link the codes of a CSV or XLSX table, by address code or by the address's text."""
    from api.cli.store import actor, opened
    from api.services.addresses import foreign_codes

    language = shell_language()
    with opened() as engine:
        done = foreign_codes.import_file(
            engine, territory, file, system=system, skip_faults=skip_faults, encoding=encoding, sheet=sheet,
            actor=actor(),
        )  # fmt: skip
    for fault in done.faults[:20]:
        reason = text(f"codes.fault.{fault.reason}", language)
        click.echo(text("life.row", language, row=fault.row, fault=f"{reason} ({fault.value})"), err=True)
    if faults is not None:
        foreign_codes.faults_file(faults, done.faults, lambda reason: text(f"codes.fault.{reason}", language))
    click.echo(
        text(
            "codes.imported", language, rows=done.rows, linked=done.linked, known=done.known, faults=len(done.faults)
        )
    )
    if done.faults and not skip_faults:
        click.get_current_context().exit(2)


@codes.command("link")
@click.argument("code")
@click.argument("system")
@click.argument("foreign")
@click.option("--from", "since", type=DAY, help="First day (else today).")
@click.option("--to", "until", type=DAY, help="First day no longer (else for good).")
def link(code: str, system: str, foreign: str, since: datetime | None, until: datetime | None) -> None:
    """Link one code of another system to the address with CODE."""
    from api.cli.store import actor, opened
    from api.services.addresses import foreign_codes

    with opened() as engine:
        done = foreign_codes.link(engine, code, system, foreign, since=_day(since), until=_day(until), actor=actor())
    click.echo(_linked(done))


@codes.command("unlink")
@click.argument("system")
@click.argument("foreign")
@_on
def unlink(system: str, foreign: str, on: datetime | None) -> None:
    """End the link of a foreign code on a day; it stays in the history."""
    from api.cli.store import actor, opened
    from api.services.addresses import foreign_codes

    with opened() as engine:
        done = foreign_codes.unlink(engine, system, foreign, on=_day(on), actor=actor())
    click.echo(text("codes.ended", shell_language(), system=done.system, value=done.code, text=done.text))


@codes.command("find")
@click.argument("foreign")
@click.option("--system", default="", help="Only in one system.")
def find(foreign: str, system: str) -> None:
    """Which of our addresses a foreign code belongs to, and belonged to."""
    from api.cli.store import opened
    from api.services.addresses import foreign_codes

    with opened() as engine:
        for found in foreign_codes.find(engine, foreign, system):
            click.echo(_linked(found))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _linked(f: ForeignCode) -> str:
    return "\t".join([f.system, f.code, f.address, f.text, str(f.valid_from), str(f.valid_to or "")])


def _said(done: Ended) -> str:
    language = shell_language()
    state = text(f"life.status.{done.status}", language)
    line = text("life.address_done", language, text=done.text, number=done.code, status=state, day=done.on)
    if done.into:
        line += " → " + ", ".join(done.into)
    if done.parts or done.plates:
        line += " " + text("life.with", language, parts=done.parts, plates=done.plates)
    return line


COMMANDS = (revoke, merge, split, name, history, codes)
