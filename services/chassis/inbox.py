"""Handling what arrived, once: gate, domain change, journal line and receipt in one transaction.

What fails for good goes to the dead letters with its reason; nothing is dropped, and what the gate
or the schema refused keeps no content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Final

from sqlalchemy import Connection, select

from contracts.gate import Refused, decide
from contracts.kernel.agreement import Proof, identity_digest
from contracts.kernel.binding import Binding
from contracts.kernel.checks import Side
from contracts.kernel.envelope import Envelope
from contracts.kernel.facts import Facts
from contracts.kernel.facts import to_json as facts_json
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Cardinality, Flow
from contracts.kernel.paris import day_of
from contracts.kernel.receipts import ReceiptBatch
from services.chassis import derogations, standing, tables
from services.chassis.bulk import among_given
from services.chassis.casefile import open_case
from services.chassis.control import apply_control
from services.chassis.core import Core
from services.chassis.database import Loader, Tx
from services.chassis.dead_letters import Dead, bury
from services.chassis.filling import identity_of
from services.chassis.journal import Entry
from services.chassis.opening import Letter, Opened
from services.chassis.partner import Question, Received, Unfiled
from services.chassis.posting import OPEN
from services.chassis.receipting import acknowledge, apply_receipts
from services.chassis.scopes import REFUSAL_SCOPE, case_scope
from services.chassis.standing import NOTHING, Standing


class Handled(StrEnum):
    """What became of a letter here."""

    RECEIVED = "received"
    NOT_OPEN = "not_open"
    INVALID = "invalid"
    UNVERIFIED = "unverified"
    EXPIRED = "expired"
    TOO_EARLY = "too_early"
    STALE = "stale"
    RECEIPTS = "receipts"


_INBOX: Final = select(
    tables.inbox.c.sender, tables.inbox.c.message_id, tables.inbox.c.status
).where(
    among_given(tables.inbox.c.sender, "senders"), among_given(tables.inbox.c.message_id, "ids")
)


def _fetch_inbox(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], str]:
    senders = list({sender for sender, _ in keys})
    ids = [message_id for _, message_id in keys]
    rows = connection.execute(_INBOX, {"senders": senders, "ids": ids})
    return {(row.sender, row.message_id): row.status for row in rows}


INBOX: Loader[tuple[str, str], str] = Loader("inbox", _fetch_inbox)


@dataclass(frozen=True, slots=True)
class _Case:
    """What the receiver knows when it decides."""

    payload: Payload
    known: Standing
    proof: Proof | None
    birth: date | None


def take_receipts(
    tx: Tx, core: Core, opened: Opened, batch: ReceiptBatch, letter: Letter, at: datetime
) -> Handled:
    """Apply a partner's receipts, once. May be run twice with the same ones (see database)."""
    if tx.get(INBOX, (opened.sender.org, letter.message_id)) is None:
        _remember(tx, opened, letter.message_id, None, Handled.RECEIPTS, at)
        tx.at_end(lambda: apply_receipts(tx, core, batch, opened.token, at))
    return Handled.RECEIPTS


def handle(
    tx: Tx, core: Core, opened: Opened, envelope: Envelope, letter: Letter, at: datetime
) -> Handled:
    """Handle one letter of a verified lot. May be run twice with the same one (see database)."""
    before = tx.get(INBOX, (opened.sender.org, envelope.id))
    if before is not None:
        _owe(tx, core, opened, envelope, before, at)
        return Handled(before)
    if envelope.time > at + core.policy.ahead:
        return Handled.TOO_EARLY
    outcome = _outcome(tx, core, opened, envelope, letter, at)
    if outcome is Handled.STALE:
        return outcome
    _remember(tx, opened, envelope.id, envelope, outcome, at)
    _owe(tx, core, opened, envelope, outcome.value, at)
    return outcome


def _owe(tx: Tx, core: Core, opened: Opened, envelope: Envelope, status: str, at: datetime) -> None:
    sender, under = opened.sender, opened.binding.id
    acknowledge(tx, core, sender, under, envelope.id, status, at, envelope.traceparent)


def _remember(
    tx: Tx,
    opened: Opened,
    message_id: str,
    envelope: Envelope | None,
    outcome: Handled,
    at: datetime,
) -> None:
    tx.insert(
        tables.inbox,
        {
            "sender": opened.sender.org,
            "message_id": message_id,
            "type": "receipts" if envelope is None else envelope.type,
            "case_id": None if envelope is None else envelope.caseid,
            "status": outcome.value,
            "received_at": at,
            "expires_at": at + timedelta(days=31) if envelope is None else envelope.expiresat,
        },
    )
    tx.remember(INBOX, (opened.sender.org, message_id), outcome.value)


def _outcome(
    tx: Tx, core: Core, opened: Opened, envelope: Envelope, letter: Letter, at: datetime
) -> Handled:
    if at >= envelope.expiresat:
        _refuse(tx, core, opened, envelope, letter, Handled.EXPIRED, ("expired",), None, at)
        return Handled.EXPIRED
    if opened.flow is None:
        return Handled(apply_control(tx, core, opened.sender, opened.binding, envelope, at))
    payload = opened.payloads.get(envelope.id)
    if payload is None:
        _refuse(tx, core, opened, envelope, letter, Handled.INVALID, ("schema",), None, at)
        return Handled.INVALID
    return _through_the_gate(tx, core, opened, opened.flow, envelope, payload, letter, at)


def _through_the_gate(
    tx: Tx,
    core: Core,
    opened: Opened,
    flow: Flow,
    envelope: Envelope,
    payload: Payload,
    letter: Letter,
    at: datetime,
) -> Handled:
    case_id = envelope.caseid
    opens = flow.case is Cardinality.OPENS
    if opens and (case_id is None or tx.get(standing.CASES, case_id) is not None):
        _refuse(tx, core, opened, envelope, letter, Handled.INVALID, ("case",), None, at)
        return Handled.INVALID
    identity = identity_of(payload)
    birth = getattr(identity, "birth_date", None)
    if birth is not None and birth > day_of(at):
        _refuse(tx, core, opened, envelope, letter, Handled.INVALID, ("birth_date",), None, at)
        return Handled.INVALID
    case = _known(tx, core, opened, flow, envelope, payload)
    facts = _facts(tx, core, opened, flow, envelope, case, at)
    rules = core.rules(opened.binding.instrument, flow, Side.RECEIVER)
    decision = decide(rules, facts, at)
    if isinstance(decision, Refused):
        if _behind(core, envelope, letter):
            return Handled.STALE
        _refuse(tx, core, opened, envelope, letter, Handled.NOT_OPEN, decision.articles, facts, at)
        return Handled.NOT_OPEN
    person_id = case.known.person_id
    if opens and case_id is not None:
        person_id = open_case(tx, core, opened, flow, envelope, case_id, payload, case.proof, at)
    if flow.retention.transient:
        payload = Unfiled()
    derogations.keep(tx, envelope)
    _journal(tx, core, opened, envelope, Handled.RECEIVED, (), facts, at)
    handler = core.partner.side(opened.binding.instrument.code).received.get(envelope.type)
    if handler is not None:
        handler(tx, core, Received(envelope, opened.sender, payload, person_id, at))
    return Handled.RECEIVED


READINGS = 3
"""Times a letter waits for a directory as fresh as itself before a refusal is final."""


def _behind(core: Core, envelope: Envelope, letter: Letter) -> bool:
    """Whether the sender may know of an act, a resumption say, that has not reached us yet."""
    synced = core.synced_at
    return synced is not None and envelope.time > synced and letter.deliveries <= READINGS


def _known(
    tx: Tx,
    core: Core,
    opened: Opened,
    flow: Flow,
    envelope: Envelope,
    payload: Payload,
) -> _Case:
    if flow.case is not Cardinality.WITHIN:
        identity = identity_of(payload)
        proof = _proof(core, opened, envelope, identity)
        birth = getattr(identity, "birth_date", None)
        known = _of_proof(tx, proof)
        if envelope.informedat is not None and envelope.agreement is None:
            known = replace(known, notice_at=envelope.informedat)
        return _Case(payload, known, proof, birth)
    known = NOTHING
    if envelope.caseid is not None:
        known = standing.of_case(tx, envelope.caseid, core.org)
    if known.case is None or known.case.partner != opened.sender.org:
        return _Case(payload, NOTHING, None, None)
    if known.case.instrument != opened.binding.id:
        return _Case(payload, NOTHING, None, None)
    person = standing.person_of(tx, core, known)
    return _Case(payload, known, None, None if person is None else person.identity.birth_date)


def _proof(
    core: Core, opened: Opened, envelope: Envelope, identity: Payload | None
) -> Proof | None:
    """The proof of agreement, if it holds and is about this very person, pair and convention."""
    proof = opened.proofs.get(envelope.id)
    if proof is None or identity is None:
        return None
    fits = (
        proof.collector == opened.sender.org
        and proof.receiver == core.org
        and proof.convention_id == opened.binding.id
        and proof.reference == envelope.agreement
        and proof.identity == identity_digest(proof.reference, identity)
    )
    return proof if fits else None


def _of_proof(tx: Tx, proof: Proof | None) -> Standing:
    if proof is None:
        return NOTHING
    return Standing(
        agreement=standing.proof_facts(tx, proof),
        assent=proof.assent,
        notice_at=proof.notice_at,
        notice_version=proof.notice_version,
        adult=proof.adult,
    )


def _facts(
    tx: Tx, core: Core, opened: Opened, flow: Flow, envelope: Envelope, case: _Case, at: datetime
) -> Facts:
    row = case.known.case
    asked = Question(
        side=Side.RECEIVER,
        type=envelope.type,
        case_id=envelope.caseid,
        payload=case.payload,
        partner=opened.sender,
        at=at,
        person_id=case.known.person_id,
        agreement=case.known.agreement,
    )
    theirs = core.partner.side(opened.binding.instrument.code).facts(tx, core, asked)
    records = dict(theirs.records)
    if row is not None and row.state == OPEN:
        records["open_case"] = row.opened_at
    # In a case that is known here, its purpose is the one it was opened for, whatever is claimed.
    purpose = envelope.purpose if row is None or row.purpose == envelope.purpose else None
    binding = opened.binding
    return Facts(
        side=Side.RECEIVER,
        flow=envelope.type,
        sender=opened.sender.org,
        receiver=core.org,
        sender_kind=_kind(binding, opened.sender.org),
        receiver_kind=_kind(binding, core.org),
        purpose=purpose,
        opens_case=flow.case is Cardinality.OPENS,
        instrument=binding.facts(at, envelope.version, min(envelope.time, at)),
        bounds=standing.bounds_of(flow.checks, case.birth, at, adult=case.known.adult),
        agreement=case.known.agreement,
        assent=case.known.assent,
        notice_at=case.known.notice_at,
        records=records,
        signatures=theirs.signatures,
        counts={**theirs.counts, **standing.counts_of(flow.checks, case.payload)},
        derogation=derogations.arrived(tx, envelope),
    )


def _kind(binding: Binding, org: str) -> str | None:
    """Kind under which an organisation signed: what it says of itself does not count."""
    kind = binding.kind_of(org)
    return None if kind is None else kind.value


def _refuse(
    tx: Tx,
    core: Core,
    opened: Opened,
    envelope: Envelope,
    letter: Letter,
    outcome: Handled,
    articles: tuple[str, ...],
    facts: Facts | None,
    at: datetime,
) -> None:
    _journal(tx, core, opened, envelope, outcome, articles, facts, at)
    dead = Dead(letter, opened.sender.org, envelope.id, outcome.value, articles)
    bury(tx, core, dead, envelope.to_plaintext(), at)


def _journal(
    tx: Tx,
    core: Core,
    opened: Opened,
    envelope: Envelope,
    outcome: Handled,
    articles: tuple[str, ...],
    facts: Facts | None,
    at: datetime,
) -> None:
    accepted = outcome is Handled.RECEIVED
    case_id = envelope.caseid if accepted else None
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="message.received",
            message_id=envelope.id,
            flow=envelope.type,
            outcome="allowed" if accepted else outcome.value,
            articles=articles,
            rules_version=opened.binding.instrument.rules_version,
            scope=REFUSAL_SCOPE if case_id is None else case_scope(case_id),
            case_id=case_id,
            facts=None if facts is None else partial(facts_json, facts),
        ),
    )
