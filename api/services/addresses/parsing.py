"""What the ``parse`` command does: texts or a file of texts, with a deployment's library or without any."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine

from api.address_answers import MatchedAddress, ParsedAddress
from api.services.addresses import matching, matching_files
from api.services.addresses.library_bases import Bases
from api.services.addresses.matching import Addresses, Scope
from data.addressing import model_file
from data.machine import places
from data.postgres.addresses import address_library
from gis.addressing.parsing.model import Parser
from gis.errors import NotFoundError


def parse_texts(texts: list[str]) -> list[ParsedAddress]:
    """Labelled parts only, with the country's names alone; no database is asked."""
    parser = Parser(model_file.shipped())
    return [matching.parse(parser, text) for text in texts]


def match_texts(engine: Engine, texts: list[str], territory: str, language: str) -> list[MatchedAddress]:
    """What texts mean in a territory, or in all of them ("")."""
    scope = scope_of(engine, territory)
    return [matching.match(scope, text, language) for text in texts]


def match_file(engine: Engine, source: Path, output: Path, territory: str, language: str) -> int:
    """Answer a CSV of texts; the number of rows written."""
    return matching_files.answer_file(scope_of(engine, territory), source, output, language)


def scope_of(engine: Engine, territory: str) -> Scope:
    """The library of one territory by its name, or of all."""
    cache = os.environ.get("WANGGE_CACHE", str(places.state() / "cache"))
    url = engine.url.render_as_string(hide_password=False)
    held = Addresses(engine, Bases(url, Path(cache) / "libraries" if cache else None, wait=True))
    if not territory:
        return held.scope()
    with engine.connect() as connection:
        known = {t.name: t.id for t in address_library.every(connection)}
    if territory not in known:
        raise NotFoundError("store.no_territory", name=territory, known=", ".join(known))
    return held.scope([known[territory]])
