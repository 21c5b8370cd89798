"""Deadlines: what is due, when, on which article; kept in the database, missed exactly once.

A deadline is set and met inside the transaction of the act that sets or meets it. One that passes
is closed as missed in the very transaction that does what follows from it (a reminder, an
escalation, the next deadline), so that nothing follows twice after a restart, and what fell due
while the node slept follows when it wakes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, case, delete, select, update

from services.chassis import tables
from services.chassis.journal import Entry
from services.chassis.tokens import Right

if TYPE_CHECKING:
    from services.chassis.core import Core
    from services.chassis.database import Tx

PENDING, MISSED = "pending", "missed"
"""What waits for somebody: it runs, or it has passed and nobody has done it yet."""

MET, LATE, CANCELLED = "met", "late", "cancelled"
"""How it ended: in time, after it had passed, or because nothing is due any more."""

_AT_ONCE = 200
"""Missed deadlines handled in one round, at most; the next one takes the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One deadline: what about, until when. level: how often it was already escalated.

    article: on which it rests, where that is not the same for all of its kind.
    """

    kind: str
    subject: str
    due_at: datetime
    case_id: str | None = None
    level: int = 0
    article: str = ""


Missed = Callable[["Tx", "Core", Due, datetime], None]


def _only_shown(_tx: Tx, _core: Core, _due: Due, _at: datetime) -> None:
    """Nothing follows but that agents see it as late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A kind of deadline. label: what agents read. missed: what follows when it passes.

    article: empty where each deadline brings its own. automatic: the node does it by itself, so
    that nobody is late. told_to: with which rights one is told its subject, where it belongs to
    no case; as a rule it leads to a person, for whoever keeps the register (GDPR 32.4).
    """

    kind: str
    article: str
    label: str
    missed: Missed = _only_shown
    automatic: bool = False
    told_to: Collection[Right] = frozenset({Right.REGISTER})


Clocks = Mapping[str, Clock]


def arm(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """Set a deadline; one that runs already for the same subject and level stays as it is.

    Raises KeyError for a kind that the node does not know.
    """
    table = tables.deadlines
    same = _same(due.kind, due.subject) & (table.c.level == due.level)
    if tx.execute(select(table.c.deadline_id).where(same)).first() is None:
        arm_new(tx, core, due, at)


def arm_new(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """Set a deadline for a subject that has none yet, as a new case has not; nothing is read."""
    tx.insert(
        tables.deadlines,
        {
            "deadline_id": core.new_id(),
            "kind": due.kind,
            "subject": due.subject,
            "level": due.level,
            "case_id": due.case_id,
            "article": due.article or core.clocks[due.kind].article,
            "due_at": due.due_at,
            "state": PENDING,
            "armed_at": at,
        },
    )


def meet(tx: Tx, kind: str, subject: str, at: datetime) -> bool:
    """Close what runs, or has passed, of that kind for a subject; whether anything did."""
    return _close(tx, _same(kind, subject), MET, at)


def _close(tx: Tx, which: ColumnElement[bool], state: str, at: datetime) -> bool:
    table = tables.deadlines
    waits = which & table.c.state.in_((PENDING, MISSED))
    late = case((table.c.state == MISSED, LATE), else_=state)
    return bool(tx.execute(update(table).where(waits).values(state=late, closed_at=at)).rowcount)


def move(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """Set a deadline anew, in the place of one that runs for the same subject."""
    _close(tx, _same(due.kind, due.subject), CANCELLED, at)
    table = tables.deadlines
    highest = tx.execute(
        select(table.c.level).where(_same(due.kind, due.subject)).order_by(table.c.level.desc())
    ).scalar()
    level = due.level if highest is None else highest + 1
    arm(tx, core, replace(due, level=level), at)


def keep_one(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    """Let this deadline, and no other of its kind, wait for its subject; set already, it stays."""
    table = tables.deadlines
    waits = _same(due.kind, due.subject) & table.c.state.in_((PENDING, MISSED))
    if due.due_at not in tx.execute(select(table.c.due_at).where(waits)).scalars().all():
        move(tx, core, due, at)


def cancel(tx: Tx, kind: str, subject: str, at: datetime) -> None:
    """End what waits of that kind for a subject: nothing is due any more."""
    _close(tx, _same(kind, subject), CANCELLED, at)


def cancel_subject(tx: Tx, subject: str, at: datetime, unless: str = "") -> None:
    """End every deadline of a subject that is over; unless: but those of one kind."""
    table = tables.deadlines
    _close(tx, (table.c.subject == subject) & (table.c.kind != unless), CANCELLED, at)


def cancel_case(tx: Tx, case_id: str, at: datetime) -> None:
    """End every deadline of a case that is over."""
    _close(tx, tables.deadlines.c.case_id == case_id, CANCELLED, at)


def unset(tx: Tx, deadline_id: str) -> None:
    """Take back one that has passed and that was never due, with the reminders that followed it.

    One that somebody met or moved stays, and so does what the node did by itself when it passed.
    """
    table = tables.deadlines
    missed = (table.c.deadline_id == deadline_id) & (table.c.state == MISSED)
    row = tx.execute(delete(table).where(missed).returning(*table.c)).first()
    if row is not None:
        later = _same(row.kind, row.subject) & (table.c.level > row.level)
        tx.execute(delete(table).where(later & table.c.state.in_((PENDING, MISSED))))


def _same(kind: str, subject: str) -> ColumnElement[bool]:
    return (tables.deadlines.c.kind == kind) & (tables.deadlines.c.subject == subject)


def passed(connection: Connection, at: datetime) -> list[str]:
    """Deadlines that have passed and that nothing has followed yet, oldest first."""
    table = tables.deadlines
    late = (table.c.state == PENDING) & (table.c.due_at <= at)
    query = select(table.c.deadline_id).where(late).order_by(table.c.due_at, table.c.deadline_id)
    return list(connection.execute(query.limit(_AT_ONCE)).scalars())


def strike(tx: Tx, core: Core, deadline_id: str, at: datetime) -> None:
    """Close one as missed, and do what follows; nothing if it was met or struck meanwhile."""
    table = tables.deadlines
    running = (table.c.deadline_id == deadline_id) & (table.c.state == PENDING)
    row = tx.execute(
        update(table).where(running).values(state=MISSED, closed_at=at).returning(*table.c)
    ).first()
    if row is None:
        return
    clock = core.clocks[row.kind]
    if clock.automatic:
        mine = table.c.deadline_id == deadline_id
        tx.execute(update(table).where(mine).values(state=MET))
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="deadline.struck" if clock.automatic else "deadline.missed",
            message_id=deadline_id,
            flow=row.kind,
            outcome=MET if clock.automatic else MISSED,
            articles=(row.article,),
        ),
    )
    due = Due(
        kind=row.kind,
        subject=row.subject,
        due_at=row.due_at,
        case_id=row.case_id,
        level=row.level,
        article=row.article,
    )
    clock.missed(tx, core, due, at)


def again(due: Due, after: timedelta, at: datetime) -> Due:
    """The same deadline one level up, some time from now."""
    return replace(due, due_at=at + after, level=due.level + 1)


def waiting(tx: Tx, most: int) -> Sequence[Row[Any]]:
    """Deadlines that run or were missed, soonest first."""
    table = tables.deadlines
    waits = table.c.state.in_((PENDING, MISSED))
    return tx.execute(select(table).where(waits).order_by(table.c.due_at).limit(most)).all()


def shown(row: Row[Any], clocks: Clocks, rights: Collection[Right]) -> dict[str, Any]:
    """A deadline as somebody with these rights sees it: what, on which article, until when.

    What belongs to a case is told whole: whoever may not open the case is not to be shown it.
    """
    clock = clocks.get(row.kind)
    told_to = () if clock is None else clock.told_to
    told = row.case_id is not None or any(right in rights for right in told_to)
    return {
        "kind": row.kind,
        "label": row.kind if clock is None else clock.label,
        "article": row.article,
        "subject": row.subject if told else None,
        "case_id": row.case_id,
        "due_at": row.due_at.isoformat(),
        "state": row.state,
        "level": row.level,
    }
