"""Tables of what an organisation records of its conventions: reviews, reports, insurance, ends.

None of them names a person; see `tables` for what does.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Integer, Table, Text

from services.chassis.schema import Chars, UtcDateTime, metadata
from services.chassis.tables import CODE, ID

reviews = Table(
    "reviews",
    metadata,
    Column("convention_id", CODE, primary_key=True),
    Column("held_on", Date, primary_key=True),
    Column("agent_id", CODE, nullable=False),
)
"""Days on which the parties met to evaluate a convention (A-8.1)."""

reports = Table(
    "reports",
    metadata,
    Column("convention_id", CODE, primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("audience", CODE, primary_key=True),
    Column("content", Text, nullable=False),
    Column("published_at", UtcDateTime, nullable=False),
)
"""Reports of a convention's years as they were given, in JSON, small numbers hidden (A-8.1).

Kept for good: they name nobody, and a year counted a second time would differ by whom it forgot.
"""

insurances = Table(
    "insurances",
    metadata,
    Column("convention_id", CODE, primary_key=True),
    Column("last_day", Date, primary_key=True),
    Column("first_day", Date, nullable=False),
    Column("policy", Chars(80), nullable=False),
    Column("agent_id", CODE, nullable=False),
)
"""This organisation's own insurance for a convention, from when to when (A-7.3)."""

holds = Table(
    "holds",
    metadata,
    Column("hold_id", ID, primary_key=True),
    Column("convention_id", CODE, nullable=False, index=True),
    Column("case_id", ID),
    Column("ground", CODE, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("released_at", UtcDateTime),
    Column("agent_id", CODE, nullable=False),
)
"""What a dispute keeps from destruction: all cases of a convention, or one (A-12.1)."""

purges = Table(
    "purges",
    metadata,
    Column("convention_id", CODE, primary_key=True),
    Column("ended_on", Date, primary_key=True),
    Column("cases", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("done_at", UtcDateTime, nullable=False),
)
"""Ends of conventions after which everything was destroyed, but what a dispute keeps (C-6.5).

A line an end, kept for good: it names nobody, and a second one would look like a second end.
"""
