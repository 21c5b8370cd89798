"""One-time codes: an agent hands one over, on paper, and whoever types it sees one person's page.

The code is drawn at random and its keyed digest alone is kept, so that whoever reads the database
can open no page. It lives half an hour, opens once, and dies of five wrong ends; whatever is wrong
with what was typed, the same statements run and the same sentence answers.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, func, select, update

from contracts.kernel.errors import InvalidPayload, RelaisError, UnknownName
from contracts.kernel.paris import birthday, day_of, midnight, reached
from services.chassis import person_tables, standing, tables
from services.chassis.acts import require_case
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.minors import MAJORITY_AGE
from services.chassis.standing import ERASED, KnownPerson
from services.chassis.tokens import Agent

LIFETIME: Final = timedelta(minutes=30)
"""Time to type a code: a proposal, to be set by each organisation."""
WRONG_ENDS: Final = 5
"""Wrong ends after which a code is dead."""
WINDOW: Final = timedelta(minutes=10)
"""Over which wrong codes are counted for the whole node."""
WRONG_AT_NODE: Final = 60
"""Wrong codes in that time after which none is taken; a proposal."""

ALPHABET: Final = "234679ACDEFGHJKMNPQRTVWXY"
"""Signs that nobody takes for another, written by hand or read from a bad print."""
GROUP: Final = 4
"""Signs of a group; the first of three finds the code, the others prove it (37 bits)."""
_GROUPS: Final = 3
_LONGEST: Final = 64

Holder = Literal["young_person", "representative"]
"""For whom a code is: the young person, or who represents them until 18."""
Means = Literal["in_person", "known", "document"]
"""How whoever hands it over knows who it is: seen here, known from the follow-up, by a document."""

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class CodeBody(BaseModel):
    """Body of ``POST /persons/{id}/codes``: for whom, and how the agent knows who it is.

    also: other local ids of the same person, one for each case that came from a partner; the agent
    vouches for it, and the node refuses what differs by name or birth date.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    holder: Holder
    means: Means
    also: tuple[_Id, ...] = Field(default=(), max_length=20)


class TooManyTries(RelaisError):
    """The whole node saw too many wrong codes lately."""

    code = "too_many_tries"
    status = 429


@dataclass(frozen=True, slots=True)
class GivenCode:
    """A code as it is handed over, once: nobody can read it again. code: as printed."""

    code_id: str
    code: str
    holder: Holder
    expires_at: datetime


def give(
    tx: Tx,
    core: Core,
    key: bytes,
    person_id: str,
    asked: CodeBody,
    code_id: str,
    agent: Agent,
    at: datetime,
) -> GivenCode:
    """Draw a code for a person, or for who represents them.

    Raises UnknownName for a person who is not here; NotPermitted for a case that is not the
    agent's; InvalidPayload for ids of several persons, for a representative where there is none,
    or of a person of age.
    """
    person_ids = tuple(dict.fromkeys((person_id, *asked.also)))
    known = [opened(tx, core, one, agent, at) for one in person_ids]
    _one_person(known)
    majority = majority_of(known[0], at) if asked.holder == "representative" else None
    expires_at = at + LIFETIME if majority is None else min(at + LIFETIME, majority)
    selector, secret = _unused(tx), _drawn(GROUP * (_GROUPS - 1))
    row = {
        "code_id": code_id,
        "selector": selector,
        "digest": _digest(key, selector + secret),
        "holder": asked.holder,
        "means": asked.means,
        "given_by": agent.agent_id,
        "given_at": at,
        "expires_at": expires_at,
        "minor_until": majority,
        "wrong": 0,
        "used_at": None,
    }
    tx.insert(person_tables.codes, row)
    for one in person_ids:
        tx.insert(person_tables.code_persons, {"code_id": code_id, "person_id": one})
    core.journal.note(tx, "person.code_given", agent.agent_id, at, articles=("RGPD 15",))
    return GivenCode(code_id, _printed(selector + secret), asked.holder, expires_at)


def take(tx: Tx, core: Core, key: bytes, typed: str, at: datetime) -> Row[Any] | None:
    """The code that was typed, used up; None where it opens nothing. Raises TooManyTries.

    Whatever is wrong, the same statements have run, and the try is counted.
    """
    attempts, table = person_tables.attempts, person_tables.codes
    lately = select(func.count()).where(attempts.c.at > at - WINDOW)
    if (tx.execute(lately).scalar() or 0) >= WRONG_AT_NODE:
        raise TooManyTries("Trop de codes faux ont été essayés ici : revenez dans dix minutes.")
    code = _normal(typed)
    mine = table.c.selector == code[:GROUP]
    row = tx.execute(select(table).where(mine)).first()
    right = hmac.compare_digest(_digest(key, code), "" if row is None else row.digest)
    good = right and row is not None and _alive(row, at)
    change = {"used_at": at} if good else {"wrong": table.c.wrong + 1}
    tx.execute(update(table).where(mine).values(**change))
    if not good:
        tx.insert(attempts, {"attempt_id": core.new_id(), "at": at})
        return None
    return row


def _alive(row: Row[Any], at: datetime) -> bool:
    return row.used_at is None and row.wrong < WRONG_ENDS and at < row.expires_at


def opened(tx: Tx, core: Core, person_id: str, agent: Agent, at: datetime) -> KnownPerson:
    """A person of the register, if this agent may open what is known of them.

    Raises UnknownName, NotPermitted.
    """
    row = tx.get(standing.PERSONS, person_id)
    if row is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if row.registered_at is None:
        cases = tables.cases
        theirs = (cases.c.person_id == person_id) & (cases.c.state != ERASED)
        for case_id in tx.execute(select(cases.c.case_id).where(theirs)).scalars().all():
            require_case(tx, core, case_id, agent, at)
    return standing.opened_person(tx, core, row.scope, row.sealed)


def _one_person(known: list[KnownPerson]) -> None:
    names = {
        tuple(str(getattr(one.identity, name)).casefold() for name in _NAMED_BY) for one in known
    }
    if len(names) > 1:
        raise InvalidPayload(
            "Un code ouvre la page d'une personne : nom ou date de naissance diffèrent ici.",
            fields=(("also", "another_person"),),
        )


_NAMED_BY: Final = ("family_name", "first_name", "birth_date")


def majority_of(person: KnownPerson, at: datetime) -> datetime:
    """When whoever represents a person no longer does.

    Raises InvalidPayload where the register knows of nobody, or the person is of age.
    """
    birth = person.identity.birth_date
    if birth is None or not person.representatives:
        raise InvalidPayload(
            "Le registre ne tient ni représentant légal ni date de naissance : le code est remis "
            "à la personne elle-même.",
            fields=(("holder", "no_representative"),),
        )
    if reached(birth, MAJORITY_AGE, day_of(at)):
        raise InvalidPayload(
            "Cette personne est majeure : elle seule voit sa page.",
            fields=(("holder", "of_age"),),
            articles=("CC 414",),
        )
    return midnight(birthday(birth, MAJORITY_AGE))


def _unused(tx: Tx) -> str:
    """A first group that no code kept here has."""
    table = person_tables.codes
    while True:
        drawn = _drawn(GROUP)
        if tx.execute(select(table.c.code_id).where(table.c.selector == drawn)).first() is None:
            return drawn


def _drawn(signs: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(signs))


def _digest(key: bytes, code: str) -> str:
    return hmac.digest(key, code.encode(), "sha256").hex()


def _normal(typed: str) -> str:
    """What was typed, as it was drawn: no spaces, no dashes, capitals."""
    return "".join(sign for sign in typed[:_LONGEST].upper() if sign.isalnum())


def _printed(code: str) -> str:
    return "-".join(code[first : first + GROUP] for first in range(0, len(code), GROUP))
