"""What either side shows its own agents of convention D."""

from __future__ import annotations

from datetime import date
from typing import Any

from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.conventions.d_department_mission_locale import store
from services.conventions.d_department_mission_locale.handlers import (
    ADVISER,
    CONTACT,
    INTERVIEW,
    REQUEST,
)
from services.conventions.d_department_mission_locale.models import youths


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """Where a young person's way to autonomy stands; empty for any other case."""
    row = casefile.row_of(tx, youths, case_id)
    if row is None:
        return {}

    def opened(sealed: bytes | None, what: str) -> Any:  # noqa: ANN401 -- JSON
        return casefile.unseal(core, case_id, sealed, what)

    pair = store.referents_of(tx, case_id)
    return {
        "youth": {
            "state": row.state,
            "request": opened(row.request, REQUEST),
            "contact": row.contact,
            "enrolment": {
                "proposed": row.enrolment_proposed_at is not None,
                "outcome": row.enrolment,
            },
            "diagnosis": {
                "requested": row.diagnosis_requested_at is not None,
                "review_on": _day(row.diagnosis_review_on),
                "done_on": _day(row.diagnosis_done_on),
                "handed_over": row.diagnosis_handed_over,
            },
            "interview": {
                "invitation": opened(row.interview, INTERVIEW),
                "attends": row.interview_attends,
                "adviser": opened(row.interview_adviser, ADVISER),
                "held_on": _day(row.interview_held_on),
            },
            "project": {
                "actions": list(row.project_actions or ()),
                "starts_on": _day(row.project_starts_on),
                "ends_on": _day(row.project_ends_on),
            },
            "eligibility_checked_on": _day(row.eligibility_checked_on),
            "youth_contract": {"proposed": "proposed" in row.counted, "outcome": row.contract},
            "decision": {
                "mode": row.decision,
                "since": _day(row.decision_since),
                "view": row.decision_view,
                "contact": opened(row.decision_contact, CONTACT),
            },
            "referents": {org: opened(one.contact, "referent") for org, one in pair.items()},
        }
    }


def _day(value: date | None) -> str | None:
    return None if value is None else value.isoformat()
