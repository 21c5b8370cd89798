"""Tables of convention D, the same at the department and at the Mission Locale."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table

from services.chassis.fates import WITH_CASE, WITH_PERSON, Fate, Goes, decide
from services.chassis.schema import Chars, Codes, UtcDateTime, new_metadata

metadata = new_metadata()

youths = Table(
    "d_youths",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("person_id", Chars(32)),
    Column("state", Chars(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("counted", Codes, nullable=False),
    Column("request", LargeBinary),
    Column("contact", Chars(16)),
    Column("enrolment_proposed_at", UtcDateTime),
    Column("enrolment", Chars(16)),
    Column("diagnosis_requested_at", UtcDateTime),
    Column("diagnosis_review_on", Date),
    Column("diagnosis_done_on", Date),
    Column("diagnosis_handed_over", Boolean),
    Column("interview_invited_at", UtcDateTime),
    Column("interview", LargeBinary),
    Column("interview_attends", Boolean),
    Column("interview_adviser", LargeBinary),
    Column("interview_held_on", Date),
    Column("project_actions", Codes),
    Column("project_starts_on", Date),
    Column("project_ends_on", Date),
    Column("eligibility_checked_on", Date),
    Column("contract_proposed_at", UtcDateTime),
    Column("contract", Chars(16)),
    Column("decision", Chars(16)),
    Column("decision_since", Date),
    Column("decision_view", Chars(16)),
    Column("decision_contact", LargeBinary),
)
"""D-1.2 to D-1.9: each way to autonomy and where it stands; whatever names anybody is sealed.

counted: what was counted of the case already, as codes, so that each counts once.
"""

referents = Table(
    "d_referents",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("org", Chars(48), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime),
    Column("active", Boolean, nullable=False),
    Column("agent_id", Chars(64)),
    Column("contact", LargeBinary, nullable=False),
)
"""D-1.4: who follows the young person at each side, one at a time; of one's own the agent too."""

foundations = Table(
    "d_foundations",
    metadata,
    Column("convention_id", Chars(64), primary_key=True),
    Column("what", Chars(24), primary_key=True),
    Column("decided_on", Date, primary_key=True),
    Column("evidence", Chars(64), nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""D-5.1, D-8.1: the local implementation and the impact assessment; evidence: SHA-256 of each."""

holder_notices = Table(
    "d_holder_notices",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("given_at", UtcDateTime, primary_key=True),
    Column("version", Chars(64), nullable=False),
    Column("channel", Chars(16), nullable=False),
    Column("language", Chars(2), nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""D-1.2: what the holder of parental authority was told before a first contact, and when."""

supports = Table(
    "d_supports",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("taken_in_on", Date, nullable=False),
    Column("interview_on", Date),
    Column("attention_on", Date),
)
"""D-1.6, D-1.12: since when the department supports somebody, on what ground never."""

attention_times = Table(
    "d_attention_times",
    metadata,
    Column("since", UtcDateTime, primary_key=True),
    Column("months", Integer, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""D-1.12: months after which the department asks after whoever left; the last one holds."""

yearly_cells = Table(
    "d_yearly_cells",
    metadata,
    Column("convention_id", Chars(64), primary_key=True),
    Column("counted_on", Date, primary_key=True),
    Column("org", Chars(48), primary_key=True),
    Column("what", Chars(16), primary_key=True),
    Column("cell", Chars(12), nullable=False),
)
"""D-5.7a to D-5.7f: the yearly sheets of both sides: a number, hidden, or not counted."""

_D: Final = "d_department_mission_locale"

decide(
    {
        youths: WITH_CASE,
        referents: WITH_CASE,
        holder_notices: WITH_PERSON,
        supports: WITH_PERSON,
        foundations: Fate(
            goes=Goes.CONVENTION,
            convention=_D,
            why="preuve de la déclinaison et de l'analyse d'impact, tant que la convention vit",
            kept="convention_id what decided_on evidence agent_id",
        ),
        attention_times: Fate(
            goes=Goes.CONVENTION,
            convention=_D,
            why="réglage du département ; il ne dit rien de personne",
            kept="since months agent_id",
        ),
        yearly_cells: Fate(
            goes=Goes.CONVENTION,
            convention=_D,
            why="nombres de l'année, les petits masqués",
            kept="convention_id counted_on org what cell",
        ),
    }
)
