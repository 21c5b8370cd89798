"""What the guidance centre adds to the chassis: a proposal is read by its referent alone."""

from __future__ import annotations

from datetime import datetime

from contracts.kernel.organisation import Kind
from services.chassis.database import Tx
from services.chassis.partner import Partner, Side
from services.chassis.tokens import Role


def _referents(_tx: Tx, _case_id: str, _agent_id: str, role: str, _at: datetime) -> bool:
    return role == Role.REFERENT.value


PARTNER = Partner(
    kind=Kind("guidance_centre"),
    sides={"f_school_guidance_centre": Side(may_read=_referents, access_article="F-1.6")},
)
