"""What both sides record when a message of convention A leaves or arrives: the same, twice.

Each function is given the case, the content and the instant, and whether the message leaves here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from contracts.conventions.a_city_school import messages
from contracts.conventions.a_city_school.measure import (
    Act,
    Role,
    Status,
    after,
    complete,
    merged,
)
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import casefile
from services.chassis.calendar import add_working_days, school_year_ends_on
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, arm, arm_new, meet
from services.chassis.partner import Received, ReceivedHandler, Sent, SentHandler, Stop
from services.conventions.a_city_school import clocks, store
from services.conventions.a_city_school.clocks import KEPT_ALERT_MONTHS, KEPT_MONTHS
from services.conventions.a_city_school.indicators import counted
from services.conventions.a_city_school.models import measures, pathways, watch_cells

ANSWER_DAYS: Final = 10
"""Working days within which a referral is answered; a proposal, the text sets none."""


REFERRAL, ANSWER = "referral.submitted", "referral.answered"
REFERENT, CONTRACT = "referent", "alternative.contract_status"
"""What each sealed column holds, bound to the seal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message, as either side sees it. said_at: when it was sent. leaves: from here."""

    message_id: str
    case_id: str
    partner: str
    content: Any
    said_at: datetime
    at: datetime
    leaves: bool


Apply = Callable[[Tx, Core, Step], None]


def _referral(tx: Tx, core: Core, step: Step) -> None:
    """The one message that every support begins with: rows are gathered, nothing is looked up."""
    tx.insert(
        pathways,
        {
            "case_id": step.case_id,
            "message_id": step.message_id,
            "partner": step.partner,
            "state": "sent" if step.leaves else "received",
            "at": step.at,
        },
        referral=partial(casefile.seal, core, step.case_id, step.content, REFERRAL),
    )
    if not step.leaves:
        due_at = midnight(add_working_days(day_of(step.at), ANSWER_DAYS))
        due = Due(kind="referral.answer", subject=step.case_id, case_id=step.case_id, due_at=due_at)
        arm_new(tx, core, due, step.at)


def _answer(tx: Tx, core: Core, step: Step) -> None:
    content: messages.ReferralAnswered = step.content
    counted(tx, step.case_id, "referral.answered", content.decision, step.said_at)
    meet(tx, "referral.answer", step.case_id, step.at)
    casefile.change(
        tx,
        pathways,
        step.case_id,
        state=content.decision,
        answered_at=step.at,
        answer=casefile.seal(core, step.case_id, content, ANSWER),
    )
    if content.decision == "declined":
        casefile.close_case(tx, step.case_id, add_months(day_of(step.at), KEPT_MONTHS), step.at)
    elif content.referent is not None:
        _referent(tx, core, step, content.referent)
    _told(tx, core, step)


def _referent(tx: Tx, core: Core, step: Step, contact: Payload) -> None:
    """One at a time: the new one takes the place of the former (A-2.5)."""
    sealed = casefile.seal(core, step.case_id, contact, REFERENT)
    casefile.change(tx, pathways, step.case_id, referent=sealed, referent_since=step.at)
    clocks.expect_news(tx, core, step.case_id, step.at)


def _referent_changed(tx: Tx, core: Core, step: Step) -> None:
    _referent(tx, core, step, step.content.referent)
    _told(tx, core, step)


def _opened(tx: Tx, core: Core, step: Step) -> None:
    content: messages.PathwayOpened = step.content
    casefile.change(
        tx,
        pathways,
        step.case_id,
        state="open",
        opened_on=content.opened_on,
        review_on=content.review_on,
        objectives=content.objectives,
        strategy=content.strategy,
    )
    if content.review_on is not None:
        day = content.review_on + timedelta(days=1)
        clocks.on_day(tx, core, "pathway.review", step.case_id, day, step.at)
    clocks.expect_news(tx, core, step.case_id, step.at)
    _told(tx, core, step)


def _progress(tx: Tx, core: Core, step: Step) -> None:
    content: messages.PathwayProgress = step.content
    casefile.change(tx, pathways, step.case_id, stage=content.stage, engaged=content.engaged)
    store.note(
        tx,
        step.case_id,
        "progress",
        step.at,
        code=content.stage,
        on=content.next_date,
        message_id=step.message_id,
    )
    clocks.expect_news(tx, core, step.case_id, step.at)
    _told(tx, core, step)


def _element(tx: Tx, core: Core, step: Step) -> None:
    _noted(tx, step, "element", step.content.element, step.content.on)
    _told(tx, core, step)


def _meeting(tx: Tx, core: Core, step: Step) -> None:
    content: messages.MeetingCalled = step.content
    counted(tx, step.case_id, "meeting.called", content.responsible, step.said_at)
    _noted(tx, step, "meeting", content.responsible, day_of(content.at))
    due = Due(kind="meeting", subject=step.message_id, case_id=step.case_id, due_at=content.at)
    arm(tx, core, due, step.at)
    _told(tx, core, step)


def _closed(tx: Tx, core: Core, step: Step) -> None:
    content: messages.PathwayClosed = step.content
    counted(tx, step.case_id, "pathway.closed", content.outcome, step.said_at)
    casefile.change(
        tx,
        pathways,
        step.case_id,
        state="closed",
        closed_on=content.closed_on,
        outcome=content.outcome,
    )
    casefile.close_case(tx, step.case_id, add_months(content.closed_on, KEPT_MONTHS), step.at)
    _told(tx, core, step)


def _requested(tx: Tx, core: Core, step: Step) -> None:
    content: messages.AlternativeRequested = step.content
    tx.execute(
        measures.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            status=Status.REQUESTED.value,
            exclusion_first_day=content.exclusion_first_day,
            exclusion_last_day=content.exclusion_last_day,
        )
    )
    clocks.on_day(tx, core, "measure.answer", step.case_id, content.exclusion_first_day, step.at)


def _moved(tx: Tx, step: Step, act: Act, role: Role, *, full: bool = False) -> Status:
    row = store.measure_of(tx, step.case_id)
    before = Status.STOPPED if row is None else Status(row.status)
    status = after(before, act, role, complete=full)
    casefile.change(tx, measures, step.case_id, status=status.value)
    return status


def _alternative_answered(tx: Tx, core: Core, step: Step) -> None:
    accepted = step.content.decision == "accepted"
    counted(tx, step.case_id, "alternative.answered", step.content.decision, step.said_at)
    _moved(tx, step, Act.ACCEPT if accepted else Act.DECLINE, Role.YOUTH_SERVICE)
    meet(tx, "measure.answer", step.case_id, step.at)
    if not accepted:
        casefile.close_case(tx, step.case_id, add_months(day_of(step.at), KEPT_MONTHS), step.at)
    _told(tx, core, step)


def _contract(tx: Tx, core: Core, step: Step) -> None:
    content: messages.ContractStatus = step.content
    row = store.measure_of(tx, step.case_id)
    if row is None:
        return
    days = merged(store.signed_days(row), content.signatures)
    full = complete(days)
    status = Status.SIGNED if full else Status(row.status)
    values: dict[str, Any] = {**days, "status": status.value}
    if content.host is not None or row.contract is None:
        values["contract"] = casefile.seal(core, step.case_id, content, CONTRACT)
    casefile.change(
        tx,
        measures,
        step.case_id,
        first_day=content.first_day,
        last_day=content.last_day,
        **values,
    )
    clocks.on_day(tx, core, "measure.start", step.case_id, content.first_day, step.at)
    over = content.last_day + timedelta(days=1)
    clocks.on_day(tx, core, "measure.end", step.case_id, over, step.at)
    if core.kind is Kind.CITY:
        second = content.first_day + timedelta(days=1)
        clocks.on_day(tx, core, "measure.reception", step.case_id, second, step.at)
    if full and row.status != Status.SIGNED:
        _told(tx, core, step)


def _news(tx: Tx, _core: Core, step: Step) -> None:
    _noted(tx, step, "news", step.content.status, step.content.on)


def _alert(tx: Tx, core: Core, step: Step) -> None:
    content: messages.AlternativeAlert = step.content
    counted(tx, step.case_id, "alternative.alert", content.kind, step.said_at)
    _noted(tx, step, "alert", content.kind, day_of(content.at))
    expected = clocks.expect_reading if step.leaves else clocks.expect_seen
    expected(tx, core, step.case_id, step.message_id, step.at)
    _told(tx, core, step)


def _ended(tx: Tx, core: Core, step: Step) -> None:
    content: messages.AlternativeEnded = step.content
    counted(tx, step.case_id, "alternative.ended", content.outcome, step.said_at)
    by_school = step.leaves is (core.kind is Kind.SCHOOL)
    role = Role.HEAD_TEACHER if by_school else Role.YOUTH_SERVICE
    row = store.measure_of(tx, step.case_id)
    if row is not None and row.status == Status.SIGNED and store.runs(row, step.at):
        casefile.change(tx, measures, step.case_id, status=Status.RUNNING.value)
    _moved(tx, step, Act.INTERRUPT if content.interruptions else Act.COMPLETE, role)
    casefile.change(tx, measures, step.case_id, ended_on=content.ended_on, outcome=content.outcome)
    asked = add_months(content.ended_on, KEPT_MONTHS)
    signed = school_year_ends_on(content.ended_on)
    casefile.close_case(tx, step.case_id, max(asked, signed), step.at)
    for kind, day in (
        ("alerts.forgotten", add_months(content.ended_on, KEPT_ALERT_MONTHS)),
        ("request.forgotten", asked),
        ("contract.forgotten", signed),
    ):
        clocks.on_day(tx, core, kind, step.case_id, day, step.at)
    if core.kind is Kind.SCHOOL:
        back = add_working_days(content.ended_on, 2)
        clocks.on_day(tx, core, "booklet.shown", step.case_id, back, step.at)
    _told(tx, core, step)


def _noted(tx: Tx, step: Step, what: str, code: str, on: Any) -> None:  # noqa: ANN401 -- a date
    store.note(tx, step.case_id, what, step.at, code=code, on=on, message_id=step.message_id)


def _told(tx: Tx, core: Core, step: Step) -> None:
    """Whoever sends a step tells the family of it (A-2.12)."""
    if step.leaves:
        clocks.tell_family(tx, core, step.case_id, step.message_id, step.at)


APPLY: Final[Mapping[str, Apply]] = {
    "referral.submitted": _referral,
    "referral.answered": _answer,
    "pathway.opened": _opened,
    "pathway.progress": _progress,
    "pathway.new_element": _element,
    "meeting.called": _meeting,
    "referent.changed": _referent_changed,
    "pathway.closed": _closed,
    "alternative.requested": _requested,
    "alternative.answered": _alternative_answered,
    "alternative.contract_status": _contract,
    "alternative.status": _news,
    "alternative.alert": _alert,
    "alternative.ended": _ended,
}


def _sent(apply: Apply) -> SentHandler:
    def handler(tx: Tx, core: Core, sent: Sent) -> None:
        if sent.case_id is not None:
            apply(
                tx,
                core,
                Step(
                    message_id=sent.message_id,
                    case_id=sent.case_id,
                    partner=sent.receiver,
                    content=sent.payload,
                    said_at=sent.at,
                    at=sent.at,
                    leaves=True,
                ),
            )

    return handler


def _received(apply: Apply) -> ReceivedHandler:
    def handler(tx: Tx, core: Core, received: Received) -> None:
        if received.envelope.caseid is not None:
            apply(
                tx,
                core,
                Step(
                    message_id=received.envelope.id,
                    case_id=received.envelope.caseid,
                    partner=received.sender.org,
                    content=received.payload,
                    said_at=received.envelope.time,
                    at=received.at,
                    leaves=False,
                ),
            )

    return handler


def _cell_sent(tx: Tx, core: Core, sent: Sent) -> None:
    _cell(tx, core, sent.message_id, sent.receiver, sent.payload, sent.at)


def _cell_received(tx: Tx, core: Core, received: Received) -> None:
    _cell(tx, core, received.envelope.id, received.sender.org, received.payload, received.at)


def _cell(tx: Tx, core: Core, message_id: str, partner: str, content: Any, at: datetime) -> None:  # noqa: ANN401 -- its payload
    tx.execute(
        watch_cells.insert().values(
            message_id=message_id,
            partner=partner,
            at=content.at,
            place=content.place,
            situations=content.situations,
        )
    )
    arm(tx, core, Due(kind="watch_cell", subject=message_id, due_at=content.at), at)


SENT: Final[Mapping[str, SentHandler]] = {
    **{name: _sent(apply) for name, apply in APPLY.items()},
    "watch_cell.convened": _cell_sent,
}
RECEIVED: Final[Mapping[str, ReceivedHandler]] = {
    **{name: _received(apply) for name, apply in APPLY.items()},
    "watch_cell.convened": _cell_received,
}


def alert_answered(tx: Tx, _core: Core, message_id: str, status: str, at: datetime) -> None:
    """A receipt for an alert: it has arrived; read, a person knows (A-3.15)."""
    if status in {"received", "read"}:
        meet(tx, "alert.delivery", message_id, at)
    if status == "read":
        meet(tx, "alert.reading", message_id, at)


def alert_read(tx: Tx, _core: Core, message_id: str, at: datetime) -> None:
    """Somebody here has read an alert."""
    meet(tx, "alert.seen", message_id, at)


def stopped(tx: Tx, _core: Core, case_id: str, why: Stop, at: datetime) -> None:
    """The family withdrew, or its agreement is over: nothing runs any more (A-2.11)."""
    if why == "withdrawn":
        counted(tx, case_id, "stopped", why, at)
    row = store.measure_of(tx, case_id)
    if row is not None and row.status in {
        Status.REQUESTED,
        Status.ACCEPTED,
        Status.SIGNED,
        Status.RUNNING,
    }:
        status = after(Status(row.status), Act.STOP, Role.REPRESENTATIVE)
        casefile.change(tx, measures, case_id, status=status.value)
    casefile.change(tx, pathways, case_id, state="stopped")
