"""Streets along the outer edge of a territory have no grid across."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Allow sections without a grid across."""
    op.alter_column("street_responsibility", "other_id", existing_type=sa.Uuid(), nullable=True)


def downgrade() -> None:
    """Sections on the outer edge go."""
    op.execute("DELETE FROM street_responsibility WHERE other_id IS NULL")
    op.alter_column("street_responsibility", "other_id", existing_type=sa.Uuid(), nullable=False)
