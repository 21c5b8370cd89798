"""What either side shows its own agents of a case of convention A."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.conventions.a_city_school import store
from services.conventions.a_city_school.handlers import ANSWER, CONTRACT, REFERENT, REFERRAL
from services.conventions.a_city_school.models import records


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """The referral, the pathway or the measure of a case, and what happened since."""
    found: dict[str, Any] = {}
    pathway, measure = store.pathway_of(tx, case_id), store.measure_of(tx, case_id)
    if pathway is not None:
        found |= _pathway(core, case_id, pathway)
    if measure is not None:
        found["measure"] = _measure(core, case_id, measure)
    if found and (lines := list(_records(tx, case_id))):
        found["records"] = lines
    return found


def _pathway(core: Core, case_id: str, row: Row[Any]) -> dict[str, Any]:
    answer = casefile.unseal(core, case_id, row.answer, ANSWER)
    return {
        "referral": {
            "state": row.state,
            "at": row.at.isoformat(),
            "data": casefile.unseal(core, case_id, row.referral, REFERRAL),
        },
        "answer": answer,
        "referent": casefile.unseal(core, case_id, row.referent, REFERENT),
        "pathway": None
        if row.opened_on is None
        else {
            "opened_on": row.opened_on.isoformat(),
            "review_on": _day(row.review_on),
            "objectives": list(row.objectives),
            "strategy": list(row.strategy),
            "stage": row.stage,
            "engaged": row.engaged,
            "closed_on": _day(row.closed_on),
            "outcome": row.outcome,
        },
    }


def _measure(core: Core, case_id: str, row: Row[Any]) -> dict[str, Any]:
    contract = casefile.unseal(core, case_id, row.contract, CONTRACT) or {}
    return {
        "status": row.status,
        "exclusion": [_day(row.exclusion_first_day), _day(row.exclusion_last_day)],
        "days": [_day(row.first_day), _day(row.last_day)],
        "signatures": {role: day.isoformat() for role, day in store.signed_days(row).items()},
        "host": contract.get("host"),
        "task_tutor": contract.get("task_tutor"),
        "ended_on": _day(row.ended_on),
        "outcome": row.outcome,
    }


def _records(tx: Tx, case_id: str) -> Iterator[dict[str, Any]]:
    query = select(records).where(records.c.case_id == case_id).order_by(records.c.number)
    for row in tx.execute(query):
        yield {
            "what": row.what,
            "code": row.code,
            "on": _day(row.on),
            "at": row.at.isoformat(),
            "message_id": row.message_id,
        }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
