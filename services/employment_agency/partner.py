"""What the employment agency adds to the chassis: its side of convention C."""

from __future__ import annotations

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner
from services.conventions.c_employment_city_ccas.side import AGENCY

PARTNER = Partner(kind=Kind.EMPLOYMENT_AGENCY, sides={CONVENTION.code: AGENCY})
