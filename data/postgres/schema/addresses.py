"""Standard addresses, their permanent codes, and plates. Nothing here is ever deleted: rows end by date or status."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from data.postgres.schema.base import (
    created,
    geometry,
    identity,
    metadata,
    near,
    of_territory,
    once_at_a_time,
    refers,
    served,
    validity,
)

#: Named streets 街路巷 as ordered pieces with gaps: ``geom`` is a MultiLineString that begins where counting starts.
thoroughfare = Table(
    "thoroughfare",
    metadata,
    identity(),
    of_territory(),
    Column("name", Text, nullable=False),
    Column("place", Integer, nullable=False, server_default=text("1")),
    Column("aliases", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("source_ids", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("note", Text, nullable=False, server_default=""),
    *validity(),
    geometry(kind="MULTILINESTRING"),
    served("MULTILINESTRING"),
    once_at_a_time("thoroughfare", "territory_id", "name", "place"),
    near("thoroughfare"),
)

#: Doors of a building and gates of a compound (one of the two); ``name`` as people say it (1单元, 东门), "" where a
#: building has one; ``street`` and ``housenumber`` what it carries on the wall.
entrance = Table(
    "entrance",
    metadata,
    identity(),
    refers("building_id", "building.id", nullable=True),
    refers("compound_id", "compound.id", nullable=True),
    Column("name", Text, nullable=False, server_default=""),
    Column("street", Text, nullable=False, server_default=""),
    Column("housenumber", Text, nullable=False, server_default=""),
    refers("thoroughfare_id", "thoroughfare.id", nullable=True),
    *validity(),
    geometry(kind="POINT"),
    served("POINT"),
    once_at_a_time("entrance", "building_id", "name"),
    CheckConstraint("building_id IS NOT NULL OR compound_id IS NOT NULL", name="owner"),
    Index("ix_entrance_compound_id", "compound_id"),
    near("entrance"),
)

#: A standard address. Branches, one or both: road + number (``thoroughfare_id, number, number_text``), compound +
#: building (``compound_id, building_no``), then unit, floor and room. ``text`` is the standard text shown to people,
#: without the division; ``code`` is the contract's permanent code, unique for ever. ``origin``: ``existing`` was
#: found on the ground, ``issued`` is ours. ``mess`` is the class of mess where there is one (号址不一 …).
address = Table(
    "address",
    metadata,
    identity(),
    of_territory(),
    Column("code", Text, nullable=False, unique=True),
    Column("level", Text, nullable=False),
    refers("parent_id", "address.id", nullable=True),
    refers("building_id", "building.id"),
    refers("entrance_id", "entrance.id", nullable=True),
    refers("community_id", "community.id", nullable=True),
    refers("thoroughfare_id", "thoroughfare.id", nullable=True),
    Column("number", Integer),
    Column("number_text", Text, nullable=False, server_default=""),
    Column("side", Text, nullable=False, server_default=""),
    Column("station", Float),
    refers("compound_id", "compound.id", nullable=True),
    Column("building_no", Text, nullable=False, server_default=""),
    Column("unit", Text, nullable=False, server_default=""),
    Column("floor", Text, nullable=False, server_default=""),
    Column("room", Text, nullable=False, server_default=""),
    Column("text", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("mess", Text, nullable=False, server_default=""),
    Column("status", Text, nullable=False, server_default="issued"),
    refers("successor_id", "address.id", nullable=True),
    *validity(),
    geometry(kind="POINT"),
    served("POINT"),
    created(),
    CheckConstraint("code ~ '^[0-9]{14}$'", name="code"),
    CheckConstraint("level IN ('premise','building','entrance','unit','floor','room')", name="level"),
    CheckConstraint("origin IN ('existing','issued')", name="origin"),
    CheckConstraint("side IN ('','left','right')", name="side"),
    CheckConstraint("status IN ('issued','revoked','merged','split')", name="status"),
    CheckConstraint("text <> ''", name="text"),
    CheckConstraint(
        "(thoroughfare_id IS NOT NULL AND number_text <> '') OR compound_id IS NOT NULL OR building_no <> ''"
        " OR origin = 'existing' OR parent_id IS NOT NULL OR community_id IS NOT NULL",
        name="branch",
    ),
    Index("ix_address_building_id", "building_id"),
    Index("ix_address_territory_id_text", "territory_id", "text"),
    Index("ix_address_thoroughfare_id_number", "thoroughfare_id", "number"),
    Index("ix_address_compound_id", "compound_id"),
    near("address"),
    Index("ix_address_text_trgm", "text", postgresql_using="gin", postgresql_ops={"text": "gin_trgm_ops"}),
)

#: Other names of an address: aliases, former names, misprints, variants of writing.
address_alias = Table(
    "address_alias",
    metadata,
    identity(),
    refers("address_id", "address.id"),
    Column("text", Text, nullable=False),
    Column("kind", Text, nullable=False),
    *validity(),
    CheckConstraint("kind IN ('alias','former','misprint','variant')", name="kind"),
    once_at_a_time("address_alias", "address_id", "text"),
    Index("ix_address_alias_text_trgm", "text", postgresql_using="gin", postgresql_ops={"text": "gin_trgm_ops"}),
)

#: Codes of other systems (police plates, GB/T 39609), many to one, as dated attributes.
foreign_code = Table(
    "foreign_code",
    metadata,
    identity(),
    refers("address_id", "address.id"),
    Column("system", Text, nullable=False),
    Column("code", Text, nullable=False),
    *validity(),
    once_at_a_time("foreign_code", "system", "code"),
    Index("ix_foreign_code_address_id", "address_id"),
)

#: Keys that sign plate URLs. A retired key verifies for ever; one key a host and series signs new plates. Series 0
#: signs first plates; a plate printed for one that was lost is of a later series, so that its link is another.
plate_key = Table(
    "plate_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    created(),
    Column("retired_at", DateTime(timezone=True)),
    Column("series", SmallInteger, nullable=False, server_default=text("0")),
    CheckConstraint("key_id ~ '^[0-9A-Z]$'", name="key_id"),
    CheckConstraint("octet_length(secret) >= 16", name="secret"),
    CheckConstraint("series >= 0", name="series"),
    Index("uq_plate_key_current", "host", "series", unique=True, postgresql_where=text("retired_at IS NULL")),
)

#: Who ordered and who printed plates, and how far they are. ``verified`` counts plates whose QR was read back.
plate_batch = Table(
    "plate_batch",
    metadata,
    identity(),
    of_territory(),
    refers("community_id", "community.id", nullable=True),
    Column("size", Text, nullable=False),
    Column("ordered_by", Text, nullable=False, server_default=""),
    created("ordered_at"),
    Column("printed_at", DateTime(timezone=True)),
    Column("plates", Integer, nullable=False),
    Column("verified", Integer, nullable=False, server_default=text("0")),
    Column("sha256", Text, nullable=False, server_default=""),
    Column("printed_by", Text, nullable=False, server_default=""),
    Column("purpose", Text, nullable=False, server_default="new"),
    CheckConstraint("purpose IN ('new','reprint')", name="purpose"),
    CheckConstraint("verified >= 0 AND verified <= plates", name="verified"),
)

#: One printed plate of an address. ``payload`` is the URL in its QR, ``shown`` the words on it: neither ever changes.
#: ``since`` is the day from which ``status`` holds; how it came there stands in ``event`` (``plate:<id>``).
plate = Table(
    "plate",
    metadata,
    identity(),
    refers("address_id", "address.id"),
    refers("batch_id", "plate_batch.id"),
    Column("key_id", Text, ForeignKey("plate_key.key_id"), nullable=False),
    Column("payload", Text, nullable=False),
    Column("status", Text, nullable=False, server_default="issued"),
    Column("installed_on", Date),
    Column("installed_by", Text, nullable=False, server_default=""),
    geometry("installed_at", "POINT", nullable=True),
    Column("photo", LargeBinary),
    Column("elsewhere", Boolean, nullable=False, server_default=text("false")),
    Column("shown", Text, nullable=False, server_default=""),
    Column("since", Date),
    CheckConstraint("status IN ('issued','printed','installed','lost','replaced','revoked')", name="status"),
    UniqueConstraint("batch_id", "address_id"),
    Index("ix_plate_address_id", "address_id"),
)
