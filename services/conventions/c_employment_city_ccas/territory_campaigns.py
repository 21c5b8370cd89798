"""Campaigns that the agency sends for others, statistical tables, and what is told outside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Final

from sqlalchemy import delete, select, update

from contracts.conventions.c_employment_city_ccas import messages
from contracts.kernel.paris import day_of, midnight
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, arm, cancel, meet
from services.chassis.tokens import Right
from services.conventions.c_employment_city_ccas.territory_models import (
    announcements,
    campaigns,
    censuses,
)
from services.conventions.c_employment_city_ccas.territory_store import (
    Apply,
    Told,
    counted,
    drop,
)

SEND: Final = "campaign.send"
"""Kind of deadline: the agency sends before the event."""


def _requested(tx: Tx, core: Core, told: Told) -> None:
    content: messages.CampaignRequested = told.content
    counted(tx, core, told, "campaign", "requested")
    values = content.model_dump()
    values["event_at"] = values.pop("at")
    tx.execute(
        campaigns.insert().values(
            message_id=told.message_id,
            partner=told.partner,
            asked_here=told.leaves,
            asked_at=told.said_at,
            **values,
        )
    )
    if not told.leaves:
        due = Due(kind=SEND, subject=told.message_id, due_at=content.at)
        arm(tx, core, due, told.at)


def _sent(tx: Tx, core: Core, told: Told) -> None:
    """The oldest request that waits is done: when, and how many if they are enough (C-3e.4)."""
    content: messages.CampaignSent = told.content
    counted(tx, core, told, "campaign", "sent")
    table = campaigns
    asker = (table.c.partner == told.partner) & table.c.asked_here.is_(not told.leaves)
    waits = select(table.c.message_id).where(asker & table.c.sent_on.is_(None))
    message_id = tx.execute(waits.order_by(table.c.asked_at, table.c.message_id)).scalar()
    if message_id is not None:
        this = update(table).where(table.c.message_id == message_id)
        tx.execute(this.values(**content.model_dump()))
        meet(tx, SEND, message_id, told.at)


def _census(tx: Tx, core: Core, told: Told) -> None:
    """The latest table takes the place of the one before; an older one says nothing new."""
    content: messages.CensusAggregate = told.content
    counted(tx, core, told, "census", content.table)
    values, table, org = content.model_dump(), censuses, told.sender(core)
    name = values.pop("table")
    same = (table.c.org == org) & (table.c.partner == told.partner) & (table.c.table_name == name)
    before: date | None = tx.execute(select(table.c.counted_on).where(same)).scalar()
    if before is not None and before > content.counted_on:
        return
    tx.execute(delete(table).where(same))
    tx.execute(table.insert().values(org=org, partner=told.partner, table_name=name, **values))


def _announced(tx: Tx, core: Core, told: Told) -> None:
    content: messages.CommunicationAnnounced = told.content
    counted(tx, core, told, "communication", content.subject)
    tx.execute(
        announcements.insert().values(
            message_id=told.message_id,
            partner=told.partner,
            sent_here=told.leaves,
            subject=content.subject,
            medium=content.medium,
            planned_on=content.on,
        )
    )


APPLY: Final[Mapping[str, Apply]] = {
    "campaign.requested": _requested,
    "campaign.sent": _sent,
    "census.aggregate": _census,
    "communication.announced": _announced,
}

CLOCKS: Final = {
    SEND: Clock(
        kind=SEND,
        article="C-3e.4",
        label="Envoyer la campagne avant l'événement",
        told_to={Right.READ},
    )
}


def daily(tx: Tx, at: datetime) -> None:
    """A campaign goes once its event is over, an announcement once it was published (C-6.5)."""
    today = day_of(at)
    over = campaigns.c.event_at < midnight(today)
    for message_id in tx.execute(select(campaigns.c.message_id).where(over)).scalars().all():
        cancel(tx, SEND, message_id, at)
    tx.execute(delete(campaigns).where(over))
    drop(tx, announcements.c.planned_on, today)
