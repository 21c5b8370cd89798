"""Supported contracts: what three signed, and its course to the exit (C-3a.4, C-3a.20)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, delete

from contracts.conventions.c_employment_city_ccas.messages import (
    SIGNATORIES,
    CertificateIssued,
    CommitmentAgreed,
    ExitInterview,
)
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Day, Payload, said
from contracts.kernel.paris import day_of, midnight
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import meet
from services.chassis.partner import Doing, LocalAct, Question
from services.chassis.tokens import AgentId
from services.conventions.c_employment_city_ccas import clocks, desks, store, tutors
from services.conventions.c_employment_city_ccas.models import contracts
from services.conventions.c_employment_city_ccas.steps import (
    Step,
    content_of,
    counted,
    refuse_future,
)


def _kept(tx: Tx, core: Core, step: Step, *, employer: bool) -> None:
    content: CommitmentAgreed = step.content
    if casefile.row_of(tx, contracts, step.case_id) is None:
        counted(tx, step.case_id, "pec.contract", "agreed", step.said_at)
    tx.execute(delete(contracts).where(contracts.c.case_id == step.case_id))
    values = content.model_dump()
    tx.execute(
        contracts.insert().values(case_id=step.case_id, partner=step.partner, at=step.at, **values)
    )
    row = casefile.row_of(tx, contracts, step.case_id)
    if row is not None:
        clocks.follow_contract(tx, core, step.case_id, row, step.at, employer=employer)


def agreed(tx: Tx, core: Core, step: Step) -> None:
    """Keep what was signed on either side; agreed anew, it moves every date (C-3a.20)."""
    _kept(tx, core, step, employer=step.leaves)
    casefile.rest_on_contract(tx, step.case_id)


def exit_called(tx: Tx, _core: Core, step: Step) -> None:
    """The interview before the exit has its day (C-3a.26)."""
    content: ExitInterview = step.content
    counted(tx, step.case_id, "pec.exit_interview", "called", step.said_at)
    casefile.change(tx, contracts, step.case_id, exit_interview_at=content.at)
    meet(tx, clocks.EXIT, step.case_id, step.at)


def certified(tx: Tx, _core: Core, step: Step) -> None:
    """The employee has the certificate of experience (C-3a.28)."""
    content: CertificateIssued = step.content
    counted(tx, step.case_id, "pec.attestation", "issued", step.said_at)
    casefile.change(tx, contracts, step.case_id, certificate_on=content.issued_on)
    meet(tx, clocks.CERTIFICATE, step.case_id, step.at)
    row = casefile.row_of(tx, contracts, step.case_id)
    if row is not None and row.ended_on is not None:
        store.close_case(tx, step.case_id, step.at, row.ended_on)


def signatures(tx: Tx, asked: Question) -> dict[str, datetime]:
    """Who has signed: as the message says of a contract to be, as it was kept of one that runs."""
    if isinstance(asked.payload, CommitmentAgreed):
        return {role: midnight(day) for role, day in asked.payload.signatures.items()}
    row = casefile.row_of(tx, contracts, asked.case_id)
    if row is None:
        return {}
    return {role: midnight(getattr(row, role)) for role in SIGNATORIES}


# --- acts


class TutorNamed(Payload):
    """Who of the staff will be the tutor; the register says whether the rules allow it."""

    staff_id: AgentId = said("Tuteur", why="Désigne l'agent, sans jamais sortir.", source="C-3a.6")


class NextSteps(Payload):
    """What comes after the contract was settled with the employee; what it is has no field."""

    on: Day = said("Date", why="Fixée avant la sortie.", source="C-3a.9")


class CertificateAsked(Payload):
    """The employee asks for the certificate of experience before its time."""

    on: Day = said("Date", why="L'attestation est due dès la demande.", source="C-3a.28")


class ContractEnded(Payload):
    """The contract ended on another day than it said."""

    on: Day = said("Date", why="Fait courir les deux mois.", source="C-6.5")


def _running(tx: Tx, doing: Doing, article: str) -> Row[Any]:
    row = casefile.row_of(tx, contracts, doing.case_id)
    if row is None or row.ended_on is not None:
        raise Refused("Aucun contrat n'est en cours dans ce dossier.", articles=(article,))
    return row


def name_tutor(tx: Tx, _core: Core, doing: Doing) -> None:
    """Name the tutor of a case (C-3a.6); the gate looks at the rules once the three have signed."""
    desks.require(tx, "human_resources", doing.agent_id, doing.at)
    tutors.name(tx, doing.case_id, content_of(doing, TutorNamed).staff_id)


def settle(tx: Tx, _core: Core, doing: Doing) -> None:
    """Record that what comes next is settled (C-3a.9)."""
    on: date = content_of(doing, NextSteps).on
    _running(tx, doing, "C-3a.9")
    refuse_future(on, day_of(doing.at), "C-3a.9")
    casefile.change(tx, contracts, doing.case_id, next_steps_on=on)
    meet(tx, clocks.NEXT_STEPS, doing.case_id, doing.at)


def ask_certificate(tx: Tx, core: Core, doing: Doing) -> None:
    """Record that the employee asked for the certificate: it is due at once (C-3a.28)."""
    on: date = content_of(doing, CertificateAsked).on
    before = _running(tx, doing, "C-3a.28")
    refuse_future(on, day_of(doing.at), "C-3a.28")
    if before.certificate_on is not None:
        raise Refused("L'attestation est déjà remise.", articles=("C-3a.28",))
    casefile.change(tx, contracts, doing.case_id, certificate_asked_on=on)
    row = casefile.row_of(tx, contracts, doing.case_id)
    if row is not None:
        clocks.owe_certificate(tx, core, row, doing.at)


def end(tx: Tx, _core: Core, doing: Doing) -> None:
    """Record an end before the term (C-6.5)."""
    on: date = content_of(doing, ContractEnded).on
    row = _running(tx, doing, "C-6.5")
    refuse_future(on, day_of(doing.at), "C-6.5")
    if not row.first_day <= on <= row.last_day:
        raise Refused("Ce jour n'est pas dans le contrat.", articles=("C-6.5",))
    clocks.end_contract(tx, row, on, doing.at)


def view(tx: Tx, case_id: str) -> dict[str, Any] | None:
    """A contract as agents see it: its days, codes and signatures."""
    row = casefile.row_of(tx, contracts, case_id)
    if row is None:
        return None
    days = ("first_day", "last_day", *SIGNATORIES, "next_steps_on", "certificate_on", "ended_on")
    found = {name: getattr(row, name) for name in days}
    at = row.exit_interview_at
    return {
        **{name: None if day is None else day.isoformat() for name, day in found.items()},
        "exit_interview_at": None if at is None else at.isoformat(),
        **{name: list(getattr(row, name)) for name in ("skills", "training", "support")},
    }


ACTS: Final = {
    "next_steps": LocalAct(
        article="C-3a.9", label="Suite du contrat fixée", payload=NextSteps, do=settle
    ),
    "contract_ended": LocalAct(
        article="C-6.5", label="Contrat rompu avant son terme", payload=ContractEnded, do=end
    ),
}
"""Of either side."""

CITY_ACTS: Final = {
    **ACTS,
    "tutor_named": LocalAct(
        article="C-3a.6", label="Désigner le tuteur", payload=TutorNamed, do=name_tutor
    ),
    "certificate_asked": LocalAct(
        article="C-3a.28",
        label="Attestation demandée par le salarié",
        payload=CertificateAsked,
        do=ask_certificate,
    ),
}
"""Of the employer."""
