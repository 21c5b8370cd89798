"""What the CCAS adds to the chassis: its side of convention C."""

from __future__ import annotations

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner
from services.conventions.c_employment_city_ccas.side import CCAS

PARTNER = Partner(kind=Kind.CCAS, sides={CONVENTION.code: CCAS})
