"""What the department adds to the chassis: its side of convention D, and of the law beside it."""

from __future__ import annotations

from contracts.conventions.d_department_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner, Side
from services.conventions.d_department_mission_locale.side import DEPARTMENT
from services.department import queries, routes

PARTNER = Partner(
    kind=Kind.DEPARTMENT,
    sides={
        CONVENTION.code: DEPARTMENT,
        queries.TRAINING: Side(
            received={"training_obligation.breach": queries.received},
            facts=queries.facts,
            may_read=queries.may_read,
            access_article="R114-7",
            view=queries.view,
            routes=routes.router,
            calls=routes.CALLS,
        ),
    },
)
