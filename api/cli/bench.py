"""``./wangge bench``: a benchmark side by side with its peers, as a table and as JSON."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import click

from api.messages import shell_language, text
from gis.errors import SetupError

NAMES = ("atoms", "partition", "addresses", "plates", "serving", "editor")


@click.command()
@click.argument("name", type=click.Choice(NAMES))
@click.option("--quick", is_flag=True, help="End within ten minutes on two cores.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures as JSON.")
def bench(name: str, quick: bool, json_file: Path | None) -> None:
    """Run a benchmark beside its peers. Exit status 1: a bar is missed."""
    language = shell_language()
    runner = _runner(name)

    def say(line: str) -> None:
        click.echo(line, err=True)

    content = runner.run(name, quick=quick, say=say)
    for row in content["figures"]:
        click.echo(line_of(row, language))
    if json_file is not None:
        runner.write_json(json_file, content)
    if any(row["met"] is False for row in content["figures"]):
        click.get_current_context().exit(1)


def _runner(name: str) -> Any:
    """The runner lies beside the packages in a checkout; an installed wheel has none."""
    try:
        importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as missing:
        raise SetupError("bench.none", name=name) from missing
    return importlib.import_module("benchmarks.runner")


def line_of(row: dict[str, Any], language: str) -> str:
    """One figure for people: value, bar, peer."""
    parts = [f"{row['name']}: {_number(row['value'], language)} {row['unit']}".rstrip()]
    if row["floor"] is not None:
        verdict = {True: "bench.met", False: "bench.missed", None: "bench.left_out"}[row["met"]]
        parts.append(text(verdict, language, floor=_number(row["floor"], language)))
    if row["peer"] is not None:
        parts.append(f"{row['peer']}: {_number(row['peer_value'], language)}")
    return " · ".join(parts)


def _number(value: Any, language: str) -> str:
    if value is None:
        return text("bench.no_value", language)
    if isinstance(value, bool):
        return text("bench.yes" if value else "bench.no", language)
    return f"{value:.4g}" if isinstance(value, float) and abs(value) < 1000 else f"{value:,}"
