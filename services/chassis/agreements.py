"""One's own register of persons, and what they agreed to, were told, and took back.

The collector keeps the record (A-2.10, A-2.11); recipients get a proof. A withdrawal needs no
reason, stops at once whatever rests on it, and is told to every recipient.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy import ColumnElement, select, update

from contracts.kernel.agreement import Assent, Proof, expiry
from contracts.kernel.checks import Giver
from contracts.kernel.control import AgreementChanged
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Code, Instant, NoticeVersion, Payload, said
from contracts.kernel.organisation import OrgId
from contracts.kernel.paris import add_months, day_of, midnight
from contracts.kernel.signed import OPEN_STATES, SignedConvention
from services.chassis import letters, standing, tables
from services.chassis.controls import send_control
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import cancel_case
from services.chassis.journal import Entry
from services.chassis.scopes import REGISTER_SCOPE, person_scope
from services.chassis.standing import Person


class NoticeRecord(Payload):
    """Information given to the family: when, how, in which version and language (A-2.10)."""

    version: NoticeVersion = said("Version", why="Dit quel texte a été remis.", source="A-2.10")
    channel: Literal["meeting", "letter", "phone", "email"] = said(
        "Moyen", why="Dit comment la famille a été informée.", source="A-2.10"
    )
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = said(
        "Langue", why="Une information non comprise n'en est pas une.", source="A-2.10"
    )
    given_at: Instant = said("Date", why="L'information précède l'envoi.", source="A-2.10")


Associated = Annotated[
    tuple[Code, ...],
    Field(max_length=8),
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
]
"""Codes of bodies beside the recipients that may take part in the support (A-4.1, A-6.1)."""


class AgreementRecord(Payload):
    """What an agent records: a yes or a no, by whom, for whom, to what, until when."""

    person_id: str = said("Personne", why="Désigne la personne du registre.", source="A-2.11")
    recipients: tuple[OrgId, ...] = said(
        "Destinataires", why="Chaque organisme destinataire est nommé.", source="A-4.1"
    )
    flows: tuple[str, ...] = said(
        "Messages", why="L'accord porte sur des messages nommés.", source="A-2.11"
    )
    giver: Literal["representative", "young_person", "both"] = said(
        "Donné par", why="Seul qui le peut donne l'accord.", source="A-2.11"
    )
    means: Literal["in_person", "signed_form", "letter"] = said(
        "Forme", why="Dit où se trouve la preuve.", source="A-4.4"
    )
    granted: bool = said("Accord", why="Oui ou non, sans motif.", source="A-2.11")
    assent: Assent = said("Avis du jeune", why="Sa propre parole, à part.", source="A-2.11")
    associated: Associated = said(
        "Associés",
        why="Associations et services nommés, ou bien ils n'interviennent pas.",
        source="A-6.1",
        default=(),
    )
    notice: NoticeRecord = said("Information", why="L'information précède.", source="A-2.10")
    given_at: Instant = said("Date", why="L'accord précède l'envoi.", source="A-4.4")


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Result of a withdrawal: who was told, and how many waiting letters were stopped."""

    told: tuple[str, ...]
    stopped: int


def register_person(
    tx: Tx, core: Core, person: Person, person_id: str, agent_id: str, at: datetime
) -> str:
    """Add a person to one's own register, sealed under a key of its own.

    Raises InvalidPayload for a birth date in the future.
    """
    if person.identity.birth_date > day_of(at):
        raise InvalidPayload(
            "Une date de naissance ne peut pas être dans le futur.",
            fields=(("identity.birth_date", "in_the_future"),),
        )
    scope = person_scope(person_id)
    core.keystore.fresh(scope)
    content = person.model_dump_json().encode()
    tx.insert(
        tables.persons,
        {
            "person_id": person_id,
            "scope": scope,
            "sealed": core.keystore.seal(scope, content, aad=b"person"),
            "created_at": at,
            "registered_at": at,
        },
    )
    _journal(tx, core, "person.registered", agent_id, at)
    return person_id


def person_left(tx: Tx, core: Core, person_id: str, agent_id: str, at: datetime) -> None:
    """Record that a person is registered here no more (A-1.2). Raises UnknownName."""
    persons = tables.persons
    here = (persons.c.person_id == person_id) & persons.c.registered_at.is_not(None)
    if tx.execute(update(persons).where(here).values(left_at=at)).rowcount == 0:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    tx.forget(standing.PERSONS)
    tx.forget(standing.AGREEMENTS)
    _journal(tx, core, "person.left", agent_id, at)


def accept_charter(tx: Tx, core: Core, agent_id: str, version: str, at: datetime) -> None:
    """Record that an agent accepted the confidentiality charter (A-5.2); twice is once."""
    if tx.get(standing.CHARTERS, (agent_id, version)) is None:
        row = {"agent_id": agent_id, "version": version, "accepted_at": at}
        tx.insert(tables.charters, row)
        tx.forget(standing.CHARTERS, (agent_id, version))
        _journal(tx, core, "charter.accepted", agent_id, at)


def record_agreement(
    tx: Tx, core: Core, record: AgreementRecord, agreement_id: str, agent_id: str, at: datetime
) -> str:
    """Record an agreement or a refusal; returns its id.

    Raises UnknownName for a person, InvalidPayload for types that no convention knows or an
    agreement dated in the future.
    """
    row = tx.get(standing.PERSONS, record.person_id)
    if row is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if max(record.given_at, record.notice.given_at) > at:
        raise InvalidPayload("Un accord ou une information ne peut pas être daté du futur.")
    unknown = set(record.flows) - core.flows.keys()
    if unknown or not record.flows or not record.recipients:
        raise InvalidPayload("Un accord nomme des messages connus et leurs destinataires.")
    conventions = {org: _convention(core, org, at) for org in record.recipients}
    content = core.keystore.open(row.scope, row.sealed, aad=b"person")
    birth = Person.model_validate_json(content).identity.birth_date
    ends = [one.ends_on for one in conventions.values() if one is not None and one.ends_on]
    tx.insert(
        tables.agreements,
        {
            "agreement_id": agreement_id,
            "person_id": record.person_id,
            "flows": record.flows,
            "giver": record.giver,
            "means": record.means,
            "assent": record.assent,
            "associated": record.associated,
            "refused": not record.granted,
            "notice_version": record.notice.version,
            "notice_channel": record.notice.channel,
            "notice_language": record.notice.language,
            "notice_at": record.notice.given_at,
            "given_at": record.given_at,
            "expires_at": expiry(
                day_of(record.given_at),
                birth=birth,
                giver=Giver(record.giver),
                convention_ends_on=min(ends, default=None),
            ),
            "agent_id": agent_id,
        },
    )
    for org, signed in conventions.items():
        tx.insert(
            tables.agreement_recipients,
            {
                "reference": core.new_id(),
                "agreement_id": agreement_id,
                "recipient": org,
                "convention_id": "" if signed is None else signed.id,
            },
        )
    tx.forget(standing.AGREEMENTS, agreement_id)
    _journal(tx, core, "agreement.recorded", agent_id, at)
    return agreement_id


def _convention(core: Core, org: str, at: datetime) -> SignedConvention | None:
    """The open convention with a recipient, if there is one: a family may agree to more."""
    opened = [signed for signed in core.between(org) if signed.state(at) in OPEN_STATES]
    return opened[-1] if opened else None


def withdraw(
    tx: Tx,
    core: Core,
    agreement_id: str,
    agent_id: str | None,
    at: datetime,
    traceparent: str | None = None,
) -> Withdrawal:
    """Withdraw an agreement collected here, from this instant (A-2.11).

    Stops every letter not yet accepted and tells every recipient. A second withdrawal changes
    nothing. Raises UnknownName.
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
    _journal(tx, core, "agreement.withdrawn", agent_id, at)
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
        stopped += end_reference(tx, core, one, "withdrawn", at, told, traceparent)
    return Withdrawal(tuple(told), stopped)


def end_reference(
    tx: Tx,
    core: Core,
    recipient: Any,  # noqa: ANN401 -- a row of agreement_recipients
    state: Literal["withdrawn", "expired"],
    at: datetime,
    told: list[str],
    traceparent: str | None = None,
) -> int:
    """Stop what rests on one reference of an agreement, and tell its recipient.

    told: gets the recipient, if any convention ever joined us to it. Returns how many letters were
    stopped.
    """
    cases = tables.cases
    rows = tx.execute(
        select(cases.c.case_id, cases.c.instrument).where(cases.c.reference == recipient.reference)
    ).all()
    stopped = stop(tx, core, recipient.reference, [row.case_id for row in rows], at)
    # What was agreed before the convention was signed travels under the one that carried it since.
    carried = [row.instrument for row in rows] or [
        signed.id for signed in core.between(recipient.recipient) if signed.opens_on is not None
    ]
    convention_id = recipient.convention_id or (carried[-1] if carried else "")
    case_ids = tuple(row.case_id for row in rows)
    if convention_id:
        _tell(tx, core, recipient, convention_id, case_ids, state, at, traceparent)
        told.append(recipient.recipient)
    return stopped


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
        _journal(tx, core, "agreement.expired", None, at)
    tx.forget(standing.AGREEMENTS)
    return len(found)


def stop(tx: Tx, core: Core, reference: str, case_ids: Collection[str], at: datetime) -> int:
    """Stop what rests on a reference: waiting letters are erased, open cases are stopped."""
    cases = tables.cases
    stopped = stop_letters(tx, core, tables.outbox.c.reference == reference, at)
    open_ = cases.c.case_id.in_(list(case_ids)) & (cases.c.state == "open")
    for row in tx.execute(select(cases.c.case_id, cases.c.instrument).where(open_)).all():
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
        core.partner.stopped(tx, core, case_id, at)
    tx.on_commit(lambda: core.withdrawn.setdefault(reference, at))
    return stopped


def stop_held(tx: Tx, core: Core, proof: Proof, at: datetime) -> None:
    """Stop at a holder, at once, what rests on a partner's agreement (design §10.8)."""
    key = (proof.reference, proof.collector)
    if tx.get(standing.TOMBSTONES, key) is None:
        row = {"reference": proof.reference, "org": proof.collector, "withdrawn_at": at}
        tx.insert(tables.tombstones, row)
        tx.forget(standing.TOMBSTONES, key)
    cases = tables.cases
    rows = tx.execute(select(cases.c.case_id).where(cases.c.reference == proof.reference))
    stop(tx, core, proof.reference, [row.case_id for row in rows], at)


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
    state: Literal["withdrawn", "expired"],
    at: datetime,
    traceparent: str | None,
) -> None:
    tx.insert(
        tables.withdrawals,
        {"reference": recipient.reference, "org": recipient.recipient, "told_at": at},
    )
    content = AgreementChanged(
        reference=recipient.reference, case_ids=case_ids, state=state, effective_at=at
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
    send_control(tx, core, "agreement.changed", content, recipient.recipient, convention_id, at)


def _journal(tx: Tx, core: Core, event: str, agent_id: str | None, at: datetime) -> None:
    core.journal.append(
        tx,
        Entry(
            at=at,
            event=event,
            outcome="recorded",
            scope=None if agent_id is None else REGISTER_SCOPE,
            agent_id=agent_id,
        ),
    )
