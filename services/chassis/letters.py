"""Letters in the outbox, and the lots in which they leave.

A letter is put here in the transaction that decided it, under the key of its case, so that erasing
the case erases it. It stays until the signed receipt, or its expiry. What waits for one partner on
one subject leaves as one lot: one signature, one encryption, one message on the bus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import from_json
from sqlalchemy import Row

from contracts.broker import subjects
from contracts.broker.subjects import letter_subject
from contracts.kernel.agreement import ProofList, proof_digest, sign_proofs
from contracts.kernel.envelope import LOT_BYTES, LOT_LETTERS, bind
from contracts.kernel.errors import RelaisError, UnknownName
from contracts.kernel.facts import Facts
from contracts.kernel.instrument import subject_token
from contracts.kernel.organisation import DirectoryEntry, EncryptionKey, Suite
from services.chassis import tables
from services.chassis.database import Tx
from services.chassis.keystore import KeyDestroyed, SealBroken
from services.chassis.scopes import OUTBOX_SCOPE, case_scope
from services.chassis.sealing import choose_key, seal

if TYPE_CHECKING:
    from services.chassis.core import Core
    from services.chassis.directory import Directory

LETTER, CONTROL, RECEIPT = "letter", "control", "receipt"
"""Kinds of row in the outbox."""

QUEUED, DELIVERED, ACCEPTED = "queued", "delivered", "accepted"
REFUSED, EXPIRED, STOPPED = "refused", "expired", "stopped"
"""States of a letter: waiting, in the receiver's letterbox, and its four ends."""
State = Literal["queued", "delivered", "accepted", "refused", "expired", "stopped"]

ID_HEADER, SUITE_HEADER, KEY_HEADER = "Nats-Msg-Id", "Relais-Suite", "Relais-Key"
LETTERS_HEADER = "Relais-Letters"
"""Ids of the letters in a lot, so that one that does not open can be refused letter by letter."""


class NoCommonSuite(RelaisError):
    """The partner publishes no encryption key that both sides accept."""

    code = "no_common_suite"
    status = 409


LEASE = timedelta(seconds=10)
"""A letter just queued is in the relay's hands; the outbox is looked at for it only after this."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a letter says, as it will be signed; proof: text of the proof of agreement in it."""

    plaintext: bytes
    proof: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A letter before it is put in the outbox.

    code: last token of the subject (a flow's code, ``k`` or ``r``). content: makes what to sign,
    right before the outbox is written. facts: what the decision rested on, for the relay's second
    look; None where nothing was decided.
    """

    kind: str
    message_id: str
    type: str
    to: str
    instrument: str
    code: str
    content: Callable[[], Content]
    expires_at: datetime
    case_id: str | None = None
    reference: str | None = None
    seq: int = 0
    facts: Facts | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A committed letter as the relay carries it.

    content: None where its case was erased meanwhile. facts: None where no second look is due.
    unverified: how often its receiver could not verify it so far. proof: digest of the proof of
    agreement in the content.
    """

    message_id: str
    kind: str
    type: str
    receiver: str
    subject: str
    instrument: str
    content: bytes | None
    created_at: datetime
    expires_at: datetime
    attempts: int
    facts: Facts | None
    traceparent: str | None
    case_id: str | None = None
    unverified: int = 0
    proof: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """What travels: one letter or a lot of them, signed and encrypted to the receiver."""

    subject: str
    headers: Mapping[str, str]
    body: bytes


def put(tx: Tx, core: Core, draft: Draft, at: datetime) -> None:
    """Queue a letter, due at once.

    A message of a flow needs somebody who can read it now: raises NoCommonSuite, before it could
    only wait. Control and receipts wait for as long as it takes, or a withdrawal could fail because
    a partner has just changed its key.
    """
    if draft.kind == LETTER:
        _keys(core, draft.to)
    tx.insert_later(lambda: _write(tx, core, draft, at))


def _write(tx: Tx, core: Core, draft: Draft, at: datetime) -> None:
    subject, content = _subject(core, draft.to, draft.instrument, draft.code), draft.content()
    tx.insert(tables.outbox, _row(core, draft, subject, content.plaintext, at))
    letter = Ready(
        message_id=draft.message_id,
        kind=draft.kind,
        type=draft.type,
        receiver=draft.to,
        subject=subject,
        instrument=draft.instrument,
        content=content.plaintext,
        created_at=at,
        expires_at=draft.expires_at,
        attempts=0,
        facts=draft.facts,
        traceparent=draft.traceparent,
        case_id=draft.case_id,
        proof=None if content.proof is None else proof_digest(content.proof),
    )
    tx.on_commit(lambda: core.outgoing(letter))


_CODES = {CONTROL: subjects.CONTROL, RECEIPT: subjects.RECEIPT}


def _subject(core: Core, to: str, instrument: str, code: str) -> str:
    """Where a letter goes; "" while nobody knows the receiver's code."""
    own, other = core.directory.entry(core.org), core.directory.entry(to)
    if own is None or other is None:
        return ""
    return letter_subject(other.code, own.code, subject_token(instrument), code)


def ready(core: Core, row: Row[Any], facts: Facts | None) -> Ready:
    """Take a letter out of the outbox again; without content where its key or seal is gone."""
    content = None
    with suppress(KeyDestroyed, SealBroken, UnknownName):
        if row.sealed is not None:
            scope = _scope(row.kind, row.case_id)
            content = core.keystore.open(scope, row.sealed, row.message_id.encode())
    return Ready(
        message_id=row.message_id,
        kind=row.kind,
        type=row.type,
        receiver=row.receiver,
        subject=row.subject
        or _subject(core, row.receiver, row.instrument, _CODES.get(row.kind, "")),
        instrument=row.instrument,
        content=content,
        created_at=row.created_at,
        expires_at=row.expires_at,
        attempts=row.attempts,
        facts=facts,
        traceparent=row.traceparent,
        case_id=row.case_id,
        unverified=row.unverified,
        proof=_proof_in(row.kind, content),
    )


def _proof_in(kind: str, content: bytes | None) -> str | None:
    text = from_json(content).get("proof") if kind == LETTER and content is not None else None
    return None if text is None else proof_digest(text)


def lots(letters: Iterable[Ready]) -> Iterator[list[Ready]]:
    """Letters that may leave together: same subject, neither too many nor too long."""
    filling: dict[str, list[Ready]] = {}
    sizes: dict[str, int] = {}
    for letter in letters:
        size = len(letter.content or b"")
        lot = filling.setdefault(letter.subject, [])
        held = sizes.get(letter.subject, 0)
        full = len(lot) == LOT_LETTERS or held + size > LOT_BYTES or letter.kind == RECEIPT
        if lot and full:
            yield lot
            lot, held = [], 0
            filling[letter.subject] = lot
        lot.append(letter)
        sizes[letter.subject] = held + size
    yield from filling.values()


def pack(core: Core, lot: Sequence[Ready], lot_id: str) -> Sealed:
    """Sign and encrypt a lot as it leaves. Raises NoCommonSuite.

    lot_id: random and new for each try, since another try may hold other letters; a letter alone
    travels under its own id, so that the letterbox knows it again, until it must be read again.
    The newest key serves even past its date: a node that sleeps all summer cannot publish another,
    keeps that one until it has, and must still hear of a withdrawal.
    """
    first, ids = lot[0], [letter.message_id for letter in lot]
    _, key = _keys(core, first.receiver)
    if not first.subject:
        raise NoCommonSuite(f"{first.receiver} n'est pas encore dans l'annuaire.")
    contents = [letter.content or b"" for letter in lot]
    proofs = _listed(core, first.receiver, [one.proof for one in lot if one.proof is not None])
    alone = len(ids) == 1 and first.unverified == 0
    message_id = ids[0] if alone else lot_id
    body = seal(
        contents[0] if first.kind == RECEIPT else bind(contents, proofs),
        signer=core.keys.signing,
        kid=core.keys.kid,
        to=key,
        subject=first.subject,
        message_id=message_id,
    )
    headers = {ID_HEADER: message_id, SUITE_HEADER: key.suite.value, KEY_HEADER: key.kid}
    if not alone:
        headers[LETTERS_HEADER] = ",".join(ids)
    return Sealed(first.subject, headers, body)


def _listed(core: Core, receiver: str, digests: Sequence[str]) -> str | None:
    """One signature for all proofs of a lot: it costs more than everything else in a letter."""
    if not digests:
        return None
    listed = ProofList(collector=core.org, receiver=receiver, proofs=tuple(digests))
    return sign_proofs(listed, core.keys.signing, core.keys.kid)


def _keys(core: Core, to: str) -> tuple[DirectoryEntry, EncryptionKey]:
    """Our own entry, and the key of the partner's that both sides accept."""
    own, key = core.once(("key", to), lambda known: _chosen(known, core.org, to))
    if own is None or key is None:
        raise NoCommonSuite(f"{to} ne publie aucune clé de chiffrement acceptée ici.")
    return own, key


def _chosen(
    directory: Directory, org: str, to: str
) -> tuple[DirectoryEntry | None, EncryptionKey | None]:
    own, other = directory.entry(org), directory.entry(to)
    if own is None or other is None:
        return own, None
    return own, choose_key(other.encryption_keys, _stricter(other.floor, own.floor))


def _scope(kind: str, case_id: str | None) -> str:
    return OUTBOX_SCOPE if kind != LETTER or case_id is None else case_scope(case_id)


def _stricter(one: Suite, other: Suite) -> Suite:
    order = list(Suite)
    return max(one, other, key=order.index)


def _row(
    core: Core, draft: Draft, subject: str, plaintext: bytes, at: datetime
) -> dict[str, object]:
    scope = _scope(draft.kind, draft.case_id)
    return {
        "message_id": draft.message_id,
        "kind": draft.kind,
        "type": draft.type,
        "receiver": draft.to,
        "subject": subject,
        "instrument": draft.instrument,
        "case_id": draft.case_id,
        "reference": draft.reference,
        "seq": draft.seq,
        "state": QUEUED,
        "traceparent": draft.traceparent,
        "sealed": core.keystore.seal(scope, plaintext, draft.message_id.encode()),
        "created_at": at,
        "expires_at": draft.expires_at,
        "due_at": at + LEASE,
        "attempts": 0,
        "unverified": 0,
    }
