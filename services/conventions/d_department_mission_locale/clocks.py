"""Deadlines of convention D: who must do what by when, and what follows when nobody does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from contracts.kernel.paris import add_months, birthday, day_of, midnight
from services.chassis import casefile
from services.chassis.calendar import add_working_days
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, again, arm, cancel, keep_one, move
from services.chassis.holds import put_off
from services.chassis.tokens import Right
from services.conventions.d_department_mission_locale import indicators, store
from services.conventions.d_department_mission_locale.models import yearly_cells, youths

ANSWER_DAYS: Final = 10
"""Working days to answer what the other side asked, where it names no day; a proposal."""
CONTRACT_MONTHS: Final = 3
"""Months of a case by which the youth contract is proposed: the text says to each, and not when; a
proposal (D-1.9)."""
SILENCE: Final = timedelta(weeks=4)
"""Time after which the department is reminded again of a proposal that nobody made; a proposal."""
TOO_OLD: Final = 26
"""Years at which the convention no longer concerns a person (D-0.4)."""

INTERVIEW, ATTENTION, SHEET = "interview.due", "attention.due", "yearly.sheet"
PROPOSAL, HANDOVER, OUTGROWN = "youth_contract.proposal", "youth.handover", "youth.outgrown"


def _remind(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    arm(tx, core, again(due, SILENCE, at), at)


def _ends(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """The day of the handover or the twenty-sixth birthday has come: each side ends it itself."""
    end_case(tx, core, due.subject, at)


def _forget(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    if not put_off(tx, core, due, due.subject.partition(":")[2], at):
        store.forget_part(tx, due.subject)


CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(
            kind="contact.answer",
            article="D-1.2",
            label="Répondre à la demande de premier contact",
        ),
        Clock(
            kind="enrolment.answer",
            article="D-1.3",
            label="Dire la suite de l'inscription proposée",
        ),
        Clock(
            kind="diagnosis.answer", article="D-1.5", label="Réaliser le diagnostic d'orientation"
        ),
        Clock(
            kind="interview.answer",
            article="D-1.6",
            label="Répondre à l'invitation à l'entretien des 17 ans",
        ),
        Clock(
            kind="youth_contract.answer",
            article="D-1.9",
            label="Dire la suite du contrat d'engagement jeune proposé",
        ),
        Clock(
            kind=INTERVIEW,
            article="D-1.6",
            label="Tenir l'entretien des 17 ans, un an au moins avant la majorité",
        ),
        Clock(
            kind=PROPOSAL,
            article="D-1.9",
            label="Proposer le contrat d'engagement jeune, comme à chacun",
            missed=_remind,
        ),
        Clock(
            kind=ATTENTION,
            article="D-1.12",
            label="Prendre des nouvelles d'un jeune qui n'est plus suivi",
        ),
        Clock(
            kind=SHEET,
            article="D-5.7a",
            label="Fiche des six indicateurs au 31 décembre",
            told_to={Right.READ},
        ),
        Clock(
            kind=HANDOVER,
            article="D-1.4",
            label="Passage de relais : fin du dossier",
            missed=_ends,
            automatic=True,
        ),
        Clock(
            kind=OUTGROWN,
            article="D-0.4",
            label="Fin du dossier : le jeune a vingt-six ans",
            missed=_ends,
            automatic=True,
        ),
        Clock(
            kind=store.FORGOTTEN,
            article="D-8.1",
            label="Destruction d'une partie du dossier",
            told_to={Right.JOURNAL},
            missed=_forget,
            automatic=True,
        ),
    )
}


def end_case(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """End a case in good order; a project of which nobody said when it ends, ends with it."""
    row = casefile.row_of(tx, youths, case_id)
    if row is None or row.state != store.OPEN:
        return
    indicators.ended(tx, core, case_id, at)
    casefile.change(tx, youths, case_id, state=store.CLOSED)
    if row.project_ends_on is None:
        forget_on(tx, core, "project", case_id, day_of(at), at)
    store.close_case(tx, case_id, at)


def owe_answer(
    tx: Tx, core: Core, kind: str, case_id: str, at: datetime, by: date | None = None
) -> None:
    """Somebody here answers by the end of a day, or within some working days."""
    last = midnight(add_working_days(day_of(at), ANSWER_DAYS)) if by is None else end_of(by)
    move(tx, core, Due(kind=kind, subject=case_id, case_id=case_id, due_at=last), at)


def end_of(day: date) -> datetime:
    """First instant after a legal day."""
    return midnight(day + timedelta(days=1))


def ends_on(tx: Tx, core: Core, kind: str, case_id: str, day: date, at: datetime) -> None:
    """The case ends by itself on a day: of handover (D-1.4), of the 26th birthday (D-0.4)."""
    due = Due(kind=kind, subject=case_id, case_id=case_id, due_at=midnight(day))
    move(tx, core, due, at)


def stay(tx: Tx, case_id: str, at: datetime) -> None:
    """Both go on together after all: no handover is due (D-1.4)."""
    cancel(tx, HANDOVER, case_id, at)


def outgrow(tx: Tx, core: Core, case_id: str, birth: date, at: datetime) -> None:
    """The case ends at the latest on the twenty-sixth birthday (D-0.4)."""
    ends_on(tx, core, OUTGROWN, case_id, birthday(birth, TOO_OLD), at)


def expect_proposal(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """The youth contract is proposed to each: the department sees to it (D-1.9)."""
    if core.kind is Kind.DEPARTMENT:
        due_at = midnight(add_months(day_of(at), CONTRACT_MONTHS))
        arm(tx, core, Due(kind=PROPOSAL, subject=case_id, case_id=case_id, due_at=due_at), at)


def forget_on(tx: Tx, core: Core, name: str, case_id: str, day: date, at: datetime) -> None:
    """A part of the case is destroyed on a day, even where the case is over by then (D-8.1)."""
    due = Due(kind=store.FORGOTTEN, subject=store.part(name, case_id), due_at=midnight(day))
    move(tx, core, due, at)


def keep_again(tx: Tx, name: str, case_id: str, at: datetime) -> None:
    """A part of the case begins anew, and its time with it."""
    cancel(tx, store.FORGOTTEN, store.part(name, case_id), at)


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """Once a day: the yearly sheet that is due (D-5.7a)."""
    for signed in core.directory.conventions.values():
        opens, ends = signed.opens_on, signed.ends_on
        if signed.convention.code != CONVENTION.code or core.org not in signed.orgs:
            continue
        if opens is None or ends is None:
            continue
        year = max(opens.year, _last_sheet(tx, core.org, signed.id) + 1)
        if at >= midnight(ends) or date(year, 12, 31) >= ends:
            cancel(tx, SHEET, signed.id, at)
        else:
            due = Due(kind=SHEET, subject=signed.id, due_at=end_of(date(year, 12, 31)))
            keep_one(tx, core, due, at)


def _last_sheet(tx: Tx, org: str, convention_id: str) -> int:
    """Year of the last sheet that this side sent; 0 where it sent none."""
    table = yearly_cells
    mine = (table.c.convention_id == convention_id) & (table.c.org == org)
    found = tx.execute(select(func.max(table.c.counted_on)).where(mine)).scalar()
    return 0 if found is None else int(found.year)
