"""Objections, and on what authority a representative agrees."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.chassis import schema

revision = "chassis_0007"
down_revision = "chassis_0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; every tombstone that is known is of a withdrawal."""
    with op.batch_alter_table("agreements", schema=None) as batch_op:
        batch_op.add_column(sa.Column("authority", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("suspended_at", schema.UtcDateTime(), nullable=True))
    with op.batch_alter_table("tombstones", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("state", sa.String(length=64), nullable=False, server_default="withdrawn")
        )
    with op.batch_alter_table("tombstones", schema=None) as batch_op:
        batch_op.alter_column("state", server_default=None)
