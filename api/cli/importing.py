"""``./wangge import``: read a territory, or tables of households, into the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.messages import shell_language, text

if TYPE_CHECKING:
    from api.services.importing import Imported

RULESET = click.option("--ruleset", default="default", show_default=True, help="Rules by name, or a TOML file.")
CRS = click.option("--crs", metavar="EPSG:n", help="Metre CRS of a new territory (else the input's own, or UTM).")
TITLE = click.option("--title", default="", help="What the map calls the territory (else its name).")


@click.group(name="import")
def import_() -> None:
    """Read a territory into the database.

    A territory that is there already gets the newer sources and new atoms; its published grids stay.
    """


@import_.command("file")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--territory", "name", required=True, help="Name of the territory in the database.")
@click.option("--area", type=click.Path(path_type=Path), help="File with the area to read, as a polygon.")
@RULESET
@CRS
@TITLE
def import_file(file: Path, name: str, area: Path | None, ruleset: str, crs: str | None, title: str) -> None:
    """Read a map file (.osm.pbf, .osm, .osm.gz or .gpkg), with the staff 人员 and divisions it may hold."""
    from api.cli.store import opened, progressing
    from api.services import importing, planning

    with opened() as engine, progressing() as progress:
        done = importing.import_file(
            engine, file, name, ruleset=planning.ruleset_of(ruleset), area=area, crs=crs, title=title,
            progress=progress,
        )  # fmt: skip
    _tell(done)


@import_.command("sample")
@click.argument("name", type=click.Choice(["town", "helsinki"]))
@RULESET
def import_sample(name: str, ruleset: str) -> None:
    """Read one of the two shipped samples: a made-up Chinese county town, or central Helsinki."""
    from api.cli.store import opened, progressing
    from api.services import importing, planning

    with opened() as engine, progressing() as progress:
        done = importing.import_sample(engine, name, ruleset=planning.ruleset_of(ruleset), progress=progress)
    _tell(done)


@import_.command("place")
@click.argument("query")
@click.option("--territory", "name", help="Name of the territory in the database (else the query).")
@RULESET
@CRS
@TITLE
def import_place(query: str, name: str | None, ruleset: str, crs: str | None, title: str) -> None:
    """Ask OpenStreetMap for a place by its name, for example "Punavuori, Helsinki" (needs the internet)."""
    from api.cli.store import opened, progressing
    from api.services import importing, planning

    with opened() as engine, progressing() as progress:
        done = importing.import_place(
            engine, query, name or query, ruleset=planning.ruleset_of(ruleset), crs=crs, title=title,
            progress=progress,
        )  # fmt: skip
    _tell(done)


def _tell(done: Imported) -> None:
    language = shell_language()
    values = {
        "territory": done.territory,
        "buildings": f"{done.buildings:,}",
        "households": f"{done.households:,}",
        "streets": f"{done.streets:,}",
        "communities": done.communities,
        "atoms": f"{done.atoms:,}",
        "people": done.people,
    }
    click.echo(text("store.imported", language, **values))
    if done.excluded:
        click.echo(text("store.excluded", language, count=done.excluded))
    if not done.fresh:
        click.echo(text("store.same_atoms", language))
