"""What the city adds to the chassis."""

from __future__ import annotations

from contracts.kernel.organisation import Kind
from services.chassis.core import Partner
from services.city import handlers, queries

PARTNER = Partner(
    kind=Kind.CITY,
    sent={"referral.answered": handlers.answer_sent},
    received={"referral.submitted": handlers.referral_received},
    witness=queries.witness,
    erase=handlers.erase,
    view=queries.view,
)
