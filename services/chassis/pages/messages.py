"""Messages as a page names them: what people call each, and when it left or came."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.content import instant_in_words
from services.chassis.words import message


def named(tx: Tx, core: Core, numbers: Collection[str]) -> dict[str, str]:
    """Those of these numbers that are messages sent from here or received, in words."""
    outbox, inbox = tables.outbox, tables.inbox
    found: dict[str, str] = {}
    for table, at in ((outbox, outbox.c.created_at), (inbox, inbox.c.received_at)):
        query = select(table.c.message_id, table.c.type, at.label("at"))
        for row in tx.execute(query.where(table.c.message_id.in_(numbers))) if numbers else ():
            found[row.message_id] = (
                f"{message(row.type, core.registry)}, {instant_in_words(row.at)}"
            )
    return found
