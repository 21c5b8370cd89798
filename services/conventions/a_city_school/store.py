"""Rows of convention A: found, written and destroyed; one case at a time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, delete, func, select, update

from contracts.conventions.a_city_school.measure import Status, complete
from contracts.conventions.a_city_school.messages import SIGNATORIES
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import casefile, standing, tables
from services.chassis.calendar import school_year_of_age_ends_on
from services.chassis.database import Tx
from services.conventions.a_city_school.models import measures, pathways, records, watch_cells

CELL_MONTHS: Final = 1
"""Months for which a watch cell is kept after it met (A-5.1)."""
NOTICE_AGE: Final = 16
"""Years until the end of whose school year an attendance notice is kept (R131-10-1)."""


def pathway_of(tx: Tx, case_id: str | None) -> Row[Any] | None:
    """The shared support of a case."""
    return casefile.row_of(tx, pathways, case_id)


def measure_of(tx: Tx, case_id: str | None) -> Row[Any] | None:
    """The measure of a case."""
    return casefile.row_of(tx, measures, case_id)


def note(tx: Tx, case_id: str, what: str, at: datetime, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Add one line to what happened in a case."""
    last = tx.execute(
        select(func.max(records.c.number)).where(records.c.case_id == case_id)
    ).scalar()
    line = {"case_id": case_id, "number": (last or 0) + 1, "what": what, "at": at, **values}
    tx.execute(records.insert().values(**line))


def noted(tx: Tx, case_id: str, what: str) -> list[Row[Any]]:
    """Lines of one kind, oldest first."""
    where = (records.c.case_id == case_id) & (records.c.what == what)
    return list(tx.execute(select(records).where(where).order_by(records.c.number)).all())


def signed_days(row: Row[Any]) -> dict[str, date]:
    """Days of the signatures that a measure's contract bears, by role."""
    found = {role: getattr(row, role) for role in SIGNATORIES}
    return {role: day for role, day in found.items() if day is not None}


def runs(row: Row[Any], at: datetime) -> bool:
    """Whether a measure is under way at an instant: by its days and signatures, not by a tick."""
    if row.status not in {Status.SIGNED, Status.RUNNING} or row.first_day is None:
        return False
    return complete(signed_days(row)) and row.first_day <= day_of(at) <= row.last_day


def keep_notice(tx: Tx, case_id: str, birth: date) -> None:
    """Keep an attendance notice no later than the school year of the sixteenth birthday (A-0.3)."""
    cases, ends = tables.cases, school_year_of_age_ends_on(birth, NOTICE_AGE)
    tx.execute(update(cases).where(cases.c.case_id == case_id).values(retain_until=midnight(ends)))
    tx.forget(standing.CASES, case_id)


def forget_records(tx: Tx, case_id: str, what: str) -> None:
    """Destroy the lines of one kind of a case."""
    tx.execute(delete(records).where((records.c.case_id == case_id) & (records.c.what == what)))


def forget_contract(tx: Tx, case_id: str) -> None:
    """Destroy what is kept of a contract and of its end; that there was a measure stays."""
    gone = ("first_day", "last_day", "contract", "ended_on", "outcome", *SIGNATORIES)
    casefile.change(tx, measures, case_id, **dict.fromkeys(gone))


def forget_watch_cells(tx: Tx, today: date) -> None:
    """Destroy what is kept of watch cells that met a month ago or earlier (A-5.1)."""
    met = tx.execute(select(watch_cells.c.message_id, watch_cells.c.at)).all()
    over = [row.message_id for row in met if add_months(day_of(row.at), CELL_MONTHS) <= today]
    tx.execute(delete(watch_cells).where(watch_cells.c.message_id.in_(over)))
