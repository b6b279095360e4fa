"""TOML files shipped inside a package of ours, and files of the same kind of a deployment's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from gis.errors import InputError


def names(package: str) -> tuple[str, ...]:
    """Names of the TOML files that a package ships, sorted."""
    found = (f.name for f in files(package).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def read(package: str, name: str) -> bytes:
    """What a shipped file holds, by its name, or any TOML file by its path.

    Raises ``InputError``: ``ruleset_not_found``, ``ruleset_not_readable``.
    """
    known = names(package)
    if name in known:
        return (files(package) / f"{name}.toml").read_bytes()
    path = Path(name)
    if path.suffix != ".toml" and not path.is_file():
        raise InputError("ruleset_not_found", name=name, known=", ".join(known))
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("ruleset_not_readable", name=name, fault=error.strerror or "") from error
