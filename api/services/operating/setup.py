"""Puts on the machine what the commands need: database programs, web pages, browser, font, compiled loops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from data.machine import chromium, fonts, postgis, warm, web
from data.machine.steps import Outcome, log_file
from data.postgres.server import cluster
from gis.progress import Progress

#: What can be asked for -> the steps it takes, in order.
NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "database": ("postgis",),
    "web": ("web",),
    "engine": ("warm",),
    "browser": ("chromium", "fonts"),
}
STEPS: Final[dict[str, Callable[[Progress], Outcome]]] = {
    "postgis": postgis.ensure,
    "web": web.ensure,
    "warm": warm.ensure,
    "chromium": chromium.ensure,
    "fonts": fonts.ensure,
}


@dataclass(frozen=True, slots=True)
class Done:
    """One step of set-up and how it ended."""

    number: int
    of: int
    step: str
    outcome: Outcome


def prepare(needs: tuple[str, ...], progress: Progress) -> Iterator[Done]:
    """Take the steps of what is asked for, one by one. Raises SetupError where one that is needed cannot be done."""
    steps = [step for need in NEEDS if need in needs for step in NEEDS[need]]
    for number, step in enumerate(steps, 1):
        yield Done(number, len(steps), step, STEPS[step](progress))


def start_database(progress: Progress) -> str:
    """Start the private database if need be; its address."""
    return cluster.ensure(progress)


def log_of(step: str) -> str:
    """Where the output of a step's programs is kept."""
    return str(log_file(step))
