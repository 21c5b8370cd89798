"""What each side records when a message of the employer axis leaves or arrives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from services.chassis import casefile
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import ReceivedHandler, SentHandler, Stop
from services.conventions.c_employment_city_ccas import (
    booklets,
    candidates,
    contracts,
    immersions,
    offers,
    store,
)
from services.conventions.c_employment_city_ccas.models import (
    candidacies,
)
from services.conventions.c_employment_city_ccas.steps import Apply, counted, received, sent

_FROM_CITY: Final[Mapping[str, Apply]] = {
    "pec.offer_published": offers.published,
    "pec.candidate_outcome": candidates.decided,
    "pec.commitment_agreed": contracts.agreed,
    "pec.booklet_filled": booklets.filled_at_city,
    "pec.attestation": contracts.certified,
    "immersion_trades.published": immersions.published,
    "immersion.status": immersions.told,
}
_FROM_AGENCY: Final[Mapping[str, Apply]] = {
    "pec.candidate_proposed": candidates.proposed,
    "pec.booklet_due": booklets.asked_for,
    "pec.booklet_filled": booklets.filled_at_agency,
    "pec.exit_interview": contracts.exit_called,
    "immersion.requested": immersions.requested,
    "immersion.status": immersions.confirmed,
}

CITY_SENT: Final[Mapping[str, SentHandler]] = {
    name: sent(apply) for name, apply in _FROM_CITY.items()
}
CITY_RECEIVED: Final[Mapping[str, ReceivedHandler]] = {
    name: received(apply) for name, apply in _FROM_AGENCY.items()
}
AGENCY_SENT: Final[Mapping[str, SentHandler]] = {
    name: sent(apply) for name, apply in _FROM_AGENCY.items()
}
AGENCY_RECEIVED: Final[Mapping[str, ReceivedHandler]] = {
    name: received(apply) for name, apply in _FROM_CITY.items()
}


def stopped(tx: Tx, _core: Core, case_id: str, why: Stop, at: datetime) -> None:
    """The person withdrew, or the agreement is over: nothing runs any more (C-4.1)."""
    table = store.table_of(tx, case_id)
    if table is None:
        return
    if why == "withdrawn":
        counted(tx, case_id, "stopped", why, at)
    column = "state" if table is candidacies else "status"
    casefile.change(tx, table, case_id, **{column: store.STOPPED})
