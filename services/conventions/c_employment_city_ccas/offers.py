"""Offers of supported contracts: published by the employer, open until they close."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, delete, select

from contracts.conventions.c_employment_city_ccas.messages import OfferPublished
from contracts.kernel.errors import Refused
from contracts.kernel.paris import day_of
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.rendering import day_in_words
from services.chassis.partner import ANEW, Question
from services.chassis.tally import count
from services.conventions.c_employment_city_ccas import tutors
from services.conventions.c_employment_city_ccas.models import employer_interviews, offers
from services.conventions.c_employment_city_ccas.steps import Step
from services.conventions.c_employment_city_ccas.territory_store import joining


def published(tx: Tx, core: Core, step: Step) -> None:
    """Keep an offer on either side; published again, it takes the place of the former one.

    Raises Refused at the employer where it says that a tutor is eligible and none is (C-3a.6).
    """
    said: OfferPublished = step.content
    today = day_of(step.at)
    if step.leaves and said.eligible_tutor and not tutors.eligible(tx, today, said.starts_on):
        raise Refused(
            "Aucun tuteur éligible n'est au registre : ne pas dire qu'il y en a un.",
            articles=("C-3a.6",),
        )
    same = (offers.c.offer_id == said.offer_id) & (offers.c.partner == step.partner)
    tx.execute(delete(offers).where(same))
    values = {"partner": step.partner, "sent_here": step.leaves, "at": step.at}
    tx.execute(offers.insert().values(**values, **said.model_dump()))
    for signed in joining(core, step.partner, step.at)[:1]:
        count(tx, signed.id, "pec.offer", "published", step.said_at)


def open_offer(tx: Tx, asked: Question, offer_id: str | None) -> datetime | None:
    """Since when an offer is open between the two; None where it is unknown or closed."""
    if asked.partner is None:
        return None
    table, today = offers, day_of(asked.at)
    same = (table.c.offer_id == offer_id) & (table.c.partner == asked.partner.org)
    return tx.execute(select(table.c.at).where(same & (table.c.closes_on >= today))).scalar()


def interviewed(tx: Tx, asked: Question) -> dict[str, datetime]:
    """Whether the employer had its diagnostic interview with the agency (C-3a.1)."""
    table = employer_interviews
    held = tx.execute(select(table.c.held_on).where(table.c.held_on <= day_of(asked.at))).first()
    return {} if held is None else {"employer_interview": asked.at}


def interview(tx: Tx, core: Core, held_on: date, agent_id: str, at: datetime) -> None:
    """Record the employer's diagnostic interview (C-3a.1); refuses a day to come."""
    if held_on > day_of(at):
        raise Refused("Un entretien a eu lieu : pas de date à venir.", articles=("C-3a.1",))
    tx.execute(delete(employer_interviews).where(employer_interviews.c.held_on == held_on))
    tx.execute(employer_interviews.insert().values(held_on=held_on, agent_id=agent_id))
    core.journal.note(tx, "employer.interviewed", agent_id, at, articles=("C-3a.1",))


def _open_ones(tx: Tx, at: datetime, *, sent_here: bool) -> list[tuple[str, str]]:
    """Offers of one side that are not closed, the latest first, as somebody tells them apart."""
    mine = (offers.c.sent_here == sent_here) & (offers.c.closes_on >= day_of(at))
    return [
        (row.offer_id, f"{row.post}, à partir du {day_in_words(row.starts_on)} ({row.trade})")
        for row in tx.execute(select(offers).where(mine).order_by(offers.c.at.desc()))
    ]


def to_publish(tx: Tx, _core: Core, _case_id: str | None, at: datetime) -> list[tuple[str, str]]:
    """A new offer, or one of the employer's own to publish again in another's place."""
    known = _open_ones(tx, at, sent_here=True)
    again = [(number, f"À la place de : {words}") for number, words in known]
    return [(ANEW, "Une nouvelle offre"), *again]


def to_answer(tx: Tx, _core: Core, _case_id: str | None, at: datetime) -> list[tuple[str, str]]:
    """Offers of the employer for which somebody may be proposed."""
    return _open_ones(tx, at, sent_here=False)


def listed(rows: list[Row[Any]]) -> list[dict[str, Any]]:
    """Offers as agents see them."""
    return [
        {
            "offer_id": row.offer_id,
            "sent_here": row.sent_here,
            "post": row.post,
            "trade": row.trade,
            "weekly_hours": row.weekly_hours,
            "starts_on": row.starts_on.isoformat(),
            "closes_on": row.closes_on.isoformat(),
            "eligible_tutor": row.eligible_tutor,
            "may_become_permanent": row.may_become_permanent,
        }
        for row in rows
    ]
