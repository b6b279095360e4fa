"""``./wangge sample``: the sample town, or a larger one, as a GeoPackage."""

from __future__ import annotations

from pathlib import Path

import click

from api.messages import shell_language, text


@click.command()
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="GeoPackage to write.")
@click.option("--size", default=2400, show_default=True, type=int, help="Buildings, roughly (1,000 to 200,000).")
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help="Same seed, same town.")
def sample(output: Path, size: int, seed: int) -> None:
    """Write a made-up county town 县城 with streets, buildings, households, communities and people."""
    from api.cli.progress import ConsoleProgress
    from api.services.sampling import write_sample

    progress = ConsoleProgress()
    try:
        made = write_sample(output, size, seed, progress=progress)
    finally:
        progress.close()
    click.echo(
        text(
            "sample.done",
            shell_language(),
            file=made.path,
            buildings=f"{made.buildings:,}",
            households=f"{made.households:,}",
            communities=made.communities,
        )
    )
