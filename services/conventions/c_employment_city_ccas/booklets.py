"""The follow-up booklet: three times, two people who fill it in apart, one counsellor who reads.

Neither side ever holds an answer of the other: there is one bit for each, and no field beside
(C-3a.22). Answers are written in the agency's own tool, which is not this node's.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import update

from contracts.conventions.c_employment_city_ccas import course
from contracts.conventions.c_employment_city_ccas.messages import BookletDue, BookletFilled
from contracts.kernel.checks import Side
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Payload, said
from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Doing, LocalAct, Question
from services.conventions.c_employment_city_ccas import clocks, seekers, store, tutors
from services.conventions.c_employment_city_ccas.models import booklets, candidacies, contracts
from services.conventions.c_employment_city_ccas.steps import Step, content_of, counted

LAST: Final[course.Step] = "three_quarters"
"""The booklet after which nothing but the exit comes (C-3a.26)."""


def asked_for(tx: Tx, core: Core, step: Step) -> None:
    """A booklet is to be filled in, here too: by the tutor, or by the employee (C-3a.21)."""
    content: BookletDue = step.content
    if content.step not in store.booklets_of(tx, step.case_id):
        values = {"step": content.step, "due_on": content.due_on, "asked_at": step.at}
        tx.execute(booklets.insert().values(case_id=step.case_id, **values))
    clocks.booklet_done(tx, clocks.ASK, step.case_id, content.step, step.at)
    kind = clocks.EMPLOYEE if step.leaves else clocks.TUTOR
    clocks.owe_booklet(tx, core, kind, step.case_id, content.step, content.due_on, step.at)


def _filled(tx: Tx, step: Step, column: str, kind: str) -> None:
    content: BookletFilled = step.content
    if not content.filled:
        return
    counted(tx, step.case_id, "pec.booklet", column, step.said_at)
    _change(tx, step.case_id, content.step, **{f"{column}_at": step.at})
    clocks.booklet_done(tx, kind, step.case_id, content.step, step.at)


def filled_at_city(tx: Tx, _core: Core, step: Step) -> None:
    """The tutor has filled it in: said by the city, heard by the agency."""
    _filled(tx, step, "tutor", clocks.TUTOR)


def filled_at_agency(tx: Tx, _core: Core, step: Step) -> None:
    """The employee has filled it in: said by the agency, heard by the city."""
    _filled(tx, step, "employee", clocks.EMPLOYEE)


def _change(tx: Tx, case_id: str, step: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    mine = (booklets.c.case_id == case_id) & (booklets.c.step == step)
    tx.execute(update(booklets).where(mine).values(**values))


def known(tx: Tx, asked: Question) -> tuple[dict[str, datetime], dict[str, int]]:
    """Records and counts about a booklet: whether it is its day, was asked, was filled apart."""
    content = asked.payload
    if isinstance(content, BookletDue):
        row = casefile.row_of(tx, contracts, asked.case_id)
        if row is None:
            return {}, {}
        days = course.days_off_schedule(content.step, content.due_on, row.first_day, row.last_day)
        return {}, {"days_off_schedule": days}
    if not isinstance(content, BookletFilled) or asked.case_id is None:
        return {}, {}
    row = store.booklets_of(tx, asked.case_id).get(content.step)
    if row is None:
        return {}, {}
    found = {"booklet_asked": row.asked_at}
    if asked.side is Side.SENDER and row.alone_at is not None:
        found["filled_alone"] = row.alone_at
    return found, {}


def prospects(tx: Tx, case_id: str | None) -> dict[str, datetime]:
    """Whether the counsellor read in the last booklet that there are none (C-3a.26)."""
    row = None if case_id is None else store.booklets_of(tx, case_id).get(LAST)
    if row is None or row.read_at is None or row.prospects is not False:
        return {}
    return {"no_prospects": row.read_at}


# --- acts


class FilledAlone(Payload):
    """A booklet was filled in by the very person, apart from the other; no answer is recorded."""

    step: course.Step = said("Point", why="Dit lequel des trois points.", source="C-3a.23")


class BookletRead(Payload):
    """The counsellor read both; whether the last one shows prospects is all that is recorded."""

    step: course.Step = said("Point", why="Dit lequel des trois points.", source="C-3a.23")
    prospects: bool = said("Perspectives", why="Sans perspective, un entretien.", source="C-3a.26")


def _asked(tx: Tx, doing: Doing, step: str, article: str) -> Any:  # noqa: ANN401 -- a row
    row = store.booklets_of(tx, doing.case_id).get(step)
    if row is None:
        raise Refused("Ce livret n'a pas été demandé.", articles=(article,))
    return row


def tutor_filled(tx: Tx, _core: Core, doing: Doing) -> None:
    """The tutor's own act: nobody declares it in the tutor's place (C-3a.22)."""
    step = content_of(doing, FilledAlone).step
    _asked(tx, doing, step, "C-3a.21")
    if tutors.named(tx, doing.case_id) != doing.agent_id:
        raise Refused("Seul le tuteur dit qu'il a rempli son livret.", articles=("C-3a.22",))
    _change(tx, doing.case_id, step, alone_at=doing.at)


def _require_counsellor(tx: Tx, doing: Doing, article: str) -> None:
    row = casefile.row_of(tx, candidacies, doing.case_id)
    found = None if row is None else seekers.counsellor_of(tx, row.person_id)
    if found is None or found[0] != doing.agent_id:
        raise Refused("Seul le conseiller référent le déclare.", articles=(article,))


def employee_filled(tx: Tx, _core: Core, doing: Doing) -> None:
    """The employee told the counsellor, apart from the tutor (C-3a.22)."""
    step = content_of(doing, FilledAlone).step
    _asked(tx, doing, step, "C-3a.21")
    _require_counsellor(tx, doing, "C-3a.22")
    _change(tx, doing.case_id, step, alone_at=doing.at)


def read(tx: Tx, core: Core, doing: Doing) -> None:
    """The counsellor alone reads both sides; the last one may call for an interview (C-3a.26)."""
    body = content_of(doing, BookletRead)
    found = _asked(tx, doing, body.step, "C-3a.26")
    _require_counsellor(tx, doing, "C-3a.22")
    if found.tutor_at is None and found.employee_at is None:
        raise Refused("Personne n'a encore rempli ce livret.", articles=("C-3a.26",))
    _change(tx, doing.case_id, body.step, read_at=doing.at, prospects=body.prospects)
    row = casefile.row_of(tx, contracts, doing.case_id)
    if row is not None and body.step == LAST and not body.prospects and row.ended_on is None:
        clocks.owe_exit_interview(tx, core, row, doing.at)


def view(tx: Tx, case_id: str, *, at_agency: bool) -> list[dict[str, Any]]:
    """Booklets as agents see them; whether there are prospects is the agency's alone to see."""
    found = []
    for step, row in sorted(store.booklets_of(tx, case_id).items(), key=lambda one: one[1].due_on):
        shown = {
            "step": step,
            "due_on": row.due_on.isoformat(),
            "tutor": row.tutor_at is not None,
            "employee": row.employee_at is not None,
        }
        found.append(shown | ({"prospects": row.prospects} if at_agency else {}))
    return found


CITY_ACTS: Final = {
    "booklet_filled": LocalAct(
        article="C-3a.22", label="Livret rempli par le tuteur", payload=FilledAlone, do=tutor_filled
    ),
}
AGENCY_ACTS: Final = {
    "booklet_filled": LocalAct(
        article="C-3a.22",
        label="Livret rempli par le salarié",
        payload=FilledAlone,
        do=employee_filled,
    ),
    "booklet_read": LocalAct(
        article="C-3a.26", label="Livret lu par le conseiller", payload=BookletRead, do=read
    ),
}
