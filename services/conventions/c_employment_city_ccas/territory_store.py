"""What the parts of convention C share: a message as either side sees it, and what ends with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, ColumnElement, delete, update

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.signed import SignedConvention, State
from services.chassis import convention_tables, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import erase_case
from services.chassis.holds import kept_under
from services.chassis.partner import Received, ReceivedHandler, Sent, SentHandler
from services.chassis.tally import count
from services.conventions.c_employment_city_ccas import territory_models as models


class Body(BaseModel):
    """Body of a call that records something: no other field, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message, as either side sees it.

    leaves: it is sent from here. said_at: when its sender said it, the same at both sides.
    person_id: of one's own register, at whoever sends; None at the receiver.
    """

    message_id: str
    partner: str
    content: Any
    said_at: datetime
    at: datetime
    leaves: bool
    case_id: str | None = None
    person_id: str | None = None

    def sender(self, core: Core) -> str:
        """The organisation that said it."""
        return core.org if self.leaves else self.partner


Apply = Callable[[Tx, Core, Told], None]


def sent(apply: Apply) -> SentHandler:
    """The sender's handler."""

    def handler(tx: Tx, core: Core, one: Sent) -> None:
        told = Told(
            message_id=one.message_id,
            partner=one.receiver,
            content=one.payload,
            said_at=one.at,
            at=one.at,
            leaves=True,
            case_id=one.case_id,
            person_id=one.person_id,
        )
        apply(tx, core, told)

    return handler


def received(apply: Apply) -> ReceivedHandler:
    """The receiver's handler."""

    def handler(tx: Tx, core: Core, one: Received) -> None:
        told = Told(
            message_id=one.envelope.id,
            partner=one.sender.org,
            content=one.payload,
            said_at=one.envelope.time,
            at=one.at,
            leaves=False,
            case_id=one.envelope.caseid,
        )
        apply(tx, core, told)

    return handler


# --- the conventions C that join two organisations


def joining(core: Core, partner: str, at: datetime) -> list[SignedConvention]:
    """Those open with a partner at an instant; where none is open, all that were signed."""
    signed = [one for one in core.between(partner) if one.convention.code == CONVENTION.code]
    return [one for one in signed if one.open_at(at)] or signed


def own(core: Core) -> list[SignedConvention]:
    """Every convention C that this organisation signed."""
    known = core.directory.conventions.values()
    return [one for one in known if one.convention.code == CONVENTION.code and core.org in one.orgs]


def counted(tx: Tx, core: Core, told: Told, what: str, code: str) -> None:
    """Count a step for the convention that carries the message."""
    for signed in joining(core, told.partner, told.said_at)[:1]:
        count(tx, signed.id, what, code, told.said_at)


# --- cases, of which nothing is kept once they are over


def forget_case(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """Destroy a case here and now; what a dispute keeps is closed, and goes when it is settled."""
    case = tx.get(standing.CASES, case_id)
    if case is None or case.state == standing.ERASED:
        return
    if kept_under(tx, core, case) is None:
        erase_case(tx, core, case_id, core.new_id(), at)
        return
    cases = tables.cases
    closed = update(cases).where(cases.c.case_id == case_id)
    tx.execute(closed.values(state="closed", closed_at=at, retain_until=at))
    tx.forget(standing.CASES, case_id)


def erase(tx: Tx, case_id: str) -> int:
    """Destroy the rows of a case (C-5.1, C-6.5)."""
    gone = (models.questions, models.skill_offers)
    return sum(tx.execute(delete(t).where(t.c.case_id == case_id)).rowcount for t in gone)


# --- rows that are about no case


def drop(tx: Tx, column: Column[Any], until: date | datetime) -> int:
    """Destroy the rows of a table whose day or instant came before a bound."""
    return tx.execute(delete(column.table).where(column < until)).rowcount


_OF_A_PARTNER = (
    models.referents,
    models.antennas,
    models.opportunities,
    models.campaigns,
    models.censuses,
    models.announcements,
)
_OF_ONES_OWN = (models.desks, models.staff_notices, models.volunteers)


def purge(tx: Tx, core: Core, at: datetime) -> None:
    """Two months after the end nothing of it is left but proof; a dispute keeps it (C-6.5)."""
    ended = [one for one in own(core) if one.state(at) is State.PURGED and not _held(tx, one.id)]
    living = [one for one in own(core) if one not in ended]
    kept = {org for one in living for org in one.orgs}
    for org in {org for one in ended for org in one.orgs} - kept - {core.org}:
        for table in _OF_A_PARTNER:
            tx.execute(delete(table).where(table.c.partner == org))
    for one in ended:
        for table in (models.readings, models.collective_actions):
            tx.execute(delete(table).where(table.c.convention_id == one.id))
    if ended and not living:
        for table in _OF_ONES_OWN:
            tx.execute(delete(table))


def _held(tx: Tx, convention_id: str) -> bool:
    holds = convention_tables.holds
    running: ColumnElement[bool] = holds.c.released_at.is_(None) & holds.c.case_id.is_(None)
    found = holds.select().where(running & (holds.c.convention_id == convention_id))
    return tx.execute(found).first() is not None
