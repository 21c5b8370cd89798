"""What a school adds to the chassis."""

from __future__ import annotations

from contracts.kernel.organisation import Kind
from services.chassis.core import Partner
from services.school import handlers, queries

PARTNER = Partner(
    kind=Kind.SCHOOL,
    sent={"referral.submitted": handlers.referral_sent},
    received={"referral.answered": handlers.referral_answered},
    erase=handlers.erase,
    view=queries.view,
)
