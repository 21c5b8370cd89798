"""What a school reads of its own referrals."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.scopes import case_scope
from services.school.models import referrals


def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """The referral of a case and its answer, opened for the school's own agents."""
    row = tx.execute(select(referrals).where(referrals.c.case_id == case_id)).first()
    if row is None:
        return {}
    scope = case_scope(case_id)
    answer = None
    if row.answer is not None:
        answer = json.loads(core.keystore.open(scope, row.answer, aad=b"referral.answered"))
    return {
        "referral": {
            "state": row.state,
            "sent_at": row.sent_at.isoformat(),
            "data": json.loads(core.keystore.open(scope, row.sealed, aad=b"referral.submitted")),
        },
        "answer": answer,
    }
