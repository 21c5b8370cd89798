"""How a node fares, from its own tables and files: letters, partners, keys, directory.

Numbers, ids, codes and instants; the operator's page says them in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from services.chassis import dead_letters, tables
from services.chassis.core import Core
from services.chassis.letters import RECEIPT
from services.chassis.settings import NodeSettings
from services.chassis.tls import valid_until

DEAD_SHOWN = 20
"""Dead letters shown at once; the others follow as these are dealt with."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What is known of a partner: when it last answered, last wrote, and last said who it is.

    keys_until: instant from which nobody may encrypt to it any more.
    """

    org: str
    last_receipt: datetime | None
    last_arrival: datetime | None
    entry_of: datetime | None
    keys_until: datetime | None


@dataclass(frozen=True, slots=True)
class Working:
    """What one look at the node's tables found. waiting: letters not yet answered, by state."""

    waiting: dict[str, int]
    oldest: datetime | None
    failing: dict[str, int]
    dead: list[dict[str, Any]]
    dead_count: int
    partners: list[Reach]


def working(connection: Connection, core: Core) -> Working:
    """Look once, on one snapshot."""
    outbox, dead = tables.outbox, tables.dead_letters
    open_ones = outbox.c.due_at.is_not(None) & (outbox.c.kind != RECEIPT)
    states = select(outbox.c.state, func.count()).where(open_ones).group_by(outbox.c.state)
    oldest = select(func.min(outbox.c.created_at)).where(open_ones)
    failed = open_ones & outbox.c.failure.is_not(None)
    failing = select(outbox.c.failure, func.count()).where(failed).group_by(outbox.c.failure)
    waits = select(func.count()).select_from(dead).where(dead.c.retried_at.is_(None))
    return Working(
        waiting=_numbers(connection, states),
        oldest=connection.execute(oldest).scalar(),
        failing=_numbers(connection, failing),
        dead=dead_letters.listed(connection, DEAD_SHOWN),
        dead_count=int(connection.execute(waits).scalar() or 0),
        partners=[_reach(connection, core, org) for org in partners(core)],
    )


def partners(core: Core) -> list[str]:
    """Organisations with which something was signed, by id."""
    signed = core.directory.conventions.values()
    return sorted({org for one in signed for org in one.orgs} - {core.org})


def _numbers(connection: Connection, query: Select[Any]) -> dict[str, int]:
    return {code: int(number) for code, number in connection.execute(query)}


def _reach(connection: Connection, core: Core, org: str) -> Reach:
    receipts, inbox, entry = tables.receipts, tables.inbox, core.directory.entry(org)
    answered = select(func.max(receipts.c.received_at)).where(receipts.c.org == org)
    wrote = select(func.max(inbox.c.received_at)).where(inbox.c.sender == org)
    return Reach(
        org,
        connection.execute(answered).scalar(),
        connection.execute(wrote).scalar(),
        None if entry is None else entry.issued_at,
        None if entry is None else max(one.not_after for one in entry.encryption_keys),
    )


def certificates(settings: NodeSettings) -> list[tuple[str, datetime | None]]:
    """Certificates of the link to the leaf and their last instants; None for an unreadable one."""
    files = settings.nats_tls
    if files is None:
        return []
    named = (("own", files.certificate), ("authority", files.ca))
    found: list[tuple[str, datetime | None]] = []
    for name, path in named:
        try:
            found.append((name, valid_until(path)))
        except (OSError, ValueError):
            found.append((name, None))
    return found


def way(
    connection: Connection, core: Core, message_id: str
) -> tuple[Row[Any] | None, Row[Any] | None]:
    """A message among the letters sent, and among those that came from partners."""
    outbox, inbox = tables.outbox, tables.inbox
    columns = [one for one in outbox.c if one.name != "sealed"]
    sent = connection.execute(select(*columns).where(outbox.c.message_id == message_id)).first()
    mine = inbox.c.sender.in_(partners(core)) & (inbox.c.message_id == message_id)
    came = connection.execute(select(inbox).where(mine)).first()
    return sent, came
