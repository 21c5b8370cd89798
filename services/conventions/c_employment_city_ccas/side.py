"""Convention C at each of its three parties."""

from __future__ import annotations

from typing import Final

from services.chassis.partner import Side
from services.conventions.c_employment_city_ccas import territory, territory_routes
from services.conventions.c_employment_city_ccas.territory_indicators import INDICATORS

AGENCY: Final = Side(
    sent=territory.SENT,
    received=territory.RECEIVED,
    stopped=territory.stopped,
    facts=territory.facts,
    acts=territory.AGENCY_ACTS,
    clocks=territory.AGENCY_CLOCKS,
    daily=territory.agency_daily,
    may_read=territory.may_read,
    erase=territory.erase,
    view=territory.view,
    indicators=INDICATORS,
    routes=territory_routes.agency_router,
    calls=territory.AGENCY_CALLS,
)
"""The employment agency."""

CITY: Final = Side(
    sent=territory.SENT,
    received=territory.RECEIVED,
    stopped=territory.stopped,
    facts=territory.facts,
    acts=territory.CITY_ACTS,
    clocks=territory.CITY_CLOCKS,
    daily=territory.daily,
    may_read=territory.may_read,
    erase=territory.erase,
    view=territory.view,
    indicators=INDICATORS,
    routes=territory_routes.city_router,
    calls=territory.CITY_CALLS,
)
"""The city."""

CCAS: Final = Side(
    sent=territory.SENT,
    received=territory.RECEIVED,
    facts=territory.facts,
    clocks=territory.CCAS_CLOCKS,
    daily=territory.daily,
    indicators=INDICATORS,
    routes=territory_routes.ccas_router,
    calls=territory.CCAS_CALLS,
)
"""The social centre: its own legal person, which no case of this convention ever reaches."""
