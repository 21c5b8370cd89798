"""What the parts of convention C share: a message as either side sees it, and what ends with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Column, delete, update

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.signed import SignedConvention
from services.chassis import standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import erase_case
from services.chassis.holds import kept_under
from services.chassis.partner import Received, ReceivedHandler, Sent, SentHandler
from services.chassis.tally import count


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


# --- rows that are about no case


def drop(tx: Tx, column: Column[Any], until: date | datetime) -> int:
    """Destroy the rows of a table whose day or instant came before a bound."""
    return tx.execute(delete(column.table).where(column < until)).rowcount
