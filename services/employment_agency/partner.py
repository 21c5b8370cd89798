"""What the employment agency adds to the chassis: nothing yet, for want of a convention."""

from __future__ import annotations

from contracts.kernel.organisation import Kind
from services.chassis.partner import Partner

PARTNER = Partner(kind=Kind.EMPLOYMENT_AGENCY)
