"""Answers already given, by Idempotency-Key: the same request twice acts once.

The answer is kept in the transaction of the act itself, so that neither two calls at once nor a
crash between the act and its answer can act twice (IETF httpapi draft).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from contracts.kernel.errors import RelaisError
from services.chassis import tables
from services.chassis.bulk import among
from services.chassis.database import Loader, Tx

_PROBE = "readyz"
"""Stands where the id of an agent would."""

Slot = tuple[str, str]
"""An agent and the digest of a key: what the agent wrote there is nobody's business."""


class KeyReused(RelaisError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"
    status = 422


def slot(agent_id: str, key: str) -> Slot:
    """Where the answer to an agent's key is kept."""
    return agent_id, sha256(key.encode()).hexdigest()


def _fetch(connection: Connection, slots: Sequence[Slot]) -> Mapping[Slot, Row[Any]]:
    rows = tables.idempotency
    statement = select(rows).where(
        among(rows.c.agent_id, {agent_id for agent_id, _ in slots}),
        among(rows.c.key, [key for _, key in slots]),
    )
    found = connection.execute(statement)
    return {(row.agent_id, row.key): row for row in found}


ANSWERS: Loader[Slot, Row[Any]] = Loader("answers", _fetch)


def keep(
    tx: Tx, where: Slot, request: str, status: int, answer: Mapping[str, Any], at: datetime
) -> None:
    """Remember an answer. request: SHA-256 of the body, in hexadecimal."""
    agent_id, key = where
    remembered = {
        "agent_id": agent_id,
        "key": key,
        "request": request,
        "status": status,
        "answer": json.dumps(answer),
        "created_at": at,
    }
    tx.insert(tables.idempotency, remembered)
    tx.forget(ANSWERS, where)


def same_request(before: Row[Any], request: str) -> None:
    """Raise KeyReused when a key comes again with another request."""
    if before.request != request:
        raise KeyReused("Cette clé d'idempotence a servi à une autre requête.")


def try_out(tx: Tx, key: str, at: datetime) -> None:
    """Write a row and take it away: an empty transaction would not even reach the server.

    key: random, so that probes of several replicas never meet.
    """
    where = slot(_PROBE, key)
    keep(tx, where, "", 200, {}, at)
    rows = tables.idempotency
    tx.execute(delete(rows).where(rows.c.agent_id == _PROBE, rows.c.key == where[1]))
