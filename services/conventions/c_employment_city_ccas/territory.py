"""Convention C beside the employer's axis, by party: handlers, facts, acts, clocks and calls.

What one party alone does (answering on the clauses, acting for volunteers) stands with it alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from contracts.conventions.c_employment_city_ccas.convention import INCLUSION, ZERO_UNEMPLOYMENT
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question, concerning
from services.chassis.tokens import Role
from services.conventions.c_employment_city_ccas import desks, governance, territory_store
from services.conventions.c_employment_city_ccas import territory_actions as actions
from services.conventions.c_employment_city_ccas import territory_campaigns as campaigns
from services.conventions.c_employment_city_ccas import territory_clauses as clauses
from services.conventions.c_employment_city_ccas import territory_referents as referents
from services.conventions.c_employment_city_ccas import territory_routes as routes
from services.conventions.c_employment_city_ccas import territory_volunteers as volunteers

NO_FILE: Final = frozenset({clauses.ASKED, clauses.ANSWERED, volunteers.OFFERED})
"""Messages of which the receiver writes nothing down: no table here has a column for them (C-5.1).

Their rows say that something waits; the name, the answer and the skills have no place in them."""

_APPLY: Final = {**clauses.APPLY, **campaigns.APPLY, **referents.APPLY, **volunteers.APPLY}

SENT: Final = {name: territory_store.sent(apply) for name, apply in _APPLY.items()}
RECEIVED: Final = {name: territory_store.received(apply) for name, apply in _APPLY.items()}
"""The same at each party: which of them it sends and receives is for the gate to say."""


def facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Facts about a message of convention C, beside the employer's axis."""
    records = {
        **governance.facts(tx, core, asked),
        **desks.facts(tx, core, asked),
        **clauses.facts(tx, asked),
        **volunteers.facts(tx, asked),
        **referents.facts(tx, asked),
    }
    if asked.type in NO_FILE:
        records["no_file"] = asked.at
    return Known(records=records)


def stopped(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """The person withdrew: what is known of the case goes at the node's next look (C-5.1)."""
    clauses.stopped(tx, core, case_id, at)
    volunteers.stopped(tx, core, case_id, at)


def view(tx: Tx, _core: Core, case_id: str) -> dict[str, Any]:
    """What is remembered of a case: its state and its end."""
    return {**clauses.view(tx, case_id), **volunteers.view(tx, case_id)}


def may_read(tx: Tx, case_id: str, agent_id: str, role: str, at: datetime) -> bool:
    """A question on the clauses is its referents' alone, their manager's and the DPO's (C-3d.4)."""
    if role in {Role.MANAGER, Role.DPO} or clauses.question_of(tx, case_id) is None:
        return True
    return desks.has(tx, "social_clauses", agent_id, at)


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """What the calendar makes due, and what it ends (C-6.5)."""
    governance.daily(tx, core, at)
    clauses.daily(tx, at)
    campaigns.daily(tx, at)
    referents.daily(tx, core, at)


def agency_daily(tx: Tx, core: Core, at: datetime) -> None:
    """The same at the agency, with its monthly actions."""
    daily(tx, core, at)
    actions.daily(tx, core, at)


_COMMON_CLOCKS: Final = {**governance.CLOCKS}

AGENCY_CLOCKS: Final = {
    **_COMMON_CLOCKS,
    **clauses.CLOCKS,
    **volunteers.CLOCKS,
    **campaigns.CLOCKS,
    **actions.CLOCKS,
}
CITY_CLOCKS: Final = {**_COMMON_CLOCKS, **clauses.CLOCKS, **volunteers.CLOCKS}
CCAS_CLOCKS: Final = _COMMON_CLOCKS

CITY_ACTS: Final = concerning(ZERO_UNEMPLOYMENT, volunteers.ACTS)
AGENCY_ACTS: Final = {**concerning(INCLUSION, clauses.ACTS), **CITY_ACTS}

AGENCY_CALLS: Final = {**routes.CALLS, **routes.DESK_CALLS, **routes.AGENCY_CALLS}
CITY_CALLS: Final = {**routes.CALLS, **routes.DESK_CALLS}
CCAS_CALLS: Final = routes.CALLS
