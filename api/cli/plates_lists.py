"""``./wangge plates keys``, ``signed-list``, ``verify``: keys, and plates judged with no network at hand."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from api.messages import shell_language, text

#: A list older than this is told to be old: plates printed and revoked since are not in it.
OLD_DAYS = 31


@click.group()
def keys() -> None:
    """Keys that sign plates' links and staff's lists."""


@keys.command("list")
def list_keys() -> None:
    """List keys: of plates (id, host, made, retired, plates, series), then public keys of lists (made, retired).

    Series 0 signs first plates, series 1 those printed in place of lost or replaced ones of series 0, and so on.
    """
    from api.cli.store import opened
    from api.services.plates import plate_lists

    with opened() as engine:
        found = plate_lists.keys(engine)
    for k in found.plates:
        days = [_day(k.created_at), _day(k.retired_at)]
        click.echo("\t".join(["plates", k.key_id, k.host, *days, str(k.plates), str(k.series)]))
    for public, made, retired in found.lists:
        click.echo("\t".join(["lists", public, "", _day(made), _day(retired)]))


@keys.command()
@click.option("--lists", is_flag=True, help="The key that signs staff's lists, instead of that of plates.")
def rotate(lists: bool) -> None:
    """Make a new key. Plates and lists signed with older ones verify for ever."""
    from api.cli.store import actor, opened
    from api.services.plates import plate_lists, plates

    with opened() as engine:
        if lists:
            made = plate_lists.rotate_list_key(engine, actor=actor())
            click.echo(text("list.key_made", shell_language(), key=made))
        else:
            click.echo(text("plates.key_made", shell_language(), key=plates.rotate_key(engine, actor=actor())))


@click.command("signed-list")
@click.argument("territory")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File to write.")
def signed_list(territory: str, output: Path) -> None:
    """Write the signed list of a territory's plates, for staff to verify plates offline."""
    from api.cli.store import actor, opened
    from api.services.plates import plate_lists

    with opened() as engine:
        made = plate_lists.make_file(engine, territory, output, actor=actor())
    click.echo(text("list.made", shell_language(), file=output, count=made.records, key=made.key))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("plates", nargs=-1, required=True)
@click.option("--key", required=True, envvar="WANGGE_LIST_KEY", help="Public key of the lists, as it was handed out.")
@click.option("--lon", type=float, help="Where the plate hangs: longitude or easting.")
@click.option("--lat", type=float, help="Latitude or northing.")
@click.option("--crs", help="Datum of the position.")
@click.option("--accuracy", type=float, default=0.0, help="How good the position is, in metres.")
def verify(
    file: Path, plates: tuple[str, ...], key: str, lon: float | None, lat: float | None, crs: str | None,
    accuracy: float,
) -> None:  # fmt: skip
    """Judge plates (links or codes; - reads lines) by a signed list: no network, no database.

    Exit status 3 when one of them does not speak for its address.
    """
    from api.services.plates import plate_verify

    language = shell_language()
    if (lon is None) != (lat is None) or (lon is not None and not crs):
        raise click.UsageError(text("life.whole_position", language))
    known = plate_verify.read_file(file, key)
    age = (datetime.now(UTC) - datetime.fromisoformat(known.made)).days
    message = "list.old" if age > OLD_DAYS else "list.read"
    click.echo(text(message, language, territory=known.territory, made=known.made, days=age), err=True)
    texts = [line.strip() for line in sys.stdin if line.strip()] if plates == ("-",) else list(plates)
    position = None if lon is None or lat is None else (lon, lat)
    good = True
    for given, found in zip(
        texts, plate_verify.check(known, texts, position=position, crs=crs, accuracy=accuracy), strict=True
    ):
        verdict = text(f"list.verdict.{found.verdict}", language, into=" ".join(found.into))
        line = [given, verdict, found.text]
        if found.distance is not None:
            line.append(text(f"life.{found.nearness}", language, metres=f"{found.distance:.0f}"))
        click.echo("\t".join(line))
        good &= found.good
    if not good:
        click.get_current_context().exit(3)


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d}"


COMMANDS = (keys, signed_list, verify)
