"""``./wangge export pmtiles``: the map's tiles as one file, for use without the service."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from api.messages import shell_language, text


@click.command()
@click.argument("territory")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="PMTiles file to write.")
@click.option("--layers", help="Layers, comma-separated (else those of the map pages).")
@click.option("--minzoom", type=int, help="First zoom (else the first that shows anything).")
@click.option("--maxzoom", type=int, default=16, show_default=True, help="Last zoom; readers enlarge its tiles.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As in force on that day (else today).")
def pmtiles(
    territory: str, output: Path, layers: str | None, minzoom: int | None, maxzoom: int, as_of: datetime | None
) -> None:
    """Write the vector tiles 矢量瓦片 of what is published in a territory as one PMTiles file.

    For offline use 离线使用, or to be put on any web server or object store 对象存储: QGIS, MapLibre and others
    read it without the service.
    """
    from api.cli.store import opened, progressing
    from api.services.tiles import tile_export

    day = None if as_of is None else as_of.date()
    with opened() as engine, progressing() as progress:
        done = tile_export.export(
            engine, territory, output, layers or tile_export.LAYERS,
            minzoom=minzoom, maxzoom=maxzoom, as_of=day, progress=progress,
        )  # fmt: skip
    click.echo(text("tiles.exported", shell_language(), tiles=f"{done.tiles:,}", file=done.file))
    if done.attribution:
        click.echo(text("export.credit", shell_language(), attribution=done.attribution))
