"""Rows of convention C's employer axis: found, written and destroyed; one case at a time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Table, delete, select, update

from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import casefile, deadlines, standing, tables, withheld
from services.chassis.database import Tx
from services.conventions.c_employment_city_ccas.models import (
    booklets,
    candidacies,
    immersions,
    offers,
)

KEPT_MONTHS: Final = 2
"""Months for which an ended case is kept (C-6.5)."""

WAITING, MET, RETAINED, NOT_RETAINED = "waiting", "met", "retained", "not_retained"
LAPSED, STOPPED, CLOSED = "lapsed", "stopped", "closed"
"""States: a candidacy waits, was met, is retained or not; it lapsed without an answer; the person
stopped it. A case that is over is closed."""


PEC: Final = "pec"
_MATTERS: Final = {PEC: candidacies, "immersion": immersions}


def matter_of(tx: Tx, case_id: str) -> str:
    """Which kind of case of this axis it is; empty where it is none."""
    return casefile.matter_of(tx, _MATTERS, case_id)


def table_of(tx: Tx, case_id: str) -> Table | None:
    """Where the row of a case of this axis lies; None where it is none."""
    return _MATTERS.get(matter_of(tx, case_id))


def close_case(tx: Tx, case_id: str, at: datetime, since: date | None = None) -> None:
    """End a case in good order: nothing flows in it any more, nor is anything shown (C-5.3).

    since: day from which it is kept two months more; today without one (C-6.5).
    """
    cases = tables.cases
    tx.execute(
        update(cases)
        .where((cases.c.case_id == case_id) & (cases.c.state == "open"))
        .values(state=CLOSED, closed_at=at)
    )
    keep_until(tx, case_id, since or day_of(at))
    withheld.forget(tx, (case_id,))
    deadlines.cancel_case(tx, case_id, at)


def keep_until(tx: Tx, case_id: str, since: date) -> None:
    """Have a case destroyed two months after a day, whether it is closed by then or not (C-6.5)."""
    cases, until = tables.cases, midnight(add_months(since, KEPT_MONTHS))
    tx.execute(update(cases).where(cases.c.case_id == case_id).values(retain_until=until))
    tx.forget(standing.CASES, case_id)


def booklets_of(tx: Tx, case_id: str) -> dict[str, Row[Any]]:
    """Booklets of a contract that were asked for, by step."""
    rows = tx.execute(select(booklets).where(booklets.c.case_id == case_id)).all()
    return {row.step: row for row in rows}


def forget_offers(tx: Tx, today: date) -> int:
    """Destroy the offers that closed before today (C-6.5)."""
    return tx.execute(delete(offers).where(offers.c.closes_on < today)).rowcount
