"""Staff and their duties, reports and events. There are no records about residents here, and none may be added."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from data.postgres.schema.base import (
    created,
    geometry,
    identity,
    metadata,
    of_territory,
    once_at_a_time,
    refers,
    validity,
)

#: Staff. ``geom`` is where their work lies, if that is known. ``public_phone`` is a number that is posted in public
#: (a duty phone), never a private one.
person = Table(
    "person",
    metadata,
    identity(),
    of_territory(),
    Column("staff_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("organisation", Text, nullable=False, server_default=""),
    Column("public_phone", Text, nullable=False, server_default=""),
    Column("fictitious", Boolean, nullable=False, server_default=text("false")),
    geometry(kind="POINT", nullable=True),
    CheckConstraint("name <> ''", name="name"),
    UniqueConstraint("territory_id", "staff_id"),
)

#: Posts 岗位: what a person is there for. ``title`` is what people read (网格长, 网格员).
post = Table(
    "post",
    metadata,
    identity(),
    of_territory(),
    Column("code", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("public_phone", Text, nullable=False, server_default=""),
    refers("community_id", "community.id", nullable=True),
    Column("duties", Text, nullable=False, server_default=""),
    CheckConstraint("role IN ('leader','worker','steward','cadre','supervisor')", name="role"),
    UniqueConstraint("territory_id", "code"),
)

#: Who is responsible for what: a person on a post for exactly one community, grid, building or slice, with dates.
#: A grid's people are those assigned to the grid; staff of a community not placed yet are assigned to it only.
assignment = Table(
    "assignment",
    metadata,
    identity(),
    refers("person_id", "person.id"),
    refers("post_id", "post.id"),
    refers("community_id", "community.id", nullable=True),
    Column("grid_id", Uuid, ForeignKey("grid.grid_id")),
    refers("building_id", "building.id", nullable=True),
    refers("slice_id", "slice.id", nullable=True),
    *validity(),
    CheckConstraint("num_nonnulls(community_id, grid_id, building_id, slice_id) = 1", name="one_target"),
    once_at_a_time(
        "assignment", "person_id", "post_id", "community_id", where="community_id IS NOT NULL", name="community"
    ),
    once_at_a_time("assignment", "person_id", "post_id", "grid_id", where="grid_id IS NOT NULL", name="grid"),
    once_at_a_time(
        "assignment", "person_id", "post_id", "building_id", where="building_id IS NOT NULL", name="building"
    ),
    once_at_a_time("assignment", "person_id", "post_id", "slice_id", where="slice_id IS NOT NULL", name="slice"),
    Index("ix_assignment_community_id", "community_id"),
    Index("ix_assignment_grid_id", "grid_id"),
    Index("ix_assignment_building_id", "building_id"),
)

#: What somebody reported: the place, the address, the grid responsible at the time, words and a photo without EXIF.
#: Who reported is not kept. ``kind`` ``elsewhere``: somebody says that this plate hangs at another place.
report = Table(
    "report",
    metadata,
    identity(),
    of_territory(),
    Column("number", Text, nullable=False, unique=True),
    created(),
    Column("channel", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("place", Text, nullable=False, server_default=""),
    refers("address_id", "address.id", nullable=True),
    Column("grid_id", Uuid, ForeignKey("grid.grid_id")),
    geometry(kind="POINT", nullable=True),
    Column("photo", LargeBinary),
    Column("status", Text, nullable=False, server_default="new"),
    Column("kind", Text, nullable=False, server_default="problem"),
    refers("plate_id", "plate.id", nullable=True),
    CheckConstraint("channel IN ('plate','worker','hotline','web')", name="channel"),
    CheckConstraint("char_length(text) BETWEEN 1 AND 4000", name="text"),
    CheckConstraint("kind IN ('problem','elsewhere')", name="kind"),
    CheckConstraint("status IN ('new','accepted','closed','invalid')", name="status"),
    Index("ix_report_territory_id_created_at", "territory_id", "created_at"),
    Index("ix_report_grid_id", "grid_id"),
)

#: Append-only: a trigger refuses UPDATE and DELETE. ``subject`` names what it is about (``grid:<uuid>``).
event = Table(
    "event",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Column("territory_id", BigInteger, ForeignKey("territory.id")),
    Column("actor", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", JSONB, nullable=False, server_default=text("'{}'")),
    Index("ix_event_territory_id_at", "territory_id", "at"),
    Index("ix_event_subject", "subject"),
)
