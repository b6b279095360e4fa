"""``./wangge lookup``: which grid is a point in."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from api.answers import Lookup
from api.cli.progress import PATIENCE, ConsoleProgress
from api.messages import shell_language, text
from api.services.lookup import asking
from api.services.operating import database
from gis.errors import InputError


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("lon", type=float, required=False)
@click.argument("lat", type=float, required=False)
@click.option("--crs", help="wgs84, cgcs2000, gcj02, bd09 or EPSG:n; there is no default.")
@click.option(
    "--accuracy", type=click.FloatRange(0, 100_000), default=0.0, help="Accuracy of the position in metres."
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day that is asked about; today when left out.")
@click.option(
    "--file",
    "points",
    type=click.Path(path_type=Path),
    help="CSV, .arrow, .arrows or .json with columns lon and lat.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write, of any of these kinds.")
def lookup(
    lon: float | None,
    lat: float | None,
    crs: str | None,
    accuracy: float,
    as_of: datetime | None,
    points: Path | None,
    output: Path | None,
) -> None:
    """Which grid is a point in? LON LAT, or easting and northing for a projected EPSG code."""
    day = as_of.date() if as_of else None
    if points is not None and output is not None and lon is None:
        asking.require(points, crs, output)
        rows = asking.answer_file(
            database.ready(ConsoleProgress(patience=PATIENCE)), points, output, crs, accuracy, day
        )
        _say("lookup.wrote", rows=rows, file=output)
    elif lon is not None and lat is not None and points is None:
        asking.require(None, crs)
        _show(asking.answer_point(database.ready(ConsoleProgress(patience=PATIENCE)), lon, lat, crs, accuracy, day))
    else:
        raise InputError("lookup.arguments")


def _say(code: str, **values: object) -> None:
    click.echo(text(code, shell_language(), **values))


def _show(found: Lookup) -> None:
    values = {"name": found.name, "grid": found.code, "community": found.community, "edge": found.edge_m}
    nothing = found.status == "outside" and not found.candidates
    _say("lookup.nothing" if nothing else f"lookup.{found.status}", **values, day=found.as_of)
    for c in found.candidates:
        _say("lookup.candidate", name=c.name, grid=c.code, metres=c.distance_m)
    for p in found.people:
        _say("lookup.person", name=p.name, post=p.post, phone=p.phone)
