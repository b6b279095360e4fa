"""People, posts, assignments, reports and append-only events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_event_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_subject", "event", ["subject"], unique=False)
    op.create_index("ix_event_territory_id_at", "event", ["territory_id", "at"], unique=False)
    op.create_geospatial_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("organisation", sa.Text(), server_default="", nullable=False),
        sa.Column("public_phone", sa.Text(), server_default="", nullable=False),
        sa.Column("fictitious", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT", dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_person_name")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_person_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("territory_id", "staff_id", name=op.f("uq_person_territory_id_staff_id")),
    )
    op.create_table(
        "post",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("public_phone", sa.Text(), server_default="", nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("duties", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("role IN ('leader','worker','steward','cadre','supervisor')", name=op.f("ck_post_role")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_post_community_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_post_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post")),
        sa.UniqueConstraint("territory_id", "code", name=op.f("uq_post_territory_id_code")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("building_id", sa.BigInteger(), nullable=True),
        sa.Column("slice_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("post_id"), "="),
            (sa.column("building_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            where=sa.text("building_id IS NOT NULL"),
            using="gist",
            name="ex_assignment_building",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("post_id"), "="),
            (sa.column("community_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            where=sa.text("community_id IS NOT NULL"),
            using="gist",
            name="ex_assignment_community",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("post_id"), "="),
            (sa.column("grid_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            where=sa.text("grid_id IS NOT NULL"),
            using="gist",
            name="ex_assignment_grid",
        ),
        postgresql.ExcludeConstraint(
            (sa.column("person_id"), "="),
            (sa.column("post_id"), "="),
            (sa.column("slice_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            where=sa.text("slice_id IS NOT NULL"),
            using="gist",
            name="ex_assignment_slice",
        ),
        sa.CheckConstraint(
            "num_nonnulls(community_id, grid_id, building_id, slice_id) = 1", name=op.f("ck_assignment_one_target")
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_assignment_half_open")),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_assignment_building_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_assignment_community_id")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.grid_id"], name=op.f("fk_assignment_grid_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_assignment_person_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_assignment_post_id")),
        sa.ForeignKeyConstraint(["slice_id"], ["slice.id"], name=op.f("fk_assignment_slice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index("ix_assignment_building_id", "assignment", ["building_id"], unique=False)
    op.create_index("ix_assignment_community_id", "assignment", ["community_id"], unique=False)
    op.create_index("ix_assignment_grid_id", "assignment", ["grid_id"], unique=False)
    op.create_geospatial_table(
        "report",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT", dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("throttle", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), server_default="new", nullable=False),
        sa.CheckConstraint("channel IN ('plate','worker','hotline','web')", name=op.f("ck_report_channel")),
        sa.CheckConstraint("status IN ('new','accepted','closed','invalid')", name=op.f("ck_report_status")),
        sa.CheckConstraint("char_length(text) BETWEEN 1 AND 4000", name=op.f("ck_report_text")),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_report_address_id")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.grid_id"], name=op.f("fk_report_grid_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_report_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("number", name=op.f("uq_report_number")),
    )
    op.create_index("ix_report_grid_id", "report", ["grid_id"], unique=False)
    op.create_index("ix_report_territory_id_created_at", "report", ["territory_id", "created_at"], unique=False)
    op.execute("CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON event EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    op.drop_index("ix_report_territory_id_created_at", table_name="report")
    op.drop_index("ix_report_grid_id", table_name="report")
    op.drop_geospatial_table("report")
    op.drop_index("ix_assignment_grid_id", table_name="assignment")
    op.drop_index("ix_assignment_community_id", table_name="assignment")
    op.drop_index("ix_assignment_building_id", table_name="assignment")
    op.drop_table("assignment")
    op.drop_table("post")
    op.drop_geospatial_table("person")
    op.drop_index("ix_event_territory_id_at", table_name="event")
    op.drop_index("ix_event_subject", table_name="event")
    op.drop_table("event")
