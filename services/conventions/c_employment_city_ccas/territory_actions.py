"""Collective actions of the agency, four a month with one for the young: counted, nobody listed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final

from pydantic import Field
from sqlalchemy import func, select

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.conventions.c_employment_city_ccas.evaluation import enough_actions
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import MISSED, PENDING, Clock, Due, arm, cancel, meet
from services.chassis.governance import own_convention
from services.chassis.tally import count
from services.chassis.tokens import Right
from services.conventions.c_employment_city_ccas.territory_models import collective_actions
from services.conventions.c_employment_city_ccas.territory_store import Body, own

MONTHLY: Final = "collective_actions"
"""Kind of deadline: the month's actions."""


class CollectiveAction(Body):
    """Body of ``POST /collective-actions`` (C-3c.1): an action that was held, and for whom.

    joint: held together with the city (C-3c.2). Never who came.
    """

    convention_id: Annotated[str, Field(max_length=64)] = Field(title="Convention")
    held_on: LegalDay = Field(title="Tenu le")
    for_youth: bool = Field(title="Pour des jeunes")
    joint: bool = Field(title="Tenue avec la Ville")


def hold_action(
    tx: Tx, core: Core, body: CollectiveAction, action_id: str, agent_id: str, at: datetime
) -> None:
    """Record and count an action, in the month it was held. Raises UnknownName, InvalidPayload."""
    signed = own_convention(core, body.convention_id)
    if signed.convention.code != CONVENTION.code:
        raise UnknownName("Cette convention ne prévoit pas d'action collective.", code="no_action")
    if signed.opens_on is None or not signed.opens_on <= body.held_on <= day_of(at):
        raise InvalidPayload(
            "Une action a eu lieu, depuis l'entrée en vigueur de la convention.",
            fields=(("held_on", "out_of_range"),),
        )
    row = {"action_id": action_id, "agent_id": agent_id, **body.model_dump()}
    tx.execute(collective_actions.insert().values(**row))
    held = midnight(body.held_on)
    count(tx, signed.id, "collective_action", "youth" if body.for_youth else "other", held)
    if body.joint:
        count(tx, signed.id, "joint_action", "joint", held)
    core.journal.note(tx, "collective_action.held", agent_id, at, articles=("C-3c.1",))
    daily(tx, core, at)


def held_in(tx: Tx, convention_id: str, month: date) -> tuple[int, int]:
    """Actions of the month that begins on a day, and those for young people among them."""
    table = collective_actions
    this = (table.c.held_on >= month) & (table.c.held_on < add_months(month, 1))
    query = select(table.c.for_youth, func.count().label("number"))
    rows = tx.execute(
        query.where(this & (table.c.convention_id == convention_id)).group_by(table.c.for_youth)
    ).all()
    numbers = {row.for_youth: int(row.number) for row in rows}
    return sum(numbers.values()), numbers.get(True, 0)


CLOCKS: Final = {
    MONTHLY: Clock(
        kind=MONTHLY, article="C-3c.1", label="Actions collectives du mois", told_to={Right.READ}
    )
}


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """What is due this month, in each convention that holds through the whole of it (C-3c.1).

    A month that ended short is late for one month more, in which what was held may still be
    recorded; then it is left alone, since nothing can be held in it any more.
    """
    first = day_of(at).replace(day=1)
    before = add_months(first, -1)
    for signed in own(core):
        opens, ends = signed.opens_on, signed.ends_on
        over = opens is None or ends is None or at >= midnight(ends)
        _leave(tx, signed.id, None if over else midnight(before), at)
        if opens is None or ends is None or over:
            continue
        for month in (before, first):
            end, subject = add_months(month, 1), f"{signed.id}:{month:%Y-%m}"
            if opens > month or ends < end:
                continue
            if enough_actions(*held_in(tx, signed.id, month)):
                meet(tx, MONTHLY, subject, at)
            elif month == first:
                arm(tx, core, Due(kind=MONTHLY, subject=subject, due_at=midnight(end)), at)


def _leave(tx: Tx, convention_id: str, until: datetime | None, at: datetime) -> None:
    """End what waits about months that were due until then; about every month without a bound."""
    table = tables.deadlines
    waits = (table.c.kind == MONTHLY) & table.c.state.in_((PENDING, MISSED))
    if until is not None:
        waits &= table.c.due_at <= until
    mine = table.c.subject.startswith(f"{convention_id}:", autoescape=True)
    for subject in tx.execute(select(table.c.subject).where(waits & mine)).scalars().all():
        cancel(tx, MONTHLY, subject, at)
