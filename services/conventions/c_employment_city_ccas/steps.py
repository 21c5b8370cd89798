"""One message of convention C as either side sees it, and how a handler is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from contracts.kernel.errors import Refused
from contracts.kernel.fields import Payload
from services.chassis import standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Doing, Received, ReceivedHandler, Sent, SentHandler
from services.chassis.tally import count

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message. leaves: it is sent from here. case_id: "" where it belongs to no case.

    said_at: when it was sent, by which both sides count it.
    person_id: of one's own register; None at the receiver. content: of an `Unfiled` type where
    nothing may be written here (C-5.1).
    """

    message_id: str
    case_id: str
    partner: str
    content: Any
    said_at: datetime
    at: datetime
    leaves: bool
    person_id: str | None = None


Apply = Callable[[Tx, Core, Step], None]


def sent(apply: Apply) -> SentHandler:
    """Handler of a message that leaves."""

    def handler(tx: Tx, core: Core, one: Sent) -> None:
        step = Step(
            message_id=one.message_id,
            case_id=one.case_id or "",
            partner=one.receiver,
            content=one.payload,
            said_at=one.at,
            at=one.at,
            leaves=True,
            person_id=one.person_id,
        )
        apply(tx, core, step)

    return handler


def received(apply: Apply) -> ReceivedHandler:
    """Handler of a message that arrives."""

    def handler(tx: Tx, core: Core, one: Received) -> None:
        step = Step(
            message_id=one.envelope.id,
            case_id=one.envelope.caseid or "",
            partner=one.sender.org,
            content=one.payload,
            said_at=one.envelope.time,
            at=one.at,
            leaves=False,
        )
        apply(tx, core, step)

    return handler


def content_of(doing: Doing, kind: type[P]) -> P:
    """Content of an act, of the type that it was declared with."""
    if not isinstance(doing.content, kind):
        raise TypeError(type(doing.content).__name__)
    return doing.content


def refuse_future(day: Any, today: Any, article: str) -> None:  # noqa: ANN401 -- two days
    """Refuse what is dated of a day to come."""
    if day > today:
        raise Refused("Ce qui est déclaré a eu lieu : pas de date à venir.", articles=(article,))


def counted(tx: Tx, case_id: str, what: str, code: str, at: datetime) -> None:
    """Count a step of a case for the convention that it belongs to (C-7.3)."""
    case = tx.get(standing.CASES, case_id)
    if case is not None:
        count(tx, case.instrument, what, code, at)
