"""Life of codes and plates: succession, checks on the spot, kinds of reports, keys of lists, throttling by the day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    _columns()
    op.create_table(
        "address_succession",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("successor_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.CheckConstraint("kind IN ('merged','split')", name=op.f("ck_address_succession_kind")),
        sa.CheckConstraint("address_id <> successor_id", name=op.f("ck_address_succession_other")),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_address_succession_address_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["address.id"], name=op.f("fk_address_succession_successor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_succession")),
        sa.UniqueConstraint("address_id", "successor_id", name=op.f("uq_address_succession_address_id_successor_id")),
    )
    op.create_index("ix_address_succession_successor_id", "address_succession", ["successor_id"], unique=False)
    _checks()
    op.create_table(
        "list_key",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), server_default="plates", nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("octet_length(secret) = 32 AND octet_length(public) = 32", name=op.f("ck_list_key_bytes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_key")),
        sa.UniqueConstraint("public", name=op.f("uq_list_key_public")),
    )
    op.create_index(
        "uq_list_key_current", "list_key", ["name"], unique=True, postgresql_where=sa.text("retired_at IS NULL")
    )
    op.create_table(
        "throttle_salt",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(salt) = 32", name=op.f("ck_throttle_salt_bytes")),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_throttle_salt")),
    )
    op.create_table(
        "throttle_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("caller", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "caller", name=op.f("pk_throttle_count")),
    )
    for table in ("address_succession", "list_key"):
        op.execute(f"CREATE TRIGGER kept BEFORE DELETE ON {table} EXECUTE FUNCTION refuse_change()")
    op.execute("CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON plate_check EXECUTE FUNCTION refuse_change()")


def _columns() -> None:
    op.add_column("plate", sa.Column("shown", sa.Text(), server_default="", nullable=False))
    op.add_column("plate", sa.Column("since", sa.Date(), nullable=True))
    op.add_column("plate_batch", sa.Column("printed_by", sa.Text(), server_default="", nullable=False))
    op.add_column("plate_batch", sa.Column("purpose", sa.Text(), server_default="new", nullable=False))
    op.create_check_constraint(op.f("ck_plate_batch_purpose"), "plate_batch", "purpose IN ('new','reprint')")
    op.drop_column("report", "throttle")
    op.add_column("report", sa.Column("kind", sa.Text(), server_default="problem", nullable=False))
    op.add_column("report", sa.Column("plate_id", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_report_kind"), "report", "kind IN ('problem','elsewhere')")
    op.create_foreign_key(op.f("fk_report_plate_id"), "report", "plate", ["plate_id"], ["id"])


def _checks() -> None:
    op.create_geospatial_table(
        "plate_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("plate_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False),
        sa.Column("seen_by", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("accuracy", sa.Float(), server_default=sa.text("0"), nullable=False),
        sa.Column("distance", sa.Float(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("verdict IN ('near','unsure','far')", name=op.f("ck_plate_check_verdict")),
        sa.CheckConstraint("accuracy >= 0 AND distance >= 0", name=op.f("ck_plate_check_metres")),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_plate_check_address_id")),
        sa.ForeignKeyConstraint(["plate_id"], ["plate.id"], name=op.f("fk_plate_check_plate_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plate_check")),
    )
    op.create_index("ix_plate_check_address_id", "plate_check", ["address_id"], unique=False)


def downgrade() -> None:
    """Forget them."""
    for table in ("throttle_count", "throttle_salt", "list_key"):
        op.drop_table(table)
    op.drop_geospatial_table("plate_check")
    op.drop_table("address_succession")
    op.drop_column("report", "plate_id")
    op.drop_column("report", "kind")
    op.add_column("report", sa.Column("throttle", sa.LargeBinary(), nullable=True))
    op.drop_column("plate_batch", "purpose")
    op.drop_column("plate_batch", "printed_by")
    op.drop_column("plate", "since")
    op.drop_column("plate", "shown")
