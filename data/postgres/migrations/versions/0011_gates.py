"""Gates of compounds, and the numbers that doors carry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a door belong to a compound instead of a building."""
    op.alter_column("entrance", "building_id", existing_type=sa.BigInteger(), nullable=True)
    op.add_column("entrance", sa.Column("compound_id", sa.BigInteger(), nullable=True))
    op.add_column("entrance", sa.Column("street", sa.Text(), server_default="", nullable=False))
    op.add_column("entrance", sa.Column("housenumber", sa.Text(), server_default="", nullable=False))
    op.create_foreign_key(op.f("fk_entrance_compound_id"), "entrance", "compound", ["compound_id"], ["id"])
    op.create_check_constraint(
        op.f("ck_entrance_owner"), "entrance", "building_id IS NOT NULL OR compound_id IS NOT NULL"
    )
    op.create_index("ix_entrance_compound_id", "entrance", ["compound_id"], unique=False)


def downgrade() -> None:
    """Forget the gates: a door needs a building again."""
    op.execute(
        "UPDATE address SET entrance_id = NULL FROM entrance e WHERE e.id = entrance_id AND e.building_id IS NULL"
    )
    op.execute("DELETE FROM entrance WHERE building_id IS NULL")
    op.drop_index("ix_entrance_compound_id", table_name="entrance")
    op.drop_constraint(op.f("ck_entrance_owner"), "entrance", type_="check")
    op.drop_constraint(op.f("fk_entrance_compound_id"), "entrance", type_="foreignkey")
    op.drop_column("entrance", "housenumber")
    op.drop_column("entrance", "street")
    op.drop_column("entrance", "compound_id")
    op.alter_column("entrance", "building_id", existing_type=sa.BigInteger(), nullable=False)
