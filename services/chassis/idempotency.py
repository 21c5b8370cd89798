"""Answers already given, by Idempotency-Key: the same request twice acts once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from contracts.kernel.errors import RelaisError
from services.chassis import tables
from services.chassis.database import Tx


class KeyReused(RelaisError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"
    status = 422


def find(connection: Connection, agent_id: str, key: str, request: str) -> Row[Any] | None:
    """The answer given to that key; raises KeyReused when the request was another one.

    request: SHA-256 of the body, in hexadecimal.
    """
    rows = tables.idempotency
    where = (rows.c.agent_id == agent_id) & (rows.c.key == key)
    row = connection.execute(select(rows).where(where)).first()
    if row is not None and row.request != request:
        raise KeyReused("Cette clé d'idempotence a servi à une autre requête.")
    return row


def row(
    agent_id: str, key: str, request: str, status: int, answer: bytes, at: datetime
) -> dict[str, Any]:
    """The row that remembers an answer."""
    return {
        "agent_id": agent_id,
        "key": key,
        "request": request,
        "status": status,
        "answer": answer.decode(),
        "created_at": at,
    }


def keep(tx: Tx, remembered: dict[str, Any]) -> None:
    """Remember an answer."""
    tx.insert(tables.idempotency, remembered)
