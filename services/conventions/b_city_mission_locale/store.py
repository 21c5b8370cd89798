"""Rows of convention B: found, written and destroyed; one case at a time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Table, delete, select, update

from contracts.kernel.fields import Payload
from contracts.kernel.paris import add_months, day_of
from services.chassis import casefile, standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.conventions.b_city_mission_locale.models import (
    cosupports,
    immersions,
    offers,
    orientations,
    psad_charters,
    referents,
    representative_notices,
)

KEPT_MONTHS: Final = 3
"""Months for which an ended case, or an ended offer, is kept (B-3.1)."""

WAITING, RECEIVED, OPEN, CLOSED, STOPPED = "waiting", "received", "open", "closed", "stopped"
"""States: an orientation waits or is received, a co-support is open; closed and stopped are ends.
An orientation that ended bears its outcome."""


_MATTERS: Final = {
    "orientation": orientations,
    "cosupport": cosupports,
    "immersion": immersions,
}


def matter_of(tx: Tx, case_id: str) -> str:
    """Which kind of case of convention B it is; empty where nothing is held of it."""
    return casefile.matter_of(tx, _MATTERS, case_id)


def table_of(tx: Tx, case_id: str) -> Table | None:
    """Where the row of a case lies; None where nothing is held of it."""
    return _MATTERS.get(matter_of(tx, case_id))


def close_case(tx: Tx, case_id: str, at: datetime) -> None:
    """End a case in good order, and keep it some months (B-3.1)."""
    casefile.close_case(tx, case_id, add_months(day_of(at), KEPT_MONTHS), at)


# --- the two referents, one at a time at each side


def keep(
    tx: Tx,
    core: Core,
    case_id: str,
    org: str,
    contact: Payload,
    at: datetime,
    agent_id: str | None = None,
) -> None:
    """Make somebody the one referent of a side; the former has no access from now on (B-2.13)."""
    table = referents
    mine = (table.c.case_id == case_id) & (table.c.org == org)
    tx.execute(update(table).where(mine & table.c.active).values(active=False, until=at))
    tx.execute(delete(table).where(mine & (table.c.since == at)))
    tx.execute(
        table.insert().values(
            case_id=case_id,
            org=org,
            since=at,
            active=True,
            agent_id=agent_id,
            contact=casefile.seal(core, case_id, contact, "referent"),
        )
    )


def referents_of(tx: Tx, case_id: str) -> dict[str, Row[Any]]:
    """Present referents of a case, by organisation: two once each side has named its own."""
    table = referents
    rows = tx.execute(select(table).where((table.c.case_id == case_id) & table.c.active)).all()
    return {row.org: row for row in rows}


# --- what was recorded beside any case


def birth_of(tx: Tx, core: Core, person_id: str | None) -> date | None:
    """Birth date of a person of one's own register; None where it holds nobody, or no longer."""
    row = None if person_id is None else tx.get(standing.PERSONS, person_id)
    if row is None or row.sealed is None:
        return None
    return standing.opened_person(tx, core, row.scope, row.sealed).identity.birth_date


def informed_at(tx: Tx, person_id: str, at: datetime) -> datetime | None:
    """Since when the representative of a person is informed; None where nobody told them."""
    table = representative_notices
    told = (table.c.person_id == person_id) & (table.c.given_at <= at)
    query = select(table.c.given_at).where(told).order_by(table.c.given_at)
    return tx.execute(query).scalar()


def charter_signed(tx: Tx, day: date) -> date | None:
    """Day on which the city signed the platform's charter, by then (B-2.1)."""
    signed = psad_charters.c.signed_on
    return tx.execute(select(signed).where(signed <= day).order_by(signed)).scalar()


def immersions_at(tx: Tx, person_id: str, host: str) -> list[Row[Any]]:
    """Immersions of a person at one host that took place, may yet, or wait for an answer."""
    table = immersions
    same = (table.c.person_id == person_id) & (table.c.partner == host)
    held = same & table.c.status.not_in(("declined", STOPPED))
    return list(tx.execute(select(table).where(held)).all())


def withdraw_service(tx: Tx, partner: str, name: str, *, here: bool) -> None:
    """Take away a service as one side presented it before."""
    same = (offers.c.partner == partner) & (offers.c.sent_here == here) & (offers.c.name == name)
    tx.execute(delete(offers).where(same))


def forget_offers(tx: Tx, today: date) -> None:
    """Destroy the offers that ended some months ago (B-3.1)."""
    dated = select(offers.c.message_id, offers.c.last_day).where(offers.c.last_day.is_not(None))
    rows = tx.execute(dated).all()
    over = [row.message_id for row in rows if add_months(row.last_day, KEPT_MONTHS) <= today]
    tx.execute(delete(offers).where(offers.c.message_id.in_(over)))
