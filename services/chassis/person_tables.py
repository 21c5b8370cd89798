"""Tables of what a person may see and ask here: codes, visits, refusals and destructions, requests.

None holds a name or a word of content: ids, codes and dates. What links to a person goes with the
person's erasure; what proves that a right was answered stays without that link.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, Table

from services.chassis.fates import WITH_PERSON, Fate, Goes, decide
from services.chassis.schema import HASH_LENGTH, Chars, Codes, UtcDateTime, metadata
from services.chassis.tables import CODE, ID, ORG

codes = Table(
    "person_codes",
    metadata,
    Column("code_id", ID, primary_key=True),
    Column("selector", Chars(8), nullable=False, unique=True),
    Column("digest", Chars(HASH_LENGTH), nullable=False),
    Column("holder", CODE, nullable=False),
    Column("means", CODE, nullable=False),
    Column("given_by", CODE, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("minor_until", UtcDateTime),
    Column("wrong", Integer, nullable=False),
    Column("used_at", UtcDateTime),
)
"""One-time codes that agents handed over: for whom, how the agent knew who it is, until when.

selector: first group of the code, which finds it. digest: of the whole code, under a key of the
node's secret. minor_until: majority of the person, where a representative holds the code. wrong:
how often the rest was mistyped.
"""

code_persons = Table(
    "person_code_persons",
    metadata,
    Column("code_id", ID, primary_key=True),
    Column("person_id", ID, primary_key=True, index=True),
)
"""Whom a code opens the page of: one person, who may stand here under several local ids."""

visits = Table(
    "person_visits",
    metadata,
    Column("visit", Chars(HASH_LENGTH), primary_key=True),
    Column("code_id", ID, nullable=False, index=True),
    Column("token", Chars(64), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""Persons at their page, by the digest of their cookie."""

attempts = Table(
    "person_attempts",
    metadata,
    Column("attempt_id", ID, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
)
"""Codes that opened nothing, for a few minutes: how many the whole node saw."""

refusals = Table(
    "person_refusals",
    metadata,
    Column("message_id", ID, primary_key=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
)
"""Whom a message was about that this node's gate refused; the journal's line says all the rest."""

destructions = Table(
    "person_destructions",
    metadata,
    Column("case_id", ID, primary_key=True),
    Column("person_id", ID, nullable=False, index=True),
    Column("giver", CODE),
    Column("at", UtcDateTime, nullable=False),
)
"""Destroyed cases of persons who are still in the register: their certificates are shown to them.

giver: who had agreed to what the case rested on, since what a young person agreed to alone is shown
to them alone.
"""


requests = Table(
    "rights_requests",
    metadata,
    Column("request_id", ID, primary_key=True),
    Column("right", CODE, nullable=False),
    Column("about", Codes, nullable=False),
    Column("raised_by", CODE, nullable=False),
    Column("channel", CODE, nullable=False),
    Column("origin", ORG),
    Column("origin_request", ID),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("extended_at", UtcDateTime),
    Column("checked_at", UtcDateTime),
    Column("checked_by", CODE),
    Column("means", CODE),
    Column("sent_at", UtcDateTime),
    Column("closed_at", UtcDateTime),
    Column("closed_by", CODE),
    Column("outcome", CODE),
    Column("article", CODE),
    Column("answer_channel", CODE),
)
"""Rights that persons exercise here, or at a partner who passes them on (GDPR 12, 15 to 22).

origin, origin_request: the partner who passed it on, and its id there. checked_at, checked_by,
means: when, by which agent and how it was checked who asks.
"""

request_persons = Table(
    "rights_persons",
    metadata,
    Column("request_id", ID, primary_key=True),
    Column("person_id", ID, primary_key=True, index=True),
)
"""Who asks, as long as the register knows the person."""

answers = Table(
    "rights_answers",
    metadata,
    Column("request_id", ID, primary_key=True),
    Column("org", ORG, primary_key=True),
    Column("case_id", ID, primary_key=True),
    Column("told_at", UtcDateTime, nullable=False),
    Column("outcome", CODE),
    Column("article", CODE),
    Column("done_at", UtcDateTime),
)
"""What each partner was told of a request, case by case, and what it answered, signed.

The node's own line says what it keeps itself, and under which article.
"""

_RIGHT: Final = "preuve de la réponse à un droit, sans nom, trois ans après sa clôture (RGPD 5.2)"

decide(
    {
        code_persons: WITH_PERSON,
        refusals: WITH_PERSON,
        destructions: WITH_PERSON,
        request_persons: WITH_PERSON,
        codes: Fate(
            goes=Goes.AGE,
            why="preuve qu'un code fut remis, sans son porteur, trois ans (RGPD 5.2)",
            kept="code_id selector digest holder means given_by given_at expires_at minor_until"
            " wrong used_at",
        ),
        visits: Fate(
            goes=Goes.AGE,
            why="personne à sa page, le temps de sa visite",
            kept="visit code_id token began_at seen_at",
        ),
        attempts: Fate(
            goes=Goes.AGE,
            why="essais de codes faux, quelques minutes, sans leur auteur (RGPD 32)",
            kept="attempt_id at",
        ),
        requests: Fate(
            goes=Goes.AGE,
            why=_RIGHT,
            kept="request_id right about raised_by channel origin origin_request asked_at due_at"
            " extended_at checked_at checked_by means sent_at closed_at closed_by outcome article"
            " answer_channel",
        ),
        answers: Fate(
            goes=Goes.AGE,
            why=_RIGHT,
            kept="request_id org case_id told_at outcome article done_at",
        ),
    }
)
