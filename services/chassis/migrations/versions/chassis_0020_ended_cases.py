"""Cases whose day is near are counted by an index: open and destroyed ones are many."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "chassis_0020"
down_revision = "chassis_0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; the rows stay as they are."""
    ended = sa.text("retain_until IS NOT NULL AND state != 'erased'")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cases_ended",
            ["retain_until"],
            unique=False,
            postgresql_where=ended,
            sqlite_where=ended,
        )
