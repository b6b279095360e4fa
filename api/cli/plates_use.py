"""``./wangge plates …``: batches, plates hung up, lost, replaced, checked on the spot, and what people reported."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.messages import shell_language, text

if TYPE_CHECKING:
    from api.services.plates.plate_life import Outcome, Position, Todo

DAY = click.DateTime(["%Y-%m-%d"])
SIZE = click.option("--size", default="", help="Which plate, where the address has plates of several sizes.")


@click.command()
@click.argument("territory")
def batches(territory: str) -> None:
    """List batches: number, community, size, purpose, ordered by and when, printed by and when, plates by state."""
    from api.cli.store import opened
    from api.services.plates import plate_life

    with opened() as engine:
        rows = plate_life.batches(engine, territory)
    for b in rows:
        states = " ".join(f"{state}={count}" for state, count in sorted(b.states.items()))
        printed = f"{b.printed_at:%Y-%m-%d}" if b.printed_at else ""
        ordered = f"{b.ordered_at:%Y-%m-%d}"
        cells = [b.id, b.community, b.size, b.purpose, b.ordered_by, ordered, b.printed_by, printed, b.plates, states]
        click.echo("\t".join(map(str, cells)))
    _none(rows)


@click.command("list")
@click.argument("territory")
@click.option("--batch", type=int, help="Only one batch.")
@click.option("--status", default="", help="Only plates in one state (printed, installed, lost, replaced, revoked).")
def list_(territory: str, batch: int | None, status: str) -> None:
    """List plates: code, state, since, batch, installed on and by, metres from the building, address, size."""
    from api.cli.store import opened
    from api.services.plates import plate_life

    with opened() as engine:
        rows = plate_life.listing(engine, territory, batch=batch, status=status)
    for p in rows:
        metres = "" if p.distance is None else f"{p.distance:.0f}"
        cells = [
            p.code,
            p.status,
            p.since or "",
            p.batch,
            p.installed_on or "",
            p.installed_by,
            metres,
            p.text,
            p.size,
        ]
        click.echo("\t".join(map(str, cells)))
    _none(rows)


@click.command()
@click.argument("plate", required=False)
@click.option("--file", "table", type=click.Path(path_type=Path), help="Many at once: CSV or XLSX (see the manual).")
@click.option("--photos", type=click.Path(path_type=Path), help="With --file: folder of the photos it names.")
@click.option("--skip-faults", is_flag=True, help="With --file: write the good rows although others are faulty.")
@click.option("--on", type=DAY, help="Day it was hung (else today).")
@click.option("--by", default="", help="Who hung it.")
@click.option("--lon", type=float, help="Where: longitude or easting.")
@click.option("--lat", type=float, help="Where: latitude or northing.")
@click.option("--crs", help="Datum of the position: wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")
@click.option("--accuracy", type=float, default=0.0, help="How good the position is, in metres.")
@click.option("--photo", type=click.Path(path_type=Path), help="Photo of the plate on its wall; its EXIF is dropped.")
@click.option("--note", default="", help="A remark for the record.")
@SIZE
def install(
    plate: str | None,
    table: Path | None,
    photos: Path | None,
    skip_faults: bool,
    on: datetime | None,
    by: str,
    lon: float | None,
    lat: float | None,
    crs: str | None,
    accuracy: float,
    photo: Path | None,
    note: str,
    size: str,
) -> None:
    """Record that a plate hangs: PLATE is its link or code. A position far from the building is flagged."""
    from api.cli.store import actor, opened
    from api.services.plates import plate_life, plate_tables

    if (plate is None) == (table is None):
        raise click.UsageError(text("life.plate_or_file", shell_language()))
    with opened() as engine:
        if table is not None:
            done = plate_tables.install_file(
                engine, table, photos=photos, skip_faults=skip_faults, by=by, crs=crs, actor=actor()
            )
            outcomes, faults = done.outcomes, done.faults
        else:
            assert plate is not None
            picture = plate_tables.photo_of(photo) if photo else b""
            outcomes, faults = [
                plate_life.install(
                    engine, plate, on=on.date() if on else None, by=by, note=note, photo=picture, actor=actor(),
                    position=_position(lon, lat, crs, accuracy), size=size,
                )
            ], []  # fmt: skip
    for fault in faults:
        click.echo(text("life.row", shell_language(), row=fault.row, fault=fault.said(shell_language())), err=True)
    written = not faults or skip_faults
    for outcome in outcomes if written else []:
        click.echo(_said(outcome))
    if table is not None:
        count = len(outcomes) if written else 0
        click.echo(text("life.installed_file", shell_language(), count=count, faults=len(faults)))
    if faults and not skip_faults:
        click.get_current_context().exit(2)


@click.command()
@click.argument("plate")
@click.argument("status")
@click.option("--on", type=DAY, help="Day (else today).")
@click.option("--note", default="", help="A remark for the record.")
@SIZE
def mark(plate: str, status: str, on: datetime | None, note: str, size: str) -> None:
    """Record that a plate (its link or code) was lost, replaced or revoked."""
    from api.cli.store import actor, opened
    from api.services.plates import plate_life

    with opened() as engine:
        day = on.date() if on else None
        done = plate_life.mark(engine, plate, status, on=day, note=note, actor=actor(), size=size)
    click.echo(_said(done))


@click.command()
@click.argument("plate")
@click.option("--lon", type=float, required=True, help="Where it was seen: longitude or easting.")
@click.option("--lat", type=float, required=True, help="Latitude or northing.")
@click.option("--crs", required=True, help="Datum of the position: wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")
@click.option("--accuracy", type=float, default=0.0, help="How good the position is, in metres.")
@click.option("--on", type=DAY, help="Day (else today).")
@click.option("--by", default="", help="Who saw it.")
@click.option("--photo", type=click.Path(path_type=Path), help="Photo; its EXIF is dropped.")
@click.option("--note", default="", help="A remark.")
@SIZE
def check(
    plate: str, lon: float, lat: float, crs: str, accuracy: float, on: datetime | None, by: str, photo: Path | None,
    note: str, size: str,
) -> None:  # fmt: skip
    """Record where a plate was seen, and say how far that is from its building."""
    from api.cli.store import actor, opened
    from api.services.plates import plate_life, plate_tables
    from api.services.plates.plate_life import Position

    picture = plate_tables.photo_of(photo) if photo else b""
    with opened() as engine:
        done = plate_life.check(
            engine, plate, Position(lon, lat, crs, accuracy), on=on.date() if on else None, by=by, note=note,
            photo=picture, actor=actor(), size=size,
        )  # fmt: skip
    click.echo(_said(done))
    if done.nearness == "far":
        click.get_current_context().exit(3)


@click.command()
@click.argument("plate")
@click.option("--note", default="", help="What was found.")
def settle(plate: str, note: str) -> None:
    """Staff looked into a plate: what was seen and reported of it until now is done with."""
    from api.cli.store import actor, opened
    from api.services.plates import plate_life

    with opened() as engine:
        done = plate_life.settle(engine, plate, note=note, actor=actor())
    click.echo(text("life.settled", shell_language(), text=done.text))


@click.command()
@click.argument("plate")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="JPEG to write.")
@SIZE
def photo(plate: str, output: Path, size: str) -> None:
    """Write the photo that was taken when a plate was hung."""
    from api.cli.store import opened
    from api.services.plates import plate_life

    with opened() as engine:
        plate_life.save_photo(engine, plate, output, size=size)


@click.command()
@click.argument("territory")
def suspicious(territory: str) -> None:
    """List plates to look at: moved, copied, said to hang elsewhere, or hanging where the address has ended."""
    from api.cli.store import opened
    from api.services.plates import plate_life

    with opened() as engine:
        _todos(plate_life.suspicious(engine, territory))


@click.command("reprint-list")
@click.argument("territory")
def reprint_list(territory: str) -> None:
    """List plates to print again: code, why, since, metres, address, size; ``plates print --reprint`` prints them."""
    from api.cli.store import opened
    from api.services.plates import plate_life

    with opened() as engine:
        _todos(plate_life.reprints(engine, territory))


@click.command()
@click.argument("territory")
@click.option("--kind", type=click.Choice(["problem", "elsewhere"]), help="Only one kind.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="The newest so many.")
@click.option("--photos", type=click.Path(path_type=Path), help="Also write the photos into a folder.")
def reports(territory: str, kind: str | None, limit: int, photos: Path | None) -> None:
    """List what people sent from plates' pages: number, time, kind, code, address, grid, words; tabs between."""
    from api.cli.store import opened
    from api.services.plates import scan

    with opened() as engine:
        rows = scan.reports(engine, territory, kind=kind or "", limit=limit)
        if photos is not None:
            scan.save_photos(engine, territory, photos)
    for r in rows:
        words = " ".join(r.text.split())
        cells = [r.number, f"{r.at:%Y-%m-%d %H:%M}", r.kind, r.code, r.address, r.grid, words]
        click.echo("\t".join(cells))
    _none(rows)


@click.command()
def forget() -> None:
    """Delete yesterday's salted hashes of who reported (the service does it too, as it works)."""
    from api.cli.store import opened
    from api.services.plates import scan

    with opened() as engine:
        click.echo(text("life.forgotten", shell_language(), count=scan.forget(engine)))


def _position(lon: float | None, lat: float | None, crs: str | None, accuracy: float) -> Position | None:
    from api.services.plates.plate_life import Position

    if lon is None and lat is None:
        return None
    if lon is None or lat is None or not crs:
        raise click.UsageError(text("life.whole_position", shell_language()))
    return Position(lon, lat, crs, accuracy)


def _said(done: Outcome) -> str:
    language = shell_language()
    state = text(f"life.status.{done.status}", language)
    line = text("life.done", language, text=done.text, number=done.code, status=state, day=done.on, batch=done.batch)
    if done.distance is not None:
        line += " " + text(f"life.{done.nearness}", language, metres=f"{done.distance:.0f}")
    if done.replaced:
        line += " " + text("life.replaced_older", language, count=done.replaced)
    return line


def _todos(rows: list[Todo]) -> None:
    for t in rows:
        metres = "" if t.distance is None else f"{t.distance:.0f}"
        why = text(f"life.why.{t.why}", shell_language())
        click.echo("\t".join([t.code, why, str(t.day or ""), metres, t.text, t.size]))
    _none(rows)


def _none(rows: object) -> None:
    if not rows:
        click.echo(text("life.none", shell_language()), err=True)


COMMANDS = (batches, list_, install, photo, mark, check, settle, suspicious, reprint_list, reports, forget)
