"""What both sides record when a message of convention D leaves or arrives: the same, twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from contracts.conventions.d_department_mission_locale import messages
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, day_of
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import Received, ReceivedHandler, Sent, SentHandler, Stop
from services.conventions.d_department_mission_locale import clocks, store, supports, yearly
from services.conventions.d_department_mission_locale.indicators import counted, proposed
from services.conventions.d_department_mission_locale.models import youths

REQUEST, INTERVIEW, ADVISER, CONTACT = "request", "interview", "adviser", "contact"
"""What each sealed column holds, bound to the seal."""

NAMED = "named-youth-referent"
"""Key under which an act says which agent a message is about to name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One message about a case, as either side sees it.

    said_at: when it was sent, by which both sides count it. leaves: it is sent from here. sender:
    the organisation that sent it. person_id, agent_id: of one's own register, and of whoever sends
    here; None at the receiver.
    """

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


def _change(tx: Tx, step: Step, **values: Any) -> None:  # noqa: ANN401 -- columns
    casefile.change(tx, youths, step.case_id, **values)


def _keep(tx: Tx, core: Core, step: Step, contact: Any) -> None:  # noqa: ANN401 -- a contact
    """The sender's own referent: whoever sends here, unless an act has just named another."""
    agent_id = tx.state.pop(NAMED, step.agent_id) if step.leaves else None
    store.keep(tx, core, step.case_id, step.sender, contact, step.at, agent_id)


# --- a first contact, and enrolment


def _requested(tx: Tx, core: Core, step: Step) -> None:
    content: messages.YouthContactRequested = step.content
    tx.execute(
        youths.insert().values(
            case_id=step.case_id,
            partner=step.partner,
            person_id=step.person_id,
            state=store.OPEN,
            at=step.at,
            counted=(),
            request=casefile.seal(core, step.case_id, content, REQUEST),
        )
    )
    counted(tx, core, step.case_id, "requested", step.said_at)
    _keep(tx, core, step, content.referent)
    clocks.outgrow(tx, core, step.case_id, content.young_person.birth_date, step.at)
    if step.leaves:
        clocks.expect_proposal(tx, core, step.case_id, step.at)
        supports.supported(tx, core, step.person_id, step.at)
    else:
        clocks.owe_answer(tx, core, "contact.answer", step.case_id, step.at)


def _answered(tx: Tx, core: Core, step: Step) -> None:
    """Declined or never reached, there is nothing more to tell: the case ends."""
    content: messages.YouthContactAnswered = step.content
    meet(tx, "contact.answer", step.case_id, step.at)
    _change(tx, step, contact=content.outcome)
    if content.adviser is not None:
        _keep(tx, core, step, content.adviser)
    if content.outcome == "registered":
        counted(tx, core, step.case_id, "enrolled", step.said_at)
    kept_until = add_months(day_of(step.at), store.KEPT_MONTHS)
    clocks.forget_on(tx, core, "request", step.case_id, kept_until, step.at)
    if content.outcome in {"declined", "unreachable"}:
        clocks.end_case(tx, core, step.case_id, step.at)


def _enrolment_proposed(tx: Tx, core: Core, step: Step) -> None:
    _change(tx, step, enrolment_proposed_at=step.at)
    if not step.leaves:
        clocks.owe_answer(tx, core, "enrolment.answer", step.case_id, step.at)


def _enrolment(tx: Tx, core: Core, step: Step) -> None:
    content: messages.EnrolmentOutcome = step.content
    meet(tx, "enrolment.answer", step.case_id, step.at)
    _change(tx, step, enrolment=content.outcome)
    if content.outcome == "accepted":
        counted(tx, core, step.case_id, "enrolled", step.said_at)


# --- towards majority


def _diagnosis_requested(tx: Tx, core: Core, step: Step) -> None:
    content: messages.OrientationDiagnosisRequested = step.content
    _change(tx, step, diagnosis_requested_at=step.at, diagnosis_review_on=content.review_on)
    if not step.leaves:
        by = content.review_on
        clocks.owe_answer(tx, core, "diagnosis.answer", step.case_id, step.at, by)


def _diagnosis(tx: Tx, core: Core, step: Step) -> None:
    content: messages.OrientationDiagnosisDone = step.content
    meet(tx, "diagnosis.answer", step.case_id, step.at)
    counted(tx, core, step.case_id, "diagnoses", step.said_at)
    _change(
        tx,
        step,
        diagnosis_done_on=content.done_on,
        diagnosis_handed_over=content.handed_over,
    )


def _invited(tx: Tx, core: Core, step: Step) -> None:
    """An interview may be renewed: another invitation takes the former's place (D-1.6)."""
    clocks.keep_again(tx, "interview", step.case_id, step.at)
    _change(
        tx,
        step,
        interview_invited_at=step.at,
        interview=casefile.seal(core, step.case_id, step.content, INTERVIEW),
        interview_attends=None,
        interview_adviser=None,
        interview_held_on=None,
    )
    if not step.leaves:
        clocks.owe_answer(tx, core, "interview.answer", step.case_id, step.at)


def _interview_answered(tx: Tx, core: Core, step: Step) -> None:
    content: messages.InterviewAnswered = step.content
    meet(tx, "interview.answer", step.case_id, step.at)
    adviser = content.adviser
    sealed = None if adviser is None else casefile.seal(core, step.case_id, adviser, ADVISER)
    _change(tx, step, interview_attends=content.attends, interview_adviser=sealed)


def _held(tx: Tx, core: Core, step: Step) -> None:
    content: messages.InterviewHeld = step.content
    if content.together:
        counted(tx, core, step.case_id, "interviews", step.said_at)
    _change(tx, step, interview_held_on=content.held_on)
    meet(tx, "interview.answer", step.case_id, step.at)
    supports.interview_held(tx, step.person_id, content.held_on, step.at)
    kept_until = add_months(content.held_on, store.KEPT_MONTHS)
    clocks.forget_on(tx, core, "interview", step.case_id, kept_until, step.at)


def _project(tx: Tx, core: Core, step: Step) -> None:
    """What the Mission Locale brings is kept for as long as the project lasts (D-1.7, D-8.1)."""
    content: messages.AutonomyProjectContribution = step.content
    counted(tx, core, step.case_id, "projects", step.said_at)
    _change(
        tx,
        step,
        project_actions=content.actions,
        project_starts_on=content.starts_on,
        project_ends_on=content.ends_on,
    )
    if content.ends_on is None:
        clocks.keep_again(tx, "project", step.case_id, step.at)
    else:
        after = content.ends_on + timedelta(days=1)
        clocks.forget_on(tx, core, "project", step.case_id, after, step.at)


# --- the youth contract


def _contract_proposed(tx: Tx, core: Core, step: Step) -> None:
    meet(tx, clocks.PROPOSAL, step.case_id, step.at)
    proposed(tx, core, step.case_id, step.at)
    clocks.keep_again(tx, "contract", step.case_id, step.at)
    _change(tx, step, contract_proposed_at=step.at, contract=None)
    if not step.leaves and core.kind is Kind.MISSION_LOCALE:
        clocks.owe_answer(tx, core, "youth_contract.answer", step.case_id, step.at)


def _contract(tx: Tx, core: Core, step: Step) -> None:
    """Declining is no fault: nothing follows from it (D-1.9)."""
    content: messages.YouthContractOutcome = step.content
    meet(tx, "youth_contract.answer", step.case_id, step.at)
    _change(tx, step, contract=content.outcome)
    if content.outcome == "entered":
        counted(tx, core, step.case_id, "youth_contracts", step.said_at)
    kept_until = add_months(content.on, store.KEPT_MONTHS)
    clocks.forget_on(tx, core, "contract", step.case_id, kept_until, step.at)


# --- together, or one after the other


def _decided(tx: Tx, core: Core, step: Step) -> None:
    """Handed over, the case ends on its day: one side goes on alone (D-1.4)."""
    content: messages.CosupportDecided = step.content
    _change(
        tx,
        step,
        decision=content.mode,
        decision_since=content.since,
        decision_view=content.view,
        decision_contact=casefile.seal(core, step.case_id, content.contact, CONTACT),
    )
    if content.mode != "handover":
        clocks.stay(tx, step.case_id, step.at)
    elif content.since <= day_of(step.at):
        clocks.end_case(tx, core, step.case_id, step.at)
    else:
        clocks.ends_on(tx, core, clocks.HANDOVER, step.case_id, content.since, step.at)


def _referent_changed(tx: Tx, core: Core, step: Step) -> None:
    _keep(tx, core, step, step.content.referent)


APPLY: Final[Mapping[str, Apply]] = {
    "youth.contact_requested": _requested,
    "youth.contact_answered": _answered,
    "enrolment.proposed": _enrolment_proposed,
    "enrolment.outcome": _enrolment,
    "orientation_diagnosis.requested": _diagnosis_requested,
    "orientation_diagnosis.done": _diagnosis,
    "interview17.invited": _invited,
    "interview17.answered": _interview_answered,
    "interview17.held": _held,
    "autonomy_project.contribution": _project,
    "youth_contract.proposed": _contract_proposed,
    "youth_contract.outcome": _contract,
    "cosupport.decided": _decided,
    "youth.referent_changed": _referent_changed,
}


def _sent(apply: Apply) -> SentHandler:
    def handler(tx: Tx, core: Core, sent: Sent) -> None:
        if sent.case_id is not None:
            step = Step(
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


def _sheet_received(tx: Tx, core: Core, received: Received) -> None:
    content, org = received.payload, received.sender.org
    if isinstance(content, messages.IndicatorYearly):
        yearly.keep(tx, core, received.envelope.instrument, org, content, received.at)


def _sheet_sent(tx: Tx, core: Core, sent: Sent) -> None:
    content = sent.payload
    if isinstance(content, messages.IndicatorYearly):
        for signed in yearly.between(core, sent.receiver, sent.at):
            yearly.keep(tx, core, signed.id, core.org, content, sent.at)


_YEARLY: Final = "indicator.yearly"

SENT: Final[Mapping[str, SentHandler]] = {
    **{name: _sent(apply) for name, apply in APPLY.items()},
    _YEARLY: _sheet_sent,
}
RECEIVED: Final[Mapping[str, ReceivedHandler]] = {
    **{name: _received(apply) for name, apply in APPLY.items()},
    _YEARLY: _sheet_received,
}


def stopped(tx: Tx, core: Core, case_id: str, _why: Stop, at: datetime) -> None:
    """The young person withdrew, or the agreement is over: nothing runs any more (D-1.4)."""
    row = casefile.row_of(tx, youths, case_id)
    if row is not None:
        casefile.change(tx, youths, case_id, state=store.STOPPED)
        if row.project_ends_on is None:
            clocks.forget_on(tx, core, "project", case_id, day_of(at), at)
