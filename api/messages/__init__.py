"""Words for people: every message in Chinese and English, found by its code.

Catalogues are TOML files, one per area, in ``zh-CN/`` and ``en/``: ``code = "text with {placeholders}"``.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from importlib.resources import files

from gis.errors import WanggeError

LANGUAGES = ("zh-CN", "en")


@cache
def catalogue(language: str) -> dict[str, str]:
    """Every message of one language by its code."""
    merged: dict[str, str] = {}
    folder = files(__package__) / language
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            merged.update(tomllib.loads(file.read_text(encoding="utf-8")))
    return merged


def text(code: str, language: str, **values: object) -> str:
    """The message ``code`` in a language, its placeholders filled; the code itself where it is unknown."""
    template = catalogue(language).get(code)
    if template is None:
        return f"{code} {values}" if values else code
    return template.format_map(_Lenient(values))


def of_error(error: WanggeError, language: str) -> str:
    """The one line a person reads for an error."""
    return text(error.code, language, **error.values)


def shell_language() -> str:
    """Language of the terminal: WANGGE_LANG, else the locale."""
    wanted = next((v for k in ("WANGGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG") if (v := os.environ.get(k))), "")
    return "zh-CN" if wanted.lower().startswith("zh") else "en"


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
