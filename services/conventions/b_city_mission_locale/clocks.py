"""Deadlines of convention B: who must do what by when, and what follows when nobody does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.kernel.paris import add_months, birthday, day_of, midnight
from services.chassis import casefile
from services.chassis.agreements import tell_ended
from services.chassis.calendar import add_working_days
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, again, arm, cancel, keep_one, move
from services.chassis.tokens import Right
from services.conventions.b_city_mission_locale import store
from services.conventions.b_city_mission_locale.models import (
    common_events,
    immersions,
)

ANSWER_DAYS: Final = 10
"""Working days to answer an orientation or a request, or to name one's referent; a proposal."""
SILENCE: Final = timedelta(weeks=2)
"""Time after which a referent is reminded again of a checkpoint that is due; a proposal."""
TRIES: Final = 3
"""Silent tries, each on a day of its own, after which a case ends for want of an answer; a
proposal, or the case would live for ever (B-2.7, B-3.1)."""
EVENT_MONTHS: Final = 12
"""Months within which the next common event takes place (B-2.6)."""
TOO_OLD: Final = 26
"""Years at which the convention no longer concerns a person (B-1.2)."""


def _remind(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    arm(tx, core, again(due, SILENCE, at), at)


def _outgrown(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """The twenty-sixth birthday has come: what runs stops here, as it does at the other side.

    A host that was not told yet who comes knows no birthday, and is told that it is over.
    """
    table = store.table_of(tx, due.subject)
    if table is None:
        return
    row = casefile.row_of(tx, immersions, due.subject)
    if row is not None and row.person_id is not None and row.status in {"requested", "accepted"}:
        tell_ended(tx, core, due.subject, at)
    column = "status" if table is immersions else "state"
    casefile.change(tx, table, due.subject, **{column: store.STOPPED})
    store.close_case(tx, due.subject, at)


CLOCKS: Final = {
    clock.kind: clock
    for clock in (
        Clock(kind="orientation.answer", article="B-2.10", label="Répondre à l'orientation"),
        Clock(
            kind="cosupport.referent",
            article="B-2.13",
            label="Nommer son référent du co-accompagnement",
        ),
        Clock(
            kind="cosupport.checkpoint",
            article="B-2.14",
            label="Faire le point sur le co-accompagnement",
            missed=_remind,
        ),
        Clock(kind="immersion.answer", article="B-2.9", label="Répondre à la demande d'immersion"),
        Clock(kind="immersion.end", article="B-2.9", label="Dire que l'immersion est finie"),
        Clock(
            kind="outgrown",
            article="B-1.2",
            label="Fin du dossier : le jeune a 26 ans",
            missed=_outgrown,
            automatic=True,
        ),
        Clock(
            kind="common_event",
            article="B-2.6",
            label="Événement commun de l'année",
            told_to={Right.READ},
        ),
    )
}


def owe_answer(tx: Tx, core: Core, kind: str, case_id: str, at: datetime) -> None:
    """Somebody here answers within some working days."""
    due_at = midnight(add_working_days(day_of(at), ANSWER_DAYS))
    arm(tx, core, Due(kind=kind, subject=case_id, case_id=case_id, due_at=due_at), at)


def after_day(tx: Tx, core: Core, kind: str, case_id: str, day: date, at: datetime) -> None:
    """Something is done by the end of a day."""
    due_at = midnight(day + timedelta(days=1))
    move(tx, core, Due(kind=kind, subject=case_id, case_id=case_id, due_at=due_at), at)


def outgrow(tx: Tx, core: Core, case_id: str, birth: date, at: datetime) -> None:
    """The case ends at the latest on the twenty-sixth birthday (B-1.2)."""
    due_at = midnight(birthday(birth, TOO_OLD))
    arm(tx, core, Due(kind="outgrown", subject=case_id, case_id=case_id, due_at=due_at), at)


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """Once a day: the yearly event that is due (B-2.6), what is kept no longer (B-3.1)."""
    for signed in core.directory.conventions.values():
        if signed.convention.code == CONVENTION.code and core.org in signed.orgs:
            opens, ends = signed.opens_on, signed.ends_on
            last = _last_event(tx, signed.id)
            due_on = None if opens is None else add_months(max(opens, last or opens), EVENT_MONTHS)
            if due_on is None or ends is None or due_on >= ends or at >= midnight(ends):
                cancel(tx, "common_event", signed.id, at)
            else:
                due = Due(kind="common_event", subject=signed.id, due_at=midnight(due_on))
                keep_one(tx, core, due, at)
    store.forget_offers(tx, day_of(at))


def _last_event(tx: Tx, convention_id: str) -> date | None:
    table = common_events
    held = table.c.convention_id == convention_id
    return tx.execute(select(func.max(table.c.held_on)).where(held)).scalar()
