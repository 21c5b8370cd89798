"""Names of the data keys: what is destroyed together lies under one key."""

from __future__ import annotations

REFUSAL_SCOPE = "class:refusals"
"""Decisions that opened no case, and letters that could not be handled."""

REGISTER_SCOPE = "class:register"
"""Journal lines that name an agent but no case."""

OUTBOX_SCOPE = "class:outbox"
"""What waits in the outbox and is no case's content: control messages and receipts."""

LOOKUP_SCOPE = "class:lookup"
"""Its salt says in which box a day of birth falls; nothing is sealed under it (ADR 29)."""

STANDING_SCOPES = (REFUSAL_SCOPE, REGISTER_SCOPE, OUTBOX_SCOPE, LOOKUP_SCOPE)
"""Keys that every node has from its first start."""


def case_scope(case_id: str) -> str:
    """Name of the data key under which everything about a case lies."""
    return f"case:{case_id}"


def person_scope(person_id: str) -> str:
    """Name of the data key of a person in one's own register."""
    return f"person:{person_id}"
