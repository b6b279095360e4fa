"""What the parser is trained from: words of our own, and the country's divisions (china-division 2.7.0, MIT)."""

from __future__ import annotations

import lzma
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def words() -> dict[str, Any]:
    """The word lists of ``words.toml``."""
    return tomllib.loads((files(__package__) / "words.toml").read_text(encoding="utf-8"))


def divisions() -> list[tuple[str, str]]:
    """(code, name) of provinces, cities, counties and towns, and of every sixteenth community.

    Codes have 2, 4, 6, 9 and 12 digits; a code begins with that of the division above.
    """
    text = lzma.decompress((files(__package__) / "divisions.tsv.xz").read_bytes()).decode("utf-8")
    rows = (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
    return [(code, name) for code, name in rows]
