"""``./wangge parse`` and ``train-parser``: read free text, find the address it means 地址解析与匹配."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.messages import shell_language, text
from gis.errors import InputError

if TYPE_CHECKING:
    from api.address_answers import MatchedAddress


@click.command()
@click.argument("texts", nargs=-1, metavar="TEXT...")
@click.option("--file", "source", type=click.Path(path_type=Path), help="CSV with a column text (or address, 地址).")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="CSV to write: the rows with score and reason.")
@click.option("--territory", default="", help="Match in one territory; in all when left out.")
@click.option("--parts-only", is_flag=True, help="Only label the parts; ask no database.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON, one line a text.")
def parse(
    texts: tuple[str, ...], source: Path | None, output: Path | None, territory: str, parts_only: bool, as_json: bool
) -> None:
    """Label the parts of TEXT and find the address it means: exact, or not sure with candidates and the reason."""
    if parts_only and texts and source is None:
        _show_parts(list(texts), as_json)
        return
    if bool(texts) == (source is not None) or (source is None) != (output is None) or parts_only:
        raise InputError("parse.arguments")
    from api.cli.store import opened
    from api.services.addresses import parsing

    language = shell_language()
    if source is not None and output is not None:
        if not source.is_file():
            raise InputError("parse.no_file", file=str(source), detail="")
        with opened() as engine:
            rows = parsing.match_file(engine, source, output, territory, language)
        click.echo(text("parse.wrote", language, rows=f"{rows:,}", file=output))
        return
    with opened() as engine:
        found = parsing.match_texts(engine, list(texts), territory, language)
    for answer in found:
        _show(answer, language, as_json)


@click.command("train-parser")
@click.option("--labelled", type=click.Path(path_type=Path), help="Folder with *train.txt and *dev.txt to judge on.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Model file to write.")
@click.option("--count", type=click.IntRange(1000, 500_000), help="Synthetic addresses to learn from.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def train_parser(labelled: Path | None, output: Path, count: int | None, json_file: Path | None) -> None:
    """Train the parser on synthetic addresses; with --labelled, judge it there beside a model trained on that set."""
    from dataclasses import asdict

    from api.cli.store import progressing
    from api.services.addresses import parser_training as training
    from data.outputs import write_whole

    if labelled is not None and not labelled.is_dir():
        raise InputError("parse.no_file", file=str(labelled), detail="")
    with progressing() as progress:
        results = training.train_and_judge(output, labelled, count=count or training.SYNTHETIC, progress=progress)
    language = shell_language()
    for r in results:
        values = {"on": r.trained_on, "mb": f"{r.megabytes:.1f}", "s": r.seconds, "rate": f"{r.per_second:,.0f}"}
        click.echo(text("parse.trained", language, **values))
        if r.judged is not None:
            j = r.judged
            click.echo(
                text("parse.judged", language, f1=f"{j.f1:.3f}", exact=f"{j.exact:.3f}", tails=f"{j.tails:.3f}")
            )
    if json_file is not None:
        content = json.dumps([asdict(r) for r in results], ensure_ascii=False, indent=1) + "\n"
        write_whole(json_file, content.encode("utf-8"))


def _show_parts(texts: list[str], as_json: bool) -> None:
    import msgspec

    from api.services.addresses import parsing

    for found in parsing.parse_texts(texts):
        if as_json:
            click.echo(msgspec.json.encode(found).decode())
        else:
            click.echo("  ".join(f"{p.kind}={p.text}" for p in found.parts))


def _show(found: MatchedAddress, language: str, as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(found).decode())
        return
    click.echo("  ".join(f"{p.kind}={p.text}" for p in found.parts) or found.query[:80])
    click.echo(text(f"parse.{found.status}", language, score=f"{found.score:.2f}"))
    for a in found.addresses:
        click.echo(f"  {a.code}  {a.text}  {a.community}  {a.lon:.6f} {a.lat:.6f}")
    if found.geometry is not None:
        click.echo("  " + json.dumps(found.geometry, ensure_ascii=False))
    for c in found.candidates:
        values = {"number": c.code, "address": c.text, "community": c.community}
        click.echo(text("parse.candidate", language, **values))
    for r in found.reasons:
        click.echo(f"  {r.text}")
