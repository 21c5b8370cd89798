"""What the Mission Locale adds to the chassis: its side of convention B."""

from __future__ import annotations

from contracts.conventions.b_city_mission_locale.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner
from services.conventions.b_city_mission_locale.side import SIDE

PARTNER = Partner(kind=Kind.MISSION_LOCALE, sides={CONVENTION.code: SIDE})
