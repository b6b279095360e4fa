"""``./wangge plates``: print door plates 门楼牌 and check every QR."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli import plates_lists, plates_use
from api.messages import shell_language, text


@click.group()
def plates() -> None:
    """Print door plates and check every QR."""


@plates.command("print")
@click.argument("territory")
@click.option("--community", help="Code or name of the community (else the first that has addresses).")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="PDF to write.")
@click.option("--size", help="large, medium (when left out), small, building, unit, room; of a reprint its plates'.")
@click.option("--one-a-page", is_flag=True, help="One plate a page, cut to size, instead of sheets with crop marks.")
@click.option("--bleed", default=0.0, show_default=True, help="Millimetres the ground runs over the cut (3, say).")
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Also the plates' data, for an engraver.")
@click.option("--host", help="Host the QR names, for this batch only (else the deployment's).")
@click.option("--ordered-by", default="", help="Who asked for the batch (else who prints it).")
@click.option("--reprint", is_flag=True, help="Only plates on the reprint list: lost, revoked, or renamed since.")
def print_(
    territory: str,
    community: str | None,
    output: Path,
    size: str | None,
    one_a_page: bool,
    bleed: float,
    table: Path | None,
    host: str | None,
    ordered_by: str,
    reprint: bool,
) -> None:
    """Print the plates of one community as a PDF. Every QR is read back before the file is written."""
    from api.cli.store import actor, opened, progressing
    from api.services.plates import plates as service

    with opened() as engine, progressing() as progress:
        wanted = size or (service.reprint_size(engine, territory) if reprint else service.DEFAULT)
        done = service.print_to_file(
            engine, territory, output, community, size=wanted, one_a_page=one_a_page, host=host, table=table,
            actor=actor(), progress=progress, ordered_by=ordered_by, reprint=reprint, bleed=bleed,
        )  # fmt: skip
    click.echo(
        text(
            "plates.printed",
            shell_language(),
            file=output,
            community=done.community,
            plates=done.plates,
            verified=done.verified,
            batch=done.batch,
            host=done.host,
            key=done.key_id,
        )
    )


@plates.command()
@click.argument("code")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="File: .svg, .png or .pdf.")
@click.option("--size", default="medium", show_default=True, help="large, medium, small, building, unit or room.")
@click.option("--pixels", default=1200, show_default=True, type=click.IntRange(100, 6000), help="Width of a PNG.")
def picture(code: str, output: Path, size: str, pixels: int) -> None:
    """Draw one plate by its address code: vector outlines for an engraver, or a picture."""
    from api.cli.store import opened
    from api.services.plates import plates as service

    with opened() as engine:
        service.picture(engine, code, output, size=size, pixels=pixels)


@plates.command()
@click.argument("batch", type=int)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help="A .zip, or a new folder.")
@click.option("--format", "kinds", multiple=True, help="svg (when left out), png, or both: once each.")
@click.option("--dpi", default=300, show_default=True, type=click.IntRange(50, 1200), help="Resolution of PNG.")
def pictures(batch: int, output: Path, kinds: tuple[str, ...], dpi: int) -> None:
    """Draw every plate of a printed batch as SVG or PNG, with a CSV that names the files, for engravers.

    BATCH is the number that ``plates print`` tells. The links are those of its sheets; every QR is read back.
    """
    from api.cli.store import opened, progressing
    from api.services.plates import plate_pictures as service

    with opened() as engine, progressing() as progress:
        done = service.export(engine, batch, output, kinds=kinds or ("svg",), dpi=dpi, progress=progress)
    said = {"file": output, "batch": done.batch, "plates": done.plates, "files": done.files}
    click.echo(text("plates.exported", shell_language(), **said))


@plates.command()
@click.argument("name")
def host(name: str) -> None:
    """Set the host that new plates name (like dz.example.cn)."""
    from api.cli.store import opened
    from api.services.plates import plates as service

    with opened() as engine:
        click.echo(text("plates.host_set", shell_language(), host=service.set_host(engine, name)))


@plates.command("rotate-key")
def rotate_key() -> None:
    """Make a new signing key for new plates; plates signed with older keys verify for ever."""
    from api.cli.store import actor, opened
    from api.services.plates import plates as service

    with opened() as engine:
        click.echo(text("plates.key_made", shell_language(), key=service.rotate_key(engine, actor=actor())))


for _command in (*plates_use.COMMANDS, *plates_lists.COMMANDS):
    plates.add_command(_command)
