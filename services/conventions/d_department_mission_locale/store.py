"""Rows of convention D: found, written and destroyed; one case at a time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, select, update

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.kernel.fields import Payload
from contracts.kernel.paris import add_months, day_of
from services.chassis import casefile, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.conventions.d_department_mission_locale.models import (
    foundations,
    holder_notices,
    referents,
    youths,
)

KEPT_MONTHS: Final = 3
"""Months for which an ended case is kept (D-8.1)."""

OPEN, CLOSED, STOPPED = "open", "closed", "stopped"
"""States of a case here: it runs, it ended in good order, or the young person stopped it."""

FORGOTTEN: Final = "youth.forgotten"
"""Kind of deadline at which one part of a case is destroyed, each after its own event (D-8.1)."""

PARTS: Final = {
    "request": ("request",),
    "interview": (
        "interview_invited_at",
        "interview",
        "interview_attends",
        "interview_adviser",
        "interview_held_on",
    ),
    "project": ("project_actions", "project_starts_on", "project_ends_on"),
    "contract": ("contract_proposed_at", "contract"),
}
"""Columns of each part that is kept for a time of its own; the rest goes with the case."""


def close_case(tx: Tx, case_id: str, at: datetime) -> None:
    """End a case in good order, and keep it some months (D-8.1)."""
    casefile.close_case(tx, case_id, add_months(day_of(at), KEPT_MONTHS), at)


def part(name: str, case_id: str) -> str:
    """Subject under which the destruction of a part of a case is due."""
    return f"{name}:{case_id}"


def forget_part(tx: Tx, subject: str) -> None:
    """Destroy a part of a case, if the case is still there."""
    name, _, case_id = subject.partition(":")
    casefile.change(tx, youths, case_id, **dict.fromkeys(PARTS[name]))


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
    """Make somebody the one referent of a side; the former has no access from now on (D-1.4)."""
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


def founded(tx: Tx, core: Core, partner: str, day: date) -> dict[str, date]:
    """Since when each foundation is recorded for the convention with a partner (D-5.1, D-8.1)."""
    table = foundations
    signed = core.between(partner)
    ids = [one.id for one in signed if one.convention.code == CONVENTION.code]
    query = (
        select(table.c.what, table.c.decided_on)
        .where(table.c.convention_id.in_(ids) & (table.c.decided_on <= day))
        .order_by(table.c.decided_on.desc())
    )
    return {row.what: row.decided_on for row in tx.execute(query)}


def informed_at(tx: Tx, person_id: str, at: datetime) -> datetime | None:
    """Since when the holder of parental authority is informed; None where nobody told them."""
    table = holder_notices
    told = (table.c.person_id == person_id) & (table.c.given_at <= at)
    query = select(table.c.given_at).where(told).order_by(table.c.given_at)
    return tx.execute(query).scalar()


def not_proposed(connection: Connection) -> list[str]:
    """Open cases in which nobody has proposed the youth contract yet, oldest first (D-1.9)."""
    query = (
        select(youths.c.case_id, youths.c.counted)
        .where(youths.c.state == OPEN)
        .order_by(youths.c.at, youths.c.case_id)
    )
    return [row.case_id for row in connection.execute(query) if "proposed" not in row.counted]


def erase(tx: Tx, case_id: str) -> int:
    """Drop what was still to be destroyed of a case, part by part; returns how many parts."""
    waiting, subjects = tables.deadlines, [part(name, case_id) for name in PARTS]
    which = (waiting.c.kind == FORGOTTEN) & waiting.c.subject.in_(subjects)
    return tx.execute(delete(waiting).where(which)).rowcount
