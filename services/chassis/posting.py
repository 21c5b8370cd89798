"""Asking to send: resolve the instrument, gather the facts, decide, and queue, in one transaction.

The caller types codes and dates; identity comes from the node's own register. A refusal is an
answer, not an exception: it leaves its line in the journal and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Row, update

from contracts.gate import Decision, Refused, decide
from contracts.kernel.agreement import Proof, identity_digest, proof_text
from contracts.kernel.binding import Binding
from contracts.kernel.checks import Side
from contracts.kernel.envelope import Envelope
from contracts.kernel.errors import RelaisError, Unavailable, UnknownName
from contracts.kernel.facts import Facts
from contracts.kernel.facts import to_json as facts_json
from contracts.kernel.fields import Payload
from contracts.kernel.instrument import Cardinality, RestsOn
from contracts.kernel.paris import day_of, midnight, reached
from services.chassis import derogations, letters, reversals, standing, tables, withheld
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.filling import fill, identity_of
from services.chassis.journal import Entry
from services.chassis.partner import Question, Sent
from services.chassis.person import links
from services.chassis.routing import Request, Route, resolve
from services.chassis.scopes import REFUSAL_SCOPE, case_scope
from services.chassis.standing import NOTHING, KnownPerson, Standing


class NoCommonVersion(RelaisError):
    """The receiver says that it accepts no version of the type that we can send."""

    code = "no_common_version"
    status = 409


@dataclass(frozen=True, slots=True)
class Outcome:
    """Queued, or refused with the gate's decision."""

    message_id: str
    state: str
    case_id: str | None
    decision: Decision


def submit(tx: Tx, core: Core, request: Request, at: datetime) -> Outcome:
    """Decide and queue one message. May be run twice with the same request (see database).

    Raises UnknownName for an agreement that is not here, Unavailable where the receiver's entry is
    missing for now, NoCommonSuite where it could not read the letter.
    """
    about = None if request.case_id is None else tx.get(standing.CASES, request.case_id)
    route = resolve(core, request, at, None if about is None else about.instrument)
    ours = route.binding is not None and not route.foreign
    if ours and route.to is None:
        raise Unavailable(
            f"La fiche de {request.to} n'est pas à l'annuaire pour l'instant : réessayez.",
            code="no_entry",
        )
    if ours and route.to is not None:
        accepted = route.to.schemas.get(request.type, ())
        if route.flow.version not in accepted:
            raise NoCommonVersion(f"{request.to} n'accepte pas cette version de {request.type}.")
    known = _standing(tx, core, request, route)
    person = standing.person_of(tx, core, known)
    without = None
    if request.derogation_id is not None:
        without = derogations.named(tx, request.derogation_id, request.case_id)
    facts = _facts(tx, core, request, route, known, person, at)
    if without is not None:
        facts = replace(facts, derogation=derogations.facts_of(without, at))
    decision = decide(core.rules(route.instrument, route.flow, Side.SENDER), facts, at)
    if isinstance(decision, Refused) or route.binding is None:
        _journal(tx, core, request, facts, decision, None, at)
        links.refused(tx, request.message_id, known.person_id, at)
        return Outcome(request.message_id, letters.REFUSED, request.case_id, decision)
    case_id = _case(tx, core, request, route, known, at)
    payload = fill(core, route, request.data, person, facts, at)
    seq = 1 if request.case_id is None or known.case is None else known.case.seq_out + 1
    _journal(tx, core, request, facts, decision, case_id, at)
    expires = _expires(route, known, at, without)
    said = _Said(route, route.binding, known, person, payload, case_id, seq, expires, at, without)
    letters.put(tx, core, _draft(core, request, said, facts), at)
    if route.flow.retention.transient and case_id is not None:
        withheld.keep(tx, core, route.flow, request.message_id, case_id, payload, said.expires_at)
    if without is not None:
        derogations.use(tx, core, without, request.message_id, at)
    handler = core.partner.side(route.instrument.code).sent.get(request.type)
    if handler is not None:
        opens = route.flow.case is Cardinality.OPENS
        with reversals.kept(tx, core, request.message_id, case_id, at, opens=opens):
            handler(tx, core, _sent(request, case_id, known, payload, at))
    return Outcome(request.message_id, letters.QUEUED, case_id, decision)


def invalid(
    core: Core, message_id: str, type_: str, agent_id: str, articles: tuple[str, ...]
) -> Callable[[Tx, datetime], None]:
    """The unit that journals a content refused for its shape; nothing of the content is kept."""

    def unit(tx: Tx, at: datetime) -> None:
        core.journal.append(
            tx,
            Entry(
                at=at,
                event="message.refused",
                message_id=message_id,
                flow=type_,
                outcome="invalid",
                articles=articles,
                scope=REFUSAL_SCOPE,
                agent_id=agent_id,
            ),
        )

    return unit


def _standing(tx: Tx, core: Core, request: Request, route: Route) -> Standing:
    if route.flow.case is Cardinality.WITHIN:
        if request.case_id is None:
            return NOTHING
        known = standing.of_case(tx, request.case_id, core.org)
        if known.case is None or known.case.partner != request.to:
            return NOTHING
        same = route.binding is None or known.case.instrument == route.binding.id
        return known if same else NOTHING
    if request.agreement_id is not None:
        found = standing.of_agreement(tx, request.agreement_id, core.org, request.to)
        if found is NOTHING:
            raise UnknownName("Cet accord n'est pas connu ici.", code="unknown_agreement")
        return found
    if request.notice_id is not None:
        return standing.of_notice(tx, request.notice_id)
    return NOTHING


def _facts(
    tx: Tx,
    core: Core,
    request: Request,
    route: Route,
    known: Standing,
    person: KnownPerson | None,
    at: datetime,
) -> Facts:
    binding = route.binding
    named = request.case_id if route.flow.case is Cardinality.WITHIN else None
    about = None if named is None else tx.get(standing.CASES, named)
    records: dict[str, datetime] = {}
    charter = standing.charter_of(tx, core, request.agent_id)
    if charter is not None:
        records["charter"] = charter
    if known.registered_at is not None:
        records["enrolled"] = known.registered_at
    if known.case is not None and known.case.state == OPEN:
        records["open_case"] = known.case.opened_at
    version = None if binding is None else binding.version_at(at)
    asked = Question(
        side=Side.SENDER,
        type=request.type,
        case_id=request.case_id,
        payload=request.data,
        partner=route.to,
        at=at,
        person_id=known.person_id,
        agreement=known.agreement,
        agent_id=request.agent_id,
        agent_role=request.agent_role,
    )
    theirs = core.partner.side(route.instrument.code).facts(tx, core, asked)
    return Facts(
        side=Side.SENDER,
        flow=request.type,
        sender=core.org,
        receiver=request.to,
        sender_kind=core.kind.value,
        receiver_kind=_receiver_kind(route, request.to),
        purpose=route.flow.purpose if about is None else about.purpose,
        opens_case=route.flow.case is Cardinality.OPENS,
        instrument=None if binding is None else binding.facts(at, version),
        bounds=standing.bounds_of(
            route.flow.checks,
            None if person is None else person.identity.birth_date,
            at,
            adult=known.adult,
        ),
        agreement=known.agreement,
        assent=known.assent,
        notice_at=known.notice_at,
        records={**theirs.records, **records},
        signatures=theirs.signatures,
        counts={**theirs.counts, **standing.counts_of(route.flow.checks, request.data)},
    )


def _receiver_kind(route: Route, org: str) -> str | None:
    """Kind under which the receiver signed; without a convention, what it says of itself."""
    kind = None if route.binding is None else route.binding.kind_of(org)
    if kind is not None:
        return kind.value
    return None if route.to is None else route.to.kind.value


OPEN = "open"
"""State of a case in which messages may flow."""


def _case(
    tx: Tx, core: Core, request: Request, route: Route, known: Standing, at: datetime
) -> str | None:
    if route.flow.case is Cardinality.NONE or route.binding is None:
        return None
    if known.case is not None:
        statement = update(tables.cases).where(tables.cases.c.case_id == known.case.case_id)
        tx.execute(statement.values(seq_out=tables.cases.c.seq_out + 1))
        tx.forget(standing.CASES, known.case.case_id)
        return str(known.case.case_id)
    tx.insert(
        tables.cases,
        {
            "case_id": request.new_case_id,
            "instrument": route.binding.id,
            "partner": request.to,
            "purpose": route.flow.purpose,
            "opened_here": True,
            "person_id": known.person_id,
            "reference": None if known.agreement is None else known.agreement.reference,
            "rests_on": route.flow.rests_on.value,
            "state": OPEN,
            "opened_at": at,
            "seq_out": 1,
            "seq_in": 0,
        },
    )
    core.keystore.fresh(case_scope(request.new_case_id))
    return request.new_case_id


def _expires(route: Route, known: Standing, at: datetime, without: Row[Any] | None) -> datetime:
    ends = [at + timedelta(days=route.flow.lifetime_days)]
    by_contract = known.case is not None and known.case.rests_on == RestsOn.CONTRACT
    if known.agreement is not None and not by_contract and without is None:
        ends.append(known.agreement.expires_at)
    if route.binding is not None and route.binding.ends_on is not None:
        ends.append(midnight(route.binding.ends_on))
    return min(ends)


@dataclass(frozen=True, slots=True)
class _Said:
    """All that an allowed message's envelope is made of, beside what was asked."""

    route: Route
    binding: Binding
    known: Standing
    person: KnownPerson | None
    payload: Payload
    case_id: str | None
    seq: int
    expires_at: datetime
    at: datetime
    without: Row[Any] | None = None


def _content(core: Core, request: Request, said: _Said) -> letters.Content:
    """Envelope of an allowed message, and the proof in it."""
    flow, known, proof = said.route.flow, said.known, None
    if flow.case is not Cardinality.WITHIN:
        proof = _proof(core, request, said)
    envelope = Envelope(
        id=request.message_id,
        type=request.type,
        source=core.org,
        to=request.to,
        time=said.at,
        expiresat=said.expires_at,
        schemaversion=flow.version,
        instrument=said.binding.id,
        version=said.binding.version_at(said.at),
        purpose=flow.purpose,
        caseid=said.case_id,
        seq=said.seq,
        agreement=None if known.agreement is None else known.agreement.reference,
        proof=proof,
        informedat=known.notice_at if known.agreement is None else None,
        derogation=None if said.without is None else derogations.carried(said.without),
        traceparent=request.traceparent,
        data=said.payload.model_dump(mode="json"),
    )
    return letters.Content(envelope.to_plaintext(), proof)


def _proof(core: Core, request: Request, said: _Said) -> str | None:
    """Proof of agreement that travels with whoever a message names."""
    known, identity = said.known, identity_of(said.payload)
    agreement = known.agreement
    if agreement is None or known.notice_at is None or known.notice_version is None:
        return None
    if identity is None or said.person is None:
        return None  # it names nobody, and a digest could be guessed
    born = None if hasattr(identity, "birth_date") else said.person.identity.birth_date
    proof = Proof(
        reference=agreement.reference,
        collector=core.org,
        receiver=request.to,
        convention_id=said.binding.id,
        identity=identity_digest(agreement.reference, identity),
        flows=tuple(sorted(agreement.flows)),
        giver=agreement.giver,
        assent=known.assent or "not_asked",
        adult=None if born is None else reached(born, 18, day_of(said.at)),
        associated=tuple(sorted(agreement.associated)),
        notice_version=known.notice_version,
        notice_at=known.notice_at,
        given_at=agreement.given_at,
        expires_at=agreement.expires_at,
    )
    return proof_text(proof)


def _draft(core: Core, request: Request, said: _Said, facts: Facts) -> letters.Draft:
    agreement = said.known.agreement
    return letters.Draft(
        kind=letters.LETTER,
        message_id=request.message_id,
        type=request.type,
        to=request.to,
        instrument=said.binding.id,
        code=said.route.flow.code,
        content=partial(_content, core, request, said),
        expires_at=said.expires_at,
        case_id=said.case_id,
        reference=None if agreement is None or said.without is not None else agreement.reference,
        seq=said.seq,
        facts=facts,
        traceparent=request.traceparent,
    )


def _journal(
    tx: Tx,
    core: Core,
    request: Request,
    facts: Facts,
    decision: Decision,
    case_id: str | None,
    at: datetime,
) -> None:
    refused = isinstance(decision, Refused)
    scope = REFUSAL_SCOPE if case_id is None else case_scope(case_id)
    core.journal.append(
        tx,
        Entry(
            at=at,
            event="message.refused" if refused else "message.sent",
            message_id=request.message_id,
            flow=request.type,
            outcome="refused" if refused else "allowed",
            articles=decision.articles if isinstance(decision, Refused) else (),
            rules_version=decision.rules_version,
            scope=scope,
            case_id=case_id,
            agent_id=request.agent_id,
            facts=partial(facts_json, facts),
        ),
    )


def _sent(
    request: Request, case_id: str | None, known: Standing, payload: Payload, at: datetime
) -> Sent:
    return Sent(
        message_id=request.message_id,
        type=request.type,
        case_id=case_id,
        person_id=known.person_id,
        receiver=request.to,
        agent_id=request.agent_id,
        payload=payload,
        at=at,
    )
