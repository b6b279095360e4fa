"""Numbering rulesets shipped with the product, and those of a deployment's own: opened here, read by the engine."""

from __future__ import annotations

from typing import Final

from data import shipped
from gis.addressing.rules import Rule, parse

DEFAULT: Final = "beijing2012"


def names() -> tuple[str, ...]:
    """Names of the shipped numbering rulesets, sorted."""
    return shipped.names(__name__)


def load(name: str = DEFAULT) -> Rule:
    """A shipped numbering ruleset by its name, or any by the path of its TOML file.

    Raises ``InputError`` when there is none of that name, or naming the field that is wrong.
    """
    return parse(shipped.read(__name__, name))
