"""Tables of the city's node, beside the chassis'."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, LargeBinary, String, Table

from services.chassis.schema import UtcDateTime, new_metadata

metadata = new_metadata()

referrals = Table(
    "city_referrals",
    metadata,
    Column("case_id", String(32), primary_key=True),
    Column("school", String(48), nullable=False),
    Column("state", String(32), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("sealed", LargeBinary, nullable=False),
)
"""Referrals received (A-4.3); content lies under the case's key."""

pathway_referents = Table(
    "city_pathway_referents",
    metadata,
    Column("case_id", String(32), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime),
    Column("agent_id", String(64), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("contact", LargeBinary, nullable=False),
)
"""Who keeps a pathway, one at a time, with history (A-2.5)."""
