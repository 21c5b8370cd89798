"""The life of a signed convention beside its messages: reviews, insurance, its end drawing near.

What its dates make due is set anew each day, and whenever the signed documents change, so that an
amendment or a termination notice moves the deadlines that rest on it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection, delete, func, select

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LegalDay, ShortText
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import convention_tables
from services.chassis.deadlines import Clock, Due, cancel, keep_one
from services.chassis.tokens import Right

if TYPE_CHECKING:
    from contracts.kernel.signed import SignedConvention
    from services.chassis.core import Core
    from services.chassis.database import Tx

REVIEW, INSURANCE = "convention.review", "convention.insurance"
TERM, NOTICE = "convention.term", "convention.notice"

CLOCKS: Final = {
    kind: Clock(kind=kind, article="", label=label, automatic=automatic, told_to={Right.READ})
    for kind, label, automatic in (
        (REVIEW, "Réunion d'évaluation de la convention", False),
        (INSURANCE, "Assurance à enregistrer ou à renouveler", False),
        (TERM, "Fin de la convention, sauf avenant", True),
        (NOTICE, "Fin du préavis de résiliation", True),
    )
}
"""Kinds of deadlines that every node has; each rests on the article of its own convention."""

INSURED_WITHIN: Final = timedelta(days=30)
"""Time to record an insurance once a convention opens, and before it ends to renew it: a proposal,
since the text sets none."""
TERM_MONTHS: Final = 6
"""Months before its term from which an ending convention is on everybody's list; a proposal."""


class Review(BaseModel):
    """Body of ``POST /conventions/{id}/reviews``: the day on which the parties met."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    held_on: LegalDay


class Insurance(BaseModel):
    """Body of ``POST /conventions/{id}/insurances``: the number of a policy, from when to when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    policy: ShortText
    first_day: LegalDay
    last_day: LegalDay

    @model_validator(mode="after")
    def _in_order(self) -> Insurance:
        if self.last_day < self.first_day:
            raise PydanticCustomError("order", "an insurance ends after it begins")
        return self


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """Set what the dates of every convention of this organisation make due."""
    for signed in core.directory.conventions.values():
        if core.org in signed.orgs:
            _follow(tx, core, signed, at)


def _follow(tx: Tx, core: Core, signed: SignedConvention, at: datetime) -> None:
    wanted = dict(_wanted(tx, signed, at))
    for kind in CLOCKS:
        day, article = wanted.get(kind, (None, ""))
        if day is None:
            cancel(tx, kind, signed.id, at)
        else:
            due = Due(kind=kind, subject=signed.id, due_at=midnight(day), article=article)
            keep_one(tx, core, due, at)


def _wanted(tx: Tx, signed: SignedConvention, at: datetime) -> list[tuple[str, tuple[date, str]]]:
    """Each kind of deadline that a convention has now: its day and its article."""
    opens, ends, text = signed.opens_on, signed.ends_on, signed.convention
    if opens is None or ends is None or at >= midnight(ends):
        return []
    found = []
    review = next_review(opens, last_reviews(tx.connection).get(signed.id), text.review_months)
    if review < ends:
        found.append((REVIEW, (review, text.review_article)))
    if text.insurance_article is not None:
        found.append((INSURANCE, (_insured_by(tx, signed.id, opens), text.insurance_article)))
    if signed.notice_ends_on is not None and signed.notice_ends_on == ends:
        found.append((NOTICE, (ends, text.termination.article)))
    elif at >= midnight(add_months(ends, -TERM_MONTHS)):
        found.append((TERM, (ends, text.term.article)))
    return found


def next_review(opens: date, held: date | None, months: int) -> date:
    """Day by which the parties meet again: so long after they did, or after it opened (A-8.1)."""
    return add_months(opens if held is None else max(opens, held), months)


def last_reviews(connection: Connection) -> dict[str, date]:
    """Day of the last meeting that was recorded, by convention."""
    table = convention_tables.reviews
    query = select(table.c.convention_id, func.max(table.c.held_on).label("held_on"))
    found = connection.execute(query.group_by(table.c.convention_id))
    return {row.convention_id: row.held_on for row in found}


def _insured_by(tx: Tx, convention_id: str, opens: date) -> date:
    """Day by which a policy must be recorded: soon after the opening, or before the last ends."""
    table = convention_tables.insurances
    mine = table.c.convention_id == convention_id
    last: date | None = tx.execute(select(func.max(table.c.last_day)).where(mine)).scalar()
    return opens + INSURED_WITHIN if last is None else last - INSURED_WITHIN


def record_review(
    tx: Tx, core: Core, convention_id: str, review: Review, agent_id: str, at: datetime
) -> date:
    """Record that the parties met to evaluate; returns the day by which they meet again.

    Raises UnknownName; InvalidPayload for a day to come, or before the convention opened.
    """
    signed = own_convention(core, convention_id)
    opens = signed.opens_on
    if opens is None or not opens <= review.held_on <= day_of(at):
        raise InvalidPayload(
            "Une réunion d'évaluation a eu lieu, depuis l'entrée en vigueur de la convention.",
            fields=(("held_on", "out_of_range"),),
        )
    table = convention_tables.reviews
    same = (table.c.convention_id == convention_id) & (table.c.held_on == review.held_on)
    tx.execute(delete(table).where(same))
    row = {"convention_id": convention_id, "held_on": review.held_on, "agent_id": agent_id}
    tx.execute(table.insert().values(**row))
    text = signed.convention
    core.journal.note(tx, "review.held", agent_id, at, articles=(text.review_article,))
    _follow(tx, core, signed, at)
    return next_review(opens, last_reviews(tx.connection).get(convention_id), text.review_months)


def record_insurance(
    tx: Tx, core: Core, convention_id: str, policy: Insurance, agent_id: str, at: datetime
) -> None:
    """Record this organisation's insurance. Raises UnknownName where the text asks for none."""
    signed = own_convention(core, convention_id)
    article = signed.convention.insurance_article
    if article is None:
        raise UnknownName("Cette convention ne demande pas d'assurance.", code="no_insurance")
    table = convention_tables.insurances
    same = (table.c.convention_id == convention_id) & (table.c.last_day == policy.last_day)
    tx.execute(delete(table).where(same))
    row = {"convention_id": convention_id, "agent_id": agent_id, **policy.model_dump()}
    tx.execute(table.insert().values(**row))
    core.journal.note(tx, "insurance.recorded", agent_id, at, articles=(article,))
    _follow(tx, core, signed, at)


def own_convention(core: Core, convention_id: str) -> SignedConvention:
    """A convention that this organisation signed. Raises UnknownName."""
    signed = core.directory.conventions.get(convention_id)
    if signed is None or core.org not in signed.orgs:
        raise UnknownName("Cette convention n'est pas connue ici.", code="unknown_convention")
    return signed
