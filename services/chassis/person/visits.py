"""Visits: a person at their own page, under a cookie, for minutes.

As with agents the cookie is random, its digest alone is stored, and every form carries a token. A
visit rests ten minutes, lasts thirty, and that of a representative ends when the person comes of
age, at midnight in Paris.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from services.chassis import person_tables, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.person.codes import Holder, Means, take

IDLE: Final = timedelta(minutes=10)
"""A page that nobody touched for so long is left: a proposal."""
LONGEST: Final = timedelta(minutes=30)
"""A visit lasts that long at most: a proposal."""

_SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Visit:
    """Who looks at a person's page. person_ids: of the one person. token: of each form.

    given_by, given_at, means: which agent handed the code over, when, knowing how who it is.
    """

    visit: str
    holder: Holder
    person_ids: tuple[str, ...]
    token: str
    seen_at: datetime
    given_by: str
    given_at: datetime
    means: Means

    @cached_property
    def representative(self) -> bool:
        """Whether somebody looks in the person's stead."""
        return self.holder == "representative"


def _random() -> str:
    return secrets.token_urlsafe(32)


def _hashed(cookie: str) -> str:
    return sha256(cookie.encode()).hexdigest()


def begin(tx: Tx, core: Core, key: bytes, typed: str, at: datetime) -> str | None:
    """Open a visit with a code; returns its cookie, or None where the code opens nothing.

    A code whose person was erased meanwhile opens nothing. Raises TooManyTries.
    """
    code = take(tx, core, key, typed, at)
    if code is None or not _persons(tx.connection, code.code_id):
        return None
    cookie = _random()
    row = {
        "visit": _hashed(cookie),
        "code_id": code.code_id,
        "token": _random(),
        "began_at": at,
        "seen_at": at,
    }
    tx.insert(person_tables.visits, row)
    core.journal.note(tx, "person.visited", None, at, articles=("RGPD 15",))
    return cookie


def of_cookie(connection: Connection, cookie: str, at: datetime) -> Visit | None:
    """The visit of a cookie; None where there is none, it is over, or the person is erased."""
    table, codes = person_tables.visits, person_tables.codes
    joined = table.join(codes, codes.c.code_id == table.c.code_id)
    columns = (codes.c.holder, codes.c.means, codes.c.given_by, codes.c.given_at)
    query = select(table, *columns, codes.c.minor_until).select_from(joined)
    row = connection.execute(query.where(table.c.visit == _hashed(cookie))).first()
    if row is None or at >= _until(row):
        return None
    person_ids = _persons(connection, row.code_id)
    if not person_ids:
        return None
    return Visit(
        row.visit,
        row.holder,
        person_ids,
        row.token,
        row.seen_at,
        row.given_by,
        row.given_at,
        row.means,
    )


def _until(row: Row[Any]) -> datetime:
    ends: list[datetime] = [row.seen_at + IDLE, row.began_at + LONGEST]
    if row.minor_until is not None:
        ends.append(row.minor_until)
    return min(ends)


def _persons(connection: Connection, code_id: str) -> tuple[str, ...]:
    """Whom a code is for, as long as the register knows them."""
    table, persons = person_tables.code_persons, tables.persons
    here = table.join(persons, persons.c.person_id == table.c.person_id)
    query = select(table.c.person_id).select_from(here).where(table.c.code_id == code_id)
    return tuple(connection.execute(query.order_by(table.c.person_id)).scalars())


def unseen(visit: Visit, at: datetime) -> bool:
    """Whether it is to be noted that somebody is there: once a minute is enough."""
    return at >= visit.seen_at + _SEEN_EVERY


def touch(tx: Tx, visit: Visit, at: datetime) -> None:
    """Note that somebody is there."""
    table = person_tables.visits
    tx.execute(update(table).where(table.c.visit == visit.visit).values(seen_at=at))


def leave(tx: Tx, visit: Visit) -> None:
    """End a visit at once."""
    table = person_tables.visits
    tx.execute(delete(table).where(table.c.visit == visit.visit))


def same_form(visit: Visit, token: str) -> bool:
    """Whether a form comes from a page of this visit."""
    return hmac.compare_digest(visit.token.encode(), token.encode())
