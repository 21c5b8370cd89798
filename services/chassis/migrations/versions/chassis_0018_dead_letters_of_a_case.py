"""Dead letters know their case, so that they go with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "chassis_0018"
down_revision = "chassis_0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; what waits already stays under the node's own key, for thirty days at most."""
    with op.batch_alter_table("dead_letters", schema=None) as batch_op:
        batch_op.add_column(sa.Column("case_id", sa.String(length=32), nullable=True))
        batch_op.create_index(batch_op.f("ix_dead_letters_case_id"), ["case_id"], unique=False)
