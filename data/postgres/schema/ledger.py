"""What the ledger 网格台账 needs: codes once issued, who answers for streets on borders, places without residents."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from data.postgres.schema.base import created, geometry, identity, metadata, of_territory

#: Every grid code ever issued, for ever: a code whose grid is gone, or whose publication was withdrawn, never comes
#: back. ``issued_for`` is the first day it was published for; when it was in force is told by the publications.
grid_code = Table(
    "grid_code",
    metadata,
    Column("territory_id", BigInteger, ForeignKey("territory.id"), primary_key=True),
    Column("code", Text, primary_key=True),
    Column("grid_id", Uuid, ForeignKey("grid.grid_id"), nullable=False),
    Column("dedicated", Boolean, nullable=False),
    Column("issued_for", Date, nullable=False),
    created(),
    Index("ix_grid_code_grid_id", "grid_id"),
)

#: The one grid that answers for each street section on a border (``gis.districting.responsibility``).
street_responsibility = Table(
    "street_responsibility",
    metadata,
    Column("publication_id", BigInteger, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("grid_id", Uuid, nullable=False),
    Column("other_id", Uuid),  # none on the outer edge of the territory
    Column("street", Text, nullable=False),
    Column("class", Text, nullable=False),
    Column("metres", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("source_ids", Text, nullable=False),
    geometry(),
    *(
        ForeignKeyConstraint(
            ["publication_id", column],
            ["grid_version.publication_id", "grid_version.grid_id"],
            name=f"fk_street_responsibility_{column}",
            ondelete="CASCADE",
        )
        for column in ("grid_id", "other_id")
    ),
    CheckConstraint("grid_id <> other_id", name="two_grids"),
    Index("ix_street_responsibility_publication_id_grid_id", "publication_id", "grid_id"),
)

#: Schools, hospitals, parks ... of the latest sources, replaced at every import: they may become dedicated grids.
site = Table(
    "site",
    metadata,
    identity(),
    of_territory(),
    Column("source_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    geometry(),
    UniqueConstraint("territory_id", "source_id"),
)
