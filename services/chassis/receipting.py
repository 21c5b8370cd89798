"""Receipts, given and taken: batched per pair, signed, terminal, carrying the journal's head.

One that says `unverified` may mean that a key was rotated on the way: the letter is signed and
sealed anew a few times before that is its end.

They are gathered while a batch of letters is handled and sealed once at its end, in the same
transaction, so that a receipt exists if and only if its letter was handled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import Boolean, Integer, Row, String, bindparam, case, exists, func, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from contracts.broker.subjects import RECEIPT
from contracts.kernel.organisation import DirectoryEntry
from contracts.kernel.receipts import ACCEPTED, Head, Receipt, ReceiptBatch, Status
from services.chassis import letters, reversals, standing, tables
from services.chassis.agreements import unopened
from services.chassis.bulk import among, among_given
from services.chassis.chain import Head as JournalHead
from services.chassis.core import Answered, Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.scopes import case_scope
from services.chassis.standing import ERASED

RECEIPT_LIFETIME = timedelta(days=31)
"""A receipt travels as long as the letters it answers may be republished."""

RECEIPTS = 256
"""Receipts in one letter, at most: as with a lot, what is too long cannot be verified."""

UNVERIFIED: Status = "unverified"
RECEIVED: Status = "received"
READ: Status = "read"
"""A person has seen it, which only some messages ask for (A-3.15)."""

TRIES = 3
"""Times a letter that could not be verified is sent anew."""

AGAIN = timedelta(seconds=2)
"""How long after: by then both sides have read the directory again."""

MUCH_LATER = timedelta(minutes=5)
"""How long between further tries of what must arrive some day: control."""

SILENCE = timedelta(days=1)
"""How long after a letter was given up a receipt of it may still be read here."""

_PENDING = "receipts"
Pending = dict[tuple[str, str], list[tuple[str, str, str | None]]]


def acknowledge(
    tx: Tx,
    core: Core,
    sender: DirectoryEntry,
    convention_id: str,
    message_id: str,
    status: str,
    at: datetime,
    traceparent: str | None = None,
) -> None:
    """Owe a receipt; those of a batch leave together, one letter a partner and convention.

    traceparent: of the message; the letter shows in the trace of the first one it answers.
    """
    pending: Pending | None = tx.state.get(_PENDING)
    if pending is None:
        pending = tx.state[_PENDING] = {}
        tx.at_end(lambda: _write(tx, core, pending, at))
    pending.setdefault((sender.org, convention_id), []).append((message_id, status, traceparent))


def _write(tx: Tx, core: Core, pending: Pending, at: datetime) -> None:
    for (org, convention_id), items in pending.items():
        for first in range(0, len(items), RECEIPTS):
            head, some = core.journal.tail(tx), items[first : first + RECEIPTS]
            letters.put(tx, core, _draft(core, org, convention_id, some, head, at), at)


def _draft(
    core: Core,
    to: str,
    convention_id: str,
    items: Sequence[tuple[str, Status | str, str | None]],
    head: JournalHead,
    at: datetime,
) -> letters.Draft:
    batch = ReceiptBatch.model_validate(
        {
            "source": core.org,
            "to": to,
            "at": at,
            "receipts": [
                Receipt.model_validate({"message_id": one, "status": status, "at": at})
                for one, status, _ in items
            ],
            "heads": [Head(chain=head.chain, seq=head.seq, hash=head.hash)],
        }
    )
    return letters.Draft(
        kind=letters.RECEIPT,
        message_id=core.new_id(),
        type="delivery.receipt",
        to=to,
        instrument=convention_id,
        code=RECEIPT,
        content=lambda: letters.Content(batch.model_dump_json().encode()),
        expires_at=at + RECEIPT_LIFETIME,
        traceparent=next((traceparent for _, _, traceparent in items if traceparent), None),
    )


def apply_receipts(tx: Tx, core: Core, batch: ReceiptBatch, token: bytes, at: datetime) -> None:
    """Record a partner's receipts: close the letters, keep the proof, witness the head."""
    receipt_id = core.new_id()
    row = {"receipt_id": receipt_id, "org": batch.source, "token": token, "received_at": at}
    tx.insert(tables.receipts, row)
    for head in batch.heads:
        held = JournalHead(head.chain, head.seq, head.hash)
        core.journal.witness(tx, batch.source, held, token, at)
    by_status: dict[Status, list[str]] = {}
    for receipt in batch.receipts:
        by_status.setdefault(receipt.status, []).append(receipt.message_id)
    for status, ids in by_status.items():
        state = letters.ACCEPTED if status in ACCEPTED else letters.REFUSED
        closed = _close(tx, batch.source, ids, state, status, receipt_id, at)
        settled = [_answered(row, row.state) for row in closed.values()]
        settled = [] if status == READ else settled  # counted when it was received
        tx.on_commit(partial(core.settled, settled))
        if status in ACCEPTED:
            reversals.forget(tx, [name for name, row in closed.items() if row.changed])
        for message_id in dict.fromkeys(ids):
            if message_id in closed:
                _journal(tx, core, closed[message_id], status, at)
                _tell(tx, core, closed[message_id], status, at)
                _end_refused(tx, core, closed[message_id], at)
    if UNVERIFIED in by_status:
        again = _try_again(tx, batch.source, by_status[UNVERIFIED], at)
        tx.on_commit(partial(core.settled, again))


def _tell(tx: Tx, core: Core, row: _Closed, status: str, at: datetime) -> None:
    handler = core.side(row.instrument).answered.get(row.type)
    if handler is not None:
        handler(tx, core, row.message_id, status, at)


def _end_refused(tx: Tx, core: Core, row: _Closed, at: datetime) -> None:
    """What was refused for good changed nothing here; unverified, it may yet be handled there."""
    if row.status not in {*ACCEPTED, UNVERIFIED} and row.kind == letters.LETTER:
        _take_back(tx, core, row, at)


def _take_back(tx: Tx, core: Core, row: Row[Any] | _Closed, at: datetime) -> None:
    """Undo what a message changed, and end a case that it was to open."""
    reversals.reverse(tx, core, row.message_id)
    if row.case_id is not None:
        unopened(tx, core, row.case_id, at)


def lapse(tx: Tx, core: Core, at: datetime) -> None:
    """Once a day: what can no longer be accepted was not, and the case it opened ends here.

    That is a letter which nobody there could verify, once it has expired; and one of which there
    was no receipt, a day after it was given up, since this node may have slept meanwhile.
    """
    outbox, changed = tables.outbox, tables.reversals
    unread = (outbox.c.state == letters.REFUSED) & (outbox.c.status == UNVERIFIED)
    silent = outbox.c.state.in_((letters.EXPIRED, letters.STOPPED)) & outbox.c.status.is_(None)
    over = (unread & (outbox.c.expires_at <= at)) | (silent & (outbox.c.closed_at <= at - SILENCE))
    open_ = exists().where(
        (tables.cases.c.case_id == outbox.c.case_id) & (tables.cases.c.state == "open")
    )
    waits = exists().where(changed.c.message_id == outbox.c.message_id) | open_
    query = select(outbox.c.message_id, outbox.c.case_id).where(
        (outbox.c.kind == letters.LETTER) & over & waits
    )
    for row in tx.execute(query.order_by(outbox.c.created_at.desc())).all():
        _take_back(tx, core, row, at)


def _try_again(tx: Tx, source: str, ids: list[str], at: datetime) -> list[Answered]:
    outbox = tables.outbox
    statement = (
        update(outbox)
        .where(among(outbox.c.message_id, ids) & (outbox.c.receiver == source))
        .where(outbox.c.due_at.is_not(None))
        .values(
            state=letters.QUEUED,
            unverified=outbox.c.unverified + 1,
            failure=UNVERIFIED,
            due_at=case((outbox.c.unverified < TRIES, at + AGAIN), else_=at + MUCH_LATER),
        )
        .returning(outbox.c.message_id, outbox.c.type, outbox.c.traceparent)
    )
    return [_answered(row, letters.QUEUED) for row in tx.execute(statement)]


def _answered(row: Row[Any] | _Closed, state: str) -> Answered:
    return Answered(row.message_id, row.type, state, row.traceparent)


def _close(
    tx: Tx,
    source: str,
    ids: list[str],
    state: str,
    status: Status,
    receipt_id: str,
    at: datetime,
) -> dict[str, _Closed]:
    """Close the letters that are still open; returns these, by id.

    Whatever has a receipt left after it was committed.
    """
    told = {
        "ids": ids,
        "source": source,
        "now": state,
        "said": status,
        "proof": receipt_id,
        "at": at,
        "tries": TRIES if status == UNVERIFIED else 0,
        "good": status in ACCEPTED,
        "read": status == READ,
    }
    return {row.message_id: row for row in map(_Closed._make, tx.amend(_CLOSE, told))}


class _Closed(NamedTuple):
    """A letter that a receipt closed, as `_CLOSE` returns it.

    changed: whether what it changed here is kept, to be taken back; of most letters nothing is.
    """

    message_id: str
    type: str
    instrument: str
    case_id: str | None
    kind: str
    state: str
    status: Status
    traceparent: str | None
    changed: bool


def _closing() -> ReturningUpdate[Any]:
    outbox, changed = tables.outbox, tables.reversals
    still_open = outbox.c.state.in_((letters.QUEUED, letters.DELIVERED))
    # Good news after all: an operator there had it handled again.
    mended = (outbox.c.state == letters.REFUSED) & (outbox.c.status == UNVERIFIED)
    # A withdrawal is sent anew for as long as it lives: the receiver may be days behind a rotation.
    over = (outbox.c.unverified >= bindparam("tries", type_=Integer)) & (
        (outbox.c.kind == letters.LETTER) | (bindparam("tries", type_=Integer) == 0)
    )
    good = bindparam("good", type_=Boolean)
    # Stopped or expired here while it was on its way: what became of it there is proof too.
    ended = outbox.c.state.in_((letters.STOPPED, letters.EXPIRED)) & outbox.c.status.is_(None)
    # A second receipt, of a person this time.
    seen = (outbox.c.state == letters.ACCEPTED) & (outbox.c.status == RECEIVED)
    read = bindparam("read", type_=Boolean)
    return (
        update(outbox)
        .where(among_given(outbox.c.message_id, "ids"))
        .where(outbox.c.receiver == bindparam("source"))
        .where((still_open & over) | (mended & good) | (seen & read) | (ended & over))
        .values(
            state=case((ended, outbox.c.state), else_=bindparam("now", type_=String)),
            status=bindparam("said"),
            receipt_id=bindparam("proof"),
            closed_at=func.coalesce(outbox.c.closed_at, bindparam("at")),
            due_at=None,
            sealed=None,
        )
        .returning(
            *(outbox.c[name] for name in _Closed._fields[:-1]),
            exists().where(changed.c.message_id == outbox.c.message_id),
        )
    )


_CLOSE: Final = _closing()


def _journal(tx: Tx, core: Core, row: _Closed, status: str, at: datetime) -> None:
    case_id = row.case_id
    if row.state in {letters.STOPPED, letters.EXPIRED} and case_id is not None:
        case = tx.get(standing.CASES, case_id)
        case_id = case_id if case is not None and case.state != ERASED else None
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="receipt",
            message_id=row.message_id,
            flow=row.type,
            outcome=status,
            scope=None if case_id is None else case_scope(case_id),
            case_id=case_id,
        ),
    )
