"""What adjust, repair, rebase and score share: options with words from the catalogues, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from api.messages import shell_language, text

Function = TypeVar("Function", bound=Callable[..., Any])
#: Chains and options that are printed; the report has all.
SHOWN: Final = 8


def words(code: str) -> str:
    """Help in the language of the shell."""
    return text(f"help.{code}", shell_language())


def options(*, mend: bool = False, score: bool = False, database: bool = True) -> Callable[[Function], Function]:
    """The options of one command."""
    file = click.Path(path_type=Path)
    chosen = [
        click.option("-o", "--output", type=file, help=words("output")),
        click.option("--territory", type=file, help=words("territory")),
        click.option("--ruleset", default="default", show_default=True, help=words("ruleset")),
        click.option("--min", "minimum", type=click.IntRange(1), help=words("min")),
        click.option("--max", "maximum", type=click.IntRange(1), help=words("max")),
        click.option("--target", type=click.IntRange(1), help=words("target")),
        click.option("--moves", type=file, help=words("moves")),
        click.option("--report", type=file, help=words("report")),
    ]
    if not score:
        chosen += [
            click.option("--locked", multiple=True, metavar="CODE", help=words("locked")),
            click.option("--choose", default="priced", show_default=True, help=words("choose")),
            click.option("--seed", default=1, show_default=True, type=click.IntRange(0), help=words("seed")),
        ]
    if mend:
        chosen.append(click.option("--mend", is_flag=True, help=words("mend")))
    if database and not score:
        chosen.append(click.option("--plan", "plan_name", default="main", show_default=True, help=words("plan")))

    def decorate(function: Function) -> Function:
        for option in reversed(chosen):
            function = option(function)
        return function

    return decorate


def choice_of(value: str) -> str | int:
    """An option's name or number; a usage error for anything else."""
    from api.services.plans.adjusting import CHOICES

    if value in CHOICES:
        return value
    if value.isdigit() and int(value) > 0:
        return int(value)
    raise click.UsageError(text("adjust.choice", shell_language(), value=value))


def run(task: Any, subject: str, source: Path | None, asked: dict[str, Any], layer: Path | None = None) -> None:
    """Run one task on files or in the database, print what came of it, exit with the status of the contract."""
    from api.services.plans.adjusting import Change
    from api.services.plans.planning import Job, ruleset_of

    rules = ruleset_of(asked["ruleset"], asked["minimum"], asked["maximum"], asked["target"])
    job = Job(rules, asked.get("seed", 1))
    mend = task in ("adjust", "repair") or bool(asked.get("mend"))
    change = Change(tuple(asked.get("locked", ())), choice_of(asked.get("choose", "priced")), mend)
    if source is None:
        _in_database(task, subject, job, change, asked, layer)
        return
    if asked["output"] is None and task != "score":
        raise click.UsageError(text("adjust.two_forms", shell_language()))
    _with_files(task, subject, source, job, change, asked)


def _with_files(task: Any, subject: str, source: Path, job: Any, change: Any, asked: dict[str, Any]) -> None:
    from api.cli.store import progressing
    from api.services.plans.adjusting import change_file

    with progressing() as progress:
        done = change_file(
            subject,
            source,
            asked["output"],
            job,
            change,
            task=task,
            territory=asked["territory"],
            moves=asked["moves"],
            report=asked["report"],
            language=shell_language(),
            progress=progress,
        )
    _finish(done.report, done.exit_status)


def _in_database(task: Any, subject: str, job: Any, change: Any, asked: dict[str, Any], layer: Path | None) -> None:
    from api.cli.store import actor, opened, progressing
    from api.services.plans.adjusting_store import change_territory

    if asked["output"] is not None or asked["territory"] is not None or task == "score":
        raise click.UsageError(text("adjust.two_forms", shell_language()))
    with opened() as engine, progressing() as progress:
        done = change_territory(
            engine,
            subject,
            job,
            change,
            task=task,
            plan_name=asked["plan_name"],
            layer=layer,
            moves=asked["moves"],
            report=asked["report"],
            language=shell_language(),
            actor=actor(),
            progress=progress,
        )
    click.echo(text("adjust.version", shell_language(), territory=subject, number=done.report["plan_version"]))
    _finish(done.report, done.exit_status)


def _finish(report: dict[str, Any], status: int) -> None:
    for line in summary(report, shell_language()):
        click.echo(line)
    click.get_current_context().exit(status)


def summary(report: dict[str, Any], language: str) -> list[str]:
    """The lines a person reads at the end."""

    def percent(value: float | None) -> str:
        return "-" if value is None else f"{100 * value:.1f} %"

    lines = [text("adjust.carried", language, grids=report["grids"], **report["carried"])]
    if "as_drawn" in report:
        d = report["as_drawn"]
        lines.append(
            text(
                "adjust.drawn", language, gap=d["gap_m2"], overlap=d["overlap_m2"], outside=d["outside_m2"],
                pieces=len(d["grids_in_pieces"]),
            )
        )  # fmt: skip
    if "options" in report:
        lines += _options(report, language)
    lines.append(
        text(
            "plan.measures",
            language,
            range=percent(report["in_range_share"]),
            street=percent(report["on_street_share"]),
            whole=percent(report["contiguous_share"]),
            seconds=f"{sum(report['seconds'].values()):.1f}",
        )
    )
    lines.append(text("adjust.moves", language, **report["buildings"]))
    for row in report["exceptions"][:SHOWN]:
        reason = text(f"exception_{row['reason']}", language)
        lines.append(text("plan.exception", language, grid=row["grid"], households=row["households"], reason=reason))
    return lines


def _options(report: dict[str, Any], language: str) -> list[str]:
    lines = [
        text(
            "adjust.faults", language, count=len(report["at_fault"]), excess=report["excess"],
            shortage=report["shortage"], least=report["moved_lower_bound"], units=report["moved_unit_bound"],
        )
    ]  # fmt: skip
    for o in report["options"]:
        mark = "*" if o["number"] == report["chosen"] else " "
        name = text(f"option_{o['name']}", language)
        lines.append(
            text(
                "adjust.option", language, mark=mark, number=o["number"], name=name, moved=o["moved_households"],
                grids=o["grids_changed"], objective=f"{o['objective']:.0f}", amiss=o["out_of_range"],
            )
        )  # fmt: skip
    for chain in report["chains"][:SHOWN]:
        steps = ", ".join(
            text("adjust.step", language, **{"from": s["from"], "to": s["to"], "households": s["households"]})
            for s in chain["steps"]
        )
        said = "adjust.chain" if chain["at_fault"] else "adjust.chain_free"
        lines.append(
            text(said, language, grids=", ".join(chain["grids"]), cause=", ".join(chain["at_fault"]), steps=steps)
        )
    for word in ("opened", "ended"):
        if report[word]:
            lines.append(text(f"adjust.{word}", language, codes=", ".join(report[word])))
    return lines
