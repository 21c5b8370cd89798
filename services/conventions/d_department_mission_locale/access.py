"""Who may read which case of convention D: the present referent of one's own side."""

from __future__ import annotations

from datetime import datetime

from services.chassis.database import Tx
from services.chassis.tokens import Role
from services.conventions.d_department_mission_locale import store


def may_read(tx: Tx, case_id: str, agent_id: str, role: str, _at: datetime) -> bool:
    """The present referent of one's own side alone, once it is an agent known here (D-1.4)."""
    if role in {Role.MANAGER, Role.DPO}:
        return True
    ours = {one.agent_id for one in store.referents_of(tx, case_id).values()} - {None}
    return not ours or agent_id in ours
