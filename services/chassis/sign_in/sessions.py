"""Sessions of agents at their pages: kept here, known by a cookie, over when they rest too long.

The cookie is random and its digest alone is stored, so that whoever reads the database can sign in
as nobody. A session is new at each sign-in (no fixation), rests on an authorisation that is looked
at on each call, and every form carries its token (no cross-site request).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from services.chassis import sign_in_tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.scopes import REGISTER_SCOPE
from services.chassis.sign_in.authorisations import of_subject, valid
from services.chassis.sign_in.relying_party import Departure, SignedIn
from services.chassis.tokens import Agent, Role

IDLE: Final = timedelta(minutes=30)
"""A desk that nobody touched for so long is left: a proposal, to be set by each organisation."""
LONGEST: Final = timedelta(hours=10)
"""A session lasts a working day at most."""
AWAY: Final = timedelta(minutes=10)
"""Time to come back from the provider."""

_SEEN_EVERY: Final = timedelta(minutes=1)
_PLACE: Final = b"id-token"


@dataclass(frozen=True, slots=True)
class Session:
    """Who sits at a page. token: what each form of the page must carry."""

    session: str
    agent: Agent
    token: str
    seen_at: datetime


def _random() -> str:
    return secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


# --- on the way to the provider and back


def leave(tx: Tx, departure: Departure, back: str, at: datetime) -> str:
    """Keep what only that return may bring back; returns the cookie of that browser.

    back: path of the page to go to afterwards.
    """
    browser = _random()
    tx.insert(
        sign_in_tables.departures,
        {
            "state": _digest(departure.state),
            "browser": _digest(browser),
            "nonce": departure.nonce,
            "verifier": departure.verifier,
            "back": back,
            "left_at": at,
        },
    )
    return browser


def come_back(tx: Tx, state: str, browser: str, at: datetime) -> Row[Any] | None:
    """What was kept, given out once, to the browser that left, in time; else None."""
    table = sign_in_tables.departures
    mine = table.c.state == _digest(state)
    row = tx.execute(select(table).where(mine)).first()
    if row is None or not hmac.compare_digest(row.browser, _digest(browser)):
        return None
    tx.execute(delete(table).where(mine))
    return row if at < row.left_at + AWAY else None


# --- at a page


def begin(tx: Tx, core: Core, signed_in: SignedIn, authorisation: Row[Any], at: datetime) -> str:
    """Open a session under an authorisation; returns its cookie."""
    cookie = _random()
    tx.insert(
        sign_in_tables.sessions,
        {
            "session": _digest(cookie),
            "authorisation_id": authorisation.authorisation_id,
            "amr": signed_in.amr,
            "token": _random(),
            "id_token": core.keystore.seal(REGISTER_SCOPE, signed_in.id_token.encode(), _PLACE),
            "began_at": at,
            "seen_at": at,
        },
    )
    agent = authorisation.agent_id
    core.journal.note(tx, "session.began", agent, at)
    return cookie


def of_cookie(connection: Connection, cookie: str, at: datetime) -> Session | None:
    """The session of a cookie; None where there is none, it rested too long, or may be no more."""
    table, given = sign_in_tables.sessions, sign_in_tables.authorisations
    joined = table.join(given, given.c.authorisation_id == table.c.authorisation_id)
    query = select(table, given.c.agent_id, given.c.role).select_from(joined)
    mine = (table.c.session == _digest(cookie)) & valid(at)
    row = connection.execute(query.where(mine)).first()
    if row is None or at >= min(row.seen_at + IDLE, row.began_at + LONGEST):
        return None
    return Session(row.session, Agent(row.agent_id, Role(row.role)), row.token, row.seen_at)


def offered(connection: Connection, session: Session, at: datetime) -> list[Row[Any]]:
    """Authorisations of the person of a session, one of which it rests on."""
    table, given = sign_in_tables.sessions, sign_in_tables.authorisations
    joined = table.join(given, given.c.authorisation_id == table.c.authorisation_id)
    query = select(given.c.subject).select_from(joined).where(table.c.session == session.session)
    subject = connection.execute(query).scalar()
    return [] if subject is None else of_subject(connection, subject, at)


def change(tx: Tx, core: Core, session: Session, authorisation: Row[Any], at: datetime) -> str:
    """Go on in another role, under a new cookie; the former session is over."""
    table = sign_in_tables.sessions
    mine = table.c.session == session.session
    cookie = _random()
    tx.execute(
        update(table)
        .where(mine)
        .values(
            session=_digest(cookie),
            authorisation_id=authorisation.authorisation_id,
            token=_random(),
            seen_at=at,
        )
    )
    core.journal.note(tx, "session.began", authorisation.agent_id, at)
    return cookie


def unseen(session: Session, at: datetime) -> bool:
    """Whether it is to be noted that somebody is there: once a minute is enough."""
    return at >= session.seen_at + _SEEN_EVERY


def touch(tx: Tx, session: Session, at: datetime) -> None:
    """Note that somebody is there."""
    table = sign_in_tables.sessions
    mine = table.c.session == session.session
    tx.execute(update(table).where(mine).values(seen_at=at))


def leave_desk(tx: Tx, core: Core, session: Session, at: datetime) -> str | None:
    """End a session at once; returns the provider's token, to end the one there too."""
    table = sign_in_tables.sessions
    mine = table.c.session == session.session
    sealed = tx.execute(select(table.c.id_token).where(mine)).scalar()
    tx.execute(delete(table).where(mine))
    core.journal.note(tx, "session.ended", session.agent.agent_id, at)
    if sealed is None:
        return None
    return core.keystore.open(REGISTER_SCOPE, sealed, _PLACE).decode()


def same_form(session: Session, token: str) -> bool:
    """Whether a form comes from a page of this session."""
    return hmac.compare_digest(session.token.encode(), token.encode())
