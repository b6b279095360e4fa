"""How long work says how far it is."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called by long work. ``step`` names the step, ``done`` runs from 0 to 1, ``note`` is free text."""

    def __call__(self, step: str, done: float, note: str = "") -> None:
        """Say how far a step is."""


def silent(step: str, done: float, note: str = "") -> None:
    """Report nothing."""
