"""What a node knows that bears on a decision: the person, the agreement, the case.

Rows are read through loaders, so that a batch of messages costs one query a table. What is not
known stays None, and the gate refuses.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal, NamedTuple

from pydantic import Field
from sqlalchemy import Connection, Row, Select, Table, select

from contracts.kernel.agreement import Proof
from contracts.kernel.checks import ADULT, MINOR, Age, Assent, Check, Giver, Limit, age_bound
from contracts.kernel.facts import AgreementFacts
from contracts.kernel.fields import Day, Payload, PersonName
from contracts.kernel.messages import Channel, Identity, Representative
from contracts.kernel.paris import day_of, reached
from services.chassis import tables
from services.chassis.bulk import among, among_given, named
from services.chassis.core import Core
from services.chassis.database import Loader, Tx


class KnownIdentity(Payload):
    """What a partner's message said of who a person is; None for what it did not say."""

    family_name: PersonName | None = None
    first_name: PersonName | None = None
    birth_date: Day | None = None
    channel: Channel | None = None


class KnownPerson(Payload):
    """A person as the register keeps them: one's own, or one whom a partner's message named.

    identity: what an opening message needs. representatives: those who may agree for a minor.
    """

    identity: Identity | KnownIdentity = Field(union_mode="left_to_right")
    representatives: tuple[Representative, ...] = ()


class Person(KnownPerson):
    """A person of one's own register, whole."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is known here about the person and the agreement behind a message.

    reference: random reference of the agreement for this pair of organisations.
    agreement_id: set where the agreement was collected here. adult: what the proof says of a person
    whose birth date is not known here.
    """

    person_id: str | None = None
    scope: str | None = None
    sealed: bytes | None = None
    registered_at: datetime | None = None
    agreement_id: str | None = None
    agreement: AgreementFacts | None = None
    assent: str | None = None
    notice_at: datetime | None = None
    notice_version: str | None = None
    adult: bool | None = None
    case: Row[Any] | None = None


NOTHING = Standing()

ERASED = "erased"
"""State of a case whose content and key are destroyed."""


Fetch = Callable[[Connection, Sequence[str]], Mapping[str, Row[Any]]]


def _by(column: Any, table: Table) -> Fetch:  # noqa: ANN401 -- SQLAlchemy's columns
    statement = select(column.label("key"), table).where(among_given(column, "keys"))

    def fetch(connection: Connection, keys: Sequence[str]) -> Mapping[str, Row[Any]]:
        return {row.key: row for row in connection.execute(statement, {"keys": list(keys)})}

    return fetch


PERSONS: Loader[str, Row[Any]] = Loader("persons", _by(tables.persons.c.person_id, tables.persons))


@dataclass(frozen=True, slots=True)
class Collected:
    """An agreement collected here, and the reference it bears towards each recipient.

    row: of the agreement, with the person's scope, sealed, registered_at and left_at; all None
    where the person was erased.
    """

    row: Any
    references: Mapping[str, str]
    towards: dict[tuple[str, str], Standing] = field(default_factory=dict)
    """Standings made of it so far, by this organisation and the partner."""


def _agreements() -> Select[Any]:
    agreements, recipients, persons = tables.agreements, tables.agreement_recipients, tables.persons
    joined = agreements.join(
        recipients, recipients.c.agreement_id == agreements.c.agreement_id, isouter=True
    ).join(persons, persons.c.person_id == agreements.c.person_id, isouter=True)
    columns = (
        *(recipients.c.recipient, recipients.c.reference),
        *(persons.c.scope, persons.c.sealed, persons.c.registered_at, persons.c.left_at),
    )
    wanted = among_given(agreements.c.agreement_id, "keys")
    return select(agreements, *columns).select_from(joined).where(wanted)


_AGREEMENTS: Final = _agreements()
_AGREEMENT: Final = named(_AGREEMENTS)


def _fetch_agreements(connection: Connection, keys: Sequence[str]) -> Mapping[str, Collected]:
    found: dict[str, Any] = {}
    references: dict[str, dict[str, str]] = defaultdict(dict)
    for row in map(_AGREEMENT._make, connection.execute(_AGREEMENTS, {"keys": list(keys)})):
        found[row.agreement_id] = row
        if row.recipient is not None:
            references[row.agreement_id][row.recipient] = row.reference
    return {key: Collected(row, references[key]) for key, row in found.items()}


AGREEMENTS: Loader[str, Collected] = Loader("agreements", _fetch_agreements)
REFERENCES: Loader[str, Row[Any]] = Loader(
    "references", _by(tables.agreement_recipients.c.reference, tables.agreement_recipients)
)
CASES: Loader[str, Row[Any]] = Loader("cases", _by(tables.cases.c.case_id, tables.cases))


_PROOFS: Final = select(tables.held_proofs.c.reference, tables.held_proofs.c.proof).where(
    among_given(tables.held_proofs.c.reference, "keys")
)


def _fetch_proofs(connection: Connection, keys: Sequence[str]) -> Mapping[str, Proof]:
    rows = connection.execute(_PROOFS, {"keys": list(keys)})
    return {row.reference: Proof.parse(row.proof) for row in rows}


PROOFS: Loader[str, Proof] = Loader("held-proofs", _fetch_proofs)


_TOMBSTONES: Final = select(tables.tombstones).where(
    among_given(tables.tombstones.c.reference, "keys")
)


class Tombstone(NamedTuple):
    """Since when an agreement is withdrawn, suspended, or runs again."""

    at: datetime
    state: Literal["withdrawn", "suspended", "resumed"]


def _fetch_tombstones(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], Tombstone]:
    rows = connection.execute(_TOMBSTONES, {"keys": [reference for reference, _ in keys]})
    return {(row.reference, row.org): Tombstone(row.withdrawn_at, row.state) for row in rows}


TOMBSTONES: Loader[tuple[str, str], Tombstone] = Loader("tombstones", _fetch_tombstones)
"""What stops an agreement, by its reference and its collector."""


def proof_facts(tx: Tx, proof: Proof) -> AgreementFacts:
    """What the gate is told of a partner's agreement: as proven, and what was heard of it since."""
    known = tx.get(TOMBSTONES, (proof.reference, proof.collector))
    return proof.facts(
        withdrawn_at=known.at if known is not None and known.state == "withdrawn" else None,
        suspended_at=known.at if known is not None and known.state == "suspended" else None,
    )


def _fetch_charters(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], datetime]:
    statement = select(tables.charters).where(
        among(tables.charters.c.agent_id, [agent for agent, _ in keys])
    )
    found = {(row.agent_id, row.version): row.accepted_at for row in connection.execute(statement)}
    return {key: found[key] for key in keys if key in found}


CHARTERS: Loader[tuple[str, str], datetime] = Loader("charters", _fetch_charters)


def charter_of(tx: Tx, core: Core, agent_id: str) -> datetime | None:
    """When the agent accepted the present charter (A-5.2)."""
    key = (agent_id, core.policy.charter)
    known = core.charters.get(key)
    if known is None and (known := tx.get(CHARTERS, key)) is not None:
        accepted = known
        tx.on_commit(lambda: core.charters.setdefault(key, accepted))
    return known


def of_agreement(tx: Tx, agreement_id: str, own: str, partner: str) -> Standing:
    """Standing of an agreement collected here, towards one partner; NOTHING when unknown.

    own: this organisation, which may also be answered.
    """
    found = tx.get(AGREEMENTS, agreement_id)
    if found is None:
        return NOTHING
    pair = own, partner
    if pair not in found.towards:
        found.towards[pair] = _collected(found, own, partner)
    return found.towards[pair]


def of_notice(tx: Tx, notice_id: str) -> Standing:
    """Standing of a person who was informed of what the law asks; NOTHING when unknown."""
    row = tx.execute(select(tables.notices).where(tables.notices.c.notice_id == notice_id)).first()
    person = None if row is None else _person(tx, row.person_id)
    if row is None or person is None:
        return NOTHING
    return Standing(
        person_id=row.person_id,
        scope=person.scope,
        sealed=person.sealed,
        registered_at=person.registered_at if person.left_at is None else None,
        notice_at=row.given_at,
        notice_version=row.version,
    )


def of_case(tx: Tx, case_id: str, own: str) -> Standing:
    """Standing of a case: the agreement collected here, or the proof that came with it."""
    case = tx.get(CASES, case_id)
    if case is None or case.reference is None:
        return Standing(case=case)
    reference: str = case.reference
    ours = tx.get(REFERENCES, reference)
    if ours is not None and (found := tx.get(AGREEMENTS, ours.agreement_id)) is not None:
        return _collected(found, own, case.partner, case)
    held = tx.get(PROOFS, reference)
    return Standing(case=case) if held is None else _held(tx, held, case)


def _person(tx: Tx, person_id: str | None) -> Row[Any] | None:
    return None if person_id is None else tx.get(PERSONS, person_id)


def _collected(found: Collected, own: str, partner: str, case: Row[Any] | None = None) -> Standing:
    row = found.row
    agreement = AgreementFacts(
        reference=found.references.get(partner, ""),
        giver=Giver(row.giver),
        flows=frozenset(row.flows),
        recipients=frozenset((*found.references, own)),
        given_at=row.given_at,
        expires_at=row.expires_at,
        withdrawn_at=row.withdrawn_at,
        suspended_at=row.suspended_at,
        associated=frozenset(row.associated),
    )
    return Standing(
        person_id=row.person_id,
        scope=row.scope,
        sealed=row.sealed,
        registered_at=row.registered_at if row.left_at is None else None,
        agreement_id=row.agreement_id,
        agreement=None if row.refused else agreement,
        assent=row.assent,
        notice_at=row.notice_at,
        notice_version=row.notice_version,
        case=case,
    )


def _held(tx: Tx, proof: Proof, case: Row[Any] | None) -> Standing:
    person = _person(tx, None if case is None else case.person_id)
    return Standing(
        person_id=None if case is None else case.person_id,
        scope=None if person is None else person.scope,
        sealed=None if person is None else person.sealed,
        agreement=proof_facts(tx, proof),
        assent=proof.assent,
        notice_at=proof.notice_at,
        notice_version=proof.notice_version,
        adult=proof.adult,
        case=case,
    )


def person_of(tx: Tx, core: Core, standing: Standing) -> KnownPerson | None:
    """Identity behind a standing, opened from the register; None when erased or unknown."""
    if standing.sealed is None or standing.scope is None:
        return None
    return opened_person(tx, core, standing.scope, standing.sealed)


_PLACE: Final = b"person"
"""Bound to the seal: no other content under the same key passes for a person."""

_OPENED: Final = "persons"


def sealed_person(core: Core, scope: str, person: KnownPerson) -> bytes:
    """A person as the register keeps it; the scope has a key."""
    return core.keystore.seal(scope, person.model_dump_json().encode(), _PLACE)


def open_person(core: Core, scope: str, sealed: bytes) -> KnownPerson:
    """What `sealed_person` returned. Raises KeyDestroyed, SealBroken."""
    return KnownPerson.model_validate_json(core.keystore.open(scope, sealed, _PLACE))


def opened_person(tx: Tx, core: Core, scope: str, sealed: bytes) -> KnownPerson:
    """The same, opened once a batch. Raises KeyDestroyed, SealBroken."""
    known: dict[bytes, KnownPerson] = tx.state.setdefault(_OPENED, {})
    if sealed not in known:
        known[sealed] = open_person(core, scope, sealed)
    return known[sealed]


def counts_of(checks: Iterable[Check], payload: Payload) -> dict[str, int]:
    """Quantities of a content that the flow limits: a whole number, or how many a list holds."""
    counts = {}
    for check in checks:
        if isinstance(check, Limit):
            found = getattr(payload, check.name, None)
            if isinstance(found, tuple):
                counts[check.name] = len(found)
            elif isinstance(found, int):
                counts[check.name] = found
    return counts


def bounds_of(
    checks: Iterable[Check], birth: date | None, at: datetime, *, adult: bool | None = None
) -> frozenset[str]:
    """Age brackets that hold on the legal day; without a birth date what a proof says, or none."""
    if birth is None:
        return frozenset() if adult is None else frozenset({ADULT if adult else MINOR})
    day = day_of(at)
    wanted = {MINOR: (None, 18), ADULT: (18, None)}
    for check in checks:
        if isinstance(check, Age):
            wanted[check.bound] = (check.at_least, check.below)
        elif isinstance(check, Assent):
            wanted[age_bound(check.asked_from, None)] = (check.asked_from, None)
            wanted[age_bound(None, check.asked_from)] = (None, check.asked_from)
    ages = {age for bracket in wanted.values() for age in bracket if age is not None}
    old = {age: reached(birth, age, day) for age in ages}
    return frozenset(
        name
        for name, (low, high) in wanted.items()
        if (low is None or old[low]) and (high is None or not old[high])
    )
