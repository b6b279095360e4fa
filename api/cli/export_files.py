"""``./wangge export gpkg|geojson|...``: what is published of a town, a community or a grid, as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from api.messages import LANGUAGES, shell_language, text

#: Command -> what it writes.
HELP: Final = {
    "gpkg": "GeoPackage: every layer in one file, in the metre CRS.",
    "geojson": "GeoJSON in degrees (WGS84); several layers are zipped.",
    "flatgeobuf": "FlatGeobuf in the metre CRS; several layers are zipped.",
    "geoparquet": "GeoParquet 1.1 in the metre CRS; several layers are zipped.",
    "shapefile": "Shapefiles, zipped, with fields.csv for the shortened field names.",
    "xlsx": "XLSX: one sheet a layer, with longitude and latitude of each feature.",
}
_LAYERS: Final = "grids,communities,buildings,addresses"


def commands() -> Iterator[click.Command]:
    """One command a format."""
    for kind, line in HELP.items():
        yield _command(kind, line)


def _command(kind: str, line: str) -> click.Command:
    @click.command(kind, help=f"Write what is published. {line}")
    @click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write.")
    @click.option("--territory", required=True, help="Of which territory.")
    @click.option("--community", default="", help="Only this community 社区 (code or name).")
    @click.option("--grid", default="", help="Only this grid 网格 (code or permanent id).")
    @click.option("--layers", default=_LAYERS, show_default=True, help="Which layers.")
    @click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="As in force on that day (else today).")
    @click.option("--crs", default="", help="EPSG:n to write in (else the territory's own).")
    @click.option(
        "--encoding", default="utf-8", show_default=True, type=click.Choice(["utf-8", "gbk"]), help="Of a shapefile."
    )
    @click.option("--language", type=click.Choice(LANGUAGES), default="zh-CN", show_default=True, help="Of headings.")
    def command(
        output: Path, territory: str, community: str, grid: str, layers: str, as_of: datetime | None, crs: str,
        encoding: str, language: str,
    ) -> None:  # fmt: skip
        from api.cli.store import opened, progressing
        from api.services.features import exporting

        day = None if as_of is None else as_of.date()
        names = tuple(dict.fromkeys(n.strip() for n in layers.split(",") if n.strip()))
        srid = exporting.srid_of(crs)
        order = exporting.Order(territory, kind, community, grid, names, day, srid, encoding, language)
        exporting.check(order)
        with opened() as engine, progressing() as progress:
            done = exporting.export(engine, order, output, progress)
        said = shell_language()
        counts = ", ".join(text("export.count", said, layer=n, count=f"{c:,}") for n, c in done.counts.items())
        click.echo(text("export.done", said, file=done.file, counts=counts))
        if done.attribution:
            click.echo(text("export.credit", said, attribution=done.attribution))

    return command
