"""The plain peer's receiver: opens a letter, checks it again, stores effect and receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from tests.bench.peers.plain.letters import Letter, Receipt
from tests.bench.peers.plain.models import (
    Case,
    Convention,
    InboxRow,
    OutboxRow,
    Withdrawal,
)
from tests.bench.peers.plain.office import LETTERS, RECEIPTS, Office, lock_away
from tests.bench.peers.plain.rules import Facts, reasons_against

if TYPE_CHECKING:
    from datetime import datetime

    from faststream.nats.message import NatsMessage
    from sqlalchemy.ext.asyncio import AsyncSession


_GROUNDS = (
    select(Convention, Withdrawal)
    .outerjoin(Withdrawal, Withdrawal.agreement_id == bindparam("reference"))
    .where(Convention.sender == bindparam("from_"), Convention.receiver == bindparam("to"))
)


async def receive(office: Office, message: NatsMessage, *, receipts: bool) -> None:
    """Open, verify, check and store one letter; one that comes twice takes effect once.

    Raises InvalidTag or BadSignatureError for a letter that is not the partner's.
    """
    at, message_id = office.now(), message.headers["Nats-Msg-Id"]
    letter = Letter.model_validate_json(office.keys.unseal(message.body, message_id, LETTERS))
    async with office.sessions() as session:
        session.add(InboxRow(sender=letter.sender, message_id=letter.id, at=at))
        try:
            await session.flush()
        except IntegrityError:
            return
        reasons = ", ".join(reasons_against(await _facts(session, letter), at))
        if not reasons:
            session.add(_opened_case(letter, at))
        state = "refused" if reasons else "received"
        if receipts:
            session.add(_receipt(letter, state, at, office.audit.head))
        await office.audit.commit(session, at, state, letter.id, reasons)
    if receipts:
        office.wake.set()


def _opened_case(letter: Letter, at: datetime) -> Case:
    key = AESGCM.generate_key(256)
    content = lock_away(letter.data.model_dump_json(), key)
    return Case(id=letter.data.case_id, message_id=letter.id, key=key, content=content, at=at)


def _receipt(letter: Letter, state: str, at: datetime, head: bytes) -> OutboxRow:
    receipt = Receipt(id=letter.id, state=state, at=at, audit_head=head.hex())
    said = receipt.model_dump_json()
    return OutboxRow(id=uuid4(), subject=RECEIPTS, state="queued", queued_at=at, receipt=said)


def compose_receipt(row: OutboxRow, _at: datetime) -> Receipt:
    """Return the receipt of a queued row."""
    return Receipt.model_validate_json(row.receipt)


async def _facts(session: AsyncSession, letter: Letter) -> Facts:
    between = {
        "from_": letter.sender,
        "to": letter.receiver,
        "reference": letter.proof.reference,
    }
    convention, withdrawal = (await session.execute(_GROUNDS, between)).tuples().one()
    return Facts(
        flow=letter.flow,
        sender=letter.sender,
        receiver=letter.receiver,
        purpose=letter.purpose,
        version=letter.version,
        convention_sender=convention.sender,
        convention_receiver=convention.receiver,
        convention_version=convention.version,
        convention_purposes=convention.purposes,
        opens_on=convention.opens_on,
        closes_on=convention.closes_on,
        birth_date=letter.data.birth_date,
        giver=letter.proof.giver,
        agreed_flows=letter.proof.flows,
        agreed_receivers=letter.proof.receivers,
        given_at=letter.proof.given_at,
        expires_at=letter.proof.expires_at,
        withdrawn_at=withdrawal.at if withdrawal else None,
        notice_at=letter.proof.notice_at,
        charter_at=letter.proof.charter_at,
        enrolled=letter.proof.enrolled,
    )
