"""What ties a refusal, a destruction, a code or a request to a person: kept, and forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete

from services.chassis import person_tables, standing
from services.chassis.database import Tx

TIES: Final = (
    person_tables.code_persons,
    person_tables.refusals,
    person_tables.destructions,
    person_tables.request_persons,
)
"""Every table that ties something to a person of the register."""


def refused(tx: Tx, message_id: str, person_id: str | None, at: datetime) -> None:
    """Remember whom a refused message was about, so that they are shown it; None: about nobody."""
    if person_id is not None:
        row = {"message_id": message_id, "person_id": person_id, "at": at}
        tx.insert(person_tables.refusals, row)


def destroyed(tx: Tx, case: Row[Any], own: str, at: datetime) -> None:
    """Remember whose case is about to be destroyed; who leaves the register with it has no tie."""
    known = None if case.person_id is None else tx.get(standing.PERSONS, case.person_id)
    if known is None:
        return
    if known.registered_at is None:
        forget(tx, case.person_id)
        return
    agreement = standing.of_case(tx, case.case_id, own).agreement
    tx.insert(
        person_tables.destructions,
        {
            "case_id": case.case_id,
            "person_id": case.person_id,
            "giver": None if agreement is None else agreement.giver.value,
            "at": at,
        },
    )


def forget(tx: Tx, person_id: str) -> None:
    """Drop every tie to a person: their page closes, and what proves something names nobody."""
    for table in TIES:
        tx.execute(delete(table).where(table.c.person_id == person_id))
