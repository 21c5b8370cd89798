"""Retention: what must be destroyed today, and its destruction with a certificate.

A case goes when its own date comes (A-5.1), or when the convention under which it was received is
purged; the partner is told. Working rows go when nothing can need them any more; proof goes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, select, update

from contracts.kernel.signed import State
from services.chassis import schema, standing, tables
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import ERASED, erase_case

REPLAYS = timedelta(days=62)
"""Ids of handled letters outlive the letters by this, so that none can be replayed."""

ANSWERS = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""


@dataclass(frozen=True, slots=True)
class Purge:
    """What is due, or what was destroyed: ids of cases, and rows by table."""

    cases: tuple[str, ...]
    rows: dict[str, int]

    @property
    def total(self) -> int:
        """Everything counted once."""
        return len(self.cases) + sum(self.rows.values())


def due(connection: Connection, core: Core, at: datetime) -> Purge:
    """What `purge` would destroy at that instant; changes nothing."""
    rows = {
        table.name: int(
            connection.execute(select(func.count()).select_from(table).where(where)).scalar() or 0
        )
        for table, where in _old(core, at)
    }
    rows["journal"] = int(
        connection.execute(
            select(func.count()).select_from(schema.journal).where(_old_lines(core, at))
        ).scalar()
        or 0
    )
    return Purge(tuple(row.case_id for row in _cases(connection, core, at)), rows)


def purge(tx: Tx, core: Core, at: datetime) -> Purge:
    """Destroy what is due; certificates for cases, and word of it to the partner who holds one."""
    cases = _cases(tx.connection, core, at)
    for row in cases:
        done = erase_case(tx, core, row.case_id, core.new_id(), at)
        send_control(tx, core, "erasure.done", done, row.partner, row.instrument, at)
    rows = {
        table.name: tx.execute(delete(table).where(where)).rowcount
        for table, where in _old(core, at)
    }
    # The chain stays whole: the hash covers a commitment, not the ids (design §10.15).
    removed = dict.fromkeys(("scope", "case_id", "agent_id", "facts_sealed"))
    aged = update(schema.journal).where(_old_lines(core, at)).values(removed)
    rows["journal"] = tx.execute(aged).rowcount
    tx.forget(standing.CASES)
    tx.forget(standing.PROOFS)
    tx.forget(standing.TOMBSTONES)
    return Purge(tuple(row.case_id for row in cases), rows)


def _cases(connection: Connection, core: Core, at: datetime) -> Sequence[Any]:
    cases = tables.cases
    purged = [
        name
        for name, signed in core.directory.conventions.items()
        if signed.state(at) is State.PURGED
    ]
    late = (cases.c.retain_until <= at) | cases.c.instrument.in_(purged)
    query = select(cases.c.case_id, cases.c.partner, cases.c.instrument)
    return connection.execute(query.where(late & (cases.c.state != ERASED))).all()


def _old(core: Core, at: datetime) -> list[tuple[Table, ColumnElement[bool]]]:
    proof = at - timedelta(days=core.policy.proof_days)
    outbox, inbox, dead = tables.outbox, tables.inbox, tables.dead_letters
    lists, held = tables.proof_lists, tables.held_proofs
    unused = ~exists().where(held.c.list_id == lists.c.list_id)
    return [
        (inbox, inbox.c.expires_at <= at - REPLAYS),
        (dead, dead.c.keep_until <= at),
        (tables.idempotency, tables.idempotency.c.created_at <= at - ANSWERS),
        (tables.proof_lists, (lists.c.received_at <= proof) & unused),
        (outbox, outbox.c.closed_at <= proof),
        (tables.receipts, tables.receipts.c.received_at <= proof),
        (tables.certificates, tables.certificates.c.done_at <= proof),
    ]


def _old_lines(core: Core, at: datetime) -> ColumnElement[bool]:
    lines = schema.journal
    return (lines.c.at <= at - timedelta(days=core.policy.proof_days)) & lines.c.scope.is_not(None)
