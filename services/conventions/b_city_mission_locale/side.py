"""Convention B at either of its parties: the same at both."""

from __future__ import annotations

from typing import Final

from services.chassis.partner import Side
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
from services.conventions.b_city_mission_locale.labels import LABELS
from services.conventions.b_city_mission_locale.models import metadata

SIDE: Final = Side(
    sent=handlers.SENT,
    received=handlers.RECEIVED,
    stopped=handlers.stopped,
    facts=facts.facts,
    acts=acts.ACTS,
    matter=store.matter_of,
    not_ours=facts.not_ours,
    clocks=clocks.CLOCKS,
    daily=clocks.daily,
    may_read=views.may_read,
    access_article="B-2.13",
    tables=(metadata,),
    view=views.view,
    labels=LABELS,
    indicators=indicators.INDICATORS,
    routes=routes.router,
    calls=routes.CALLS,
)
