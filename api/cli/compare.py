"""``./wangge compare``: two plans side by side on one offline page."""

from __future__ import annotations

from pathlib import Path

import click

from api.messages import LANGUAGES, shell_language, text


@click.command()
@click.argument("a", metavar="A.gpkg")
@click.argument("b", metavar="B.gpkg")
@click.option("--territory", metavar="NAME", help="A and B are version numbers of this territory's plan instead.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="HTML page to write.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure as JSON.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh-CN", show_default=True, help="Words of the page."
)
def compare(
    a: str, b: str, territory: str | None, output: Path | None, json_file: Path | None, language: str
) -> None:
    """Compare plan A with plan B: every measure, the households and buildings that moved, pictures and a map."""
    from api.services.plans.comparing import check_outputs, compare_files, save_json

    check_outputs(output, json_file)
    if territory is None:
        found = compare_files(a, b)
    else:
        if not (a.isdigit() and b.isdigit()):
            raise click.UsageError(text("compare.versions", shell_language()))
        from api.cli.store import opened
        from api.services.plans.stored_plans import compare_versions

        with opened() as engine:
            found = compare_versions(engine, territory, int(a), int(b))
    if json_file is not None:
        save_json(found, json_file)
    figures = found.as_json()
    if output is not None:
        from api.services.plans.comparing_page import write_page

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
