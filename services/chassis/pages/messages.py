"""Messages as a page names them: what people call each, and when it left or came."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from sqlalchemy import select

from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.pages.rendering import instant_in_words
from services.chassis.words import message

_NUMBER: Final = re.compile(r"[0-9a-f]{32}")


def named(tx: Tx, core: Core, subjects: Iterable[str]) -> dict[str, str]:
    """Those of these that are messages sent from here or received, by number, in words."""
    outbox, inbox = tables.outbox, tables.inbox
    numbers = [one for one in subjects if _NUMBER.fullmatch(one)]
    found: dict[str, str] = {}
    for table, at in ((outbox, outbox.c.created_at), (inbox, inbox.c.received_at)):
        query = select(table.c.message_id, table.c.type, at.label("at"))
        for row in tx.execute(query.where(table.c.message_id.in_(numbers))) if numbers else ():
            found[row.message_id] = (
                f"{message(row.type, core.registry)}, {instant_in_words(row.at)}"
            )
    return found
