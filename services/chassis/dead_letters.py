"""Letters that failed for good: kept with their reason, and a body where a new try may help.

What the gate or the schema refused keeps no content. What did not open is kept as it came, since
the fault may be ours; what opened and could not be handled is kept under our own key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from contracts.kernel.envelope import Lot, parse_lot
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.letters import ID_HEADER
from services.chassis.opening import Letter
from services.chassis.scopes import REFUSAL_SCOPE

_REASON = 64
"""Characters of a reason, at most."""


@dataclass(frozen=True, slots=True)
class Dead:
    """A letter that failed for good; sender is "" where nobody knows who it was.

    as_it_came: keep the sealed lot itself, since what failed is opening it. to_retry: keep the
    opened letter, as a lot of its own, under our own key.
    """

    letter: Letter
    sender: str
    message_id: str
    reason: str
    articles: tuple[str, ...] = ()
    as_it_came: bool = False
    to_retry: bool = False


def bury(tx: Tx, core: Core, dead: Dead, content: bytes, at: datetime) -> None:
    """Keep a dead letter: id, reason and commitment; a body for technical failures only."""
    letter, dead_id = dead.letter, core.new_id()
    body = letter.body if dead.as_it_came else None
    if dead.to_retry:
        body = core.keystore.seal(REFUSAL_SCOPE, content, dead_id.encode())
    tx.insert(
        tables.dead_letters,
        {
            "id": dead_id,
            "sender": dead.sender,
            "message_id": dead.message_id,
            "subject": letter.subject,
            "reason": dead.reason[:_REASON],
            "articles": dead.articles,
            "commitment": core.keystore.commit(REFUSAL_SCOPE, content).hex(),
            "headers": json.dumps(dict(letter.headers)) if dead.as_it_came else None,
            "body": body,
            "attempts": letter.deliveries,
            "failed_at": at,
            "keep_until": at + timedelta(days=core.policy.dead_letter_days),
        },
    )


def exhume(core: Core, row: Row[Any]) -> Letter | tuple[Letter, Lot] | None:
    """What a dead letter still holds: a sealed lot as it came, or one letter that was opened."""
    if row.body is None or row.retried_at is not None:
        return None
    if row.headers is not None:
        return Letter(row.subject, json.loads(row.headers), row.body, row.attempts)
    content = core.keystore.open(REFUSAL_SCOPE, row.body, row.id.encode())
    return Letter(row.subject, {ID_HEADER: row.message_id}, b"", row.attempts), parse_lot(content)
