"""Letters that failed for good: kept with their reason, and a body where a new try may help.

What the gate or the schema refused keeps no content. What did not open is kept as it came, since
the fault may be ours; what opened and could not be handled is kept under the key of its case, so
that it goes when the case is erased, or under our own where it has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from contracts.kernel.envelope import Lot, parse_lot
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.letters import ID_HEADER
from services.chassis.opening import Letter
from services.chassis.scopes import REFUSAL_SCOPE, case_scope

_REASON = 64
"""Characters of a reason, at most."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A letter that failed for good; sender is "" where nobody knows who it was.

    as_it_came: keep the sealed lot itself, since what failed is opening it. to_retry: keep the
    opened letter, as a lot of its own. retry_at: when the node tries by itself. case_id: of the
    opened letter.
    """

    letter: Letter
    sender: str
    message_id: str
    reason: str
    articles: tuple[str, ...] = ()
    as_it_came: bool = False
    to_retry: bool = False
    retry_at: datetime | None = None
    case_id: str | None = None


def bury(tx: Tx, core: Core, dead: Dead, content: bytes, at: datetime) -> None:
    """Keep a dead letter: id, reason and commitment; a body for technical failures only."""
    letter, dead_id = dead.letter, core.new_id()
    scope, alive = _scope(core, dead)
    kept = alive and (dead.as_it_came or dead.to_retry) and not full(tx, core, dead.sender)
    body = letter.body if kept and dead.as_it_came else None
    if kept and dead.to_retry:
        core.keystore.ensure((scope,))
        body = core.keystore.seal(scope, content, dead_id.encode())
    tx.insert(
        tables.dead_letters,
        {
            "id": dead_id,
            "sender": dead.sender,
            "message_id": dead.message_id,
            "case_id": dead.case_id if body is not None else None,
            "subject": letter.subject,
            "reason": dead.reason[:_REASON],
            "articles": dead.articles,
            "commitment": core.keystore.commit(REFUSAL_SCOPE, content).hex(),
            "headers": json.dumps(dict(letter.headers)) if kept and dead.as_it_came else None,
            "body": body,
            "attempts": letter.deliveries,
            "failed_at": at,
            "retry_at": dead.retry_at,
            "keep_until": at + timedelta(days=core.policy.dead_letter_days),
        },
    )


def _scope(core: Core, dead: Dead) -> tuple[str, bool]:
    """Key of what is kept, and whether it still exists: of an erased case nothing is."""
    if dead.case_id is None:
        return REFUSAL_SCOPE, True
    scope = case_scope(dead.case_id)
    return scope, core.keystore.destroyed_at(scope) is None


def forget(tx: Tx, case_id: str) -> int:
    """Destroy what waits of a case to be tried again; returns how many letters (GDPR art. 17)."""
    dead = tables.dead_letters
    mine = (dead.c.case_id == case_id) & dead.c.body.is_not(None)
    return tx.execute(update(dead).where(mine).values(body=None, retry_at=None)).rowcount


def full(tx: Tx, core: Core, sender: str) -> bool:
    """Whether a sender has as many bodies here as one may have (design: a quota per sender)."""
    dead = tables.dead_letters
    mine = (dead.c.sender == sender) & dead.c.body.is_not(None)
    count = tx.execute(select(func.count()).select_from(dead).where(mine)).scalar()
    return int(count or 0) >= core.policy.dead_letter_quota


def exhume(core: Core, row: Row[Any]) -> Letter | tuple[Letter, Lot] | None:
    """What a dead letter still holds: a sealed lot as it came, or one letter that was opened."""
    if row.body is None or row.retried_at is not None:
        return None
    if row.headers is not None:
        return Letter(row.subject, json.loads(row.headers), row.body, row.attempts)
    scope = REFUSAL_SCOPE if row.case_id is None else case_scope(row.case_id)
    content = core.keystore.open(scope, row.body, row.id.encode())
    return Letter(row.subject, {ID_HEADER: row.message_id}, b"", row.attempts), parse_lot(content)


def listed(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """Letters that failed for good, newest first, and whether each can be tried again."""
    dead = tables.dead_letters
    rows = connection.execute(select(dead).order_by(dead.c.failed_at.desc()).limit(limit))
    return [
        {
            "id": row.id,
            "sender": row.sender,
            "message_id": row.message_id,
            "reason": row.reason,
            "articles": list(row.articles),
            "failed_at": row.failed_at.isoformat(),
            "can_retry": row.body is not None and row.retried_at is None,
        }
        for row in rows
    ]
