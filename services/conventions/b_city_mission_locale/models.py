"""Tables of convention B, the same at the city and at the Mission Locale."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, Table

from services.chassis.fates import WITH_CASE, WITH_PERSON, Fate, Goes, decide
from services.chassis.schema import Chars, Codes, UtcDateTime, new_metadata

metadata = new_metadata()

orientations = Table(
    "b_orientations",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("asked_here", Boolean, nullable=False),
    Column("state", Chars(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("tried_on", Date),
    Column("request", LargeBinary, nullable=False),
)
"""B-2.4, B-2.10: each orientation and what came of it; the request is sealed under its case."""

cosupports = Table(
    "b_cosupports",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("state", Chars(16), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("opened_on", Date, nullable=False),
    Column("objectives", Codes, nullable=False),
    Column("stage", Chars(16)),
    Column("next_date", Date, nullable=False),
    Column("no_answer_since", Date),
    Column("adaptations", Codes),
    Column("tries", Integer, nullable=False),
    Column("tried_on", Date),
    Column("closed_on", Date),
    Column("outcome", Chars(16)),
    Column("person", LargeBinary, nullable=False),
)
"""B-2.7, B-2.11 to B-2.14: each co-support and where it stands; who it is about is sealed."""

referents = Table(
    "b_referents",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("org", Chars(48), primary_key=True),
    Column("since", UtcDateTime, primary_key=True),
    Column("until", UtcDateTime),
    Column("active", Boolean, nullable=False),
    Column("agent_id", Chars(64)),
    Column("contact", LargeBinary, nullable=False),
)
"""B-2.13: who keeps a co-support at each side, one at a time; the agent is known of one's own."""

immersions = Table(
    "b_immersions",
    metadata,
    Column("case_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False, index=True),
    Column("person_id", Chars(32)),
    Column("status", Chars(16), nullable=False),
    Column("object", Chars(20), nullable=False),
    Column("rome", Chars(5), nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("tutor", LargeBinary),
    Column("person", LargeBinary),
)
"""B-2.9: each immersion; what names anybody is sealed, the person at the host once it accepted."""

representative_notices = Table(
    "b_representative_notices",
    metadata,
    Column("person_id", Chars(32), primary_key=True),
    Column("given_at", UtcDateTime, primary_key=True),
    Column("version", Chars(64), nullable=False),
    Column("channel", Chars(16), nullable=False),
    Column("language", Chars(2), nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""GDPR 13: what the representative of a minor was told before a case opened, and when."""

psad_charters = Table(
    "b_psad_charters",
    metadata,
    Column("signed_on", Date, primary_key=True),
    Column("evidence", Chars(64), nullable=False),
    Column("agent_id", Chars(64), nullable=False),
)
"""B-2.1: the city's signature of the platform's charter; evidence: SHA-256 of the signed paper."""

common_events = Table(
    "b_common_events",
    metadata,
    Column("convention_id", Chars(64), primary_key=True),
    Column("held_on", Date, primary_key=True),
    Column("agent_id", Chars(64), nullable=False),
)
"""B-2.6: events for young people that both sides held or joined."""

offers = Table(
    "b_offers",
    metadata,
    Column("message_id", Chars(32), primary_key=True),
    Column("partner", Chars(48), nullable=False),
    Column("sent_here", Boolean, nullable=False),
    Column("type", Chars(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("theme", Chars(80), nullable=False),
    Column("name", Chars(80)),
    Column("kind", Chars(20)),
    Column("places", Integer),
    Column("last_day", Date),
    Column("contact_name", Chars(80), nullable=False),
    Column("contact_role", Chars(80), nullable=False),
    Column("contact_phone", Chars(24)),
    Column("contact_email", Chars(120)),
)
"""B-2.1, B-2.3: what one side offers, and which colleague to call; no young person."""

_B: Final = "b_city_mission_locale"

decide(
    {
        orientations: WITH_CASE,
        cosupports: WITH_CASE,
        referents: WITH_CASE,
        immersions: WITH_CASE,
        representative_notices: WITH_PERSON,
        psad_charters: Fate(
            goes=Goes.CONVENTION,
            convention=_B,
            why="preuve de la charte signée, tant que la convention vit",
            kept="signed_on evidence agent_id",
        ),
        common_events: Fate(
            goes=Goes.CONVENTION,
            convention=_B,
            why="dates d'événements communs ; aucun participant",
            kept="convention_id held_on agent_id",
        ),
        offers: Fate(
            goes=Goes.CONVENTION,
            convention=_B,
            why="offres de service et collègues à appeler, aucun jeune",
            kept="message_id partner sent_here type at theme name kind places last_day contact_name"
            " contact_role contact_phone contact_email",
        ),
    }
)
