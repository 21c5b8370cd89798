"""What the city adds to the chassis."""

from __future__ import annotations

from datetime import datetime

from contracts.conventions.a_city_school.convention import CONVENTION as SCHOOL
from contracts.conventions.b_city_mission_locale.convention import CONVENTION as MISSION
from contracts.kernel.organisation import Kind
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Partner
from services.city import actions, handlers, queries, routes
from services.conventions.a_city_school import clocks, indicators, side
from services.conventions.a_city_school import handlers as common
from services.conventions.b_city_mission_locale import acts as mission_acts
from services.conventions.b_city_mission_locale import clocks as mission_clocks
from services.conventions.b_city_mission_locale import handlers as mission
from services.conventions.b_city_mission_locale import indicators as mission_indicators


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """Once a day: what each convention lets the calendar do."""
    side.daily(tx, core, at)
    mission_clocks.daily(tx, core, at)


PARTNER = Partner(
    kind=Kind.CITY,
    sent={
        **common.SENT,
        **mission.SENT,
        "referral.answered": handlers.answer_sent,
        "referent.changed": handlers.referent_sent,
    },
    received={
        **common.RECEIVED,
        **mission.RECEIVED,
        "attendance.municipal_notice": handlers.attendance_received,
    },
    answered={"alternative.alert": common.alert_answered},
    stopped=handlers.stopped,
    facts=queries.facts,
    acts={**actions.ACTS, **mission_acts.ACTS},
    clocks={**clocks.CLOCKS, **mission_clocks.CLOCKS},
    daily=daily,
    responsible=side.responsible_for,
    may_read=queries.may_read,
    erase=handlers.erase,
    view=queries.view,
    indicators={
        SCHOOL.code: indicators.INDICATORS,
        MISSION.code: mission_indicators.INDICATORS,
    },
    routes=routes.router,
    calls=routes.CALLS,
)
