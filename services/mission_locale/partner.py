"""What the Mission Locale adds to the chassis: its sides of conventions B and D, and of the law."""

from __future__ import annotations

from contracts.conventions.b_city_mission_locale.convention import CONVENTION as CITY
from contracts.conventions.d_department_mission_locale.convention import CONVENTION as DEPARTMENT
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner
from services.conventions.b_city_mission_locale.side import SIDE as CITY_SIDE
from services.conventions.d_department_mission_locale.side import MISSION
from services.conventions.d_department_mission_locale.training import SIDE as TRAINING_SIDE
from services.conventions.d_department_mission_locale.training import TRAINING

PARTNER = Partner(
    kind=Kind.MISSION_LOCALE,
    sides={CITY.code: CITY_SIDE, DEPARTMENT.code: MISSION, TRAINING: TRAINING_SIDE},
)
