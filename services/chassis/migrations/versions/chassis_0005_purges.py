"""purges."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from services.chassis import schema

revision = "chassis_0005"
down_revision = "chassis_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; there is no way back but a backup, since proof must not be dropped."""
    op.create_table(
        "purges",
        sa.Column("convention_id", sa.String(length=64), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("done_at", schema.UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("convention_id", "ended_on", name=op.f("pk_purges")),
    )
