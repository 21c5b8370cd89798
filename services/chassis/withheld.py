"""Contents that a receiver does not keep (C-5.1): held at the sender, to be shown again for a time.

Each lies under the key of its case and goes with it; it goes at the latest when the letter would
have expired, and as soon as its agreement stops or its flow's own event comes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select

from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Flow
from services.chassis import tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.scopes import case_scope

_PLACE: Final = "withheld"


def keep(
    tx: Tx, core: Core, flow: Flow, message_id: str, case_id: str, said: Payload, until: datetime
) -> None:
    """Hold at the sender what the receiver of this flow will not keep."""
    content = said.model_dump_json().encode()
    tx.insert(
        tables.withheld,
        {
            "message_id": message_id,
            "case_id": case_id,
            "type": flow.type,
            "until": until,
            "content": core.keystore.seal(
                case_scope(case_id), content, f"{_PLACE}:{message_id}".encode()
            ),
        },
    )


def held(tx: Tx, core: Core, message_id: str, at: datetime) -> bytes | None:
    """A content that may still be shown, as JSON; None once it is over."""
    table = tables.withheld
    mine = (table.c.message_id == message_id) & (table.c.until > at)
    row = tx.execute(select(table).where(mine)).first()
    if row is None:
        return None
    place = f"{_PLACE}:{message_id}".encode()
    return core.keystore.open(case_scope(row.case_id), row.content, place)


def forget(tx: Tx, case_ids: Collection[str], type_: str | None = None) -> int:
    """Show nothing of these cases any more, or nothing of one type; returns how many contents.

    A partner calls it when the event comes until which a flow's content may be seen.
    """
    table = tables.withheld
    gone = delete(table).where(table.c.case_id.in_(list(case_ids)))
    if type_ is not None:
        gone = gone.where(table.c.type == type_)
    return tx.execute(gone).rowcount
