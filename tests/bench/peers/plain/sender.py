"""The plain peer's sender: accepts what agents post, and takes the receipts that come back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.jwt import JWTClaimsRegistry
from sqlalchemy import bindparam, update
from sqlalchemy.orm import joinedload

from tests.bench.peers.plain.letters import Letter, Posting, Proof, Receipt
from tests.bench.peers.plain.models import (
    Agreement,
    Case,
    OutboxRow,
)
from tests.bench.peers.plain.office import (
    CITY,
    FLOW,
    LETTERS,
    RECEIPTS,
    SCHOOL,
    Office,
    bring_back,
    lock_away,
)
from tests.bench.peers.plain.rules import Facts, reasons_against
from tests.bench.peers.referral import Referral

if TYPE_CHECKING:
    from faststream.nats.message import NatsMessage

_WITH_FACTS = (
    joinedload(Agreement.person, innerjoin=True),
    joinedload(Agreement.convention, innerjoin=True),
)
LETTER_OPTIONS = (
    joinedload(OutboxRow.case, innerjoin=True),
    joinedload(OutboxRow.agreement, innerjoin=True).options(*_WITH_FACTS),
)


_IF_STILL_OPEN = (
    update(OutboxRow)
    .where(OutboxRow.id == bindparam("row_id"), OutboxRow.state.in_(("queued", "published")))
    .values(state=bindparam("to_state"))
    .returning(OutboxRow.id)
    .execution_options(synchronize_session=False)
)


class RefusedError(Exception):
    """The rules say no; the message names the checks that failed."""


def charter_of(office: Office, token: str) -> datetime:
    """Return when the bearer accepted the charter; JoseError when the token is not a good one."""
    claims = jwt.decode(token, office.keys.tokens, algorithms=["HS256"]).claims
    JWTClaimsRegistry(role={"essential": True, "value": "agent"}).validate(claims)
    return datetime.fromtimestamp(claims["charter_at"], UTC)


async def accept(office: Office, posting: Posting, charter_at: datetime) -> UUID:
    """Check a posted message and store it for the relay; return its id.

    Raises RefusedError when the rules say no.
    """
    at, message_id = office.now(), uuid4()
    async with office.sessions() as session:
        agreement = await session.get(Agreement, posting.agreement_id, options=_WITH_FACTS)
        if agreement is None:
            raise RefusedError("agreement")
        facts = _facts(agreement, posting.to, posting.purpose, posting.version, charter_at)
        if reasons := ", ".join(reasons_against(facts, at)):
            await office.audit.commit(session, at, "refused", message_id, reasons)
            raise RefusedError(reasons)
        key = AESGCM.generate_key(256)
        row = OutboxRow(
            id=message_id,
            subject=LETTERS,
            state="queued",
            queued_at=at,
            purpose=posting.purpose,
            version=posting.version,
            charter_at=charter_at,
            case=Case(
                id=posting.data.case_id,
                message_id=message_id,
                key=key,
                content=lock_away(posting.data.model_dump_json(), key),
                at=at,
            ),
            agreement=agreement,
        )
        session.add(row)
        await office.audit.commit(session, at, "queued", message_id)
    office.wake.set()
    return message_id


def compose_letter(row: OutboxRow, at: datetime) -> Letter | None:
    """Return the letter of a queued row, None when the rules meanwhile say no."""
    facts = _facts(row.agreement, CITY, row.purpose, row.version, row.charter_at)
    if reasons_against(facts, at):
        return None
    agreement = row.agreement
    return Letter(
        id=row.id,
        flow=FLOW,
        sender=SCHOOL,
        receiver=CITY,
        version=row.version,
        purpose=row.purpose,
        expires_at=agreement.expires_at,
        proof=Proof(
            reference=agreement.id,
            giver=agreement.giver,
            flows=agreement.flows,
            receivers=agreement.receivers,
            given_at=agreement.given_at,
            expires_at=agreement.expires_at,
            notice_at=agreement.notice_at,
            charter_at=row.charter_at,
            enrolled=agreement.person.enrolled,
        ),
        data=Referral.model_validate_json(bring_back(row.case.content, row.case.key)),
    )


async def take_receipt(office: Office, message: NatsMessage) -> None:
    """Verify a receipt and mark its letter; a receipt that comes twice counts once."""
    at, message_id = office.now(), message.headers["Nats-Msg-Id"]
    receipt = Receipt.model_validate_json(office.keys.unseal(message.body, message_id, RECEIPTS))
    state = "accepted" if receipt.state == "received" else "refused"
    async with office.sessions() as session:
        marked = await session.scalar(_IF_STILL_OPEN, {"row_id": receipt.id, "to_state": state})
        if marked is None:
            return
        await office.audit.commit(session, at, state, receipt.id, receipt.audit_head)


def _facts(
    agreement: Agreement, to: str, purpose: str, version: int, charter_at: datetime
) -> Facts:
    convention = agreement.convention
    return Facts(
        flow=FLOW,
        sender=SCHOOL,
        receiver=to,
        purpose=purpose,
        version=version,
        convention_sender=convention.sender,
        convention_receiver=convention.receiver,
        convention_version=convention.version,
        convention_purposes=convention.purposes,
        opens_on=convention.opens_on,
        closes_on=convention.closes_on,
        birth_date=agreement.person.birth_date,
        giver=agreement.giver,
        agreed_flows=agreement.flows,
        agreed_receivers=agreement.receivers,
        given_at=agreement.given_at,
        expires_at=agreement.expires_at,
        withdrawn_at=agreement.withdrawn_at,
        notice_at=agreement.notice_at,
        charter_at=charter_at,
        enrolled=agreement.person.enrolled,
    )
