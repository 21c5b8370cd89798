"""What Alembic runs for each command; `services.chassis.migrate` hands it connection and tables."""

from __future__ import annotations

from alembic import context

context.configure(**context.config.attributes["configure"])
with context.begin_transaction():
    context.run_migrations()
