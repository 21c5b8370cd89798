"""Tables of convention A, the same at the city and at a school, beside the chassis' own."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table

from services.chassis.fates import WITH_CASE, Fate, Goes, decide
from services.chassis.schema import Chars, Codes, UtcDateTime, new_metadata

metadata = new_metadata()

pathways = Table(
    "a_pathways",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("message_id", Chars(32), nullable=False),
    Column("partner", Chars(48), nullable=False),
    Column("state", Chars(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("referral", LargeBinary, nullable=False),
    Column("answered_at", UtcDateTime),
    Column("answer", LargeBinary),
    Column("referent_since", UtcDateTime),
    Column("referent", LargeBinary),
    Column("opened_on", Date),
    Column("review_on", Date),
    Column("objectives", Codes),
    Column("strategy", Codes),
    Column("stage", Chars(32)),
    Column("engaged", Boolean),
    Column("closed_on", Date),
    Column("outcome", Chars(32)),
)
"""A-4.3, A-2.1 to A-2.8: each referral, its answer, and where the shared support stands.

What names a person is sealed under the case's key: referral, answer, the referent's contact.
"""

measures = Table(
    "a_measures",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("status", Chars(32), nullable=False),
    Column("exclusion_first_day", Date, nullable=False),
    Column("exclusion_last_day", Date, nullable=False),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("head_teacher", Date),
    Column("youth_service", Date),
    Column("pupil", Date),
    Column("representative", Date),
    Column("contract", LargeBinary),
    Column("ended_on", Date),
    Column("outcome", Chars(32)),
)
"""A-3.1 to A-3.14: where each measure stands, and the day of each signature of its contract."""

records = Table(
    "a_records",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("what", Chars(40), nullable=False),
    Column("code", Chars(40)),
    Column("on", Date),
    Column("at", UtcDateTime, nullable=False),
    Column("message_id", Chars(32)),
    Column("agent_id", Chars(64)),
)
"""What happened in a case, one line each, as codes and dates: news, alerts, steps, ticks."""

watch_cells = Table(
    "a_watch_cells",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("place", Chars(80), nullable=False),
    Column("situations", Integer, nullable=False),
)
"""A-2.2: watch cells called, and how many situations each examines; never whose."""

decide(
    {
        pathways: WITH_CASE,
        measures: WITH_CASE,
        records: WITH_CASE,
        watch_cells: Fate(
            goes=Goes.AGE,
            why="date, lieu et nombre de situations, sans nom : un mois après la réunion",
            kept="message_id partner at place situations",
        ),
    }
)
