"""Deadlines of convention C's employer axis: who must do what by when, and what follows if not."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row

from contracts.conventions.c_employment_city_ccas import course
from contracts.conventions.c_employment_city_ccas.course import Step
from contracts.kernel.paris import day_of, midnight
from services.chassis import casefile
from services.chassis.calendar import add_working_days
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, again, arm, cancel, meet, move
from services.conventions.c_employment_city_ccas import store
from services.conventions.c_employment_city_ccas.models import candidacies, contracts

CANDIDACY_DAYS: Final = 30
"""Days for which a candidate may be seen and answered (C-5.1)."""
ANSWER_DAYS: Final = 10
"""Working days to answer a request for an immersion; a proposal."""
REMIND: Final = timedelta(days=7)
"""Time after which an employer is reminded again of a certificate that is due; a proposal."""
STEPS: Final[tuple[Step, ...]] = ("month_1", "middle", "three_quarters")

OUTCOME, ASK, EMPLOYEE = "candidacy.outcome", "booklet.ask", "booklet.employee"
TUTOR, EXIT, NEXT_STEPS = "booklet.tutor", "exit_interview", "next_steps"
CERTIFICATE, END = "experience_certificate", "supported_contract.end"
IMMERSION_ANSWER, IMMERSION_END = "work_immersion.answer", "work_immersion.end"


def _lapse(tx: Tx, _core: Core, due: Due, at: datetime) -> None:
    """Nobody decided in thirty days: the candidate is seen no more (C-5.1)."""
    row = casefile.row_of(tx, candidacies, due.subject)
    if row is not None and row.state in {store.WAITING, store.MET}:
        casefile.change(tx, candidacies, due.subject, state=store.LAPSED)
        store.close_case(tx, due.subject, at)


def _ended(tx: Tx, _core: Core, due: Due, at: datetime) -> None:
    row = casefile.row_of(tx, contracts, due.subject)
    if row is not None and row.ended_on is None:
        end_contract(tx, row, row.last_day, at)


def _remind(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    arm(tx, core, again(due, REMIND, at), at)


_NEXT_STEPS = Clock(kind=NEXT_STEPS, article="C-3a.9", label="Fixer la suite avant la sortie")
_END = Clock(
    kind=END,
    article="C-6.5",
    label="Fin du contrat : deux mois jusqu'à la destruction",
    missed=_ended,
    automatic=True,
)

CITY_CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(
            kind=OUTCOME, article="C-3a.12", label="Donner suite à la candidature", missed=_lapse
        ),
        Clock(kind=TUTOR, article="C-3a.23", label="Livret de suivi : au tuteur de le remplir"),
        Clock(
            kind=CERTIFICATE,
            article="C-3a.28",
            label="Remettre l'attestation d'expérience professionnelle",
            missed=_remind,
        ),
        Clock(kind=IMMERSION_ANSWER, article="C-3b.1", label="Répondre à la demande d'immersion"),
        Clock(kind=IMMERSION_END, article="C-3b.1", label="Dire que l'immersion est finie"),
        _NEXT_STEPS,
        _END,
    )
}
"""At the employer."""

AGENCY_CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(
            kind=OUTCOME,
            article="C-5.1",
            label="Fin de la candidature restée sans suite",
            missed=_lapse,
            automatic=True,
        ),
        Clock(kind=ASK, article="C-3a.23", label="Demander le livret de suivi"),
        Clock(kind=EMPLOYEE, article="C-3a.23", label="Livret de suivi : au salarié de le remplir"),
        Clock(kind=EXIT, article="C-3a.26", label="Tenir l'entretien préalable à la sortie"),
        _NEXT_STEPS,
        _END,
    )
}
"""At the agency."""


def _by(
    tx: Tx, core: Core, kind: str, case_id: str, day: date, at: datetime, part: str = ""
) -> None:
    """Something is done by the end of a day; part: of the case, where there are several."""
    due = Due(
        kind=kind,
        subject=f"{case_id}:{part}" if part else case_id,
        case_id=case_id,
        due_at=midnight(day + timedelta(days=1)),
    )
    move(tx, core, due, at)


def outcome_due(proposed_at: datetime) -> datetime:
    """Instant at which a candidacy lapses that nobody has decided."""
    return proposed_at + timedelta(days=CANDIDACY_DAYS)


def await_outcome(tx: Tx, core: Core, case_id: str, proposed_at: datetime, at: datetime) -> None:
    """A candidacy is decided within thirty days of the proposal, to the instant."""
    due_at = outcome_due(proposed_at)
    arm(tx, core, Due(kind=OUTCOME, subject=case_id, case_id=case_id, due_at=due_at), at)


def follow_contract(
    tx: Tx, core: Core, case_id: str, row: Row[Any], at: datetime, *, employer: bool
) -> None:
    """Set what a contract makes due, anew where its days changed (C-3a.9, C-3a.23, C-3a.28)."""
    _by(tx, core, END, case_id, row.last_day, at)
    if row.next_steps_on is None:
        _by(tx, core, NEXT_STEPS, case_id, course.next_steps_due(row.last_day), at)
    if employer:
        if row.certificate_on is None:
            owe_certificate(tx, core, row, at)
        return
    asked = store.booklets_of(tx, case_id)
    for step, day in course.booklet_due_dates(row.first_day, row.last_day).items():
        if step not in asked:
            _by(tx, core, ASK, case_id, day, at, step)


def owe_certificate(tx: Tx, core: Core, row: Row[Any], at: datetime) -> None:
    """The certificate is given a month before the end, or when the employee asked (C-3a.28)."""
    day = course.certificate_due(row.last_day, row.certificate_asked_on)
    _by(tx, core, CERTIFICATE, row.case_id, day, at)


def owe_booklet(
    tx: Tx, core: Core, kind: str, case_id: str, step: Step, day: date, at: datetime
) -> None:
    """A booklet is filled in here by its day (C-3a.23)."""
    _by(tx, core, kind, case_id, day, at, step)


def booklet_done(tx: Tx, kind: str, case_id: str, step: Step, at: datetime) -> None:
    """What was due of a booklet is done."""
    meet(tx, kind, f"{case_id}:{step}", at)


def owe_exit_interview(tx: Tx, core: Core, row: Row[Any], at: datetime) -> None:
    """The last booklet shows no prospects: the interview is before the exit (C-3a.26)."""
    _by(tx, core, EXIT, row.case_id, course.exit_interview_due(row.last_day), at)


def owe_immersion_answer(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """The host answers within some working days."""
    due_at = midnight(add_working_days(day_of(at), ANSWER_DAYS))
    arm(tx, core, Due(kind=IMMERSION_ANSWER, subject=case_id, case_id=case_id, due_at=due_at), at)


def await_immersion_end(tx: Tx, core: Core, case_id: str, last_day: date, at: datetime) -> None:
    """The host says that it is over, once it is."""
    _by(tx, core, IMMERSION_END, case_id, last_day, at)


def end_contract(tx: Tx, row: Row[Any], on: date, at: datetime) -> None:
    """A contract ended: two months until everything of it is destroyed (C-6.5).

    The case stays open for the certificate alone, where it has not been given yet.
    """
    casefile.change(tx, contracts, row.case_id, ended_on=on)
    store.keep_until(tx, row.case_id, on)
    for kind in (END, EXIT, NEXT_STEPS):
        cancel(tx, kind, row.case_id, at)
    for kind in (ASK, EMPLOYEE, TUTOR):
        for step in STEPS:
            cancel(tx, kind, f"{row.case_id}:{step}", at)
    if row.certificate_on is not None:
        store.close_case(tx, row.case_id, at, on)


def daily(tx: Tx, _core: Core, at: datetime) -> None:
    """Once a day: what is kept no longer (C-6.5)."""
    store.forget_offers(tx, day_of(at))
