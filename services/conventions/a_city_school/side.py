"""What the calendar and the clock say to either side of convention A."""

from __future__ import annotations

from datetime import datetime

from contracts.conventions.a_city_school.convention import ALTERNATIVE
from contracts.conventions.a_city_school.measure import responsible
from contracts.kernel.paris import day_of
from services.chassis.calendar import in_school_time
from services.chassis.core import Core
from services.chassis.database import Tx
from services.conventions.a_city_school import store


def responsible_for(_core: Core, purpose: str, at: datetime) -> str | None:
    """Who answers for the young person at an instant, by purpose (A-7.1, A-7.2)."""
    return responsible(in_measure=purpose == ALTERNATIVE, in_school_time=in_school_time(at))


def daily(tx: Tx, _core: Core, at: datetime) -> None:
    """Once a day: forget what was kept of watch cells (A-5.1)."""
    store.forget_watch_cells(tx, day_of(at))
