"""What a school alone records when a message leaves."""

from __future__ import annotations

from contracts.conventions.a_city_school.messages import AttendanceNotice
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Sent
from services.conventions.a_city_school import store


def attendance_sent(tx: Tx, _core: Core, sent: Sent) -> None:
    """Forget a notice as early as the city must (A-0.3)."""
    if sent.case_id is not None and isinstance(sent.payload, AttendanceNotice):
        store.keep_notice(tx, sent.case_id, sent.payload.pupil.birth_date)
