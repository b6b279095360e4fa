"""Keys for replacements: a plate printed for a lost one must not carry the same link, so it is signed by another key.

Series 0 signs first plates, series 1 the replacement of what series 0 signed, and so on; each has one key in use a host.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plate_key", sa.Column("series", sa.SmallInteger(), nullable=False, server_default=sa.text("0")))
    op.create_check_constraint(op.f("ck_plate_key_series"), "plate_key", "series >= 0")
    op.drop_index("uq_plate_key_current", table_name="plate_key")
    op.create_index(
        "uq_plate_key_current", "plate_key", ["host", "series"], unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.execute("UPDATE plate_key SET retired_at = now() WHERE series > 0 AND retired_at IS NULL")
    op.drop_index("uq_plate_key_current", table_name="plate_key")
    op.create_index(
        "uq_plate_key_current", "plate_key", ["host"], unique=True, postgresql_where=sa.text("retired_at IS NULL")
    )
    op.drop_constraint(op.f("ck_plate_key_series"), "plate_key", type_="check")
    op.drop_column("plate_key", "series")
