"""What happens to codes and plates after they were made, the lists staff verify by, and how posting is throttled."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from data.postgres.schema.base import created, geometry, identity, metadata, refers

#: Which addresses took the place of one that was merged (one row) or split (a row a part). Never deleted.
address_succession = Table(
    "address_succession",
    metadata,
    identity(),
    refers("address_id", "address.id"),
    refers("successor_id", "address.id"),
    Column("kind", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    CheckConstraint("kind IN ('merged','split')", name="kind"),
    CheckConstraint("address_id <> successor_id", name="other"),
    UniqueConstraint("address_id", "successor_id"),
    Index("ix_address_succession_successor_id", "successor_id"),
)

#: Where staff saw a plate: append-only. ``distance`` is in metres from the building's outline, ``accuracy`` that of
#: the position; ``payload`` is the text that was scanned ("" when the code was typed).
plate_check = Table(
    "plate_check",
    metadata,
    identity(),
    refers("address_id", "address.id"),
    refers("plate_id", "plate.id", nullable=True),
    created(),
    Column("seen_on", Date, nullable=False),
    Column("seen_by", Text, nullable=False, server_default=""),
    geometry(kind="POINT"),
    Column("accuracy", Float, nullable=False, server_default=text("0")),
    Column("distance", Float, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Column("photo", LargeBinary),
    CheckConstraint("verdict IN ('near','unsure','far')", name="verdict"),
    CheckConstraint("accuracy >= 0 AND distance >= 0", name="metres"),
    Index("ix_plate_check_address_id", "address_id"),
)

#: Ed25519 keys that sign the lists staff carry; 32 bytes each. A retired key's lists can still be read.
list_key = Table(
    "list_key",
    metadata,
    identity(),
    Column("name", Text, nullable=False, server_default="plates"),
    Column("secret", LargeBinary, nullable=False),
    Column("public", LargeBinary, nullable=False, unique=True),
    created(),
    Column("retired_at", DateTime(timezone=True)),
    CheckConstraint("octet_length(secret) = 32 AND octet_length(public) = 32", name="bytes"),
    Index("uq_list_key_current", "name", unique=True, postgresql_where=text("retired_at IS NULL")),
)

#: One salt a day, and how often each salted hash of a caller posted that day: both are gone with the day.
throttle_salt = Table(
    "throttle_salt",
    metadata,
    Column("day", Date, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    CheckConstraint("octet_length(salt) = 32", name="bytes"),
)
throttle_count = Table(
    "throttle_count",
    metadata,
    Column("day", Date, primary_key=True),
    Column("caller", LargeBinary, primary_key=True),
    Column("number", Integer, nullable=False),
)
