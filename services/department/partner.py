"""What the department adds to the chassis: nothing yet, since no convention of this installation binds it."""

from __future__ import annotations

from contracts.kernel.organisation import Kind
from services.chassis.core import Partner

PARTNER = Partner(kind=Kind.DEPARTMENT)
