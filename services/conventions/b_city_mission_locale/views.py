"""What either side shows its own agents of convention B, and who may read which case."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Row

from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.tokens import Role
from services.conventions.b_city_mission_locale import store
from services.conventions.b_city_mission_locale.handlers import IMMERSION, PERSON, REQUEST, TUTOR
from services.conventions.b_city_mission_locale.models import (
    cosupports,
    immersions,
    orientations,
)


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """The orientation, the co-support or the immersion of a case; empty for any other case."""
    found: dict[str, Any] = {}
    orientation = casefile.row_of(tx, orientations, case_id)
    cosupport = casefile.row_of(tx, cosupports, case_id)
    immersion = casefile.row_of(tx, immersions, case_id)
    if orientation is not None:
        found["orientation"] = {
            "state": orientation.state,
            "tries": orientation.tries,
            "data": casefile.unseal(core, case_id, orientation.request, REQUEST),
        }
    if cosupport is not None:
        found["cosupport"] = _cosupport(tx, core, case_id, cosupport)
    if immersion is not None:
        found["immersion"] = {
            "status": immersion.status,
            "data": casefile.unseal(core, case_id, immersion.request, IMMERSION),
            "tutor": casefile.unseal(core, case_id, immersion.tutor, TUTOR),
            "person": casefile.unseal(core, case_id, immersion.person, PERSON),
        }
    return found


def _cosupport(tx: Tx, core: Core, case_id: str, row: Row[Any]) -> dict[str, Any]:
    pair = store.referents_of(tx, case_id)
    return {
        "state": row.state,
        "opened_on": _day(row.opened_on),
        "objectives": list(row.objectives),
        "stage": row.stage,
        "next_date": _day(row.next_date),
        "no_answer_since": _day(row.no_answer_since),
        "adaptations": list(row.adaptations or ()),
        "tries": row.tries,
        "closed_on": _day(row.closed_on),
        "outcome": row.outcome,
        "person": casefile.unseal(core, case_id, row.person, PERSON),
        "referents": {
            org: casefile.unseal(core, case_id, one.contact, "referent")
            for org, one in pair.items()
        },
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def may_read(tx: Tx, case_id: str, agent_id: str, role: str, _at: datetime) -> bool:
    """The present referent of one's own side alone, once it is an agent known here (B-2.13)."""
    if role in {Role.MANAGER, Role.DPO}:
        return True
    ours = {one.agent_id for one in store.referents_of(tx, case_id).values()} - {None}
    return not ours or agent_id in ours
