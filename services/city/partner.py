"""What the city adds to the chassis."""

from __future__ import annotations

from contracts.conventions.a_city_school.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner
from services.city import actions, handlers, queries, routes
from services.conventions.a_city_school import clocks, indicators, side
from services.conventions.a_city_school import handlers as common

PARTNER = Partner(
    kind=Kind.CITY,
    sent={
        **common.SENT,
        "referral.answered": handlers.answer_sent,
        "referent.changed": handlers.referent_sent,
    },
    received={
        **common.RECEIVED,
        "attendance.municipal_notice": handlers.attendance_received,
    },
    answered={"alternative.alert": common.alert_answered},
    stopped=common.stopped,
    facts=queries.facts,
    acts=actions.ACTS,
    clocks=clocks.CLOCKS,
    daily=side.daily,
    responsible=side.responsible_for,
    may_read=queries.may_read,
    erase=handlers.erase,
    view=queries.view,
    indicators={CONVENTION.code: indicators.INDICATORS},
    routes=routes.router,
    calls=routes.CALLS,
)
