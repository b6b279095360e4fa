"""Numbering rulesets shipped with the product, and those of a deployment's own: opened here, read by the engine."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from gis.addressing.rules import Rule, parse
from gis.errors import InputError

DEFAULT: Final = "beijing2012"


def names() -> tuple[str, ...]:
    """Names of the shipped numbering rulesets, sorted."""
    found = (f.name for f in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def load(name: str = DEFAULT) -> Rule:
    """A shipped numbering ruleset by its name, or any by the path of its TOML file.

    Raises ``InputError`` when there is none of that name, or naming the field that is wrong.
    """
    if name in names():
        return parse((files(__package__) / f"{name}.toml").read_bytes())
    path = Path(name)
    if path.suffix != ".toml" and not path.is_file():
        raise InputError("ruleset_not_found", name=name, known=", ".join(names()))
    try:
        return parse(path.read_bytes())
    except OSError as error:
        raise InputError("ruleset_not_readable", name=name, fault=error.strerror or "") from error
