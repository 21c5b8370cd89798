"""What the city adds to the chassis: one side for each convention and duty that binds it."""

from __future__ import annotations

from contracts.conventions.a_city_school.convention import CONVENTION as SCHOOL
from contracts.conventions.b_city_mission_locale.convention import CONVENTION as MISSION
from contracts.conventions.c_employment_city_ccas.convention import CONVENTION as EMPLOYMENT
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner, Side
from services.city import actions, handlers, queries, routes
from services.city.models import metadata
from services.conventions.a_city_school import acts, clocks, indicators, side, views
from services.conventions.a_city_school import handlers as common
from services.conventions.a_city_school.labels import LABELS
from services.conventions.a_city_school.models import metadata as common_tables
from services.conventions.b_city_mission_locale.side import SIDE as MISSION_SIDE
from services.conventions.c_employment_city_ccas.side import CITY as EMPLOYMENT_SIDE

PARTNER = Partner(
    kind=Kind.CITY,
    sides={
        SCHOOL.code: Side(
            sent={
                **common.SENT,
                "referral.answered": handlers.answer_sent,
                "referent.changed": handlers.referent_sent,
            },
            received=common.RECEIVED,
            answered={"alternative.alert": common.alert_answered},
            stopped=common.stopped,
            facts=queries.facts,
            acts=actions.ACTS,
            choices=acts.CHOICES,
            clocks=clocks.CLOCKS,
            daily=side.daily,
            responsible=side.responsible_for,
            may_read=queries.may_read,
            access_article="A-2.5",
            tables=(common_tables, metadata),
            view=views.view,
            labels=LABELS,
            indicators=indicators.INDICATORS,
            routes=routes.router,
            calls=routes.CALLS,
        ),
        queries.ATTENDANCE: Side(
            received={"attendance.municipal_notice": handlers.attendance_received},
            facts=queries.attendance_facts,
            acts=actions.ATTENDANCE_ACTS,
            may_read=queries.may_read_attendance,
            access_article="A-0.3",
            view=queries.view_attendance,
            labels=LABELS,
        ),
        MISSION.code: MISSION_SIDE,
        EMPLOYMENT.code: EMPLOYMENT_SIDE,
    },
)
