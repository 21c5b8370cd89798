"""Tables of who signs in at a node's pages: authorisations, sessions, and who is on the way.

An agent is known by an identifier of the organisation's own; what the sign-in provider says of one
is sealed.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, LargeBinary, Table

from services.chassis.fates import OF_AGENTS, Fate, Goes, decide
from services.chassis.schema import HASH_LENGTH, Chars, Codes, UtcDateTime, metadata
from services.chassis.tables import CODE, ID

authorisations = Table(
    "authorisations",
    metadata,
    Column("authorisation_id", ID, primary_key=True),
    Column("subject", Chars(HASH_LENGTH), nullable=False, index=True),
    Column("agent_id", CODE, nullable=False),
    Column("role", CODE, nullable=False),
    Column("first_day", Date, nullable=False),
    Column("last_day", Date),
    Column("given_by", CODE, nullable=False),
    Column("given_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)
"""Who may do what here, in which role, from when to when.

subject: digest of what the sign-in provider calls the person.
"""

departures = Table(
    "departures",
    metadata,
    Column("state", Chars(HASH_LENGTH), primary_key=True),
    Column("browser", Chars(HASH_LENGTH), nullable=False),
    Column("nonce", Chars(128), nullable=False),
    Column("verifier", Chars(128), nullable=False),
    Column("back", Chars(256), nullable=False),
    Column("left_at", UtcDateTime, nullable=False),
)
"""Browsers on their way to the sign-in provider and back; gone with the return, or soon after."""

sessions = Table(
    "sessions",
    metadata,
    Column("session", Chars(HASH_LENGTH), primary_key=True),
    Column("authorisation_id", ID, nullable=False, index=True),
    Column("amr", Codes, nullable=False),
    Column("token", Chars(64), nullable=False),
    Column("id_token", LargeBinary, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)
"""Agents at their pages, by the digest of their cookie. amr: how each was authenticated."""

decide(
    {
        authorisations: Fate(
            goes=Goes.AGE,
            why=OF_AGENTS,
            kept="authorisation_id subject agent_id role first_day last_day given_by given_at"
            " ended_at",
        ),
        departures: Fate(
            goes=Goes.AGE,
            why="navigateur en route vers le fournisseur d'identité, quelques minutes",
            kept="state browser nonce verifier back left_at",
        ),
        sessions: Fate(
            goes=Goes.AGE,
            why="agent connecté, le temps de sa session",
            kept="session authorisation_id amr token id_token began_at seen_at",
        ),
    }
)
