"""``./wangge import``: read a territory, or tables of households, into the database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.messages import shell_language, text

if TYPE_CHECKING:
    from api.services.importing import Imported
    from api.services.tables import Preview

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
    from api.cli.store import actor, opened, progressing
    from api.services import importing
    from api.services.plans import planning

    with opened() as engine, progressing() as progress:
        done = importing.import_file(
            engine, file, name, ruleset=planning.ruleset_of(ruleset), area=area, crs=crs, title=title,
            actor=actor(), progress=progress,
        )  # fmt: skip
    _tell(done)


@import_.command("sample")
@click.argument("name", type=click.Choice(["town", "helsinki"]))
@RULESET
def import_sample(name: str, ruleset: str) -> None:
    """Read one of the two shipped samples: a made-up Chinese county town, or central Helsinki."""
    from api.cli.store import actor, opened, progressing
    from api.services import importing
    from api.services.plans import planning

    with opened() as engine, progressing() as progress:
        done = importing.import_sample(
            engine, name, ruleset=planning.ruleset_of(ruleset), actor=actor(), progress=progress
        )
    _tell(done)


@import_.command("place")
@click.argument("query")
@click.option("--territory", "name", help="Name of the territory in the database (else the query).")
@RULESET
@CRS
@TITLE
def import_place(query: str, name: str | None, ruleset: str, crs: str | None, title: str) -> None:
    """Ask OpenStreetMap for a place by its name, for example "Punavuori, Helsinki" (needs the internet)."""
    from api.cli.store import actor, opened, progressing
    from api.services import importing
    from api.services.plans import planning

    with opened() as engine, progressing() as progress:
        done = importing.import_place(
            engine, query, name or query, ruleset=planning.ruleset_of(ruleset), crs=crs, title=title,
            actor=actor(), progress=progress,
        )  # fmt: skip
    _tell(done)


@import_.command("tables")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--territory", "name", required=True, help="Name of the territory in the database.")
@click.option("--preview", is_flag=True, help="Only show what would match: nothing is written.")
@click.option("--skip-unmatched", is_flag=True, help="Write the rows that match and leave out the others.")
@click.option("--encoding", help="Of a CSV file (else a byte order mark, UTF-8 or GB18030 is found out).")
@click.option("--sheet", help="Of a workbook (else its first).")
@RULESET
def import_tables(
    file: Path,
    name: str,
    preview: bool,
    skip_unmatched: bool,
    encoding: str | None,
    sheet: str | None,
    ruleset: str,
) -> None:
    """Read households of buildings from a table (XLSX or CSV) and match them by id, address or name.

    Columns: households 户数 and one or more of source_id 编号, address 地址, name 名称; optional occupied 常住户数.
    Where a row means no building, or several, it is listed and nothing is written.
    """
    from api.cli.store import actor, opened, progressing
    from api.services import tables
    from api.services.plans import planning
    from gis.errors import InputError

    language = shell_language()
    with opened() as engine, progressing() as progress:
        found = tables.preview(engine, file, name, encoding=encoding, sheet=sheet)
        for line in table_lines(found, language):
            click.echo(line)
        if preview:
            return
        if found.unmatched and not skip_unmatched:
            raise InputError("table.not_written", count=len(found.unmatched))
        tables.import_table(
            engine, file, name, ruleset=planning.ruleset_of(ruleset), encoding=encoding, sheet=sheet,
            skip_unmatched=skip_unmatched, actor=actor(), progress=progress,
        )  # fmt: skip
    click.echo(text("table.written", language, count=f"{len(found.matched):,}", households=f"{found.households:,}"))


def table_lines(found: Preview, language: str) -> list[str]:
    """What a table would do, and every row that means no building or several."""
    values = {"rows": f"{len(found.lines):,}", "encoding": found.table.encoding, "matched": f"{len(found.matched):,}"}
    how = {f"by_{k}": found.outcomes[k] for k in ("id", "address", "name")}
    lines = [text("table.preview", language, **values, **how)]
    lines.append(text("table.sums", language, households=f"{found.households:,}", before=f"{found.before:,}"))
    if found.table.unused:
        lines.append(text("table.unused", language, columns=", ".join(found.table.unused)))
    for line in found.unmatched:
        said = " / ".join(v for v in (line.row.clue.source_id, line.row.clue.address, line.row.clue.name) if v)
        reason = text(f"table.{line.match.outcome}", language)
        others = ", ".join(f"{c.label} ({c.source_id})" for c in line.candidates)
        lines.append(text("table.row", language, row=line.row.number, said=said or "-", reason=reason, others=others))
    return lines


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
