"""What commands on the database share: the engine for one command, and progress that ends its line."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from api.cli.progress import PATIENCE, ConsoleProgress
from gis.interrupts import gentle

if TYPE_CHECKING:
    from api.services.store import Engine


@contextmanager
def opened() -> Iterator[Engine]:
    """An engine on the database at the newest schema; the private one is made and started if need be."""
    from api.services import store

    with progressing() as progress, store.engine(progress) as engine:
        yield engine


@contextmanager
def progressing() -> Iterator[ConsoleProgress]:
    """Progress on this terminal."""
    progress = ConsoleProgress(patience=PATIENCE)
    try:
        with gentle():
            yield progress
    finally:
        progress.close()


def actor() -> str:
    """Who does it, for the record of events: the user of this machine."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # no name for this user id
        return "cli"
