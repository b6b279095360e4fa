"""``./wangge demo``: the whole main job on the two samples, and the map."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import click

from api.messages import shell_language, text


@click.command()
@click.option("--serve/--no-serve", "serving", default=True, help="Serve the map at the end, or stop.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the map; 8000 or the next free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--json", "summary_file", type=click.Path(path_type=Path), help="Write the summary as JSON.")
def demo(serving: bool, port: int | None, host: str, summary_file: Path | None) -> None:
    """Run the main job on a made-up Chinese county town and on central Helsinki, then serve the map.

    Read, cut into atoms, plan grids, publish, number addresses, print plates, check tiles and lookup. A second
    run finds everything done.
    """
    from api.cli import serve
    from api.cli.store import progressing
    from api.services import store
    from api.services.operating import demo as service

    started = time.perf_counter()
    chosen = serve.choose_port(host, port) if serving else 0
    with progressing() as progress, store.engine(progress) as engine:
        url = engine.url.render_as_string(hide_password=False)
        results = []
        for name, title in service.SAMPLES.items():
            progress.close()
            click.echo(title, err=True)
            results.append(service.run(engine, name, progress=progress))
            if not results[-1].fresh:
                _say("demo.unchanged", err=True, name=title)
    seconds = time.perf_counter() - started
    show(results)
    if summary_file is not None:
        _write(summary_file, service.summary(results, seconds))
    _say("demo.ready", seconds=f"{seconds:.1f}")
    if serving:
        serve.run(url, host, chosen)
    else:
        _say("demo.serve")


def show(results: list[Any]) -> None:
    """The summary as a table."""
    from rich.console import Console
    from rich.table import Table

    from api.services.operating.demo import STEPS

    language = shell_language()

    def share(value: float | None) -> str:
        return "–" if value is None else f"{100 * value:.1f} %"

    table = Table(title=text("demo.title", language))
    table.add_column("")
    for r in results:
        table.add_column(r.title, justify="right")
    for row, values in (
        ("grids", [f"{r.grids:,}" for r in results]),
        ("households", [f"{r.households:,}" for r in results]),
        ("in_range", [share(r.in_range_share) for r in results]),
        ("exceptions", [f"{r.exceptions:,}" for r in results]),
        ("on_street", [share(r.on_street_share) for r in results]),
        ("addresses", [f"{r.addresses:,}" for r in results]),
        ("plates", [f"{r.plates:,}" for r in results]),
    ):
        table.add_row(text(f"demo.{row}", language), *values)
    table.add_section()
    for step in STEPS:
        if any(step in r.seconds for r in results):
            shown = [f"{r.seconds.get(step, 0.0):.1f} s" for r in results]
            table.add_row(text(f"demo.step.{step}", language), *shown)
    Console().print(table)


def _say(code: str, *, err: bool = False, **values: object) -> None:
    click.echo(text(code, shell_language(), **values), err=err)


def _write(file: Path, summary: dict[str, Any]) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        partial.write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
