"""Whom a person of one's own register may be: found by the day of birth, told by a near name.

Names and days lie sealed. A row says in clear only in which of a thousand or so boxes its day of
birth falls, under a key that the key store holds: a few persons are opened to find one, whatever
the size of the register (ADR 29). Whether two are one person, an agent says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

from rapidfuzz import fuzz
from sqlalchemy import Connection, Row, func, select, update

from contracts.kernel.errors import UnknownName
from services.chassis import standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.keystore import KeyDestroyed
from services.chassis.scopes import LOOKUP_SCOPE, person_scope
from services.chassis.standing import KnownPerson

BOXES: Final = 1024
"""As many as leave some five persons in one, of a register of five thousand."""
NEAR: Final = 80
"""Likeness of two names, of 100, from which an agent is asked: a letter or two, an order."""

_APART: Final = re.compile(r"[^a-z]+")
_LIGATURES: Final = str.maketrans({"œ": "oe", "æ": "ae"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A person of one's own register, opened. left_at: set once registered here no more."""

    person_id: str
    person: KnownPerson
    registered_at: datetime
    left_at: datetime | None


def box(core: Core, birth: date) -> int:
    """In which box a day of birth falls: always the same one, and nobody without the key knows."""
    digest = core.keystore.commit(LOOKUP_SCOPE, birth.isoformat().encode())
    return int.from_bytes(digest[:4]) % BOXES


def plain(name: str) -> str:
    """A name without capitals, accents, hyphens and apostrophes."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_LIGATURES))
    bare = "".join(one for one in letters if not unicodedata.combining(one))
    return _APART.sub(" ", bare).strip()


def likeness(one: tuple[str, str], other: tuple[str, str]) -> float:
    """How near two persons' names are, of 100, in whatever order, in one word or in several."""
    words = fuzz.token_ratio(plain(" ".join(one)), plain(" ".join(other)))
    ours, theirs = ([plain(name).replace(" ", "") for name in names] for names in (one, other))
    return float(max(words, fuzz.token_sort_ratio(" ".join(ours), " ".join(theirs))))


def resembling(
    connection: Connection, core: Core, family_name: str, first_name: str, birth: date
) -> list[Registered]:
    """Those of one's own register who were born on that day and have a near name, nearest first."""
    persons = tables.persons
    wanted = (persons.c.birth_box == box(core, birth)) & persons.c.registered_at.is_not(None)
    rows = connection.execute(select(persons).where(wanted)).all()
    found = [
        (likeness((family_name, first_name), _names(one.person)), one)
        for one in opened(core, rows)
        if one.person.identity.birth_date == birth
    ]
    near = sorted((one for one in found if one[0] >= NEAR), key=lambda one: -one[0])
    return [one for _, one in near]


def _names(person: KnownPerson) -> tuple[str, str]:
    return person.identity.family_name or "", person.identity.first_name or ""


def opened(core: Core, rows: Sequence[Row[Any]]) -> list[Registered]:
    """Rows of the register as persons, without those who were erased meanwhile."""
    found = []
    for row in rows:
        with suppress(KeyDestroyed):
            found.append(
                Registered(
                    person_id=row.person_id,
                    person=standing.open_person(core, row.scope, row.sealed),
                    registered_at=row.registered_at,
                    left_at=row.left_at,
                )
            )
    return found


def of_register(connection: Connection, core: Core, person_id: str) -> Registered:
    """One person of one's own register. Raises UnknownName."""
    persons = tables.persons
    here = (persons.c.person_id == person_id) & persons.c.registered_at.is_not(None)
    found = opened(core, connection.execute(select(persons).where(here)).all())
    if not found:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    return found[0]


def last_ones(connection: Connection, core: Core, number: int) -> list[Registered]:
    """Those who were registered last, or with whose agreements something happened last."""
    persons, agreements = tables.persons, tables.agreements
    moments = (agreements.c.given_at, agreements.c.suspended_at, agreements.c.withdrawn_at)
    touched: dict[str, datetime] = {}
    for moment in moments:
        last = func.max(moment).label("last")
        query = select(agreements.c.person_id, last).where(moment.is_not(None))
        recent = query.group_by(agreements.c.person_id).order_by(last.desc()).limit(number)
        for person_id, at in connection.execute(recent):
            touched[person_id] = max(at, touched.get(person_id, at))
    own = select(persons).where(persons.c.registered_at.is_not(None))
    rows = {
        row.person_id: row
        for query in (
            own.order_by(persons.c.registered_at.desc()).limit(number),
            own.where(persons.c.person_id.in_(touched)),
        )
        for row in connection.execute(query)
    }
    latest = sorted(
        rows.values(),
        key=lambda row: max(row.registered_at, touched.get(row.person_id, row.registered_at)),
        reverse=True,
    )
    return opened(core, latest[:number])


def note_answer(
    tx: Tx,
    core: Core,
    person_id: str,
    outcome: Literal["same", "other"],
    agent_id: str,
    at: datetime,
) -> None:
    """Journal what an agent said of a person who resembles a new one. Raises UnknownName."""
    row = tx.get(standing.PERSONS, person_id)
    if row is None or row.registered_at is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="person.compared",
            outcome=outcome,
            articles=("RGPD 5.1.d",),
            scope=person_scope(person_id),
            agent_id=agent_id,
        ),
    )


def place_all(tx: Tx, core: Core) -> int:
    """Put into their boxes those who were registered before there were any; returns how many."""
    persons = tables.persons
    without = persons.c.registered_at.is_not(None) & persons.c.birth_box.is_(None)
    found = opened(core, tx.execute(select(persons).where(without)).all())
    for one in found:
        birth = one.person.identity.birth_date
        if birth is not None:
            mine = persons.c.person_id == one.person_id
            tx.execute(update(persons).where(mine).values(birth_box=box(core, birth)))
    return len(found)
