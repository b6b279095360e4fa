"""Printed notice boards and contact cards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "board_print",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("territory_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("post_id", sa.BigInteger(), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("paper", sa.Text(), server_default="", nullable=False),
        sa.Column("copies", sa.Integer(), server_default="1", nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("printed_by", sa.Text(), server_default="", nullable=False),
        sa.Column("printed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "(kind = 'board' AND building_id IS NOT NULL AND person_id IS NULL AND post_id IS NULL)"
            " OR (kind = 'card' AND building_id IS NULL AND person_id IS NOT NULL AND post_id IS NOT NULL)",
            name=op.f("ck_board_print_kind"),
        ),
        sa.ForeignKeyConstraint(["building_id"], ["building.id"], name=op.f("fk_board_print_building_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_board_print_person_id")),
        sa.ForeignKeyConstraint(["post_id"], ["post.id"], name=op.f("fk_board_print_post_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["territory.id"], name=op.f("fk_board_print_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_board_print")),
    )
    op.create_index("ix_board_print_territory_id_kind", "board_print", ["territory_id", "kind"], unique=False)


def downgrade() -> None:
    """Forget what was printed."""
    op.drop_table("board_print")
