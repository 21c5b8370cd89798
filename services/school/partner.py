"""What a school adds to the chassis."""

from __future__ import annotations

from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner
from services.conventions.a_city_school import (
    clocks,
    facts,
    handlers,
    indicators,
    side,
    store,
    views,
)
from services.school import actions, routes

PARTNER = Partner(
    kind=Kind.SCHOOL,
    sent=handlers.SENT,
    received=handlers.RECEIVED,
    answered={"alternative.alert": handlers.alert_answered},
    read={"alternative.alert": handlers.alert_read},
    stopped=handlers.stopped,
    facts=facts.facts,
    acts=actions.ACTS,
    clocks=clocks.CLOCKS,
    daily=side.daily,
    responsible=side.responsible_for,
    erase=store.erase,
    view=views.view,
    indicators={CONVENTION.code: indicators.INDICATORS},
    routes=routes.router,
    calls=routes.CALLS,
)
