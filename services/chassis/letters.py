"""Putting a letter in the outbox: sealed in the transaction that decided it, published later.

The relay only moves what lies here, so a crash between the commit and the publication loses
nothing; the sealed letter stays until the signed receipt, or its expiry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from contracts.broker.subjects import letter_subject
from contracts.kernel.errors import RelaisError
from contracts.kernel.facts import Facts
from contracts.kernel.instrument import subject_token
from contracts.kernel.organisation import DirectoryEntry, Suite
from services.chassis import tables
from services.chassis.database import Tx
from services.chassis.sealing import choose_key, seal

if TYPE_CHECKING:
    from services.chassis.core import Core

LETTER, CONTROL, RECEIPT = "letter", "control", "receipt"
"""Kinds of row in the outbox."""

QUEUED, DELIVERED, ACCEPTED = "queued", "delivered", "accepted"
REFUSED, EXPIRED, STOPPED = "refused", "expired", "stopped"
"""States of a letter: waiting, in the receiver's letterbox, and its four ends."""

ID_HEADER, SUITE_HEADER, KEY_HEADER = "Nats-Msg-Id", "Relais-Suite", "Relais-Key"
TRACE_HEADER = "traceparent"


class NoCommonSuite(RelaisError):
    """The partner publishes no encryption key that both sides accept."""

    code = "no_common_suite"
    status = 409


LEASE = timedelta(seconds=10)
"""A letter just queued is in the relay's hands; the outbox is looked at for it only after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A letter before it is sealed.

    code: last token of the subject (a flow's code, ``k`` or ``r``). content: plaintext to sign.
    facts: what the decision rested on, for the relay's second look; None where nothing was decided.
    """

    kind: str
    message_id: str
    type: str
    to: DirectoryEntry
    instrument: str
    code: str
    content: bytes
    expires_at: datetime
    case_id: str | None = None
    reference: str | None = None
    seq: int = 0
    facts: Facts | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A committed letter as the relay carries it. facts: None where no second look is due."""

    message_id: str
    kind: str
    type: str
    receiver: str
    subject: str
    instrument: str
    headers: Mapping[str, str]
    sealed: bytes
    expires_at: datetime
    attempts: int
    facts: Facts | None


def put(tx: Tx, core: Core, draft: Draft, at: datetime) -> None:
    """Seal a letter and queue it, due at once. Raises NoCommonSuite.

    The newest key serves even past its date: a node that sleeps all summer cannot publish another,
    keeps that one until it has, and must still hear of a withdrawal.
    """
    own = core.directory.entry(core.org)
    key = choose_key(
        draft.to.encryption_keys,
        _stricter(draft.to.floor, own.floor if own is not None else Suite.XWING),
    )
    if own is None or key is None:
        raise NoCommonSuite(f"{draft.to.org} ne publie aucune clé de chiffrement acceptée ici.")
    subject = letter_subject(draft.to.code, own.code, subject_token(draft.instrument), draft.code)
    sealed = seal(
        draft.content,
        signer=core.keys.signing,
        kid=core.keys.kid,
        to=key,
        subject=subject,
        message_id=draft.message_id,
    )
    headers = _headers(draft, key.suite, key.kid)
    tx.insert(tables.outbox, _row(draft, subject, headers, sealed, at))
    ready = Ready(
        message_id=draft.message_id,
        kind=draft.kind,
        type=draft.type,
        receiver=draft.to.org,
        subject=subject,
        instrument=draft.instrument,
        headers=headers,
        sealed=sealed,
        expires_at=draft.expires_at,
        attempts=0,
        facts=draft.facts,
    )
    tx.on_commit(lambda: core.outgoing(ready))


def _stricter(one: Suite, other: Suite) -> Suite:
    order = list(Suite)
    return max(one, other, key=order.index)


def _headers(draft: Draft, suite: Suite, kid: str) -> dict[str, str]:
    headers = {ID_HEADER: draft.message_id, SUITE_HEADER: suite.value, KEY_HEADER: kid}
    if draft.traceparent is not None:
        headers[TRACE_HEADER] = draft.traceparent
    return headers


def _row(
    draft: Draft, subject: str, headers: dict[str, str], sealed: bytes, at: datetime
) -> dict[str, object]:
    return {
        "message_id": draft.message_id,
        "kind": draft.kind,
        "type": draft.type,
        "receiver": draft.to.org,
        "subject": subject,
        "instrument": draft.instrument,
        "case_id": draft.case_id,
        "reference": draft.reference,
        "seq": draft.seq,
        "state": QUEUED,
        "headers": json.dumps(headers),
        "sealed": sealed,
        "created_at": at,
        "expires_at": draft.expires_at,
        "due_at": at + LEASE,
        "attempts": 0,
    }
