"""Codes once issued, four bounds and street responsibilities of published grids, places without residents."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("code_form", "name_form"):
        op.add_column("version_grid", sa.Column(name, sa.Text(), server_default="", nullable=False))
    bounds = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("grid_version", sa.Column("bounds", bounds, server_default=sa.text("'{}'"), nullable=False))
    op.create_table(
        "grid_code",
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("dedicated", sa.Boolean(), nullable=False),
        sa.Column("issued_for", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_grid_code_territory_id")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.grid_id"], name=op.f("fk_grid_code_grid_id")),
        sa.PrimaryKeyConstraint("territory_id", "code", name=op.f("pk_grid_code")),
    )
    op.create_index("ix_grid_code_grid_id", "grid_code", ["grid_id"])
    op.execute(
        "INSERT INTO grid_code (territory_id, code, grid_id, dedicated, issued_for)"
        " SELECT DISTINCT ON (p.territory_id, g.code) p.territory_id, g.code, g.grid_id, g.kind = 'dedicated',"
        " p.valid_from FROM grid_version g JOIN publication p ON p.id = g.publication_id"
        " ORDER BY p.territory_id, g.code, p.valid_from"
    )
    op.create_table(
        "street_responsibility",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("street", "class")),
        sa.Column("metres", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("reason", "source_ids")),
        sa.Column("geom", _geometry(), nullable=False),
        sa.CheckConstraint("grid_id <> other_id", name=op.f("ck_street_responsibility_two_grids")),
        *(
            sa.ForeignKeyConstraint(
                ["publication_id", column],
                ["grid_version.publication_id", "grid_version.grid_id"],
                name=f"fk_street_responsibility_{column}",
                ondelete="CASCADE",
            )
            for column in ("grid_id", "other_id")
        ),
        sa.PrimaryKeyConstraint("publication_id", "number", name=op.f("pk_street_responsibility")),
    )
    op.create_index(
        "ix_street_responsibility_publication_id_grid_id", "street_responsibility", ["publication_id", "grid_id"]
    )
    op.create_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("geom", _geometry(), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_site_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("territory_id", "source_id", name=op.f("uq_site_territory_id_source_id")),
    )


def downgrade() -> None:
    for table in ("site", "street_responsibility", "grid_code"):
        op.drop_table(table)
    op.drop_column("grid_version", "bounds")
    for name in ("code_form", "name_form"):
        op.drop_column("version_grid", name)


def _geometry() -> Geometry:
    return Geometry(geometry_type="GEOMETRY", srid=-1, spatial_index=False)
