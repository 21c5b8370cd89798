"""Lists of messages are paged by an index, not sorted whole."""

from __future__ import annotations

from alembic import op

revision = "chassis_0019"
down_revision = "chassis_0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; the rows stay as they are."""
    for table, when in (("outbox", "created_at"), ("inbox", "received_at")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_index(
                batch_op.f(f"ix_{table}_{when}_message_id"), [when, "message_id"], unique=False
            )
