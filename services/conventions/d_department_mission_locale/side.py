"""Convention D at its two parties: the same cases, and what the department alone registers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Side
from services.conventions.d_department_mission_locale import (
    access,
    acts,
    clocks,
    department_routes,
    facts,
    handlers,
    indicators,
    pages,
    routes,
    store,
    supports,
    views,
)
from services.conventions.d_department_mission_locale.labels import LABELS
from services.conventions.d_department_mission_locale.models import metadata


def _daily(tx: Tx, core: Core, at: datetime) -> None:
    clocks.daily(tx, core, at)
    supports.daily(tx, core, at)


MISSION: Final = Side(
    sent=handlers.SENT,
    received=handlers.RECEIVED,
    stopped=handlers.stopped,
    facts=facts.facts,
    acts=acts.ACTS,
    clocks=clocks.CLOCKS,
    daily=clocks.daily,
    may_read=access.may_read,
    access_article="D-1.4",
    tables=(metadata,),
    erase=store.erase,
    view=views.view,
    labels=LABELS,
    indicators=indicators.MISSION,
    routes=routes.router,
    calls=routes.CALLS,
    pages=pages.pages,
    linked=pages.LINKED,
)
"""At the Mission Locale."""

DEPARTMENT: Final = replace(
    MISSION,
    daily=_daily,
    indicators=indicators.DEPARTMENT,
    routes=department_routes.router,
    calls=department_routes.CALLS,
)
"""At the department."""
