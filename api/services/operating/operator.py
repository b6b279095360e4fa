"""The operator's token: made once at first start, renewed by command, checked at every request that carries one.

256 random bits need no slow hash: nobody can try them all, and a digest in a stolen backup opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import Engine

from data.postgres import events
from data.postgres.connect import engine_of
from data.postgres.server import operators

#: So that a token is known for what it is, by people and by scanners of leaked secrets.
PREFIX: Final = "wangge_"


def first_token(url: str) -> str | None:
    """A new token for a database that has none, to be shown once; None where there is one already."""
    token = _new()
    with engine_of(url) as engine, engine.begin() as connection:
        if not operators.add(connection, digest(token)):
            return None
        events.record(connection, "operator.token_made", "operator", actor="start")
    return token


def renew(url: str, actor: str = "cli") -> str:
    """A new token, to be shown once; the one before is worth nothing from now on."""
    token = _new()
    with engine_of(url) as engine, engine.begin() as connection:
        operators.retire(connection)
        operators.add(connection, digest(token))
        events.record(connection, "operator.token_renewed", "operator", actor=actor)
    return token


def since(url: str) -> datetime | None:
    """When the token that is good was made."""
    with engine_of(url) as engine, engine.connect() as connection:
        return operators.since(connection)


def is_good(engine: Engine, token: str) -> bool:
    """Whether a token is the operator's. Asked of the database every time: a renewed one is worth nothing at once."""
    if not token.startswith(PREFIX) or len(token) > 200:
        return False
    with engine.connect() as connection:
        return operators.is_good(connection, digest(token))


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def _new() -> str:
    return PREFIX + secrets.token_urlsafe(32)
