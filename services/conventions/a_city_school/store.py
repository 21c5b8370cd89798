"""Rows of convention A: found, written and destroyed; one case at a time."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Row, Table, delete, func, select, update

from contracts.conventions.a_city_school.measure import Status, complete
from contracts.conventions.a_city_school.messages import SIGNATORIES
from contracts.kernel.fields import Payload
from contracts.kernel.paris import day_of, midnight
from services.chassis import deadlines, standing, tables
from services.chassis.calendar import school_year_of_age_ends_on
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.scopes import case_scope
from services.conventions.a_city_school.models import measures, pathways, records, watch_cells

CLOSED = "closed"
"""State of a case that ended as it should."""

NOTICE_AGE: Final = 16
"""Years until the end of whose school year an attendance notice is kept (R131-10-1)."""


def pathway_of(tx: Tx, case_id: str | None) -> Row[Any] | None:
    """The shared support of a case."""
    return None if case_id is None else _row(tx, pathways, case_id)


def measure_of(tx: Tx, case_id: str | None) -> Row[Any] | None:
    """The measure of a case."""
    return None if case_id is None else _row(tx, measures, case_id)


def _row(tx: Tx, table: Table, case_id: str) -> Row[Any] | None:
    return tx.execute(select(table).where(table.c.case_id == case_id)).first()


def change(tx: Tx, table: Table, case_id: str, **values: Any) -> None:  # noqa: ANN401 -- columns
    """Change the row of a case."""
    tx.execute(update(table).where(table.c.case_id == case_id).values(**values))


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


def seal(core: Core, case_id: str, content: Payload, what: str) -> bytes:
    """Content under the case's key."""
    return core.keystore.seal(
        case_scope(case_id), content.model_dump_json().encode(), what.encode()
    )


def unseal(core: Core, case_id: str, sealed: bytes | None, what: str) -> Any:  # noqa: ANN401 -- JSON
    """What was sealed, as JSON; None where nothing was."""
    if sealed is None:
        return None
    return json.loads(core.keystore.open(case_scope(case_id), sealed, what.encode()))


def close_case(tx: Tx, case_id: str, retain_until: date, at: datetime) -> None:
    """End a case in good order: nothing flows in it any more, and retention runs (A-5.1)."""
    cases = tables.cases
    tx.execute(
        update(cases)
        .where((cases.c.case_id == case_id) & (cases.c.state == "open"))
        .values(state=CLOSED, closed_at=at, retain_until=midnight(retain_until))
    )
    tx.forget(standing.CASES, case_id)
    deadlines.cancel_case(tx, case_id, at)


def keep_notice(tx: Tx, case_id: str, birth: date) -> None:
    """Keep an attendance notice no later than the school year of the sixteenth birthday (A-0.3)."""
    cases, ends = tables.cases, school_year_of_age_ends_on(birth, NOTICE_AGE)
    tx.execute(update(cases).where(cases.c.case_id == case_id).values(retain_until=midnight(ends)))
    tx.forget(standing.CASES, case_id)


def erase(tx: Tx, case_id: str) -> int:
    """Destroy the rows of a case."""
    gone = (pathways, measures, records)
    return sum(tx.execute(delete(t).where(t.c.case_id == case_id)).rowcount for t in gone)


def forget_watch_cells(tx: Tx, until: datetime) -> int:
    """Destroy what is kept of watch cells that met until that instant."""
    return tx.execute(delete(watch_cells).where(watch_cells.c.at <= until)).rowcount
