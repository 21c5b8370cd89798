"""Tables of the department's node, beside the chassis' and those of its conventions."""

from __future__ import annotations

from sqlalchemy import Column, Date, LargeBinary, Table

from services.chassis.fates import WITH_CASE, Fate, Goes, decide
from services.chassis.schema import Chars, UtcDateTime, new_metadata

metadata = new_metadata()

designations = Table(
    "department_designations",
    metadata,
    Column("agent_id", Chars(64), primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("decision", Chars(80), nullable=False),
)
"""R114-7: agents designated one by one to receive what is told of the training obligation."""

breaches = Table(
    "department_breaches",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("mission_locale", Chars(48), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""D-2.4: what was told of the training obligation, a store apart that no support is joined to."""

decide(
    {
        breaches: WITH_CASE,
        designations: Fate(
            goes=Goes.AGE,
            since="last_day",
            why="preuve de qui pouvait lire les transmissions (R114-7)",
            kept="agent_id first_day last_day decision",
        ),
    }
)
