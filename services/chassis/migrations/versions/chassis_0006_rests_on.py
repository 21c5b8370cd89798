"""What a case rests on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "chassis_0006"
down_revision = "chassis_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; every case that is known rests on its agreement."""
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("rests_on", sa.String(length=64), nullable=False, server_default="agreement")
        )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.alter_column("rests_on", server_default=None)  # a new case says it itself
