"""What either side knows that the checks of the employer axis alone ask for."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.conventions.c_employment_city_ccas.convention import CONVENTION
from contracts.conventions.c_employment_city_ccas.messages import CandidateProposed
from contracts.kernel.checks import Side
from contracts.kernel.organisation import Kind
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Known, Question
from services.conventions.c_employment_city_ccas import (
    booklets,
    candidates,
    contracts,
    immersions,
    offers,
    seekers,
    tutors,
)

TYPES: Final = frozenset(
    {
        "pec.offer_published",
        "pec.candidate_proposed",
        "pec.candidate_outcome",
        "pec.commitment_agreed",
        "pec.booklet_due",
        "pec.booklet_filled",
        "pec.exit_interview",
        "pec.attestation",
        "immersion_trades.published",
        "immersion.requested",
        "immersion.status",
    }
)
"""Types of the employer axis: about any other, nothing is known here."""


def facts(tx: Tx, core: Core, asked: Question) -> Known:
    """Facts about a message of the employer axis."""
    if asked.type not in TYPES:
        return Known()
    records = _no_file(core, asked)
    counts: dict[str, int] = {}
    if core.kind is Kind.EMPLOYMENT_AGENCY and asked.side is Side.SENDER:
        records |= seekers.known(tx, asked)
    if asked.type.startswith("immersion."):
        more, counts = immersions.asking(tx, asked)
        records |= more | immersions.standing(tx, core, asked)
        return Known(records=records, counts=counts)
    records |= _candidacy(tx, asked)
    for found, numbers in (tutors.known(tx, asked), booklets.known(tx, asked)):
        records |= found
        counts |= numbers
    return Known(
        records=records | booklets.prospects(tx, asked.case_id),
        signatures=contracts.signatures(tx, asked),
        counts=counts,
    )


def _no_file(core: Core, asked: Question) -> dict[str, datetime]:
    """This node writes nothing of a flow that the convention marks as such (C-5.1)."""
    if asked.side is not Side.RECEIVER or asked.partner is None:
        return {}
    flow = CONVENTION.flow(asked.type, asked.partner.kind, core.kind)
    unfiled = flow is not None and flow.retention.transient
    return {"no_file": asked.at} if unfiled else {}


def _candidacy(tx: Tx, asked: Question) -> dict[str, datetime]:
    found = {**candidates.known(tx, asked), **offers.interviewed(tx, asked)}
    if isinstance(asked.payload, CandidateProposed) or asked.type == candidates.PROPOSED:
        opened = offers.open_offer(tx, asked, getattr(asked.payload, "offer_id", None))
        if opened is not None:
            found["offer_open"] = opened
    return found
