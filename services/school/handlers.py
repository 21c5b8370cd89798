"""What a school alone records when a message leaves, and what it forgets."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists

from contracts.conventions.a_city_school.messages import AttendanceNotice
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Sent
from services.conventions.a_city_school import side, store
from services.conventions.a_city_school.models import watch_cells
from services.school.models import agenda, attendees


def attendance_sent(tx: Tx, _core: Core, sent: Sent) -> None:
    """Forget a notice as early as the city must (A-0.3)."""
    if sent.case_id is not None and isinstance(sent.payload, AttendanceNotice):
        store.keep_notice(tx, sent.case_id, sent.payload.pupil.birth_date)


def daily(tx: Tx, core: Core, at: datetime) -> None:
    """Once a day: forget watch cells, and with each its agenda and who sat in it (A-5.1)."""
    side.daily(tx, core, at)
    for table in (agenda, attendees):
        called = exists().where(watch_cells.c.message_id == table.c.message_id)
        tx.execute(delete(table).where(~called))
