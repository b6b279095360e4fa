"""``./wangge publish``: put a plan version in force from a day on."""

from __future__ import annotations

from datetime import date, datetime

import click

from api.messages import shell_language, text


@click.command()
@click.argument("territory")
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First day in force (else today).")
@click.option("--plan", "plan_name", default="main", show_default=True, help="Which plan.")
@click.option("--version", "number", type=click.IntRange(1), help="Which of its versions (else the newest).")
@click.option("--staff", is_flag=True, help="Give the staff of each community its grids.")
@click.option("--demo-people", is_flag=True, help="Make up people, marked as fictitious, for grids nobody has.")
def publish(
    territory: str, since: datetime | None, plan_name: str, number: int | None, staff: bool, demo_people: bool
) -> None:
    """Publish a plan: from that day on maps, lookups and plates answer by it.

    A later day comes into force by itself. Grids that go on keep their permanent id and their code.
    """
    from api.cli.store import actor, opened, progressing
    from api.services.plans import publishing

    day: date | None = None if since is None else since.date()
    with opened() as engine, progressing() as progress:
        done = publishing.publish(
            engine, territory, since=day, plan=plan_name, number=number, actor=actor(), staff=staff,
            demo_people=demo_people, progress=progress,
        )  # fmt: skip
    language = shell_language()
    first, last = done.publication.valid_from, done.publication.valid_to
    click.echo(
        text(
            "store.published", language, territory=territory, grids=done.grids, kept=done.kept, since=first,
            moved=f"{done.moved:,}",
        )
    )  # fmt: skip
    if last is not None:
        click.echo(text("store.published_until", language, until=last))
    if done.outside:
        click.echo(text("store.outside", language, count=done.outside))
    if done.vacant:
        shown = ", ".join(done.vacant[:10]) + (" ..." if len(done.vacant) > 10 else "")
        click.echo(text("store.vacant", language, count=len(done.vacant), codes=shown))
