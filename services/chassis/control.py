"""Handling control messages: they apply on arrival, in any order, open convention or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import ValidationError
from pydantic_core import to_json
from sqlalchemy import select, update

from contracts.kernel.binding import Binding
from contracts.kernel.control import (
    CONTROL_TYPES,
    AgreementChanged,
    ContentRequested,
    ContentShown,
    ErasureDone,
    ErasureRequested,
    RightsAnswered,
    RightsRequested,
    WithdrawalDone,
    WithdrawalRequested,
)
from contracts.kernel.envelope import Envelope
from contracts.kernel.fields import Payload
from contracts.kernel.organisation import DirectoryEntry
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import rights_partners, standing, tables, unfiled
from services.chassis.agreements import bury, ends_with, stop, stop_letters, withdraw
from services.chassis.controls import LIFETIME, send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.erasure import bury_unknown_case, erase_case, keep_certificate
from services.chassis.holds import kept_under
from services.chassis.journal import Entry
from services.chassis.memory import SHOWN_FOR
from services.chassis.partner import Ended


@dataclass(frozen=True, slots=True)
class _Said:
    """A verified control message: who says it, what binds us, and in which trace."""

    sender: DirectoryEntry
    binding: Binding
    content: Any
    at: datetime
    traceparent: str | None

    def answer(
        self, tx: Tx, core: Core, type_: str, content: Payload, lifetime: timedelta = LIFETIME
    ) -> None:
        """Send a control message back, in the same trace."""
        send_control(
            tx,
            core,
            type_,
            content,
            self.sender.org,
            self.binding.id,
            self.at,
            traceparent=self.traceparent,
            lifetime=lifetime,
        )


Handler = Callable[[Tx, Core, _Said], None]


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
    said = _Said(sender, binding, content, at, envelope.traceparent)
    _HANDLERS[envelope.type](tx, core, said)
    return "received"


def _collects(tx: Tx, org: str, reference: str) -> bool:
    """Whether that organisation may be the collector: the proof says so, or is yet to come."""
    if tx.get(standing.REFERENCES, reference) is not None:
        return False  # collected here
    proof = tx.get(standing.PROOFS, reference)
    return proof is None or proof.collector == org


def _agreement_changed(tx: Tx, core: Core, said: _Said) -> None:
    """Stop at once, leave a tombstone, and certify it (A-2.11); or hold, until it runs again."""
    content: AgreementChanged = said.content
    sender, at, state = said.sender.org, said.at, content.state
    bury(tx, (content.reference, sender), state, min(content.effective_at, at))
    if state == "suspended" or state == "resumed":  # noqa: PLR1714 -- mypy narrows no set
        _held_back(tx, core, said, state)
        return
    cases = _cases_of(tx, content.reference, sender, state)
    stop(tx, core, content.reference, cases, at, state, min(content.effective_at, at))
    retain = add_months(day_of(at), said.binding.purge_months)
    where = tables.cases.c.case_id.in_(cases) & tables.cases.c.retain_until.is_(None)
    tx.execute(update(tables.cases).where(where).values(retain_until=midnight(retain)))
    tx.forget(standing.CASES)
    done = WithdrawalDone(
        reference=content.reference,
        case_ids=cases,
        outcome="stopped",
        article=said.binding.purge_article,
        retain_until=retain if cases else None,
        done_at=at,
    )
    said.answer(tx, core, "withdrawal.done", done)


def _held_back(tx: Tx, core: Core, said: _Said, state: Literal["suspended", "resumed"]) -> None:
    """Nothing leaves on a suspended agreement; its cases stay, and the gate refuses (GDPR 21)."""
    content: AgreementChanged = said.content
    reference, at = content.reference, said.at
    known = tx.get(standing.TOMBSTONES, (reference, said.sender.org))
    stands = state if known is None else known.state  # a later change may have come before
    if stands == "resumed":
        tx.on_commit(lambda: core.withdrawn.pop(reference, None))
    else:
        stop_letters(tx, core, tables.outbox.c.reference == reference, at)
        tx.on_commit(lambda: core.withdrawn.setdefault(reference, at))
    done = WithdrawalDone(
        reference=reference,
        case_ids=_cases_of(tx, reference, said.sender.org, "withdrawn"),
        outcome="stopped" if stands == "withdrawn" else stands,
        article=None,
        retain_until=None,
        done_at=at,
    )
    said.answer(tx, core, "withdrawal.done", done)


def _cases_of(tx: Tx, reference: str, partner: str, state: Ended) -> tuple[str, ...]:
    cases = tables.cases
    where = (cases.c.reference == reference) & (cases.c.partner == partner) & ends_with(state)
    return tuple(row.case_id for row in tx.execute(select(cases.c.case_id).where(where)))


def _withdrawal_requested(tx: Tx, core: Core, said: _Said) -> None:
    """A holder passes on a withdrawal; the collector applies it and tells every recipient."""
    content: WithdrawalRequested = said.content
    known = tx.get(standing.REFERENCES, content.reference)
    if known is not None and known.recipient == said.sender.org:
        since = min(content.asked_at, said.at)
        withdraw(tx, core, known.agreement_id, None, said.at, said.traceparent, since)


def _withdrawal_done(tx: Tx, _core: Core, said: _Said) -> None:
    """Keep what a recipient certifies (A-2.11): an end for good, else what it did last."""
    content: WithdrawalDone = said.content
    rows, done_at = tables.withdrawals, min(content.done_at, said.at)
    mine = (rows.c.reference == content.reference) & (rows.c.org == said.sender.org)
    news = rows.c.outcome.is_(None) | rows.c.outcome.in_(("suspended", "resumed"))
    if content.outcome in {"suspended", "resumed"}:
        news &= rows.c.done_at.is_(None) | (rows.c.done_at <= done_at)
    values = {"outcome": content.outcome, "article": content.article, "done_at": done_at}
    tx.execute(update(rows).where(mine & news).values(values))


def _erasure_requested(tx: Tx, core: Core, said: _Said) -> None:
    """Destroy a case at a partner's request, and send the certificate (GDPR art. 17, 19).

    What a dispute keeps is kept, which the certificate says, and destroyed after it (art. 17.3 e).
    """
    content: ErasureRequested = said.content
    sender, at = said.sender.org, said.at
    case = tx.get(standing.CASES, content.case_id)
    certificate = core.new_id()
    if case is None:
        bury_unknown_case(tx, core, content.case_id, sender, said.binding.id, at)
    nothing = ErasureDone(
        case_id=content.case_id,
        certificate=certificate,
        outcome="unknown",
        article=None,
        records=0,
        done_at=at,
    )
    if case is None or case.partner != sender:
        done = nothing
    elif (article := kept_under(tx, core, case)) is not None:
        done = nothing.model_copy(update={"outcome": "kept", "article": article})
        _destroy_later(tx, content.case_id, at)
        keep_certificate(tx, core.org, done)
    else:
        done = erase_case(tx, core, content.case_id, certificate, at)
    said.answer(tx, core, "erasure.done", done)


def _destroy_later(tx: Tx, case_id: str, at: datetime) -> None:
    """Have retention destroy it as soon as nothing keeps it any more."""
    cases = tables.cases
    tx.execute(update(cases).where(cases.c.case_id == case_id).values(retain_until=at))
    tx.forget(standing.CASES, case_id)


def _erasure_done(tx: Tx, _core: Core, said: _Said) -> None:
    content: ErasureDone = said.content
    case = tx.get(standing.CASES, content.case_id)
    if case is not None and case.partner == said.sender.org:
        keep_certificate(tx, said.sender.org, content)


def _convention_changed(_tx: Tx, _core: Core, _said: _Said) -> None:
    """Believe nothing of it: the signed documents say what the state is, and are read anyway."""


def _content_requested(tx: Tx, core: Core, said: _Said) -> None:
    """Decide anew, and show a content once more to whoever keeps none of it (C-5.1)."""
    asked: ContentRequested = said.content
    shown = unfiled.answer(tx, core, asked, said.sender.org, said.binding, said.at)
    said.answer(tx, core, "content.shown", shown, SHOWN_FOR)


def _content_shown(tx: Tx, core: Core, said: _Said) -> None:
    content: ContentShown = said.content
    unfiled.take(tx, core, content, said.sender.org)


def _rights_requested(tx: Tx, core: Core, said: _Said) -> None:
    """Somebody exercises a right at a partner: keep it with its clock, for a human to answer."""
    content: RightsRequested = said.content
    nothing = rights_partners.arrived(tx, core, content, said.sender.org, said.at)
    if nothing is not None:
        said.answer(tx, core, "rights.answered", nothing)


def _rights_answered(tx: Tx, _core: Core, said: _Said) -> None:
    content: RightsAnswered = said.content
    rights_partners.answered(tx, content, said.sender.org, said.at)


_HANDLERS: dict[str, Handler] = {
    "agreement.changed": _agreement_changed,
    "withdrawal.requested": _withdrawal_requested,
    "withdrawal.done": _withdrawal_done,
    "erasure.requested": _erasure_requested,
    "erasure.done": _erasure_done,
    "content.requested": _content_requested,
    "content.shown": _content_shown,
    "convention.state_changed": _convention_changed,
    "rights.requested": _rights_requested,
    "rights.answered": _rights_answered,
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
