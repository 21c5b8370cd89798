"""What the city's youth service reads of the referrals it received."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from contracts.conventions.a_city_school.messages import ReferralSubmitted
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import DirectoryEntry
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.scopes import case_scope
from services.city.models import pathway_referents, referrals


def witness(payload: Payload, sender: DirectoryEntry, at: datetime) -> Mapping[str, datetime]:
    """The pupil attends the school that sends, if the code it names is its own (A-1.2)."""
    if isinstance(payload, ReferralSubmitted) and payload.uai == sender.uai:
        return {"enrolled": at}
    return {}


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """The referral of a case and its present referent, opened for the city's own agents."""
    row = tx.execute(select(referrals).where(referrals.c.case_id == case_id)).first()
    if row is None:
        return {}
    scope = case_scope(case_id)
    present = tx.execute(
        select(pathway_referents).where(
            (pathway_referents.c.case_id == case_id) & pathway_referents.c.active
        )
    ).first()
    referent = None
    if present is not None:
        referent = json.loads(core.keystore.open(scope, present.contact, aad=b"referent"))
    return {
        "referral": {
            "state": row.state,
            "received_at": row.received_at.isoformat(),
            "data": json.loads(core.keystore.open(scope, row.sealed, aad=b"referral.submitted")),
        },
        "referent": referent,
    }
