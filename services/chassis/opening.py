"""Opening what arrived: who sent it, is it whole, is it for us; before anything is believed.

The subject (stamped by the broker), the directory (pinned keys) and the signature must agree.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from joserfc.jwk import OKPKey
from pydantic import ValidationError
from pydantic_core import to_json

from contracts.broker.subjects import CONTROL, RECEIPT, LetterAddress, parse_subject
from contracts.kernel.agreement import Proof, proof_digest, read_proofs
from contracts.kernel.binding import Binding
from contracts.kernel.control import CONTROL_TYPES
from contracts.kernel.envelope import LOT_LETTERS, Envelope, Lot, parse_lot
from contracts.kernel.errors import InvalidDocument, UnknownKey, Unverified
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Flow, subject_token
from contracts.kernel.organisation import DirectoryEntry, Suite
from contracts.kernel.receipts import ReceiptBatch, parse_receipts
from services.chassis.core import Core
from services.chassis.letters import ID_HEADER, KEY_HEADER, LETTERS_HEADER, SUITE_HEADER
from services.chassis.sealing import unseal, verified


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, or a lot of them, as the letterbox hands it out; deliveries counts from 1."""

    subject: str
    headers: Mapping[str, str]
    body: bytes
    deliveries: int = 1

    @property
    def message_id(self) -> str:
        """Id in clear, to which the encryption is bound; "" where it is none."""
        return _id(self.headers.get(ID_HEADER, ""))

    @property
    def claimed(self) -> tuple[str, ...]:
        """Ids of the letters inside, as said in clear: good for refusing what does not open."""
        said = self.headers.get(LETTERS_HEADER, self.message_id).split(",")[:LOT_LETTERS]
        return tuple(_id(one) for one in said)


_ID = re.compile(r"[0-9a-f]{32}")


def _id(text: str) -> str:
    return text if _ID.fullmatch(text) else ""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was verified: from whom, what binds it to us; its envelopes, or its receipts.

    payloads: content of each message by its id; one that does not fit its type is missing. proofs:
    the proofs of agreement in them that the sender signed, by id too, and proof_list: its list.
    """

    sender: DirectoryEntry
    binding: Binding
    flow: Flow | None
    envelopes: tuple[Envelope, ...]
    receipts: ReceiptBatch | None = None
    token: bytes = b""
    payloads: Mapping[str, Payload] = field(default_factory=dict)
    proofs: Mapping[str, Proof] = field(default_factory=dict)
    proof_list: str | None = None


class UnknownKeyId(Unverified):
    """Sealed to a key this node no longer holds, or never held."""

    code = "unknown_encryption_key"


class NotYetKnown(Unverified):
    """Our directory names no such sender, convention or key; it may be a second behind theirs."""


def sender_of(core: Core, letter: Letter) -> tuple[DirectoryEntry, Binding, LetterAddress]:
    """The organisation and what binds it to us, as the subject says; Unverified, NotYetKnown."""
    try:
        address = parse_subject(letter.subject)
    except InvalidDocument as error:
        raise Unverified(error.sentence) from error
    own = core.directory.entry(core.org)
    sender = core.directory.by_code(address.sender)
    if own is None or own.code != address.receiver or sender is None:
        raise NotYetKnown("The subject names no known sender, or another receiver.")
    for binding in core.bindings(sender.org):
        if subject_token(binding.id) == address.convention:
            return sender, binding, address
    raise NotYetKnown("The subject names no convention between these organisations.")


def open_letter(core: Core, letter: Letter, at: datetime) -> Opened:
    """Decrypt, verify and parse; raises Unverified. Touches no database."""
    sender, binding, address = sender_of(core, letter)
    private = core.keys.private(letter.headers.get(KEY_HEADER, ""))
    if private is None:
        raise UnknownKeyId("The letter is sealed to a key this node does not hold.")
    suite, key = private
    if letter.headers.get(SUITE_HEADER) != suite.value or suite not in set(Suite):
        raise Unverified("The letter names another suite than its key's.")
    token = unseal(
        letter.body, suite=suite, private=key, subject=letter.subject, message_id=letter.message_id
    )
    content = verified(token, lambda kid: _key(core, sender.org, kid, at))
    if address.message == RECEIPT:
        batch = parse_receipts(content)
        _same(batch.source == sender.org and batch.to == core.org)
        return Opened(sender, binding, None, (), batch, token)
    lot = parse_lot(content)
    envelopes = lot.letters
    _same(tuple(envelope.id for envelope in envelopes) == letter.claimed)
    flow = _flow(binding, envelopes[0], address)
    for envelope in envelopes:
        _same(envelope.source == sender.org and envelope.to == core.org)
        _same(envelope.instrument == binding.id)
        _same(envelope.type in CONTROL_TYPES if flow is None else envelope.type == flow.type)
    return _read(core, sender, binding, flow, lot, at)


def _read(
    core: Core,
    sender: DirectoryEntry,
    binding: Binding,
    flow: Flow | None,
    lot: Lot,
    at: datetime,
) -> Opened:
    """Read what the envelopes hold, each kind in one go."""
    payloads, proofs = {}, {}
    if flow is not None:
        for envelope in lot.letters:
            if envelope.schemaversion != flow.version:
                continue  # a version that we never said we accept
            with suppress(ValidationError):
                content = to_json(envelope.data)
                payloads[envelope.id] = flow.payload.model_validate_json(content)
    listed = _listed(core, sender.org, lot.proofs, at)
    for envelope in lot.letters if listed else ():
        if envelope.proof is not None and proof_digest(envelope.proof) in listed:
            with suppress(InvalidDocument):
                proofs[envelope.id] = Proof.parse(envelope.proof)
    return Opened(
        sender,
        binding,
        flow,
        lot.letters,
        payloads=payloads,
        proofs=proofs,
        proof_list=lot.proofs,
    )


def _key(core: Core, org: str, kid: str, at: datetime) -> OKPKey:
    try:
        return core.directory.find_key(org, kid, at)
    except UnknownKey as error:
        raise NotYetKnown(error.sentence, code=error.code) from error


def _listed(core: Core, org: str, token: str | None, at: datetime) -> frozenset[str]:
    if token is None:
        return frozenset()
    try:
        listed = read_proofs(token, lambda kid: _key(core, org, kid, at))
    except InvalidDocument as error:
        raise Unverified(error.sentence, code=error.code) from error
    _same(listed.collector == org and listed.receiver == core.org)
    return frozenset(listed.proofs)


def reopened(core: Core, letter: Letter, lot: Lot, at: datetime) -> Opened:
    """A letter that was opened and verified here before; raises Unverified if that is no more."""
    sender, binding, address = sender_of(core, letter)
    return _read(core, sender, binding, _flow(binding, lot.letters[0], address), lot, at)


def _flow(binding: Binding, envelope: Envelope, address: LetterAddress) -> Flow | None:
    if address.message == CONTROL:
        return None
    ends = binding.kind_of(envelope.source), binding.kind_of(envelope.to)
    flow = binding.instrument.flow(envelope.type, *ends)
    if flow is None or flow.code != address.message:
        raise Unverified("The subject and the signed type disagree.")
    return flow


def _same(agree: bool) -> None:  # noqa: FBT001 -- an assertion's argument
    if not agree:
        raise Unverified("The signed envelope does not say what the subject says.")
