"""One's own register: persons, what they agreed to or refused, and who accepted the charter.

The collector keeps the record (A-2.10, A-2.11); recipients get a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from sqlalchemy import update

from contracts.kernel.agreement import Assent, expiry
from contracts.kernel.checks import Giver
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Code, Instant, NoticeVersion, Payload, said
from contracts.kernel.organisation import OrgId
from contracts.kernel.paris import day_of
from contracts.kernel.signed import OPEN_STATES, SignedConvention
from services.chassis import minors, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.resemblance import box, note_answer
from services.chassis.scopes import person_scope
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
    given_at: Instant = said(
        "Information donnée le", why="L'information précède l'envoi.", source="A-2.10"
    )


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
    authority: Literal["parental", "guardianship", "delegation", "department"] | None = said(
        "À quel titre",
        why="Dit de qui le représentant tient l'autorité, sans la deviner.",
        source="A-2.11",
        default=None,
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
    given_at: Instant = said("Accord donné le", why="L'accord précède l'envoi.", source="A-4.4")


class NewPerson(Person):
    """Body of ``POST /persons``: who, and those of the register who resemble and are others.

    others: their ids; an agent saw each of them beside the new person and said so.
    """

    others: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")], ...], Field(max_length=32)
    ] = ()

    @property
    def person(self) -> Person:
        """The person alone, as the register keeps one."""
        return Person(identity=self.identity, representatives=self.representatives)


def register_person(
    tx: Tx,
    core: Core,
    person: Person,
    person_id: str,
    agent_id: str,
    at: datetime,
    others: Sequence[str] = (),
) -> str:
    """Add a person to one's own register, sealed under a key of its own.

    others: see `NewPerson`. Raises InvalidPayload for a birth date in the future; UnknownName for
    one of the others.
    """
    if person.identity.birth_date > day_of(at):
        raise InvalidPayload(
            "Une date de naissance ne peut pas être dans le futur.",
            fields=(("identity.birth_date", "in_the_future"),),
        )
    scope = person_scope(person_id)
    core.keystore.fresh(scope)
    tx.insert(
        tables.persons,
        {
            "person_id": person_id,
            "scope": scope,
            "created_at": at,
            "registered_at": at,
            "birth_box": box(core, person.identity.birth_date),
        },
        sealed=partial(standing.sealed_person, core, scope, person),
    )
    core.journal.note(tx, "person.registered", agent_id, at)
    for other in others:
        note_answer(tx, core, other, "other", agent_id, at)
    return person_id


def person_left(tx: Tx, core: Core, person_id: str, agent_id: str, at: datetime) -> None:
    """Record that a person is registered here no more (A-1.2). Raises UnknownName."""
    persons = tables.persons
    here = (persons.c.person_id == person_id) & persons.c.registered_at.is_not(None)
    if tx.execute(update(persons).where(here).values(left_at=at)).rowcount == 0:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    tx.forget(standing.PERSONS)
    tx.forget(standing.AGREEMENTS)
    core.journal.note(tx, "person.left", agent_id, at)


def accept_charter(tx: Tx, core: Core, agent_id: str, version: str, at: datetime) -> None:
    """Record that an agent accepted the confidentiality charter (A-5.2); twice is once."""
    if tx.get(standing.CHARTERS, (agent_id, version)) is None:
        row = {"agent_id": agent_id, "version": version, "accepted_at": at}
        tx.insert(tables.charters, row)
        tx.forget(standing.CHARTERS, (agent_id, version))
        core.journal.note(tx, "charter.accepted", agent_id, at)


def record_agreement(
    tx: Tx, core: Core, record: AgreementRecord, agreement_id: str, agent_id: str, at: datetime
) -> str:
    """Record an agreement or a refusal; returns its id.

    Raises UnknownName for a person; InvalidPayload for types that no convention knows, an
    agreement dated in the future, a representative without authority, a yes that is also a no.
    """
    _consistent(record)
    row = tx.get(standing.PERSONS, record.person_id)
    if row is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if max(record.given_at, record.notice.given_at) > at:
        raise InvalidPayload("Un accord ou une information ne peut pas être daté du futur.")
    unknown = set(record.flows) - core.flows.keys()
    if unknown or not record.flows or not record.recipients:
        raise InvalidPayload("Un accord nomme des messages connus et leurs destinataires.")
    conventions = {org: _convention(core, org, at) for org in record.recipients}
    birth = standing.opened_person(tx, core, row.scope, row.sealed).identity.birth_date
    if birth is None:
        raise InvalidPayload("Sans date de naissance, nul ne sait qui peut donner l'accord.")
    ends = [one.ends_on for one in conventions.values() if one is not None and one.ends_on]
    tx.insert(
        tables.agreements,
        {
            "agreement_id": agreement_id,
            "person_id": record.person_id,
            "flows": record.flows,
            "giver": record.giver,
            "authority": record.authority,
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
    core.journal.note(tx, "agreement.recorded", agent_id, at)
    minors.owe(tx, core, agreement_id, birth, at)
    return agreement_id


def _consistent(record: AgreementRecord) -> None:
    alone = record.giver == Giver.YOUNG_PERSON.value
    if alone is (record.authority is not None):
        raise InvalidPayload(
            "Le titre de qui représente le jeune est dit quand un représentant donne l'accord, et "
            "alors seulement.",
            fields=(("authority", "representative_only" if alone else "missing"),),
        )
    if record.granted and record.assent == "no" and record.giver != Giver.REPRESENTATIVE.value:
        raise InvalidPayload(
            "Le jeune ne peut pas donner un accord et dire non à la fois.",
            fields=(("assent", "contradicts"),),
        )


def _convention(core: Core, org: str, at: datetime) -> SignedConvention | None:
    """The open convention with a recipient, if there is one: a family may agree to more."""
    opened = [signed for signed in core.between(org) if signed.state(at) in OPEN_STATES]
    return opened[-1] if opened else None
