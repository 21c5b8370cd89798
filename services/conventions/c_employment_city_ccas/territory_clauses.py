"""Social clauses: opportunities both ways, and a question that both sides forget (C-3d.1 to 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, select, update

from contracts.conventions.c_employment_city_ccas import messages
from contracts.kernel.checks import Side
from contracts.kernel.errors import Refused
from contracts.kernel.fields import Instant, Payload, said
from contracts.kernel.paris import day_of
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, arm, meet, move
from services.chassis.partner import Doing, LocalAct, Question
from services.chassis.tokens import Role
from services.conventions.c_employment_city_ccas.territory_models import opportunities, questions
from services.conventions.c_employment_city_ccas.territory_store import (
    Apply,
    Told,
    counted,
    drop,
    forget_case,
)

ASKED, ANSWERED = "clause.eligibility_asked", "clause.eligibility_answered"
FORGET, ANSWER = "clause.forget", "clause.answer"
"""Kinds of deadlines."""

WAITS: Final = timedelta(hours=24)
"""Time for which a question waits, and then for which its answer is known (C-3d.4)."""

WAITING, DONE, STOPPED = "waiting", "answered", "stopped"
"""States of a question."""


def _opportunity(tx: Tx, core: Core, told: Told) -> None:
    content: messages.ClauseOpportunity = told.content
    counted(tx, core, told, "clause.opportunity", "sent" if told.leaves else "received")
    tx.execute(
        opportunities.insert().values(
            message_id=told.message_id,
            partner=told.partner,
            sent_here=told.leaves,
            at=told.at,
            **content.model_dump(),
        )
    )


def _asked(tx: Tx, core: Core, told: Told) -> None:
    """That a question waits; whom it is about is written nowhere (C-5.1)."""
    case_id, until = _case(told), told.said_at + WAITS
    counted(tx, core, told, "clause.question", "asked")
    tx.execute(
        questions.insert().values(
            case_id=case_id,
            partner=told.partner,
            asked_here=told.leaves,
            state=WAITING,
            asked_at=told.said_at,
            forget_at=until,
        )
    )
    for kind in (FORGET,) if told.leaves else (FORGET, ANSWER):
        arm(tx, core, Due(kind=kind, subject=case_id, case_id=case_id, due_at=until), told.at)


def _answered(tx: Tx, core: Core, told: Told) -> None:
    """That it was answered; by the agency alone which way, and beside nobody (C-5.1)."""
    case_id, until = _case(told), told.said_at + WAITS
    if told.leaves:
        content: messages.EligibilityAnswered = told.content
        counted(tx, core, told, ANSWERED, content.answer)
    meet(tx, ANSWER, case_id, told.at)
    _change(tx, case_id, state=DONE, forget_at=until)
    move(tx, core, Due(kind=FORGET, subject=case_id, case_id=case_id, due_at=until), told.at)


def _case(told: Told) -> str:
    if told.case_id is None:
        raise TypeError(told.message_id)  # a flow of a case has one
    return told.case_id


def _change(tx: Tx, case_id: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    tx.execute(update(questions).where(questions.c.case_id == case_id).values(**values))


def question_of(tx: Tx, case_id: str | None) -> Row[Any] | None:
    """The question of a case, while it is remembered."""
    if case_id is None:
        return None
    return tx.execute(select(questions).where(questions.c.case_id == case_id)).first()


def _forget(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """A day has passed: question and answer are destroyed, each side by itself (C-3d.4)."""
    forget_case(tx, core, due.subject, at)


APPLY: Final[Mapping[str, Apply]] = {
    "clause.opportunity": _opportunity,
    ASKED: _asked,
    ANSWERED: _answered,
}

CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(
            kind=FORGET,
            article="C-3d.4",
            label="Oublier la question et sa réponse",
            missed=_forget,
            automatic=True,
        ),
        Clock(kind=ANSWER, article="C-3d.4", label="Dire si la candidature relève de l'insertion"),
    )
}


def facts(tx: Tx, asked: Question) -> Mapping[str, datetime]:
    """Whether an answer is awaited, and whether the agency told the person what the city reads."""
    if asked.type != ANSWERED:
        return {}
    row = question_of(tx, asked.case_id)
    owed = row is not None and row.asked_here is (asked.side is Side.RECEIVER)
    if row is None or not owed or row.state != WAITING or asked.at >= row.forget_at:
        return {}
    told = {} if row.told_at is None else {"told_by_agency": row.told_at}
    return {"awaiting_answer": row.asked_at, **told}


class PersonTold(Payload):
    """The agency told the person what the city will read (C-4.2); who it is stays in its file."""

    at: Instant = said("Date", why="L'information précède la réponse.", source="C-4.2")


def person_told(tx: Tx, _core: Core, doing: Doing) -> None:
    """Record it. Raises Refused for a day to come, or where the agency has nothing to answer."""
    content = doing.content
    if not isinstance(content, PersonTold):
        raise TypeError(type(content).__name__)
    row = question_of(tx, doing.case_id)
    if row is None or row.asked_here or row.state != WAITING:
        raise Refused("Aucune question n'attend ici de réponse.", articles=("C-3d.4",))
    if content.at > doing.at:
        raise Refused("Une information ne peut pas être datée du futur.", articles=("C-4.2",))
    _change(tx, doing.case_id, told_at=content.at)


ACTS: Final = {
    "person_told": LocalAct(
        article="C-4.2",
        label="Dire à la personne ce que la Ville lira",
        payload=PersonTold,
        do=person_told,
        roles=frozenset({Role.AGENT.value, Role.REFERENT.value, Role.MANAGER.value}),
    ),
}
"""Acts of the agency alone."""


def stopped(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """The person withdrew: nothing is answered, and the next look of the node forgets it."""
    if question_of(tx, case_id) is None:
        return
    _change(tx, case_id, state=STOPPED, forget_at=at)
    move(tx, core, Due(kind=FORGET, subject=case_id, case_id=case_id, due_at=at), at)


def view(tx: Tx, case_id: str) -> dict[str, Any]:
    """What is remembered of a question: that it waits or not, and until when; nobody's name."""
    row = question_of(tx, case_id)
    if row is None:
        return {}
    return {
        "question": {
            "state": row.state,
            "asked_here": row.asked_here,
            "asked_at": row.asked_at.isoformat(),
            "forget_at": row.forget_at.isoformat(),
            "told_at": None if row.told_at is None else row.told_at.isoformat(),
        }
    }


def daily(tx: Tx, at: datetime) -> None:
    """Opportunities go with the last day of their work."""
    drop(tx, opportunities.c.last_day, day_of(at))
