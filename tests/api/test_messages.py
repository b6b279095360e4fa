"""Every word for people exists in both languages, with the same placeholders, and every error has words."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from api.messages import LANGUAGES, catalogue, text

ROOT = Path(__file__).parents[2]
RAISED = re.compile(
    r"raise\s+(?:errors\.)?(?:InputError|SetupError|NotFoundError|ConflictError|UnauthorizedError|WorkerError|WanggeError)\(\s*\"([^\"]+)\""
)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def test_both_languages_have_the_same_codes() -> None:
    chinese, english = (catalogue(language) for language in LANGUAGES)
    assert set(chinese) == set(english)


@pytest.mark.parametrize("code", sorted(catalogue("en")))
def test_placeholders_agree(code: str) -> None:
    assert placeholders(catalogue("zh-CN")[code]) == placeholders(catalogue("en")[code])


def raised_codes() -> list[tuple[str, str]]:
    found = []
    for folder in ("gis", "data", "api"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            found += [(str(file.relative_to(ROOT)), code) for code in RAISED.findall(file.read_text("utf-8"))]
    return found


@pytest.mark.parametrize(("file", "code"), raised_codes())
def test_every_error_has_words(file: str, code: str) -> None:
    assert code in catalogue("zh-CN"), f"{file} raises {code}, which no catalogue explains"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert text("no_such_code", "en", layer="streets") == "no_such_code {'layer': 'streets'}"
