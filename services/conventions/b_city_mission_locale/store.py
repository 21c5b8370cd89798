"""Rows of convention B: found, written and destroyed; one case at a time."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Table, delete, select, update

from contracts.kernel.fields import Payload
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import deadlines, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.scopes import case_scope
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


def row_of(tx: Tx, table: Table, case_id: str | None) -> Row[Any] | None:
    """The row of a case in one of the tables; None where the case is of another kind."""
    if case_id is None:
        return None
    return tx.execute(select(table).where(table.c.case_id == case_id)).first()


def table_of(tx: Tx, case_id: str) -> Table | None:
    """Which kind of case of convention B it is; None where it holds none."""
    for table in (orientations, cosupports, immersions):
        if row_of(tx, table, case_id) is not None:
            return table
    return None


def change(tx: Tx, table: Table, case_id: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Change the row of a case."""
    tx.execute(update(table).where(table.c.case_id == case_id).values(**values))


def seal(core: Core, case_id: str, content: Payload, what: str) -> bytes:
    """Content under the case's key."""
    plain = content.model_dump_json().encode()
    return core.keystore.seal(case_scope(case_id), plain, what.encode())


def unseal(core: Core, case_id: str, sealed: bytes | None, what: str) -> Any:  # noqa: ANN401 -- JSON
    """What was sealed, as JSON; None where nothing was."""
    if sealed is None:
        return None
    return json.loads(core.keystore.open(case_scope(case_id), sealed, what.encode()))


def close_case(tx: Tx, case_id: str, at: datetime) -> None:
    """End a case in good order: nothing flows in it any more, and retention runs (B-3.1)."""
    cases, until = tables.cases, midnight(add_months(day_of(at), KEPT_MONTHS))
    tx.execute(
        update(cases)
        .where((cases.c.case_id == case_id) & (cases.c.state == "open"))
        .values(state=CLOSED, closed_at=at, retain_until=until)
    )
    tx.forget(standing.CASES, case_id)
    deadlines.cancel_case(tx, case_id, at)


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
            contact=seal(core, case_id, contact, "referent"),
        )
    )


def referents_of(tx: Tx, case_id: str) -> dict[str, Row[Any]]:
    """Present referents of a case, by organisation: two once each side has named its own."""
    table = referents
    rows = tx.execute(select(table).where((table.c.case_id == case_id) & table.c.active)).all()
    return {row.org: row for row in rows}


# --- what was recorded beside any case


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


def erase(tx: Tx, case_id: str) -> int:
    """Destroy the rows of a case."""
    gone = (orientations, cosupports, referents, immersions)
    return sum(tx.execute(delete(t).where(t.c.case_id == case_id)).rowcount for t in gone)


def forget_notices(tx: Tx) -> int:
    """Destroy what was told about persons whom the register holds no more."""
    table, persons = representative_notices, tables.persons
    known = select(persons.c.person_id).where(persons.c.person_id == table.c.person_id)
    return tx.execute(delete(table).where(~known.exists())).rowcount


def withdraw_service(tx: Tx, partner: str, name: str, *, here: bool) -> None:
    """Take away a service as one side presented it before."""
    same = (offers.c.partner == partner) & (offers.c.sent_here == here) & (offers.c.name == name)
    tx.execute(delete(offers).where(same))


def forget_offers(tx: Tx, until: date) -> int:
    """Destroy the offers that ended until that day."""
    return tx.execute(delete(offers).where(offers.c.last_day <= until)).rowcount
