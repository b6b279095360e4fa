"""Fill tones of published grids, kept from one publication to the next: tiles far from a change stay the same."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Publications of before have none: readers make them up as they did."""
    op.add_column("grid_version", sa.Column("tone", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    """Readers make all of them up again."""
    op.drop_column("grid_version", "tone")
