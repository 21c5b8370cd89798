"""Tables of a school's node, beside the chassis'."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table

from services.chassis.schema import UtcDateTime, new_metadata

metadata = new_metadata()

referrals = Table(
    "school_referrals",
    metadata,
    Column("case_id", String(32), primary_key=True),
    Column("message_id", String(32), nullable=False, unique=True),
    Column("city", String(48), nullable=False),
    Column("state", String(32), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("sealed", LargeBinary, nullable=False),
    Column("answer", LargeBinary),
)
"""Referrals sent (A-4.3) and what the city answered; content lies under the case's key."""
