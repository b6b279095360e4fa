"""``./wangge compare``: two plans side by side on one offline page."""

from __future__ import annotations

from pathlib import Path

import click

from api.messages import LANGUAGES, shell_language, text


@click.command()
@click.argument("a", metavar="A.gpkg", type=click.Path(path_type=Path))
@click.argument("b", metavar="B.gpkg", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="HTML page to write.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure as JSON.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh-CN", show_default=True, help="Words of the page."
)
def compare(a: Path, b: Path, output: Path | None, json_file: Path | None, language: str) -> None:
    """Compare plan A with plan B: every measure, the households and buildings that moved, pictures and a map."""
    from api.services.comparing import check_outputs, compare_files, save_json

    check_outputs(output, json_file)
    found = compare_files(a, b)
    if json_file is not None:
        save_json(found, json_file)
    figures = found.as_json()
    if output is not None:
        from api.services.comparing_page import write_page

        size = write_page(found, output, language)
        click.echo(text("compare.done", shell_language(), file=output, size=f"{size / 1e6:.1f}"))
    click.echo(summary(figures, shell_language()))


def summary(figures: dict[str, object], language: str) -> str:
    """The line a person reads: how much moved."""
    moved = figures["moved"]
    assert isinstance(moved, dict)
    share = "–" if moved["share"] is None else f"{100 * moved['share']:.1f} %"
    kind = str(figures["compared_by"])
    return text(
        f"compare.summary_{kind}",
        language,
        count=f"{moved[kind]:,}",
        households=f"{moved['households']:,}",
        share=share,
    )
