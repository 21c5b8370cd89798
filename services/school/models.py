"""Tables of a school's node, beside the chassis' and those of its conventions."""

from __future__ import annotations

from sqlalchemy import Column, Table

from services.chassis.fates import WITH_PERSON, Fate, Goes, decide
from services.chassis.schema import Chars, Codes, UtcDateTime, new_metadata

metadata = new_metadata()

agenda = Table(
    "school_agenda",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("person_id", Chars(32), primary_key=True),
    Column("decisions", Codes, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""A-2.3, A-2.4: whom a watch cell speaks of, by the school alone, and what it settled, as codes."""

attendees = Table(
    "school_attendees",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("participants", Codes, nullable=False),
)
"""A-2.2: who sat in a watch cell, by function."""

decide(
    {
        agenda: WITH_PERSON,
        attendees: Fate(
            goes=Goes.AGE,
            why="fonctions présentes, sans nom : partent un mois après la cellule de veille",
            kept="message_id participants",
        ),
    }
)
