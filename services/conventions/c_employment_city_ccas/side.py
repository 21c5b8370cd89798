"""The employer axis of convention C at each of its two parties, to be joined with the others."""

from __future__ import annotations

from typing import Final

from services.chassis.partner import Side
from services.conventions.c_employment_city_ccas import (
    acts,
    clocks,
    contracts,
    facts,
    handlers,
    indicators,
    routes,
    store,
    views,
)

CITY: Final = Side(
    sent=handlers.CITY_SENT,
    received=handlers.CITY_RECEIVED,
    stopped=handlers.stopped,
    goes_on=contracts.goes_on,
    facts=facts.facts,
    acts=acts.CITY_ACTS,
    clocks=clocks.CITY_CLOCKS,
    daily=clocks.daily,
    may_read=views.city_may_read,
    erase=store.erase,
    view=views.city_view,
    indicators=indicators.INDICATORS,
    routes=routes.city_router,
    calls=routes.CITY_CALLS,
)
"""The employer, for the CCAS too: one human resources department answers for both (C-3.2)."""

AGENCY: Final = Side(
    sent=handlers.AGENCY_SENT,
    received=handlers.AGENCY_RECEIVED,
    stopped=handlers.stopped,
    goes_on=contracts.goes_on,
    facts=facts.facts,
    acts=acts.AGENCY_ACTS,
    clocks=clocks.AGENCY_CLOCKS,
    daily=clocks.daily,
    may_read=views.agency_may_read,
    erase=store.erase,
    view=views.agency_view,
    indicators=indicators.INDICATORS,
    routes=routes.agency_router,
    calls=routes.AGENCY_CALLS,
)
