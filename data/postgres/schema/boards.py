"""What was printed for people to see: notice boards 公示牌 of buildings and contact cards 联系卡 of workers."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Index, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from data.postgres.schema.base import created, identity, metadata, of_territory, refers

#: One printed board or card; a reprint is a new row. ``content`` is what it says (staff and their duty phones, grid,
#: range), as of ``day``, so that it can be compared with the records of any later day.
board_print = Table(
    "board_print",
    metadata,
    identity(),
    of_territory(),
    Column("kind", Text, nullable=False),
    refers("building_id", "building.id", nullable=True),
    refers("person_id", "person.id", nullable=True),
    refers("post_id", "post.id", nullable=True),
    Column("day", Date, nullable=False),
    Column("paper", Text, nullable=False, server_default=""),
    Column("copies", Integer, nullable=False, server_default="1"),
    Column("content", JSONB, nullable=False),
    Column("printed_by", Text, nullable=False, server_default=""),
    created("printed_at"),
    CheckConstraint(
        "(kind = 'board' AND building_id IS NOT NULL AND person_id IS NULL AND post_id IS NULL)"
        " OR (kind = 'card' AND building_id IS NULL AND person_id IS NOT NULL AND post_id IS NOT NULL)",
        name="kind",
    ),
    Index("ix_board_print_territory_id_kind", "territory_id", "kind"),
)
