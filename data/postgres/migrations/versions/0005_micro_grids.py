"""Micro-grids belong to a publication, like grids; slices to a micro-grid. Nothing wrote either table before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _empty()
    op.drop_constraint("ex_micro_grid_overlap", "micro_grid")
    op.drop_constraint(op.f("ck_micro_grid_half_open"), "micro_grid", type_="check")
    op.drop_column("micro_grid", "valid_from")
    op.drop_column("micro_grid", "valid_to")
    op.alter_column("micro_grid", "geom", existing_type=_geometry(), nullable=False)
    op.alter_column("micro_grid", "geom_3857", existing_type=_geometry(3857), nullable=False)
    op.add_column("micro_grid", sa.Column("publication_id", sa.BigInteger(), nullable=False))
    for name in ("number", "households", "counted", "buildings"):
        op.add_column("micro_grid", sa.Column(name, sa.Integer(), nullable=False))
    op.add_column("micro_grid", sa.Column("note", sa.Text(), server_default="", nullable=False))
    op.add_column("micro_grid", sa.Column("steward_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_micro_grid_publication_id"), "micro_grid", "publication", ["publication_id"], ["id"],
        ondelete="CASCADE",
    )  # fmt: skip
    op.create_foreign_key(op.f("fk_micro_grid_steward_id"), "micro_grid", "person", ["steward_id"], ["id"])
    for column in ("code", "number"):
        op.create_unique_constraint(
            op.f(f"uq_micro_grid_publication_id_{column}"), "micro_grid", ["publication_id", column]
        )
    op.create_index("ix_micro_grid_grid_id", "micro_grid", ["grid_id"])
    op.add_column("slice", sa.Column("counted", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.alter_column("slice", "micro_grid_id", existing_type=sa.BigInteger(), nullable=False)
    _slices_follow("CASCADE")
    op.create_index("ix_slice_micro_grid_id", "slice", ["micro_grid_id"])


def downgrade() -> None:
    _empty()
    op.drop_index("ix_slice_micro_grid_id", "slice")
    _slices_follow(None)
    op.alter_column("slice", "micro_grid_id", existing_type=sa.BigInteger(), nullable=True)
    op.drop_column("slice", "counted")
    op.drop_index("ix_micro_grid_grid_id", "micro_grid")
    for name in ("publication_id", "number", "households", "counted", "buildings", "note", "steward_id"):
        op.drop_column("micro_grid", name)  # with its constraints
    op.alter_column("micro_grid", "geom", existing_type=_geometry(), nullable=True)
    op.alter_column("micro_grid", "geom_3857", existing_type=_geometry(3857), nullable=True)
    op.add_column("micro_grid", sa.Column("valid_from", sa.Date(), nullable=False))
    op.add_column("micro_grid", sa.Column("valid_to", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_micro_grid_half_open"), "micro_grid", "valid_to > valid_from")
    op.execute(
        "ALTER TABLE micro_grid ADD CONSTRAINT ex_micro_grid_overlap EXCLUDE USING gist"
        " (grid_id WITH =, code WITH =, daterange(valid_from, valid_to, '[)') WITH &&)"
    )


def _empty() -> None:
    op.execute("DELETE FROM assignment WHERE slice_id IS NOT NULL")
    op.execute("DELETE FROM slice")
    op.execute("DELETE FROM micro_grid")


def _slices_follow(ondelete: str | None) -> None:
    name = op.f("fk_slice_micro_grid_id")
    op.drop_constraint(name, "slice", type_="foreignkey")
    op.create_foreign_key(name, "slice", "micro_grid", ["micro_grid_id"], ["id"], ondelete=ondelete)


def _geometry(srid: int = -1) -> Geometry:
    return Geometry(srid=srid, spatial_index=False)
