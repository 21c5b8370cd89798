"""Tables of convention C's employer axis, the same at the agency and at the city, and its metadata.

No table holds a name that came by message: a candidate is a case under a random id (C-5.1).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table

from services.chassis.fates import WITH_CASE, WITH_PERSON, Fate, Goes, decide
from services.chassis.schema import Chars, Codes, UtcDateTime, new_metadata

metadata = new_metadata()

employer_interviews = Table(
    "c_employer_interviews",
    metadata,
    Column("held_on", Date, primary_key=True),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-3a.1: diagnostic interviews of the employer with the agency."""

offers = Table(
    "c_offers",
    metadata,
    Column("offer_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("sent_here", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("post", Chars(80), nullable=False),
    Column("trade", Chars(5), nullable=False),
    Column("weekly_hours", Integer, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("closes_on", Date, nullable=False),
    Column("eligible_tutor", Boolean, nullable=False),
    Column("may_become_permanent", Boolean, nullable=False),
)
"""C-3a.11: offers of supported contracts, until they close; nobody is in them."""

seekers = Table(
    "c_seekers",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("counsellor", Chars(64), nullable=False),
    Column("since", UtcDateTime, nullable=False),
)
"""C-3a.15: who is whose counsellor, at the agency alone."""

seeker_facts = Table(
    "c_seeker_facts",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("fact", Chars(20), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-2.1, C-3a.3, C-3a.16, C-3b.2: what holds of a person, at the agency alone, without reasons."""

candidacies = Table(
    "c_candidacies",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("state", Chars(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("person_id", Chars(32)),
    Column("offer_id", Chars(32)),
)
"""C-3a.12, C-3a.13: where a candidacy stands; whose, and for what, the agency alone keeps."""

contracts = Table(
    "c_contracts",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("job_counsellor", Date, nullable=False),
    Column("employee", Date, nullable=False),
    Column("workplace_tutor", Date, nullable=False),
    Column("skills", Codes, nullable=False),
    Column("training", Codes, nullable=False),
    Column("support", Codes, nullable=False),
    Column("exit_interview_at", UtcDateTime),
    Column("next_steps_on", Date),
    Column("certificate_asked_on", Date),
    Column("certificate_on", Date),
    Column("ended_on", Date),
)
"""C-3a.4, C-3a.20: what three signed, and how far it is; no name."""

booklets = Table(
    "c_booklets",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("step", Chars(16), primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("alone_at", UtcDateTime),
    Column("tutor_at", UtcDateTime),
    Column("employee_at", UtcDateTime),
    Column("read_at", UtcDateTime),
    Column("prospects", Boolean),
)
"""C-3a.21 to C-3a.23: each booklet as bits, never an answer; prospects: at the agency alone."""

tutors = Table(
    "c_tutors",
    metadata,
    Column("staff_id", Chars(64), primary_key=True),
    Column("volunteered_on", Date),
    Column("qualified_on", Date),
    Column("working_since", Date),
    Column("supported", Boolean),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", Chars(64), nullable=False),
)
"""C-3a.6: the employer's own register of tutors; nothing of it is sent."""

tutorships = Table(
    "c_tutorships",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("staff_id", Chars(64), nullable=False, index=True),
)
"""C-3a.6: who tutors whom, at the employer alone."""

hires = Table(
    "c_hires",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("hired_on", Date, nullable=False),
    Column("papers", Chars(20), nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-5.1: whom the employer took on, by the person's own papers; tied to no case."""

trades = Table(
    "c_trades",
    metadata,
    Column("partner", Chars(48), primary_key=True),
    Column("host", Chars(8), primary_key=True),
    Column("rome", Chars(5), primary_key=True),
    Column("since", Date, nullable=False),
)
"""C-3b.4: trades in which a host takes in, as last published."""

immersions = Table(
    "c_immersions",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("host", Chars(8), nullable=False),
    Column("person_id", Chars(32), index=True),
    Column("status", Chars(16), nullable=False),
    Column("object", Chars(20), nullable=False),
    Column("rome", Chars(5), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("tutor", LargeBinary),
)
"""C-3b.1: each immersion; contacts of colleagues are sealed, and who comes is written nowhere."""

C: Final = "c_employment_city_ccas"
"""Code of this convention."""

decide(
    {
        candidacies: WITH_CASE,
        contracts: WITH_CASE,
        booklets: WITH_CASE,
        tutorships: WITH_CASE,
        immersions: WITH_CASE,
        seekers: WITH_PERSON,
        seeker_facts: WITH_PERSON,
        hires: WITH_PERSON,
        employer_interviews: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="dates d'entretiens avec l'employeur ; aucun demandeur d'emploi",
            kept="held_on agent_id",
        ),
        offers: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="offres jusqu'à leur clôture ; personne n'y figure",
            kept="offer_id partner sent_here at post trade weekly_hours starts_on closes_on"
            " eligible_tutor may_become_permanent",
        ),
        tutors: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="tuteurs parmi les agents de l'employeur, sous leur identifiant",
            kept="staff_id volunteered_on qualified_on working_since supported recorded_at"
            " recorded_by",
        ),
        trades: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="métiers ouverts à l'immersion ; personne n'y figure",
            kept="partner host rome since",
        ),
    }
)
