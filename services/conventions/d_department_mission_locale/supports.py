"""The department's own register of whom it supports: interview in time, and news once they left.

Nothing of it crosses, and on what ground somebody is supported is no field (D-0.2).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from sqlalchemy import delete, select, update

from contracts.conventions.d_department_mission_locale.deadlines import attention_due, interview_due
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.paris import day_of, midnight, reached
from services.chassis import standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Due, cancel, keep_one, meet
from services.conventions.d_department_mission_locale.clocks import ATTENTION, INTERVIEW, end_of
from services.conventions.d_department_mission_locale.facts import MAJORITY, birth_of
from services.conventions.d_department_mission_locale.models import attention_times, supports

ATTENTION_MONTHS: Final = 6
"""Months after which the department asks after whoever left, until it sets its own; a proposal."""


def support(tx: Tx, core: Core, person_id: str, taken_in_on: date, at: datetime) -> None:
    """Record since when somebody is supported; the interview is due from then on (D-1.6).

    Recorded again, the new day counts. Raises UnknownName, InvalidPayload for a day to come.
    """
    birth = birth_of(tx, core, person_id)
    if birth is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if not birth <= taken_in_on <= day_of(at):
        raise InvalidPayload(
            "Le début du suivi ne peut être ni dans le futur ni avant la naissance.",
            fields=(("taken_in_on", "out_of_range"),),
        )
    same = supports.c.person_id == person_id
    found = tx.execute(select(supports).where(same)).first()
    if found is None:
        tx.execute(supports.insert().values(person_id=person_id, taken_in_on=taken_in_on))
    else:
        tx.execute(update(supports).where(same).values(taken_in_on=taken_in_on))
    if reached(birth, MAJORITY, taken_in_on) or reached(birth, MAJORITY, day_of(at)):
        cancel(tx, INTERVIEW, person_id, at)
    elif found is None or found.interview_on is None:
        last = end_of(interview_due(birth, taken_in_on))
        keep_one(tx, core, Due(kind=INTERVIEW, subject=person_id, due_at=last), at)


def supported(tx: Tx, core: Core, person_id: str | None, at: datetime) -> None:
    """A case opens for somebody: supported at least since the register holds them."""
    row = None if person_id is None else tx.get(standing.PERSONS, person_id)
    if person_id is None or row is None or row.registered_at is None:
        return
    known = select(supports.c.person_id).where(supports.c.person_id == person_id)
    if tx.execute(known).first() is None:
        support(tx, core, person_id, day_of(row.registered_at), at)


def interview_held(tx: Tx, person_id: str | None, held_on: date, at: datetime) -> bool:
    """The interview was held, with an adviser or without; whether anybody is supported there."""
    if person_id is None:
        return False
    mine = update(supports).where(supports.c.person_id == person_id)
    known = bool(tx.execute(mine.values(interview_on=held_on)).rowcount)
    meet(tx, INTERVIEW, person_id, at)
    return known


def attended(tx: Tx, person_id: str, on: date, at: datetime) -> bool:
    """The department asked after somebody who left (D-1.12); whether anybody is known there."""
    mine = update(supports).where(supports.c.person_id == person_id)
    known = bool(tx.execute(mine.values(attention_on=on)).rowcount)
    meet(tx, ATTENTION, person_id, at)
    return known


def set_attention(tx: Tx, months: int, agent_id: str, at: datetime) -> None:
    """Set after how many months the department asks after whoever left (D-1.12)."""
    tx.execute(delete(attention_times).where(attention_times.c.since == at))
    tx.execute(attention_times.insert().values(since=at, months=months, agent_id=agent_id))


def attention_months(tx: Tx) -> int:
    """The department's own setting, or the proposal where it set none."""
    table = attention_times
    found = tx.execute(select(table.c.months).order_by(table.c.since.desc())).scalar()
    return ATTENTION_MONTHS if found is None else int(found)


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """Once a day: who left and is asked after one day."""
    persons, months = tables.persons, attention_months(tx)
    query = select(supports, persons.c.left_at).join(
        persons, persons.c.person_id == supports.c.person_id
    )
    for row in tx.execute(query).all():
        if row.left_at is not None:
            cancel(tx, INTERVIEW, row.person_id, at)
            if row.attention_on is None:
                due_on = attention_due(day_of(row.left_at), months)
                due = Due(kind=ATTENTION, subject=row.person_id, due_at=midnight(due_on))
                keep_one(tx, core, due, at)
