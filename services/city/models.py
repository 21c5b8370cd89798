"""Tables of the city's node, beside the chassis' and those of its conventions."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, LargeBinary, Table

from services.chassis.fates import WITH_CASE, Fate, Goes, decide
from services.chassis.schema import Chars, UtcDateTime, new_metadata

metadata = new_metadata()

pathway_referents = Table(
    "city_pathway_referents",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime),
    Column("agent_id", Chars(64), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("contact", LargeBinary, nullable=False),
)
"""Who keeps a pathway, one at a time, with history (A-2.5)."""

hosts = Table(
    "city_hosts",
    metadata,
    Column("host_id", Chars(32), primary_key=True),
    Column("name", Chars(80), nullable=False),
    Column("nature", Chars(20), nullable=False),
    Column("agreement", Chars(80)),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
)
"""A-6.2: services of the city and associations that receive pupils, with their agreement."""

designations = Table(
    "city_designations",
    metadata,
    Column("agent_id", Chars(64), primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date),
    Column("decision", Chars(80), nullable=False),
)
"""R131-10-1: agents whom the mayor designated, one by one, to receive attendance notices."""

attendance = Table(
    "city_attendance",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("school", Chars(48), nullable=False),
    Column("event", Chars(32), nullable=False),
    Column("on", Date, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
"""A-0.3: attendance notices, a store apart that no support is ever joined to."""

decide(
    {
        pathway_referents: WITH_CASE,
        attendance: WITH_CASE,
        hosts: Fate(
            goes=Goes.CONVENTION,
            convention="a_city_school",
            why="structures qui accueillent des élèves ; elles ne nomment personne",
            kept="host_id name nature agreement first_day last_day",
        ),
        designations: Fate(
            goes=Goes.AGE,
            since="last_day",
            why="preuve de qui pouvait lire les avis d'assiduité (R131-10-1)",
            kept="agent_id first_day last_day decision",
        ),
    }
)
