"""Addresses, entrances, codes and plates. Addresses and plates are never deleted: triggers say so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plate_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("key_id ~ '^[0-9A-Z]$'", name=op.f("ck_plate_key_key_id")),
        sa.CheckConstraint("octet_length(secret) >= 16", name=op.f("ck_plate_key_secret")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_plate_key")),
    )
    op.create_index(
        "uq_plate_key_current", "plate_key", ["host"], unique=True, postgresql_where=sa.text("retired_at IS NULL")
    )
    op.create_geospatial_table(
        "thoroughfare",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("source_ids", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTILINESTRING",
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column(
            "geom_3857",
            Geometry(
                geometry_type="MULTILINESTRING",
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("territory_id"), "="),
            (sa.column("name"), "="),
            (sa.column("place"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            using="gist",
            name="ex_thoroughfare_overlap",
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_thoroughfare_half_open")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_thoroughfare_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_thoroughfare")),
    )
    op.create_geospatial_index(
        "ix_thoroughfare_geom_3857",
        "thoroughfare",
        ["geom_3857"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_table(
        "plate_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("ordered_by", sa.Text(), server_default="", nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("plates", sa.Integer(), nullable=False),
        sa.Column("verified", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("verified >= 0 AND verified <= plates", name=op.f("ck_plate_batch_verified")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_plate_batch_community_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_plate_batch_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plate_batch")),
    )
    op.create_geospatial_table(
        "entrance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("thoroughfare_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
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
        sa.Column(
            "geom_3857",
            Geometry(
                geometry_type="POINT",
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        postgresql.ExcludeConstraint(
            (sa.column("building_id"), "="),
            (sa.column("name"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            using="gist",
            name="ex_entrance_overlap",
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_entrance_half_open")),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_entrance_building_id")),
        sa.ForeignKeyConstraint(["thoroughfare_id"], ["thoroughfare.id"], name=op.f("fk_entrance_thoroughfare_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entrance")),
    )
    op.create_geospatial_index(
        "ix_entrance_geom_3857", "entrance", ["geom_3857"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "address",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("building_id", sa.BigInteger(), nullable=False),
        sa.Column("entrance_id", sa.BigInteger(), nullable=True),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("thoroughfare_id", sa.BigInteger(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("number_text", sa.Text(), server_default="", nullable=False),
        sa.Column("side", sa.Text(), server_default="", nullable=False),
        sa.Column("station", sa.Float(), nullable=True),
        sa.Column("compound_id", sa.BigInteger(), nullable=True),
        sa.Column("building_no", sa.Text(), server_default="", nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("floor", sa.Text(), server_default="", nullable=False),
        sa.Column("room", sa.Text(), server_default="", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("mess", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="issued", nullable=False),
        sa.Column("successor_id", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
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
        sa.Column(
            "geom_3857",
            Geometry(
                geometry_type="POINT",
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(thoroughfare_id IS NOT NULL AND number_text <> '') OR compound_id IS NOT NULL OR building_no <> '' OR origin = 'existing' OR parent_id IS NOT NULL OR community_id IS NOT NULL",
            name=op.f("ck_address_branch"),
        ),
        sa.CheckConstraint("code ~ '^[0-9]{14}$'", name=op.f("ck_address_code")),
        sa.CheckConstraint(
            "level IN ('premise','building','entrance','unit','floor','room')", name=op.f("ck_address_level")
        ),
        sa.CheckConstraint("origin IN ('existing','issued')", name=op.f("ck_address_origin")),
        sa.CheckConstraint("side IN ('','left','right')", name=op.f("ck_address_side")),
        sa.CheckConstraint("status IN ('issued','revoked','merged','split')", name=op.f("ck_address_status")),
        sa.CheckConstraint("text <> ''", name=op.f("ck_address_text")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_address_half_open")),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_address_building_id")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_address_community_id")),
        sa.ForeignKeyConstraint(["compound_id"], ["compound.id"], name=op.f("fk_address_compound_id")),
        sa.ForeignKeyConstraint(["entrance_id"], ["entrance.id"], name=op.f("fk_address_entrance_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["address.id"], name=op.f("fk_address_parent_id")),
        sa.ForeignKeyConstraint(["successor_id"], ["address.id"], name=op.f("fk_address_successor_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_address_territory_id")),
        sa.ForeignKeyConstraint(["thoroughfare_id"], ["thoroughfare.id"], name=op.f("fk_address_thoroughfare_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address")),
        sa.UniqueConstraint("code", name=op.f("uq_address_code")),
    )
    op.create_index("ix_address_building_id", "address", ["building_id"], unique=False)
    op.create_index("ix_address_compound_id", "address", ["compound_id"], unique=False)
    op.create_geospatial_index(
        "ix_address_geom_3857", "address", ["geom_3857"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_address_territory_id_text", "address", ["territory_id", "text"], unique=False)
    op.create_index(
        "ix_address_text_trgm",
        "address",
        ["text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
    )
    op.create_index("ix_address_thoroughfare_id_number", "address", ["thoroughfare_id", "number"], unique=False)
    op.create_table(
        "address_alias",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("address_id"), "="),
            (sa.column("text"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            using="gist",
            name="ex_address_alias_overlap",
        ),
        sa.CheckConstraint("kind IN ('alias','former','misprint','variant')", name=op.f("ck_address_alias_kind")),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_address_alias_half_open")),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_address_alias_address_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_alias")),
    )
    op.create_index(
        "ix_address_alias_text_trgm",
        "address_alias",
        ["text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
    )
    op.create_table(
        "foreign_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("system"), "="),
            (sa.column("code"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            using="gist",
            name="ex_foreign_code_overlap",
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_foreign_code_half_open")),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_foreign_code_address_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_code")),
    )
    op.create_index("ix_foreign_code_address_id", "foreign_code", ["address_id"], unique=False)
    op.create_geospatial_table(
        "plate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="issued", nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("installed_by", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "installed_at",
            Geometry(
                geometry_type="POINT", dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        sa.Column("photo", sa.LargeBinary(), nullable=True),
        sa.Column("elsewhere", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "status IN ('issued','printed','installed','lost','replaced','revoked')", name=op.f("ck_plate_status")
        ),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("fk_plate_address_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["plate_batch.id"], name=op.f("fk_plate_batch_id")),
        sa.ForeignKeyConstraint(["key_id"], ["plate_key.key_id"], name=op.f("fk_plate_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plate")),
        sa.UniqueConstraint("batch_id", "address_id", name=op.f("uq_plate_batch_id_address_id")),
    )
    op.create_index("ix_plate_address_id", "plate", ["address_id"], unique=False)
    for table in ("address", "address_alias", "foreign_code", "plate"):
        op.execute(f"CREATE TRIGGER kept BEFORE DELETE ON {table} EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    op.drop_index("ix_plate_address_id", table_name="plate")
    op.drop_geospatial_table("plate")
    op.drop_index("ix_foreign_code_address_id", table_name="foreign_code")
    op.drop_table("foreign_code")
    op.drop_index(
        "ix_address_alias_text_trgm",
        table_name="address_alias",
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
    )
    op.drop_table("address_alias")
    op.drop_index("ix_address_thoroughfare_id_number", table_name="address")
    op.drop_index(
        "ix_address_text_trgm", table_name="address", postgresql_using="gin", postgresql_ops={"text": "gin_trgm_ops"}
    )
    op.drop_index("ix_address_territory_id_text", table_name="address")
    op.drop_geospatial_index(
        "ix_address_geom_3857", table_name="address", postgresql_using="gist", column_name="geom_3857"
    )
    op.drop_index("ix_address_compound_id", table_name="address")
    op.drop_index("ix_address_building_id", table_name="address")
    op.drop_geospatial_table("address")
    op.drop_geospatial_index(
        "ix_entrance_geom_3857", table_name="entrance", postgresql_using="gist", column_name="geom_3857"
    )
    op.drop_geospatial_table("entrance")
    op.drop_table("plate_batch")
    op.drop_geospatial_index(
        "ix_thoroughfare_geom_3857", table_name="thoroughfare", postgresql_using="gist", column_name="geom_3857"
    )
    op.drop_geospatial_table("thoroughfare")
    op.drop_index("uq_plate_key_current", table_name="plate_key", postgresql_where=sa.text("retired_at IS NULL"))
    op.drop_table("plate_key")
