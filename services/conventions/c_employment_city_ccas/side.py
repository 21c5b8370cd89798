"""Convention C at each of its three parties: the employer's axis, and all that stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter

from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.partner import Known, MayRead, Question, Side, Stop, Viewer, joined
from services.conventions.c_employment_city_ccas import (
    acts,
    clocks,
    facts,
    governance,
    handlers,
    indicators,
    offers,
    routes,
    store,
    territory,
    territory_routes,
    tutors,
    views,
)
from services.conventions.c_employment_city_ccas.labels import LABELS
from services.conventions.c_employment_city_ccas.models import metadata
from services.conventions.c_employment_city_ccas.territory_indicators import (
    INDICATORS as TERRITORY_INDICATORS,
)


def _facts(tx: Tx, core: Core, asked: Question) -> Known:
    """What every message asks, and what its own axis does."""
    shared, employer = territory.facts(tx, core, asked), facts.facts(tx, core, asked)
    return Known(
        records={**shared.records, **employer.records},
        signatures=employer.signatures,
        counts=employer.counts,
    )


def _stopped(tx: Tx, core: Core, case_id: str, why: Stop, at: datetime) -> None:
    handlers.stopped(tx, core, case_id, why, at)
    territory.stopped(tx, core, case_id, at)


def _may_read(employer: MayRead) -> MayRead:
    """Both axes look, each at its own cases; the other's are not its business."""

    def may_read(tx: Tx, case_id: str, agent_id: str, role: str, at: datetime) -> bool:
        mine = store.table_of(tx, case_id) is None or employer(tx, case_id, agent_id, role, at)
        return mine and territory.may_read(tx, case_id, agent_id, role, at)

    return may_read


def _view(employer: Viewer) -> Viewer:
    def view(tx: Tx, core: Core, case_id: str) -> dict[str, Any]:
        return {**employer(tx, core, case_id), **territory.view(tx, core, case_id)}

    return view


def _daily(
    beside: Callable[[Tx, Core, datetime], None],
) -> Callable[[Tx, Core, datetime], None]:
    def daily(tx: Tx, core: Core, at: datetime) -> None:
        clocks.daily(tx, core, at)
        beside(tx, core, at)

    return daily


def _router(*made: Callable[[Node], APIRouter]) -> Callable[[Node], APIRouter]:
    def router(node: Node) -> APIRouter:
        both = APIRouter()
        for one in made:
            both.include_router(one(node))
        return both

    return router


INDICATORS: Final = (*indicators.INDICATORS, *TERRITORY_INDICATORS)

CITY: Final = Side(
    sent=joined("message", handlers.CITY_SENT, territory.SENT),
    received=joined("message", handlers.CITY_RECEIVED, territory.RECEIVED),
    stopped=_stopped,
    facts=_facts,
    acts=joined("act", acts.CITY_ACTS, territory.CITY_ACTS),
    matter=store.matter_of,
    choices={
        ("pec.offer_published", "offer_id"): offers.to_publish,
        ("tutor_named", "staff_id"): tutors.registered,
    },
    clocks=joined("deadline", clocks.CITY_CLOCKS, territory.CITY_CLOCKS),
    daily=_daily(territory.daily),
    may_read=_may_read(views.city_may_read),
    access_article="C-3.2",
    acquaintance=governance.ACQUAINTANCE,
    tables=(metadata,),
    view=_view(views.city_view),
    labels=LABELS,
    indicators=INDICATORS,
    routes=_router(routes.city_router, territory_routes.city_router),
    calls=joined("call", routes.CITY_CALLS, territory.CITY_CALLS),
)
"""The employer, for the CCAS too: one human resources department answers for both (C-3.2)."""

AGENCY: Final = Side(
    sent=joined("message", handlers.AGENCY_SENT, territory.SENT),
    received=joined("message", handlers.AGENCY_RECEIVED, territory.RECEIVED),
    stopped=_stopped,
    facts=_facts,
    acts=joined("act", acts.AGENCY_ACTS, territory.AGENCY_ACTS),
    matter=store.matter_of,
    choices={
        ("pec.candidate_proposed", "offer_id"): offers.to_answer,
        ("immersion.requested", "offer"): offers.to_answer,
    },
    clocks=joined("deadline", clocks.AGENCY_CLOCKS, territory.AGENCY_CLOCKS),
    daily=_daily(territory.agency_daily),
    may_read=_may_read(views.agency_may_read),
    access_article="C-3.1",
    acquaintance=governance.ACQUAINTANCE,
    tables=(metadata,),
    view=_view(views.agency_view),
    labels=LABELS,
    indicators=INDICATORS,
    routes=_router(routes.agency_router, territory_routes.agency_router),
    calls=joined("call", routes.AGENCY_CALLS, territory.AGENCY_CALLS),
)
"""The employment agency."""

CCAS: Final = Side(
    sent=territory.SENT,
    received=territory.RECEIVED,
    facts=territory.facts,
    acquaintance=governance.ACQUAINTANCE,
    clocks=territory.CCAS_CLOCKS,
    tables=(metadata,),
    daily=territory.daily,
    indicators=TERRITORY_INDICATORS,
    routes=territory_routes.ccas_router,
    calls=territory.CCAS_CALLS,
)
"""The social centre: its own legal person, which no case of this convention ever reaches."""
