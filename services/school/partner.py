"""What a school adds to the chassis: its side of convention A, and of the duty beside it."""

from __future__ import annotations

from contracts.conventions.a_city_school.convention import CONVENTION, DUTIES
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner, Side
from services.conventions.a_city_school import (
    acts,
    clocks,
    facts,
    indicators,
    side,
    views,
)
from services.conventions.a_city_school import handlers as common
from services.conventions.a_city_school.labels import LABELS
from services.conventions.a_city_school.models import metadata as common_tables
from services.school import actions, handlers, routes
from services.school.models import metadata

PARTNER = Partner(
    kind=Kind.SCHOOL,
    sides={
        CONVENTION.code: Side(
            sent=common.SENT,
            received=common.RECEIVED,
            answered={"alternative.alert": common.alert_answered},
            read={"alternative.alert": common.alert_read},
            stopped=common.stopped,
            facts=facts.facts,
            acts=actions.ACTS,
            choices=acts.CHOICES,
            clocks=clocks.CLOCKS,
            daily=handlers.daily,
            responsible=side.responsible_for,
            tables=(common_tables, metadata),
            view=views.view,
            labels=LABELS,
            indicators=indicators.INDICATORS,
            routes=routes.router,
            calls=routes.CALLS,
        ),
        DUTIES[0].code: Side(
            sent={"attendance.municipal_notice": handlers.attendance_sent}, tables=(metadata,)
        ),
    },
)
