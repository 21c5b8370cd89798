"""What the Mission Locale adds to the chassis: convention B, as both its sides keep it."""

from __future__ import annotations

from datetime import datetime

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Partner
from services.conventions.b_city_mission_locale import (
    acts,
    clocks,
    facts,
    handlers,
    indicators,
    routes,
    store,
    views,
)


def stopped(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """The young person withdrew (B-3.1)."""
    handlers.stopped(tx, core, case_id, at)


PARTNER = Partner(
    kind=Kind.MISSION_LOCALE,
    sent=handlers.SENT,
    received=handlers.RECEIVED,
    stopped=stopped,
    facts=facts.facts,
    acts=acts.ACTS,
    clocks=clocks.CLOCKS,
    daily=clocks.daily,
    may_read=views.may_read,
    erase=store.erase,
    view=views.view,
    indicators={CONVENTION.code: indicators.INDICATORS},
    routes=routes.router,
    calls=routes.CALLS,
)
