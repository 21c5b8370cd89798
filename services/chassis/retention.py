"""Retention: what must be destroyed today, and its destruction with a certificate.

A case goes when its own date comes (A-5.1), or when the convention under which it was received is
purged; the partner is told. Working rows go when nothing can need them any more; proof goes last
(see `rules`). What a dispute keeps stays, with its proof, until the hold is released (A-12.1).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from contracts.kernel.paris import midnight
from contracts.kernel.signed import State
from services.chassis import schema, standing, tables
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Database, Tx
from services.chassis.erasure import erase_case, forget_person
from services.chassis.fates import fate_of
from services.chassis.holds import held_cases
from services.chassis.purges import record_purges
from services.chassis.rules import Rule, rules
from services.chassis.standing import ERASED

_log = logging.getLogger("relais.retention")


@dataclass(frozen=True, slots=True)
class Purge:
    """What is due, or what was destroyed: ids of cases, and rows by table.

    held: cases that would be due, were they not on hold.
    """

    cases: tuple[str, ...]
    rows: dict[str, int]
    held: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Everything counted once."""
        return len(self.cases) + sum(self.rows.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What one rule would destroy now. delay: from which event on and for how long, in French.

    held: how many a dispute keeps beyond their day. next_at: when the rule strikes again; None
    where nothing is there whose time runs.
    """

    table: str
    article: str
    delay: str
    due: int
    held: int
    next_at: datetime | None


def due(connection: Connection, core: Core, at: datetime) -> Purge:
    """What `purge` would destroy at that instant; changes nothing."""
    rows: Counter[str] = Counter()
    for rule in rules(core, at):
        rows[rule.table.name] += _count(connection, rule, rule.due(at))
    return Purge(
        tuple(row.case_id for row in _cases(connection, core, at)),
        dict(rows),
        tuple(row.case_id for row in _cases(connection, core, at, held=True)),
    )


def plan(connection: Connection, core: Core, at: datetime) -> list[Planned]:
    """Rule by rule, cases first, what would be destroyed at that instant; changes nothing."""
    found = [_planned_cases(connection, core, name, at) for name in _instruments(connection)]
    for rule in rules(core, at):
        late, struck = rule.late(at), rule.due(at)
        found.append(
            Planned(
                table=rule.table.name,
                article=rule.article,
                delay=rule.delay,
                due=_count(connection, rule, struck),
                held=_count(connection, rule, late & rule.kept),
                next_at=_next(connection, rule, at),
            )
        )
    return found


def _count(connection: Connection, rule: Rule, where: Any) -> int:  # noqa: ANN401 -- SQLAlchemy's
    query = select(func.count()).select_from(rule.table).where(where)
    return int(connection.execute(query).scalar() or 0)


def _next(connection: Connection, rule: Rule, at: datetime) -> datetime | None:
    if rule.since is None:
        return rule.next_at
    query = select(func.min(rule.since)).where(rule.running(rule.since, at))
    first = connection.execute(query).scalar()
    if first is None:
        return None
    return (first if isinstance(first, datetime) else midnight(first)) + rule.after


def _instruments(connection: Connection) -> Sequence[str]:
    cases = tables.cases
    query = select(cases.c.instrument).where(cases.c.state != ERASED).distinct()
    return sorted(connection.execute(query).scalars())


def _planned_cases(connection: Connection, core: Core, name: str, at: datetime) -> Planned:
    cases, signed = tables.cases, core.directory.conventions.get(name)
    mine = (cases.c.instrument == name) & (cases.c.state != ERASED)
    soonest = select(func.min(cases.c.retain_until)).where(mine & (cases.c.retain_until > at))
    ends = None if signed is None or signed.purged_on is None else midnight(signed.purged_on)
    following = [connection.execute(soonest).scalar(), ends]
    duty = core.registry.duties.get(name)
    article, title = ("", name) if duty is None else (duty.article, duty.title)
    if signed is not None:
        article, title = signed.purge_article, signed.convention.title
    return Planned(
        table=cases.name,
        article=article,
        delay=f"dossiers, {title} : à leur date, au plus tard après la fin de la convention",
        due=sum(row.instrument == name for row in _cases(connection, core, at)),
        held=sum(row.instrument == name for row in _cases(connection, core, at, held=True)),
        next_at=min((one for one in following if one is not None and one > at), default=None),
    )


async def purge(database: Database, core: Core, at: datetime) -> Purge:
    """Destroy what is due; certificates for cases, and word of it to the partner who holds one.

    Each case goes by itself, so that one that fails holds up no other; it is logged, and tried
    again at the next round.
    """
    found = await database.read(lambda c: _cases(c, core, at))
    held = await database.read(lambda c: _cases(c, core, at, held=True))
    gone = []
    for row in found:
        try:
            await database.write(partial(_purge_case, core=core, row=row, at=at))
            gone.append(row.case_id)
        except Exception as error:  # noqa: BLE001 -- see above
            _log.error("case_not_purged: %s", type(error).__name__)
    rows = await database.write(partial(_purge_rows, core=core, at=at))
    return Purge(tuple(gone), rows, tuple(row.case_id for row in held))


def _purge_case(tx: Tx, *, core: Core, row: Row[Any], at: datetime) -> None:
    done = erase_case(tx, core, row.case_id, core.new_id(), at)
    send_control(tx, core, "erasure.done", done, row.partner, row.instrument, at)


def _purge_rows(tx: Tx, *, core: Core, at: datetime) -> dict[str, int]:
    rows: Counter[str] = Counter()
    for rule in rules(core, at):
        rows[rule.table.name] += _destroy(tx, core, rule, at)
    record_purges(tx, core, at)
    tx.forget(standing.CASES)
    tx.forget(standing.PROOFS)
    tx.forget(standing.TOMBSTONES)
    tx.forget(standing.AGREEMENTS)
    tx.forget(standing.PERSONS)
    return dict(rows)


def _destroy(tx: Tx, core: Core, rule: Rule, at: datetime) -> int:
    """Carry out a rule; returns how many rows it struck."""
    table = rule.table
    if table is tables.persons:
        left = tx.execute(select(table.c.person_id).where(rule.due(at))).scalars().all()
        for person_id in left:
            forget_person(tx, core, person_id, at)
        return len(left)
    if table is schema.journal:  # the chain stays whole: the hash covers a commitment, not the ids
        removed = dict.fromkeys(fate_of(table).emptied.split())
        return tx.execute(update(table).where(rule.due(at)).values(removed)).rowcount
    return tx.execute(delete(table).where(rule.due(at))).rowcount


def _cases(
    connection: Connection, core: Core, at: datetime, *, held: bool = False
) -> Sequence[Any]:
    cases = tables.cases
    on_hold = cases.c.case_id.in_(held_cases())
    purged = [
        name
        for name, signed in core.directory.conventions.items()
        if signed.state(at) is State.PURGED
    ]
    late = (cases.c.retain_until <= at) | cases.c.instrument.in_(purged)
    query = select(cases.c.case_id, cases.c.partner, cases.c.instrument)
    there = (cases.c.state != ERASED) & (on_hold if held else ~on_hold)
    return connection.execute(query.where(late & there)).all()
