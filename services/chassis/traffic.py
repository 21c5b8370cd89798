"""Messages that left and came, as lists: ids, codes and dates, for whoever they concern.

Whoever reads the journal sees all of them there (GDPR 5.2, 32). Anybody else sees those of the
cases that he may open, those that belong to no case, and what he sent himself: that somebody is
followed, by whom and for what, is itself said of that person (GDPR 32.4; need to know).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, Connection, Row, Select, Table, select, tuple_

from contracts.kernel.fields import Instant
from services.chassis import standing, tables
from services.chassis.acts import Reach
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.letters import CONTROL, RECEIPT, State
from services.chassis.schema import journal
from services.chassis.tokens import RIGHTS, Agent, Right
from services.chassis.views import PAGE, instant

_LOOKED_AT: Final = 1000
"""Rows looked at for one answer, so that many that are others' do not make it slow."""


class MessageFilter(BaseModel):
    """Query of ``GET /messages``. before: those older than the message of that number."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = None
    type: str | None = None
    since: Instant | None = None
    before: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    limit: int = Field(default=PAGE, ge=1, le=PAGE)


class ArrivalFilter(BaseModel):
    """Query of ``GET /arrivals``. before: those older than the message of that number."""

    model_config = ConfigDict(extra="forbid")

    since: Instant | None = None
    before: str | None = Field(default=None, pattern=r"^[0-9a-f]{32}$")
    limit: int = Field(default=PAGE, ge=1, le=PAGE)


Listed = tuple[list[dict[str, Any]], str | None]
"""Rows of one answer, and the number before which the next one goes on; None at the end."""


def messages(tx: Tx, core: Core, agent: Agent, wanted: MessageFilter, at: datetime) -> Listed:
    """Letters sent, newest first."""
    outbox = tables.outbox
    query = select(*_OUTBOX).where(outbox.c.kind != RECEIPT)
    if wanted.state is not None:
        query = query.where(outbox.c.state == wanted.state)
    if wanted.type is not None:
        query = query.where(outbox.c.type == wanted.type)
    return _listed(tx, core, agent, query, outbox, outbox.c.created_at, _message, wanted, at)


def arrivals(tx: Tx, core: Core, agent: Agent, wanted: ArrivalFilter, at: datetime) -> Listed:
    """Messages that arrived, newest first; content is in the case."""
    inbox = tables.inbox
    query = select(inbox).where(inbox.c.type != RECEIPTS)
    return _listed(tx, core, agent, query, inbox, inbox.c.received_at, _arrival, wanted, at)


def _listed(
    tx: Tx,
    core: Core,
    agent: Agent,
    query: Select[Any],
    table: Table,
    when: Column[datetime],
    shown: Callable[[Row[Any]], dict[str, Any]],
    wanted: MessageFilter | ArrivalFilter,
    at: datetime,
) -> Listed:
    """A page in the order of the table's index, without what is not this agent's to see."""
    number = table.c.message_id
    if wanted.since is not None:
        query = query.where(when >= wanted.since)
    if wanted.before is not None:
        start = tx.execute(select(when, number).where(number == wanted.before)).first()
        if start is None:
            return [], None
        query = query.where(tuple_(when, number) < tuple_(*start))
    rows = tx.execute(query.order_by(when.desc(), number.desc()).limit(_LOOKED_AT)).all()
    sees = _sight(tx, core, agent, rows, at)
    found: list[dict[str, Any]] = []
    for place, row in enumerate(rows, 1):
        if sees(row):
            found.append(shown(row))
        if len(found) == wanted.limit:
            return found, row.message_id if place < len(rows) else _next(rows)
    return found, _next(rows)


def _next(rows: Sequence[Row[Any]]) -> str | None:
    return str(rows[-1].message_id) if len(rows) == _LOOKED_AT else None


def _sight(
    tx: Tx, core: Core, agent: Agent, rows: Sequence[Row[Any]], at: datetime
) -> Callable[[Row[Any]], bool]:
    """Whether an agent sees that a message passed."""
    if Right.JOURNAL in RIGHTS[agent.role]:
        return lambda _: True
    mine = _sent_by(tx, agent, [row.message_id for row in rows])
    reach = Reach(tx, core, agent, at)
    tx.preload(standing.CASES, [row.case_id for row in rows if row.case_id is not None])

    def sees(row: Row[Any]) -> bool:
        if row.message_id in mine:
            return True
        if row.case_id is None:
            return getattr(row, "kind", None) != CONTROL
        return reach.hidden(row.case_id) is None

    return sees


def _sent_by(tx: Tx, agent: Agent, numbers: Sequence[str]) -> set[str]:
    sent = (journal.c.event == "message.sent") & (journal.c.agent_id == agent.agent_id)
    query = select(journal.c.message_id).where(journal.c.message_id.in_(numbers) & sent)
    return set(tx.execute(query).scalars()) if numbers else set()


def _arrival(row: Row[Any]) -> dict[str, Any]:
    return {
        "message_id": row.message_id,
        "from": row.sender,
        "type": row.type,
        "case_id": row.case_id,
        "status": row.status,
        "received_at": instant(row.received_at),
    }


RECEIPTS: Final = "receipts"
"""Type under which the inbox remembers a letter of receipts."""


def _message(row: Row[Any]) -> dict[str, Any]:
    return {
        "message_id": row.message_id,
        "type": row.type,
        "to": row.receiver,
        "case_id": row.case_id,
        "state": row.state,
        "created_at": instant(row.created_at),
        "expires_at": instant(row.expires_at),
        "delivered_at": instant(row.delivered_at),
        "closed_at": instant(row.closed_at),
        "attempts": row.attempts,
        "failure": row.failure,
        "receipt": None
        if row.receipt_id is None
        else {"status": row.status, "receipt_id": row.receipt_id},
    }


_OUTBOX = [
    column
    for column in tables.outbox.c
    if column.name not in {"sealed", "headers", "subject", "reference"}
]


def message(connection: Connection, message_id: str) -> dict[str, Any] | None:
    """One letter with the signed receipt that closed it."""
    outbox, receipts = tables.outbox, tables.receipts
    row = connection.execute(select(*_OUTBOX).where(outbox.c.message_id == message_id)).first()
    if row is None:
        return None
    found = _message(row)
    if row.receipt_id is not None:
        query = select(receipts).where(receipts.c.receipt_id == row.receipt_id)
        receipt = connection.execute(query).first()
        if receipt is not None:
            found["receipt"] |= {"from": receipt.org, "signed": receipt.token.decode()}
    return found
