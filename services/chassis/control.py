"""Handling control messages: they apply on arrival, in any order, open convention or not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import select, update

from contracts.kernel.binding import Binding
from contracts.kernel.control import (
    CONTROL_TYPES,
    AgreementChanged,
    ErasureDone,
    ErasureRequested,
    WithdrawalDone,
    WithdrawalRequested,
)
from contracts.kernel.envelope import Envelope
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import DirectoryEntry
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import standing, tables
from services.chassis.agreements import stop, withdraw
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import bury_unknown_case, erase_case, keep_certificate
from services.chassis.journal import Entry

Handler = Callable[[Tx, Core, DirectoryEntry, Binding, Any, datetime], None]


def apply_control(
    tx: Tx,
    core: Core,
    sender: DirectoryEntry,
    binding: Binding,
    envelope: Envelope,
    at: datetime,
) -> str:
    """Apply a verified control message; returns ``received`` or ``invalid``.

    An agreement is changed by its collector alone: from anybody else the change is invalid.
    """
    try:
        kind = CONTROL_TYPES[envelope.type]
        content: Payload = kind.payload.model_validate_json(to_json(envelope.data))
    except (KeyError, ValidationError):
        _journal(tx, core, envelope, "invalid", at)
        return "invalid"
    if isinstance(content, AgreementChanged) and not _collects(tx, sender.org, content.reference):
        _journal(tx, core, envelope, "invalid", at)
        return "invalid"
    _journal(tx, core, envelope, "allowed", at)
    _HANDLERS[envelope.type](tx, core, sender, binding, content, at)
    return "received"


def _collects(tx: Tx, org: str, reference: str) -> bool:
    """Whether that organisation may be the collector: the proof says so, or is yet to come."""
    if tx.get(standing.REFERENCES, reference) is not None:
        return False  # collected here
    proof = tx.get(standing.PROOFS, reference)
    return proof is None or proof.collector == org


def _agreement_changed(
    tx: Tx,
    core: Core,
    sender: DirectoryEntry,
    binding: Binding,
    content: AgreementChanged,
    at: datetime,
) -> None:
    """Stop at once, leave a tombstone, and certify it (A-2.11)."""
    key = (content.reference, sender.org)
    if tx.get(standing.TOMBSTONES, key) is None:
        row = {
            "reference": content.reference,
            "org": sender.org,
            "withdrawn_at": min(content.effective_at, at),
        }
        tx.insert(tables.tombstones, row)
        tx.forget(standing.TOMBSTONES, key)
    cases = _cases_of(tx, content.reference, sender.org)
    stop(tx, core, content.reference, cases, at)
    retain = add_months(day_of(at), binding.purge_months)
    where = tables.cases.c.case_id.in_(cases) & tables.cases.c.retain_until.is_(None)
    tx.execute(update(tables.cases).where(where).values(retain_until=midnight(retain)))
    tx.forget(standing.CASES)
    done = WithdrawalDone(
        reference=content.reference,
        case_ids=cases,
        outcome="stopped",
        article=binding.purge_article,
        retain_until=retain if cases else None,
        done_at=at,
    )
    send_control(tx, core, "withdrawal.done", done, sender.org, binding.id, at)


def _cases_of(tx: Tx, reference: str, partner: str) -> tuple[str, ...]:
    cases = tables.cases
    where = (cases.c.reference == reference) & (cases.c.partner == partner)
    return tuple(row.case_id for row in tx.execute(select(cases.c.case_id).where(where)))


def _withdrawal_requested(
    tx: Tx,
    core: Core,
    sender: DirectoryEntry,
    _binding: Binding,
    content: WithdrawalRequested,
    at: datetime,
) -> None:
    """A holder passes on a withdrawal; the collector applies it and tells every recipient."""
    known = tx.get(standing.REFERENCES, content.reference)
    if known is not None and known.recipient == sender.org:
        withdraw(tx, core, known.agreement_id, None, at)


def _withdrawal_done(
    tx: Tx,
    _core: Core,
    sender: DirectoryEntry,
    _binding: Binding,
    content: WithdrawalDone,
    at: datetime,
) -> None:
    rows = tables.withdrawals
    where = (rows.c.reference == content.reference) & (rows.c.org == sender.org)
    tx.execute(
        update(rows)
        .where(where)
        .values(outcome=content.outcome, article=content.article, done_at=at)
    )


def _erasure_requested(
    tx: Tx,
    core: Core,
    sender: DirectoryEntry,
    binding: Binding,
    content: ErasureRequested,
    at: datetime,
) -> None:
    """Destroy a case at a partner's request, and send the certificate (GDPR art. 17, 19)."""
    case = tx.get(standing.CASES, content.case_id)
    certificate = core.new_id()
    if case is None:
        bury_unknown_case(tx, core, content.case_id, sender.org, binding.id, at)
    if case is None or case.partner != sender.org:
        done = ErasureDone(
            case_id=content.case_id,
            certificate=certificate,
            outcome="unknown",
            article=None,
            records=0,
            done_at=at,
        )
    else:
        done = erase_case(tx, core, content.case_id, certificate, at)
    send_control(tx, core, "erasure.done", done, sender.org, binding.id, at)


def _erasure_done(
    tx: Tx,
    _core: Core,
    sender: DirectoryEntry,
    _binding: Binding,
    content: ErasureDone,
    _at: datetime,
) -> None:
    case = tx.get(standing.CASES, content.case_id)
    if case is not None and case.partner == sender.org:
        keep_certificate(tx, sender.org, content)


def _convention_changed(
    _tx: Tx,
    _core: Core,
    _sender: DirectoryEntry,
    _binding: Binding,
    _content: Payload,
    _at: datetime,
) -> None:
    """Believe nothing of it: the signed documents say what the state is, and are read anyway."""


_HANDLERS: dict[str, Handler] = {
    "agreement.changed": _agreement_changed,
    "withdrawal.requested": _withdrawal_requested,
    "withdrawal.done": _withdrawal_done,
    "erasure.requested": _erasure_requested,
    "erasure.done": _erasure_done,
    "convention.state_changed": _convention_changed,
}


def _journal(tx: Tx, core: Core, envelope: Envelope, outcome: str, at: datetime) -> None:
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="control.received",
            message_id=envelope.id,
            flow=envelope.type,
            outcome=outcome,
            articles=(CONTROL_TYPES[envelope.type].article,),
        ),
    )
