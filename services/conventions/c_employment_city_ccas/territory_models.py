"""Tables of convention C beside the employer's axis; none has a column for a job seeker's name.

What is about a person is keyed by an id of one's own register (`person_id`) or by a case, and goes
with it. Names here are those of colleagues (C-6.1).
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Integer, Table

from services.chassis.fates import WITH_CASE, Fate, Goes, decide
from services.chassis.schema import Chars, UtcDateTime
from services.conventions.c_employment_city_ccas.models import C, metadata

readings = Table(
    "c_readings",
    metadata,
    Column("convention_id", Chars(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("agent_id", Chars(64), primary_key=True),
    Column("read_at", UtcDateTime, nullable=False),
)
"""C-5.5: which agent of one's own knows which version of the convention."""

final_reports = Table(
    "c_final_reports",
    metadata,
    Column("convention_id", Chars(64), primary_key=True),
    Column("term_ends_on", Date, primary_key=True),
    Column("written_on", Date, nullable=False),
    Column("evidence", Chars(64), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-7.2: the written report of each term; evidence: SHA-256 of the paper. Proof, kept with it."""

desks = Table(
    "c_desks",
    metadata,
    Column("task", Chars(20), primary_key=True),
    Column("agency", Chars(20), primary_key=True),
    Column("agent_id", Chars(64), primary_key=True),
    Column("since", UtcDateTime, nullable=False),
)
"""C-3.1, C-3d.3, C-3d.4, C-3e.1: who of one's own agents deals with what; agency: "" elsewhere."""

staff_notices = Table(
    "c_staff_notices",
    metadata,
    Column("name", Chars(80), primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-6.2: which of one's own colleagues know that their professional contact is passed on."""

referents = Table(
    "c_referents",
    metadata,
    Column("org", Chars(48), primary_key=True),
    Column("partner", Chars(48), primary_key=True),
    Column("agency", Chars(20), primary_key=True),
    Column("task", Chars(20), primary_key=True),
    Column("since", Date, nullable=False),
    Column("first_name", Chars(80), nullable=False),
    Column("first_role", Chars(80), nullable=False),
    Column("first_phone", Chars(24)),
    Column("first_email", Chars(120)),
    Column("second_name", Chars(80)),
    Column("second_role", Chars(80)),
    Column("second_phone", Chars(24)),
    Column("second_email", Chars(120)),
)
"""C-3a.14, C-3d.3, C-3e.2, C-3f.5, C-3f.6: whom to call; org: whose colleagues; partner: whose
node is opposite. A successor takes the row of who was there before (C-6.1)."""

antennas = Table(
    "c_antennas",
    metadata,
    Column("org", Chars(48), primary_key=True),
    Column("partner", Chars(48), primary_key=True),
    Column("unit", Integer, primary_key=True, autoincrement=False),
    Column("agency", Chars(20), nullable=False),
    Column("since", Date, nullable=False),
    Column("referent_name", Chars(80), nullable=False),
    Column("referent_role", Chars(80), nullable=False),
    Column("referent_phone", Chars(24)),
    Column("referent_email", Chars(120)),
)
"""C-3f.1, C-3f.3: which social work unit answers to which agency, and who there."""

opportunities = Table(
    "c_opportunities",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("sent_here", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("site", Chars(80), nullable=False),
    Column("trade", Chars(5), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
)
"""C-3d.2: places under the social clauses, until they close."""

questions = Table(
    "c_questions",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("asked_here", Boolean, nullable=False),
    Column("state", Chars(16), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("forget_at", UtcDateTime, nullable=False),
    Column("told_at", UtcDateTime),
)
"""C-3d.4: that a question waits or was answered; neither about whom, nor what was answered."""

volunteers = Table(
    "c_volunteers",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-3e.5: who asked the agency to make own skills known, until it is done."""

skill_offers = Table(
    "c_skill_offers",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("offered_here", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("forget_at", UtcDateTime, nullable=False),
)
"""C-3e.5: that a volunteer is to be answered; neither who, nor what was offered."""

campaigns = Table(
    "c_campaigns",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("asked_here", Boolean, nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("event", Chars(16), nullable=False),
    Column("event_at", UtcDateTime, nullable=False),
    Column("place", Chars(80), nullable=False),
    Column("means", Chars(16), nullable=False),
    Column("priority_districts_only", Boolean, nullable=False),
    Column("sent_on", Date),
    Column("reached", Integer),
)
"""C-3e.4: what the agency is asked to spread, and that it did; never to whom."""

censuses = Table(
    "c_censuses",
    metadata,
    Column("org", Chars(48), primary_key=True),
    Column("partner", Chars(48), primary_key=True),
    Column("table_name", Chars(20), primary_key=True),
    Column("counted_on", Date, nullable=False),
    Column("under_one_year", Integer),
    Column("from_one_to_two", Integer),
    Column("from_two_to_three", Integer),
    Column("over_three_years", Integer),
    Column("total", Integer),
)
"""C-2.2, C-3e.3: the latest table of each kind that each side told; absent: hidden."""

announcements = Table(
    "c_announcements",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("sent_here", Boolean, nullable=False),
    Column("subject", Chars(20), nullable=False),
    Column("medium", Chars(16), nullable=False),
    Column("planned_on", Date, nullable=False),
)
"""C-5.4: what is about to be said outside, until it is."""

collective_actions = Table(
    "c_collective_actions",
    metadata,
    Column("action_id", Chars(32), primary_key=True),
    Column("convention_id", Chars(64), nullable=False, index=True),
    Column("held_on", Date, nullable=False),
    Column("for_youth", Boolean, nullable=False),
    Column("joint", Boolean, nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""C-3c.1, C-3c.2: collective actions that were held; nobody who came."""

decide(
    {
        questions: WITH_CASE,
        skill_offers: WITH_CASE,
        volunteers: Fate(goes=Goes.PERSON, convention=C),
        final_reports: Fate(
            goes=Goes.AGE,
            since="recorded_at",
            why="preuve du rapport écrit, gardée trois ans (RGPD 5.2)",
            kept="convention_id term_ends_on written_on evidence recorded_at agent_id",
        ),
        readings: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="agents qui ont lu la convention, sous leur identifiant",
            kept="convention_id version agent_id read_at",
        ),
        desks: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="agents de l'organisme par tâche, sous leur identifiant",
            kept="task agency agent_id since",
        ),
        staff_notices: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="collègues informés que leur contact est transmis",
            kept="name told_at agent_id",
        ),
        referents: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="collègues à appeler, jusqu'à leur remplacement",
            kept="org partner agency task since first_name first_role first_phone"
            " first_email second_name second_role second_phone second_email",
        ),
        antennas: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="collègues à appeler, jusqu'à leur remplacement",
            kept="org partner unit agency since referent_name referent_role"
            " referent_phone referent_email",
        ),
        opportunities: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="places jusqu'à leur clôture ; personne n'y figure",
            kept="message_id partner sent_here at site trade first_day last_day",
        ),
        campaigns: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="diffusions demandées ; jamais à qui",
            kept="message_id partner asked_here asked_at event event_at place means"
            " priority_districts_only sent_on reached",
        ),
        censuses: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="nombres, les petits masqués",
            kept="org partner table_name counted_on under_one_year from_one_to_two"
            " from_two_to_three over_three_years total",
        ),
        announcements: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="communications prévues ; personne n'y figure",
            kept="message_id partner sent_here subject medium planned_on",
        ),
        collective_actions: Fate(
            goes=Goes.CONVENTION,
            convention=C,
            why="actions tenues ; aucun participant",
            kept="action_id convention_id held_on for_youth joint agent_id",
        ),
    }
)
