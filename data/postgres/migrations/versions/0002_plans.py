"""Atom sets, plans, grids and publications. Atom sets are immutable: triggers say so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "atom_set",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("crs", sa.Text(), nullable=False),
        sa.Column("atoms", sa.Integer(), nullable=False),
        sa.Column("segments", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("atoms > 0", name=op.f("ck_atom_set_atoms")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_atom_set_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_atom_set")),
        sa.UniqueConstraint("territory_id", "digest", name=op.f("uq_atom_set_territory_id_digest")),
    )
    op.create_table(
        "grid",
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_grid_territory_id")),
        sa.PrimaryKeyConstraint("grid_id", name=op.f("pk_grid")),
    )
    op.create_index("ix_grid_territory_id", "grid", ["territory_id"], unique=False)
    op.create_table(
        "plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_plan_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("territory_id", "name", name=op.f("uq_plan_territory_id_name")),
    )
    op.create_geospatial_table(
        "atom",
        sa.Column("atom_set_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("work", sa.Float(), nullable=False),
        sa.Column("outer_metres", sa.Float(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POLYGON",
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
                geometry_type="POLYGON",
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("position >= 0 AND households >= 0 AND counted >= 0", name=op.f("ck_atom_counts")),
        sa.ForeignKeyConstraint(
            ["atom_set_id"], ["atom_set.id"], name=op.f("fk_atom_atom_set_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_atom_community_id")),
        sa.PrimaryKeyConstraint("atom_set_id", "position", name=op.f("pk_atom")),
    )
    op.create_geospatial_index(
        "ix_atom_geom_3857", "atom", ["geom_3857"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "micro_grid",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "geom",
            Geometry(dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column(
            "geom_3857",
            Geometry(srid=3857, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.column("grid_id"), "="),
            (sa.column("code"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            using="gist",
            name="ex_micro_grid_overlap",
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_micro_grid_half_open")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.grid_id"], name=op.f("fk_micro_grid_grid_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_micro_grid")),
    )
    op.create_geospatial_index(
        "ix_micro_grid_geom_3857",
        "micro_grid",
        ["geom_3857"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_table(
        "plan_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("atom_set_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("ruleset", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("iterations", sa.BigInteger(), nullable=True),
        sa.Column("grid_of_atom", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("certificate", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("status IN ('draft','published','withdrawn')", name=op.f("ck_plan_version_status")),
        sa.CheckConstraint(
            "cardinality(grid_of_atom) > 0 AND array_position(grid_of_atom, NULL) IS NULL",
            name=op.f("ck_plan_version_vector"),
        ),
        sa.ForeignKeyConstraint(["atom_set_id"], ["atom_set.id"], name=op.f("fk_plan_version_atom_set_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["plan_version.id"], name=op.f("fk_plan_version_parent_id")),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_plan_version_plan_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("plan_id", "number", name=op.f("uq_plan_version_plan_id_number")),
    )
    op.create_table(
        "atom_building",
        sa.Column("atom_set_id", sa.BigInteger(), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["atom_set_id", "position"],
            ["atom.atom_set_id", "atom.position"],
            name="fk_atom_building_atom",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_atom_building_building_id")),
        sa.PrimaryKeyConstraint("atom_set_id", "building_id", name=op.f("pk_atom_building")),
    )
    op.create_index("ix_atom_building_building_id", "atom_building", ["building_id"], unique=False)
    op.create_table(
        "edge",
        sa.Column("atom_set_id", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tail", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("metres", postgresql.ARRAY(sa.Float()), nullable=False),
        sa.CheckConstraint("cardinality(kinds) = cardinality(metres)", name=op.f("ck_edge_pairs")),
        sa.CheckConstraint("head < tail", name=op.f("ck_edge_once")),
        sa.ForeignKeyConstraint(
            ["atom_set_id", "head"], ["atom.atom_set_id", "atom.position"], name="fk_edge_head", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["atom_set_id", "tail"], ["atom.atom_set_id", "atom.position"], name="fk_edge_tail", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("atom_set_id", "head", "tail", name=op.f("pk_edge")),
    )
    op.create_table(
        "publication",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("published_by", sa.Text(), server_default="", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("territory_id"), "="),
            (sa.text("daterange(valid_from, valid_to, '[)')"), "&&"),
            using="gist",
            name="ex_publication_overlap",
        ),
        sa.CheckConstraint("valid_to > valid_from", name=op.f("ck_publication_half_open")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_publication_plan_version_id")
        ),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_publication_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
    )
    op.create_index(
        "ix_publication_territory_id_valid_from", "publication", ["territory_id", "valid_from"], unique=False
    )
    op.create_table(
        "slice",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=False),
        sa.Column("entrance", sa.Text(), nullable=True),
        sa.Column("floor_from", sa.SmallInteger(), nullable=True),
        sa.Column("floor_to", sa.SmallInteger(), nullable=True),
        sa.Column("households", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("micro_grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(floor_from IS NULL) = (floor_to IS NULL) AND floor_from <= floor_to", name=op.f("ck_slice_floors")
        ),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_slice_building_id")),
        sa.ForeignKeyConstraint(["micro_grid_id"], ["micro_grid.id"], name=op.f("fk_slice_micro_grid_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slice")),
    )
    op.create_index("ix_slice_building_id", "slice", ["building_id"], unique=False)
    op.create_geospatial_table(
        "split",
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="LINESTRING",
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("number >= 0 AND position >= 0", name=op.f("ck_split_positions")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_split_plan_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_version_id", "number", name=op.f("pk_split")),
    )
    op.create_table(
        "version_grid",
        sa.Column("plan_version_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("community", sa.Text(), server_default="", nullable=False),
        sa.Column("community_code", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('residential','dedicated','rural')", name=op.f("ck_version_grid_kind")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_version_grid_number")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_version_grid_community_id")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.grid_id"], name=op.f("fk_version_grid_grid_id")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_version_grid_plan_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_version_id", "number", name=op.f("pk_version_grid")),
        sa.UniqueConstraint("plan_version_id", "code", name=op.f("uq_version_grid_plan_version_id_code")),
        sa.UniqueConstraint("plan_version_id", "grid_id", name=op.f("uq_version_grid_plan_version_id_grid_id")),
    )
    op.create_geospatial_table(
        "grid_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("community", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("work", sa.Float(), nullable=False),
        sa.Column("buildings", sa.Integer(), nullable=False),
        sa.Column("on_street_share", sa.Float(), nullable=True),
        sa.Column("compactness", sa.Float(), nullable=False),
        sa.Column(
            "geom",
            Geometry(dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry", nullable=False),
            nullable=False,
        ),
        sa.Column(
            "geom_3857",
            Geometry(
                srid=3857,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column(
            "label_3857",
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
        sa.CheckConstraint("kind IN ('residential','dedicated','rural')", name=op.f("ck_grid_version_kind")),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=op.f("fk_grid_version_community_id")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.grid_id"], name=op.f("fk_grid_version_grid_id")),
        sa.ForeignKeyConstraint(
            ["publication_id"], ["publication.id"], name=op.f("fk_grid_version_publication_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid_version")),
        sa.UniqueConstraint("publication_id", "code", name=op.f("uq_grid_version_publication_id_code")),
        sa.UniqueConstraint("publication_id", "grid_id", name=op.f("uq_grid_version_publication_id_grid_id")),
        sa.UniqueConstraint("publication_id", "number", name=op.f("uq_grid_version_publication_id_number")),
    )
    op.create_geospatial_index(
        "ix_grid_version_geom", "grid_version", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_index(
        "ix_grid_version_geom_3857",
        "grid_version",
        ["geom_3857"],
        unique=False,
        postgresql_using="gist",
        postgresql_ops={},
    )
    op.create_index("ix_grid_version_grid_id", "grid_version", ["grid_id"], unique=False)
    op.create_table(
        "building_grid",
        sa.Column("publication_id", sa.BigInteger(), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_building_grid_building_id")),
        sa.ForeignKeyConstraint(
            ["publication_id", "grid_id"],
            ["grid_version.publication_id", "grid_version.grid_id"],
            name="fk_building_grid_grid_version",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("publication_id", "building_id", name=op.f("pk_building_grid")),
    )
    op.create_index("ix_building_grid_building_id", "building_grid", ["building_id"], unique=False)
    op.create_index(
        "ix_building_grid_publication_id_grid_id", "building_grid", ["publication_id", "grid_id"], unique=False
    )
    for table in ("atom_set", "atom", "edge", "atom_building"):
        op.execute(f"CREATE TRIGGER immutable BEFORE UPDATE ON {table} EXECUTE FUNCTION refuse_change()")


def downgrade() -> None:
    op.drop_index("ix_building_grid_publication_id_grid_id", table_name="building_grid")
    op.drop_index("ix_building_grid_building_id", table_name="building_grid")
    op.drop_table("building_grid")
    op.drop_index("ix_grid_version_grid_id", table_name="grid_version")
    op.drop_geospatial_index(
        "ix_grid_version_geom_3857", table_name="grid_version", postgresql_using="gist", column_name="geom_3857"
    )
    op.drop_geospatial_index(
        "ix_grid_version_geom", table_name="grid_version", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("grid_version")
    op.drop_table("version_grid")
    op.drop_geospatial_table("split")
    op.drop_index("ix_slice_building_id", table_name="slice")
    op.drop_table("slice")
    op.drop_index("ix_publication_territory_id_valid_from", table_name="publication")
    op.drop_table("publication")
    op.drop_table("edge")
    op.drop_index("ix_atom_building_building_id", table_name="atom_building")
    op.drop_table("atom_building")
    op.drop_table("plan_version")
    op.drop_geospatial_index(
        "ix_micro_grid_geom_3857", table_name="micro_grid", postgresql_using="gist", column_name="geom_3857"
    )
    op.drop_geospatial_table("micro_grid")
    op.drop_geospatial_index("ix_atom_geom_3857", table_name="atom", postgresql_using="gist", column_name="geom_3857")
    op.drop_geospatial_table("atom")
    op.drop_table("plan")
    op.drop_index("ix_grid_territory_id", table_name="grid")
    op.drop_table("grid")
    op.drop_table("atom_set")
