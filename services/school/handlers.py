"""What a school records when a referral leaves and when its answer arrives."""

from __future__ import annotations

from sqlalchemy import delete, update

from services.chassis.core import Core, Received, Sent
from services.chassis.database import Tx
from services.chassis.scopes import case_scope
from services.school.models import referrals


def referral_sent(tx: Tx, core: Core, sent: Sent) -> None:
    """Keep what was sent, under the case's key (A-4.3)."""
    if sent.case_id is None:
        return
    content = sent.payload.model_dump_json().encode()
    tx.insert(
        referrals,
        {
            "case_id": sent.case_id,
            "message_id": sent.message_id,
            "city": sent.receiver,
            "state": "sent",
            "sent_at": sent.at,
            "sealed": core.keystore.seal(
                case_scope(sent.case_id), content, aad=b"referral.submitted"
            ),
        },
    )


def referral_answered(tx: Tx, core: Core, received: Received) -> None:
    """Record the city's answer and the pathway referent it names (A-2.5)."""
    case_id = received.envelope.caseid
    if case_id is None:
        return
    content = received.payload.model_dump_json().encode()
    decision = str(received.payload.model_dump()["decision"])
    tx.execute(
        update(referrals)
        .where(referrals.c.case_id == case_id)
        .values(
            state=decision,
            answered_at=received.at,
            answer=core.keystore.seal(case_scope(case_id), content, aad=b"referral.answered"),
        )
    )


def erase(tx: Tx, case_id: str) -> int:
    """Destroy the school's rows of a case."""
    return tx.execute(delete(referrals).where(referrals.c.case_id == case_id)).rowcount
