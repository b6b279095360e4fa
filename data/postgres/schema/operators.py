"""Who may do more than read what is published."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, DateTime, Index, LargeBinary, Table, Text, text

from data.postgres.schema.base import created, identity, metadata

#: The operator's token, by its SHA-256: the token itself is kept nowhere. One of a name is good at a time.
operator_token = Table(
    "operator_token",
    metadata,
    identity(),
    Column("name", Text, nullable=False, server_default="operator"),
    Column("digest", LargeBinary, nullable=False, unique=True),
    created(),
    Column("retired_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(digest) = 32", name="sha256"),
    Index("uq_operator_token_good", "name", unique=True, postgresql_where=text("retired_at IS NULL")),
)
