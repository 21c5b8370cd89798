"""The proof that a convention's end destroyed what it had brought here (C-6.5).

Once the day has come and no case of it is left but those on hold, the node writes down, for that
end, how many cases it had destroyed and how many a dispute keeps. An amendment may reopen the
convention later; its next end has a proof of its own.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contracts.kernel.signed import SignedConvention, State
from services.chassis import convention_tables, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.holds import held_cases
from services.chassis.standing import ERASED

PURGED = "convention.purged"
"""Event of the journal."""


def record_purges(tx: Tx, core: Core, at: datetime) -> None:
    """Write the proof of each end whose day has come; anew when a hold has been released since."""
    for signed in core.directory.conventions.values():
        if core.org in signed.orgs and signed.state(at) is State.PURGED:
            _record(tx, core, signed, at)


def _record(tx: Tx, core: Core, signed: SignedConvention, at: datetime) -> None:
    ended_on = signed.ends_at(at)
    if ended_on is None:
        raise TypeError(signed.id)  # what has no end is never purged
    left, kept = _left(tx, signed.id)
    known = _known(tx.connection, signed.id, ended_on)
    if left > kept or (known is not None and known.kept == kept):
        return
    values = {"cases": _destroyed(tx, signed.id), "kept": kept, "done_at": at}
    table = convention_tables.purges
    if known is None:
        row = {"convention_id": signed.id, "ended_on": ended_on, **values}
        tx.execute(table.insert().values(**row))
    else:
        same = (table.c.convention_id == signed.id) & (table.c.ended_on == ended_on)
        tx.execute(update(table).where(same).values(**values))
    core.journal.note(tx, PURGED, None, at, articles=(signed.purge_article,))


def _left(tx: Tx, convention_id: str) -> tuple[int, int]:
    """Cases of a convention that are not destroyed, and those among them on hold."""
    cases = tables.cases
    there = (cases.c.instrument == convention_id) & (cases.c.state != ERASED)
    return _count(tx, there), _count(tx, there & cases.c.case_id.in_(held_cases()))


def _destroyed(tx: Tx, convention_id: str) -> int:
    cases = tables.cases
    return _count(tx, (cases.c.instrument == convention_id) & (cases.c.state == ERASED))


def _count(tx: Tx, where: Any) -> int:  # noqa: ANN401 -- SQLAlchemy's
    found = tx.execute(select(func.count()).select_from(tables.cases).where(where)).scalar()
    return int(found or 0)


def _known(connection: Connection, convention_id: str, ended_on: date) -> Row[Any] | None:
    table = convention_tables.purges
    same = (table.c.convention_id == convention_id) & (table.c.ended_on == ended_on)
    return connection.execute(select(table).where(same)).first()


def last_purges(connection: Connection) -> dict[str, Row[Any]]:
    """The latest proof, by convention."""
    table = convention_tables.purges
    rows = connection.execute(select(table).order_by(table.c.ended_on))
    return {row.convention_id: row for row in rows}
