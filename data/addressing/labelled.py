"""Labelled addresses in the field's format: a token and its tag (B-road, I-road) a line, a blank line between two."""

from __future__ import annotations

from pathlib import Path

from gis.addressing.parsing.labels import NUMBER
from gis.addressing.parsing.synthetic import Labelled
from gis.errors import InputError


def read(file: Path) -> list[Labelled]:
    """Every address of a file with its parts; spellings of a label that differ by case are one label."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("parse.no_labelled", file=str(file), detail=str(error)) from None
    found: list[Labelled] = []
    tokens: list[tuple[str, str]] = []
    for number, line in enumerate([*text.splitlines(), ""], 1):
        words = line.split()
        if not words:
            if tokens:
                found.append(_joined(tokens))
            tokens = []
            continue
        # a blank that was itself a token has left only its tag
        token, tag = (words[0], words[-1]) if len(words) > 1 else ("_", words[0])
        if tag[:2] not in ("B-", "I-") or tag[2:].lower() not in NUMBER:
            raise InputError("parse.bad_label", file=str(file), row=number, value=tag)
        tokens.append((token, tag))
    return found


def _joined(tokens: list[tuple[str, str]]) -> Labelled:
    text = ""
    parts: list[tuple[int, int, str]] = []
    for token, tag in tokens:
        label = tag[2:].lower()
        begin = len(text)
        text += token
        if tag[0] == "I" and parts and parts[-1][2] == label:
            parts[-1] = (parts[-1][0], len(text), label)
        else:
            parts.append((begin, len(text), label))
    return text, parts
