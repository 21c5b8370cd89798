"""The training obligation, a duty of the law beside convention D: what its sender counts and keeps.

The receiver's own store is the department's (`services.department`).
"""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import update

from contracts.conventions.d_department_mission_locale.convention import DUTIES
from contracts.conventions.d_department_mission_locale.deadlines import days_outside
from contracts.conventions.d_department_mission_locale.messages import TrainingObligationBreach
from contracts.kernel import checks
from contracts.kernel.paris import birthday, day_of, midnight
from services.chassis import standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question, Sent, Side
from services.conventions.d_department_mission_locale.facts import MAJORITY

TRAINING: Final = DUTIES[0].code
"""Its instrument."""


def facts(_tx: Tx, _core: Core, asked: Question) -> Known:
    """By how many days the sending misses the two months after the convening (D-2.4)."""
    convened: date | None = getattr(asked.payload, "convened_on", None)
    if asked.side is not checks.Side.SENDER or convened is None:
        return Known()
    return Known(counts={"sent_outside": days_outside(convened, day_of(asked.at))})


def sent(tx: Tx, _core: Core, told: Sent) -> None:
    """Nothing is kept here but the case, and no longer than at the department."""
    if told.case_id is not None and isinstance(told.payload, TrainingObligationBreach):
        keep_until_majority(tx, told.case_id, told.payload.young_person.birth_date)


def keep_until_majority(tx: Tx, case_id: str, birth: date) -> None:
    """Destroy it when the obligation ends, on the eighteenth birthday (R114-7)."""
    cases, ends = tables.cases, midnight(birthday(birth, MAJORITY))
    tx.execute(update(cases).where(cases.c.case_id == case_id).values(retain_until=ends))
    tx.forget(standing.CASES, case_id)


SIDE: Final = Side(sent={"training_obligation.breach": sent}, facts=facts)
"""At the Mission Locale."""
