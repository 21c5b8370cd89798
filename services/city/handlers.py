"""What the city records when a referral arrives and when its answer leaves."""

from __future__ import annotations

from sqlalchemy import delete, update

from contracts.conventions.a_city_school.messages import ReferralAnswered
from services.chassis.core import Core, Received, Sent
from services.chassis.database import Tx
from services.chassis.scopes import case_scope
from services.city.models import pathway_referents, referrals


def referral_received(tx: Tx, core: Core, received: Received) -> None:
    """Keep a referral under the case's key, waiting for an answer (A-4.3)."""
    case_id = received.envelope.caseid
    if case_id is None:
        return
    content = received.payload.model_dump_json().encode()
    tx.insert(
        referrals,
        {
            "case_id": case_id,
            "school": received.sender.org,
            "state": "received",
            "received_at": received.at,
            "sealed": core.keystore.seal(case_scope(case_id), content, aad=b"referral.submitted"),
        },
    )


def answer_sent(tx: Tx, core: Core, sent: Sent) -> None:
    """Record the answer, and the pathway referent when there is one: one at a time (A-2.5)."""
    if sent.case_id is None or not isinstance(sent.payload, ReferralAnswered):
        return
    tx.execute(
        update(referrals)
        .where(referrals.c.case_id == sent.case_id)
        .values(state=sent.payload.decision, answered_at=sent.at)
    )
    if sent.payload.referent is None:
        return
    present = (pathway_referents.c.case_id == sent.case_id) & pathway_referents.c.active
    tx.execute(update(pathway_referents).where(present).values(active=False, until=sent.at))
    contact = sent.payload.referent.model_dump_json().encode()
    tx.insert(
        pathway_referents,
        {
            "case_id": sent.case_id,
            "since": sent.at,
            "agent_id": sent.agent_id,
            "active": True,
            "contact": core.keystore.seal(case_scope(sent.case_id), contact, aad=b"referent"),
        },
    )


def erase(tx: Tx, case_id: str) -> int:
    """Destroy the city's rows of a case."""
    tables = (referrals, pathway_referents)
    return sum(tx.execute(delete(t).where(t.c.case_id == case_id)).rowcount for t in tables)
