"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Note(str):
    """A note whose words belong to the message catalogues: ``note_<code>``, its placeholders filled by ``values``."""

    code: str
    values: Mapping[str, object]

    def __new__(cls, code: str, values: Mapping[str, object]) -> Note:
        """The text itself is for those who do not look words up."""
        made = super().__new__(cls, ", ".join(f"{k} {v}" for k, v in values.items()))
        made.code, made.values = code, values
        return made


class Progress(Protocol):
    """Called by long work. ``step`` names the step, ``done`` runs from 0 to 1, ``note`` is free text."""

    def __call__(self, step: str, done: float, note: str = "") -> None:
        """Say how far a step is."""


def silent(step: str, done: float, note: str = "") -> None:
    """Report nothing."""
