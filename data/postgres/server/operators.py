"""The operator's token at rest: its digest, and which one is good."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text


def since(connection: Connection) -> datetime | None:
    """When the token that is good was made; None where there is none."""
    return connection.execute(
        text("SELECT created_at FROM operator_token WHERE name = 'operator' AND retired_at IS NULL")
    ).scalar()


def add(connection: Connection, digest: bytes) -> bool:
    """Keep a token's digest if there is no good one yet; False otherwise (of two at once, one wins)."""
    made = connection.execute(
        text(
            "INSERT INTO operator_token (digest) VALUES (:digest)"
            " ON CONFLICT (name) WHERE retired_at IS NULL DO NOTHING RETURNING id"
        ),
        {"digest": digest},
    )
    return made.first() is not None


def retire(connection: Connection) -> None:
    """No token is good any more."""
    connection.execute(
        text("UPDATE operator_token SET retired_at = now() WHERE name = 'operator' AND retired_at IS NULL")
    )


def is_good(connection: Connection, digest: bytes) -> bool:
    """Whether a digest is that of a good token."""
    return bool(
        connection.execute(
            text("SELECT EXISTS (SELECT FROM operator_token WHERE digest = :digest AND retired_at IS NULL)"),
            {"digest": digest},
        ).scalar_one()
    )
