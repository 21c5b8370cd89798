"""In which box a person's day of birth falls."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "chassis_0012"
down_revision = "chassis_0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward; the node places those who are there when it starts, since they lie sealed."""
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("birth_box", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_persons_birth_box"), ["birth_box"], unique=False)
