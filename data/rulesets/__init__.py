"""Rulesets shipped with the product, and rulesets of a deployment's own: opened here, read by the engine."""

from __future__ import annotations

from data import shipped
from gis.districting.rulesets import Ruleset, parse


def names() -> tuple[str, ...]:
    """Names of the shipped rulesets, sorted."""
    return shipped.names(__name__)


def load(name: str = "default") -> Ruleset:
    """A shipped ruleset by its name, or any by the path of its TOML file.

    Raises ``InputError`` when there is none of that name, or naming the field that is wrong.
    """
    return parse(shipped.read(__name__, name))
