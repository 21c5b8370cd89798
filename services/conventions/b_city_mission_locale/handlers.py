"""What both sides record when a message of convention B leaves or arrives: the same, twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from contracts.conventions.b_city_mission_locale import messages
from contracts.kernel.messages import Identity, ImmersionRequested, ImmersionStatus
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import Received, ReceivedHandler, Sent, SentHandler, Stop
from services.conventions.b_city_mission_locale import clocks, store
from services.conventions.b_city_mission_locale.indicators import counted
from services.conventions.b_city_mission_locale.models import (
    cosupports,
    immersions,
    offers,
    orientations,
)

REQUEST, IMMERSION = "orientation.requested", "immersion.requested"
PERSON, TUTOR = "person", "tutor"
"""What each sealed column holds, bound to the seal."""

NAMED = "named-cosupport-referent"
"""Key under which an act says which agent a message is about to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message, as either side sees it.

    said_at: when it was sent, by which both sides count it. leaves: it is sent from here. sender:
    the organisation that sent it. person_id, agent_id: of one's own register, and of whoever sends
    here; None at the receiver.
    """

    message_id: str
    type: str
    case_id: str
    partner: str
    sender: str
    content: Any
    said_at: datetime
    at: datetime
    leaves: bool
    person_id: str | None = None
    agent_id: str | None = None


Apply = Callable[[Tx, Core, Step], None]


# --- orientation


def _requested(tx: Tx, core: Core, step: Step) -> None:
    content: messages.OrientationRequested = step.content
    tx.execute(
        orientations.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            asked_here=step.leaves,
            state=store.WAITING,
            at=step.at,
            tries=0,
            request=casefile.seal(core, step.case_id, content, REQUEST),
        )
    )
    clocks.outgrow(tx, core, step.case_id, content.person.birth_date, step.at)
    if not step.leaves:
        clocks.owe_answer(tx, core, "orientation.answer", step.case_id, step.at)


def _answered(tx: Tx, _core: Core, step: Step) -> None:
    """Received is an answer, and a later one may follow; any other ends the orientation."""
    content: messages.OrientationAnswered = step.content
    counted(tx, step.case_id, "orientation.answered", content.outcome, step.said_at)
    meet(tx, "orientation.answer", step.case_id, step.at)
    casefile.change(tx, orientations, step.case_id, state=content.outcome)
    if content.outcome != store.RECEIVED:
        store.close_case(tx, step.case_id, step.at)


# --- co-support


def _opened(tx: Tx, core: Core, step: Step) -> None:
    content: messages.CosupportOpened = step.content
    counted(tx, step.case_id, "cosupport", "opened", step.said_at)
    tx.execute(
        cosupports.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            state=store.OPEN,
            at=step.at,
            opened_on=content.opened_on,
            objectives=content.objectives,
            next_date=content.next_date,
            tries=0,
            person=casefile.seal(core, step.case_id, content.person, PERSON),
        )
    )
    _keep(tx, core, step, content.referent)
    if content.other_referent is not None:
        other = step.partner if step.leaves else core.org
        store.keep(tx, core, step.case_id, other, content.other_referent, step.at)
    if not step.leaves:  # also where the other side named one: which agent it is, is for us to say
        clocks.owe_answer(tx, core, "cosupport.referent", step.case_id, step.at)
    clocks.after_day(tx, core, "cosupport.checkpoint", step.case_id, content.next_date, step.at)
    clocks.outgrow(tx, core, step.case_id, content.person.birth_date, step.at)


def _keep(tx: Tx, core: Core, step: Step, contact: Any) -> None:  # noqa: ANN401 -- a contact
    """The sender's own referent: whoever sends here, unless an act has just named another."""
    agent_id = tx.state.pop(NAMED, step.agent_id) if step.leaves else None
    store.keep(tx, core, step.case_id, step.sender, contact, step.at, agent_id)


def _referent_changed(tx: Tx, core: Core, step: Step) -> None:
    _keep(tx, core, step, step.content.referent)
    if step.leaves:
        meet(tx, "cosupport.referent", step.case_id, step.at)


def _checkpoint(tx: Tx, core: Core, step: Step) -> None:
    content: messages.CosupportCheckpoint = step.content
    counted(tx, step.case_id, "cosupport", "checkpoint", step.said_at)
    again = {"tries": 0, "tried_on": None} if content.no_answer_since is None else {}
    casefile.change(
        tx,
        cosupports,
        step.case_id,
        stage=content.stage,
        next_date=content.next_date,
        no_answer_since=content.no_answer_since,
        adaptations=content.adaptations,
        **again,
    )
    clocks.after_day(tx, core, "cosupport.checkpoint", step.case_id, content.next_date, step.at)


def _closed(tx: Tx, _core: Core, step: Step) -> None:
    content: messages.CosupportClosed = step.content
    counted(tx, step.case_id, "cosupport.closed", content.outcome, step.said_at)
    casefile.change(
        tx,
        cosupports,
        step.case_id,
        state=store.CLOSED,
        closed_on=content.closed_on,
        outcome=content.outcome,
    )
    store.close_case(tx, step.case_id, step.at)


# --- immersion


def _immersion(tx: Tx, core: Core, step: Step) -> None:
    content: ImmersionRequested = step.content
    tx.execute(
        immersions.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            person_id=step.person_id,
            status="requested",
            object=content.object,
            rome=content.rome,
            first_day=content.first_day,
            last_day=content.last_day,
            request=casefile.seal(core, step.case_id, content, IMMERSION),
        )
    )
    if not step.leaves:
        clocks.owe_answer(tx, core, "immersion.answer", step.case_id, step.at)
    elif (birth := store.birth_of(tx, core, step.person_id)) is not None:
        clocks.outgrow(tx, core, step.case_id, birth, step.at)


def _status(tx: Tx, core: Core, step: Step) -> None:
    content: ImmersionStatus = step.content
    counted(tx, step.case_id, "immersion.status", content.status, step.said_at)
    meet(tx, "immersion.answer", step.case_id, step.at)
    casefile.change(tx, immersions, step.case_id, status=content.status)
    if content.tutor is not None:
        sealed = casefile.seal(core, step.case_id, content.tutor, TUTOR)
        casefile.change(tx, immersions, step.case_id, tutor=sealed)
    if content.person is not None:
        _named(tx, core, step, content.person)
    if content.status in {"declined", "completed", "interrupted"}:
        store.close_case(tx, step.case_id, step.at)


def _named(tx: Tx, core: Core, step: Step, person: Identity) -> None:
    """The host learns who comes, and from when on to say that it is over (B-3.1)."""
    if step.leaves:
        return
    sealed = casefile.seal(core, step.case_id, person, PERSON)
    casefile.change(tx, immersions, step.case_id, person=sealed)
    clocks.outgrow(tx, core, step.case_id, person.birth_date, step.at)
    row = casefile.row_of(tx, immersions, step.case_id)
    if row is not None:
        clocks.after_day(tx, core, "immersion.end", step.case_id, row.last_day, step.at)


APPLY: Final[Mapping[str, Apply]] = {
    "orientation.requested": _requested,
    "orientation.answered": _answered,
    "cosupport.opened": _opened,
    "cosupport.referent_changed": _referent_changed,
    "cosupport.checkpoint": _checkpoint,
    "cosupport.closed": _closed,
    "immersion.requested": _immersion,
    "immersion.status": _status,
}


def _sent(apply: Apply) -> SentHandler:
    def handler(tx: Tx, core: Core, sent: Sent) -> None:
        if sent.case_id is not None:
            step = Step(
                message_id=sent.message_id,
                type=sent.type,
                case_id=sent.case_id,
                partner=sent.receiver,
                sender=core.org,
                content=sent.payload,
                said_at=sent.at,
                at=sent.at,
                leaves=True,
                person_id=sent.person_id,
                agent_id=sent.agent_id,
            )
            apply(tx, core, step)

    return handler


def _received(apply: Apply) -> ReceivedHandler:
    def handler(tx: Tx, core: Core, received: Received) -> None:
        envelope, org = received.envelope, received.sender.org
        if envelope.caseid is not None:
            step = Step(
                message_id=envelope.id,
                type=envelope.type,
                case_id=envelope.caseid,
                partner=org,
                sender=org,
                content=received.payload,
                said_at=received.envelope.time,
                at=received.at,
                leaves=False,
            )
            apply(tx, core, step)

    return handler


# --- offers, which belong to no case


def _offer_sent(tx: Tx, _core: Core, sent: Sent) -> None:
    _offer(tx, sent.message_id, sent.type, sent.receiver, sent.payload, sent.at, here=True)


def _offer_received(tx: Tx, _core: Core, received: Received) -> None:
    message_id, org = received.envelope.id, received.sender.org
    _offer(tx, message_id, received.envelope.type, org, received.payload, received.at, here=False)


def _offer(
    tx: Tx,
    message_id: str,
    type_: str,
    partner: str,
    content: Any,  # noqa: ANN401 -- an offer of either type
    at: datetime,
    *,
    here: bool,
) -> None:
    row = {name: getattr(content, name, None) for name in ("theme", "name", "kind", "places")}
    if row["name"] is not None:  # presented again, a service takes its former place
        store.withdraw_service(tx, partner, row["name"], here=here)
    contact = {f"contact_{name}": value for name, value in content.contact.model_dump().items()}
    tx.execute(
        offers.insert().values(
            message_id=message_id,
            partner=partner,
            sent_here=here,
            type=type_,
            at=at,
            last_day=content.last_day,
            **row,
            **contact,
        )
    )


_OFFERS: Final = ("psad.offer", "service_catalogue.published")

SENT: Final[Mapping[str, SentHandler]] = {
    **{name: _sent(apply) for name, apply in APPLY.items()},
    **dict.fromkeys(_OFFERS, _offer_sent),
}
RECEIVED: Final[Mapping[str, ReceivedHandler]] = {
    **{name: _received(apply) for name, apply in APPLY.items()},
    **dict.fromkeys(_OFFERS, _offer_received),
}


def stopped(tx: Tx, _core: Core, case_id: str, why: Stop, at: datetime) -> None:
    """The young person withdrew, or the agreement is over: nothing runs any more (B-3.1)."""
    table = store.table_of(tx, case_id)
    if table is None:
        return
    if why == "withdrawn":
        counted(tx, case_id, "stopped", why, at)
    column = "status" if table is immersions else "state"
    casefile.change(tx, table, case_id, **{column: store.STOPPED})
