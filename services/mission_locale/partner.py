"""What the Mission Locale adds to the chassis: nothing yet, for want of a convention."""

from __future__ import annotations

from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner

PARTNER = Partner(kind=Kind.MISSION_LOCALE)
