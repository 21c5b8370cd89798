"""How agreements end, and what stops with them: withdrawn, expired, wherever that is said.

A withdrawal needs no reason, stops at once whatever rests on it, and is told to every recipient.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, delete, exists, select, update

from contracts.kernel.agreement import Proof
from contracts.kernel.control import AgreementChanged, WithdrawalRequested
from contracts.kernel.errors import UnknownName
from contracts.kernel.instrument import RestsOn
from contracts.kernel.paris import add_months, day_of, midnight
from services.chassis import letters, standing, tables, withheld
from services.chassis.agreement_clocks import MAJORITY
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import cancel_case, cancel_subject
from services.chassis.journal import Entry
from services.chassis.partner import Ended, Stop

Changed = Literal["withdrawn", "expired", "suspended", "resumed"]
"""What a recipient is told of an agreement."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Result of a withdrawal: who was told, and how many waiting letters were stopped."""

    told: tuple[str, ...]
    stopped: int


def withdraw(
    tx: Tx,
    core: Core,
    agreement_id: str,
    agent_id: str | None,
    at: datetime,
    traceparent: str | None = None,
    since: datetime | None = None,
) -> Withdrawal:
    """Withdraw an agreement collected here, from this instant (A-2.11).

    Stops every letter not yet accepted and tells every recipient. A second withdrawal changes
    nothing. since: when a holder stopped it, of whom we learn it only now. Raises UnknownName.
    """
    found = tx.get(standing.AGREEMENTS, agreement_id)
    if found is None:
        raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")
    if found.row.withdrawn_at is not None:
        return Withdrawal((), 0)
    agreements = tables.agreements
    tx.execute(
        update(agreements).where(agreements.c.agreement_id == agreement_id).values(withdrawn_at=at)
    )
    tx.forget(standing.AGREEMENTS)
    cancel_subject(tx, agreement_id, at)
    core.journal.note(tx, "agreement.withdrawn", agent_id, at)
    recipients = tx.execute(
        select(tables.agreement_recipients).where(
            tables.agreement_recipients.c.agreement_id == agreement_id
        )
    ).all()
    if found.row.refused:
        return Withdrawal((), 0)  # a refusal never left, and nothing rests on it
    stopped = 0
    told: list[str] = []
    for one in recipients:
        stopped += end_reference(tx, core, one, "withdrawn", at, told, traceparent, since)
    return Withdrawal(tuple(told), stopped)


def withdraw_known(
    tx: Tx,
    core: Core,
    agreement_id: str,
    agent_id: str | None,
    at: datetime,
    traceparent: str | None = None,
) -> Withdrawal:
    """Withdraw an agreement, collected here or known by its reference from a partner.

    At a holder it stops here at once, and the collector is asked to tell the others. agent_id: None
    where the person did it. Raises UnknownName.
    """
    if tx.get(standing.AGREEMENTS, agreement_id) is not None:
        return withdraw(tx, core, agreement_id, agent_id, at, traceparent)
    proof = tx.get(standing.PROOFS, agreement_id)
    if proof is None:
        raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")
    stop_held(tx, core, proof, at)
    asked = WithdrawalRequested(reference=proof.reference, asked_at=at)
    send_control(
        tx,
        core,
        "withdrawal.requested",
        asked,
        proof.collector,
        proof.convention_id,
        at,
        traceparent=traceparent,
    )
    return Withdrawal((proof.collector,), 0)


def end_reference(
    tx: Tx,
    core: Core,
    recipient: Any,  # noqa: ANN401 -- a row of agreement_recipients
    state: Ended,
    at: datetime,
    told: list[str],
    traceparent: str | None = None,
    since: datetime | None = None,
) -> int:
    """Stop what rests on one reference of an agreement, and tell its recipient.

    told: gets the recipient, if any convention ever joined us to it. since: as `withdraw`. Returns
    how many letters were stopped.
    """
    rows = _resting(tx, recipient.reference, ends_with(state))
    stopped = stop(tx, core, recipient.reference, [row.case_id for row in rows], at, state, since)
    _pass_on(tx, core, recipient, rows, state, at, told, traceparent, since)
    return stopped


def tell_ended(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """Tell a partner that a case has ended here, where nothing it holds could tell it so.

    It hears that the agreement has expired, which for what the case rests on it has.
    """
    case, recipients = tx.get(standing.CASES, case_id), tables.agreement_recipients
    if case is None:
        return
    mine = recipients.c.reference == case.reference
    for one in tx.execute(select(recipients).where(mine)).all():
        _pass_on(tx, core, one, [case], "expired", at, [], None)


def suspend_reference(
    tx: Tx,
    core: Core,
    recipient: Any,  # noqa: ANN401 -- a row of agreement_recipients
    state: Literal["suspended", "resumed"],
    at: datetime,
    told: list[str],
) -> None:
    """Stop what waits to be sent on one reference, or let it run again, and tell its recipient.

    Cases stay as they are: the gate refuses while the agreement is suspended. told: as
    `end_reference`.
    """
    reference: str = recipient.reference
    if state == "suspended":
        stop_letters(tx, core, tables.outbox.c.reference == reference, at)
        tx.on_commit(lambda: core.withdrawn.setdefault(reference, at))
    else:
        tx.on_commit(lambda: core.withdrawn.pop(reference, None))
    rows = _resting(tx, reference, ends_with("withdrawn"))
    _pass_on(tx, core, recipient, rows, state, at, told, None)


def _resting(tx: Tx, reference: str, which: ColumnElement[bool]) -> Sequence[Any]:
    cases = tables.cases
    mine = (cases.c.reference == reference) & which
    return tx.execute(select(cases.c.case_id, cases.c.instrument).where(mine)).all()


def _pass_on(
    tx: Tx,
    core: Core,
    recipient: Any,  # noqa: ANN401 -- a row of agreement_recipients
    rows: Sequence[Any],
    state: Changed,
    at: datetime,
    told: list[str],
    traceparent: str | None,
    since: datetime | None = None,
) -> None:
    # What was agreed before the convention was signed travels under the one that carried it since.
    carried = [row.instrument for row in rows] or [
        signed.id for signed in core.between(recipient.recipient) if signed.opens_on is not None
    ]
    convention_id = recipient.convention_id or (carried[-1] if carried else "")
    case_ids = tuple(row.case_id for row in rows)
    if convention_id:
        _tell(tx, core, recipient, convention_id, case_ids, state, at, traceparent, since or at)
        told.append(recipient.recipient)


def expire(tx: Tx, core: Core, at: datetime) -> int:
    """End what rests on agreements that have expired: at 18, at twelve months, at the end.

    Their recipients are told, as of a withdrawal. Returns how many agreements.
    """
    agreements, recipients = tables.agreements, tables.agreement_recipients
    over = (
        (agreements.c.expires_at <= at)
        & agreements.c.withdrawn_at.is_(None)
        & agreements.c.ended_at.is_(None)
        & ~agreements.c.refused
    )
    found = tx.execute(select(agreements.c.agreement_id).where(over)).scalars().all()
    for agreement_id in found:
        mine = recipients.c.agreement_id == agreement_id
        for one in tx.execute(select(recipients).where(mine)).all():
            end_reference(tx, core, one, "expired", at, [])
        ended = agreements.c.agreement_id == agreement_id
        tx.execute(update(agreements).where(ended).values(ended_at=at))
        cancel_subject(tx, agreement_id, at, unless=MAJORITY)
        core.journal.note(tx, "agreement.expired", None, at)
    tx.forget(standing.AGREEMENTS)
    return len(found)


def ends_with(state: Ended) -> ColumnElement[bool]:
    """Cases that the end of their agreement stops: what rests on a contract outlives an expiry."""
    return tables.cases.c.rests_on.in_([RestsOn.AGREEMENT] if state == "expired" else [*RestsOn])


def stop(
    tx: Tx,
    core: Core,
    reference: str,
    case_ids: Collection[str],
    at: datetime,
    state: Ended = "withdrawn",
    since: datetime | None = None,
) -> int:
    """Stop what rests on a reference: waiting letters are erased, open cases are stopped.

    case_ids: those of `ends_with` the state; one that ended before stays as it ended. since: when
    whoever told us stopped it, so that both sides count it in one month.
    """
    cases, outbox = tables.cases, tables.outbox
    going_on = select(cases.c.case_id).where((cases.c.reference == reference) & ~ends_with(state))
    theirs = outbox.c.case_id.is_(None) | outbox.c.case_id.not_in(going_on)
    stopped = stop_letters(tx, core, (outbox.c.reference == reference) & theirs, at)
    _stop_cases(tx, core, case_ids, state, at, since or at)
    tx.on_commit(lambda: core.withdrawn.setdefault(reference, at))
    return stopped


def unopened(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """End a case of which nothing was ever accepted opposite: it exists here alone.

    Nothing to do where it was opened there, or where another message of it may still arrive; nor
    where the one that opened it is kept no more: a case that it did not open has ended long since.
    """
    cases, outbox = tables.cases, tables.outbox
    here = (cases.c.case_id == case_id) & cases.c.opened_here
    mine = (outbox.c.case_id == case_id) & (outbox.c.kind == letters.LETTER)
    alive = outbox.c.state.in_((letters.QUEUED, letters.DELIVERED, letters.ACCEPTED))
    alone = exists().where(mine & (outbox.c.seq == 1)) & ~exists().where(mine & alive)
    if tx.execute(select(cases.c.case_id).where(here & alone)).first() is not None:
        _stop_cases(tx, core, (case_id,), "refused", at, at)


def _stop_cases(
    tx: Tx, core: Core, case_ids: Collection[str], why: Stop, at: datetime, since: datetime
) -> None:
    """Stop those of some cases that are open; nothing is due about any of them any more."""
    cases = tables.cases
    withheld.forget(tx, case_ids)
    open_ = cases.c.case_id.in_(list(case_ids)) & (cases.c.state == "open")
    rows = tx.execute(select(cases.c.case_id, cases.c.instrument).where(open_)).all()
    for row in rows:
        signed = core.directory.conventions.get(row.instrument)
        months = 0 if signed is None else signed.purge_months
        tx.execute(
            update(cases)
            .where(cases.c.case_id == row.case_id)
            .values(
                state="stopped",
                closed_at=at,
                retain_until=midnight(add_months(day_of(at), months)),
            )
        )
    tx.forget(standing.CASES)
    for case_id in case_ids:
        cancel_case(tx, case_id, at)
    for row in rows:
        core.side(row.instrument).stopped(tx, core, row.case_id, why, since)


def stop_held(tx: Tx, core: Core, proof: Proof, at: datetime) -> None:
    """Stop at a holder, at once, what rests on a partner's agreement."""
    bury(tx, (proof.reference, proof.collector), "withdrawn", at)
    cases = tables.cases
    rows = tx.execute(select(cases.c.case_id).where(cases.c.reference == proof.reference))
    stop(tx, core, proof.reference, [row.case_id for row in rows], at)


def suspend_held(tx: Tx, core: Core, proof: Proof, at: datetime) -> None:
    """Hold back at a holder, at once, what rests on a partner's agreement; cases stay."""
    reference = proof.reference
    if bury(tx, (reference, proof.collector), "suspended", at):
        stop_letters(tx, core, tables.outbox.c.reference == reference, at)
        tx.on_commit(lambda: core.withdrawn.setdefault(reference, at))


def bury(
    tx: Tx,
    key: tuple[str, str],
    state: Changed,
    at: datetime,
) -> bool:
    """Keep what is known of an agreement by its reference and collector; whether that is news.

    An end is for good. Of a suspension and a resumption the later one counts, in whatever order
    they arrive.
    """
    tombstones, known = tables.tombstones, tx.get(standing.TOMBSTONES, key)
    kept = "withdrawn" if state == "expired" else state
    if known is None:
        row = {"reference": key[0], "org": key[1], "withdrawn_at": at, "state": kept}
        tx.insert(tombstones, row)
    elif known.state == "withdrawn" or (kept != "withdrawn" and at <= known.at):
        return False
    else:
        this = (tombstones.c.reference == key[0]) & (tombstones.c.org == key[1])
        tx.execute(update(tombstones).where(this).values(withdrawn_at=at, state=kept))
    tx.forget(standing.TOMBSTONES, key)
    return True


def stop_letters(tx: Tx, core: Core, which: ColumnElement[bool], at: datetime) -> int:
    """Stop and erase the letters that still wait, or await their receipt; returns how many."""
    outbox = tables.outbox
    waiting = (outbox.c.kind == letters.LETTER) & outbox.c.state.in_(
        (letters.QUEUED, letters.DELIVERED)
    )
    rows = tx.execute(
        update(outbox)
        .where(which & waiting)
        .values(state=letters.STOPPED, sealed=None, due_at=None, closed_at=at)
        .returning(outbox.c.message_id, outbox.c.type)
    ).all()
    for row in rows:
        core.journal.append(tx, _stopped(row.message_id, row.type, at))
    return len(rows)


def _stopped(message_id: str, type_: str, at: datetime) -> Entry:
    return Entry(
        at=at,
        event="message.stopped",
        message_id=message_id,
        flow=type_,
        outcome="stopped",
    )


def _tell(
    tx: Tx,
    core: Core,
    recipient: Any,  # noqa: ANN401 -- a row of agreement_recipients
    convention_id: str,
    case_ids: tuple[str, ...],
    state: Changed,
    at: datetime,
    traceparent: str | None,
    since: datetime,
) -> None:
    told = tables.withdrawals
    row = {"reference": recipient.reference, "org": recipient.recipient, "told_at": at}
    # Told already that it expired: whatever it answered then answers no withdrawal.
    before = (told.c.reference == recipient.reference) & (told.c.org == recipient.recipient)
    tx.execute(delete(told).where(before))
    tx.insert(told, row)
    content = AgreementChanged(
        reference=recipient.reference, case_ids=case_ids, state=state, effective_at=since
    )
    send_control(
        tx,
        core,
        "agreement.changed",
        content,
        recipient.recipient,
        convention_id,
        at,
        traceparent=traceparent,
    )
