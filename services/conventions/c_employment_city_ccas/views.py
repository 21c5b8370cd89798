"""What each side shows its own agents of the employer axis, and who may read which case."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.tokens import Role
from services.conventions.c_employment_city_ccas import (
    booklets,
    candidates,
    contracts,
    desks,
    immersions,
    seekers,
    tutors,
)
from services.conventions.c_employment_city_ccas.models import candidacies
from services.conventions.c_employment_city_ccas.models import immersions as held


def city_view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """The candidacy with its contract, or the immersion; empty for any other case."""
    return _view(tx, core, case_id, at_agency=False)


def agency_view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
    """The same at the agency, which alone reads the booklets."""
    return _view(tx, core, case_id, at_agency=True)


def _view(tx: Tx, core: Core, case_id: str, *, at_agency: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "candidacy": candidates.view(tx, case_id),
        "contract": contracts.view(tx, case_id),
        "booklets": booklets.view(tx, case_id, at_agency=at_agency) or None,
        "immersion": immersions.view(tx, core, case_id),
    }
    return {name: shown for name, shown in found.items() if shown is not None}


def city_may_read(tx: Tx, case_id: str, agent_id: str, role: str, at: datetime) -> bool:
    """The human resources desk, and the tutor of the very case: nobody else of the city's.

    Not the social workers of the CCAS, nor a manager of another department (C-3.2).
    """
    if role == Role.DPO or desks.has(tx, "human_resources", agent_id, at):
        return True
    return tutors.named(tx, case_id) == agent_id


def agency_may_read(tx: Tx, case_id: str, agent_id: str, role: str, at: datetime) -> bool:
    """The lead agency's desk, and the person's own counsellor (C-3.1, C-3a.15)."""
    if role == Role.DPO or desks.has(tx, "employer", agent_id, at):
        return True
    row = casefile.row_of(tx, candidacies, case_id) or casefile.row_of(tx, held, case_id)
    found = None if row is None else seekers.counsellor_of(tx, row.person_id)
    return found is not None and found[0] == agent_id
