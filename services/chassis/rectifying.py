"""A person's identity corrected (GDPR 16, 5.1.d): a misspelt name, a wrong day of birth.

A correction rests on the person's request, checked and open, or on what an agent saw: the person's
papers, or for a name this organisation's own file. Either is passed on to the partners of their
cases, who are told that the identity was wrong and never what it was or is: each asks the person
(GDPR 19). What nobody asked for is a request of the organisation's own, which stays open until the
person was told of it. The journal says which field changed, under the person's own key.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from sqlalchemy import Row, select, update

from contracts.kernel.agreement import expiry
from contracts.kernel.checks import Agreement, Giver
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Day, Payload, PersonName, said
from contracts.kernel.paris import birthday, day_of, midnight, reached
from services.chassis import agreements, minors, person_tables, rights, standing, tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.person.codes import opened
from services.chassis.resemblance import box
from services.chassis.rights import RequestState
from services.chassis.standing import KnownPerson
from services.chassis.tokens import Agent

IDENTITY: Final = "identity"
"""What a request says is wrong, for its person's name or day of birth to be corrected."""


class Correction(Payload):
    """Body of ``POST /persons/{id}/rectification``: what is right, of what was wrong alone."""

    request_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = said(
        "Demande",
        why="La correction répond à la demande de la personne, s'il y en a une.",
        source="RGPD 16",
        default=None,
    )
    found_on: Literal["document", "file"] | None = said(
        "Erreur vue sur",
        why="Sans demande, une correction repose sur ce que vous avez vu.",
        source="RGPD 5.1.d",
        default=None,
    )
    family_name: PersonName | None = said(
        "Nom de famille", why="À laisser vide s'il est juste.", source="RGPD 16"
    )
    first_name: PersonName | None = said(
        "Prénom", why="À laisser vide s'il est juste.", source="RGPD 16"
    )
    birth_date: Day | None = said(
        "Date de naissance",
        why="À laisser vide si elle est juste : elle décide de qui peut donner un accord.",
        source="RGPD 16",
    )


def requests_about(tx: Tx, person_id: str) -> list[str]:
    """Requests, checked and open, by which a person's identity may be corrected, oldest first."""
    table, ties = person_tables.requests, person_tables.request_persons
    theirs = select(ties.c.request_id).where(ties.c.person_id == person_id)
    waits = table.c.closed_at.is_(None) & table.c.checked_at.is_not(None)
    query = select(table).where(table.c.request_id.in_(theirs) & waits).order_by(table.c.asked_at)
    return [row.request_id for row in tx.execute(query) if IDENTITY in row.about]


def rectify(
    tx: Tx, core: Core, person_id: str, body: Correction, agent: Agent, at: datetime
) -> tuple[str, list[str]]:
    """Correct a person's identity; returns the request, and the partners who are told of it.

    What was agreed to is looked at again under another day of birth: whoever could not give it ends
    it, and it ends at majority. Raises UnknownName, NotPermitted; RequestState where no request
    asks for it; InvalidPayload for what corrects nothing, or a birth date in the future.
    """
    known = opened(tx, core, person_id, agent, at)
    request_id = body.request_id
    if request_id is None and body.found_on is None:
        raise InvalidPayload(
            "Dites sur quoi l'erreur a été vue, ou à quelle demande la correction répond.",
            fields=(("found_on", "missing"),),
            articles=("RGPD 5.1.d",),
        )
    if request_id is not None and request_id not in requests_about(tx, person_id):
        raise RequestState(
            "Enregistrez d'abord la demande de la personne, et vérifiez qui demande.",
            articles=("RGPD 16",),
        )
    changed = _changed(known, body, at)
    article = "RGPD 16"
    if request_id is None:
        request_id, article = _seen(tx, core, person_id, body, agent, at), "RGPD 5.1.d"
    row = tx.get(standing.PERSONS, person_id)
    if row is None:
        raise UnknownName("Cette personne n'est pas connue ici.", code="unknown_person")
    identity = known.identity.model_copy(update=changed)
    person = known.model_copy(update={"identity": identity})
    _keep(tx, core, row, person)
    for name in changed:
        core.journal.append(
            tx,
            Entry(
                at=at,
                event="person.rectified",
                outcome=name,
                articles=(article,),
                scope=row.scope,
                agent_id=agent.agent_id,
            ),
        )
    if identity.birth_date is not None and "birth_date" in changed:
        _born(tx, core, person_id, identity.birth_date, agent, at)
    request = rights.open_request(tx, request_id)
    if request.sent_at is not None or request.origin is not None:
        return request_id, []
    return request_id, rights.send(tx, core, request_id, agent, at)


def _seen(tx: Tx, core: Core, person_id: str, body: Correction, agent: Agent, at: datetime) -> str:
    """Keep what nobody asked for as a request of the organisation's own; returns its number.

    A day of birth decides who may agree: it is corrected on papers alone. Raises InvalidPayload.
    """
    if body.birth_date is not None and body.found_on != "document":
        raise InvalidPayload(
            "Une date de naissance se corrige sur une pièce d'identité, ou à la demande de la "
            "personne.",
            fields=(("found_on", "document_only"),),
            articles=("RGPD 5.1.d",),
        )
    request_id = core.new_id()
    asked = rights.Asked(
        person_ids=(person_id,),
        right="rectification",
        about=(IDENTITY,),
        raised_by=rights.ORGANISATION,
        channel=rights.ORGANISATION,
        checked_by=agent.agent_id,
        checked_at=at,
        means=body.found_on,
    )
    rights.ask(tx, core, asked, request_id, agent.agent_id, at)
    return request_id


def _changed(known: KnownPerson, body: Correction, at: datetime) -> dict[str, Any]:
    said_ = body.model_dump(exclude={"request_id", "found_on"}, exclude_none=True)
    changed = {
        name: value for name, value in said_.items() if value != getattr(known.identity, name)
    }
    if not changed:
        raise InvalidPayload(
            "Rien de ce qui est dit ici ne corrige ce qui est tenu.",
            fields=(("family_name", "nothing_corrected"),),
            articles=("RGPD 16",),
        )
    birth = changed.get("birth_date")
    if birth is not None and birth > day_of(at):
        raise InvalidPayload(
            "Une date de naissance ne peut pas être dans le futur.",
            fields=(("birth_date", "in_the_future"),),
        )
    return changed


def _keep(tx: Tx, core: Core, row: Row[Any], person: KnownPerson) -> None:
    """Seal the person anew, and file them under their day of birth where they are looked for."""
    persons, birth = tables.persons, person.identity.birth_date
    values: dict[str, Any] = {"sealed": standing.sealed_person(core, row.scope, person)}
    if row.registered_at is not None and birth is not None:
        values["birth_box"] = box(core, birth)
    tx.execute(update(persons).where(persons.c.person_id == row.person_id).values(**values))
    tx.forget(standing.PERSONS)
    tx.forget(standing.AGREEMENTS)


# --- another day of birth


def _born(tx: Tx, core: Core, person_id: str, birth: date, agent: Agent, at: datetime) -> None:
    """What follows for agreements, for what is due about them, and for representatives' codes."""
    table = tables.agreements
    live = (
        (table.c.person_id == person_id)
        & table.c.withdrawn_at.is_(None)
        & table.c.ended_at.is_(None)
        & ~table.c.refused
    )
    for row in tx.execute(select(table).where(live)).all():
        adult = reached(birth, minors.MAJORITY_AGE, day_of(row.given_at))
        if not _may_give(core, row.flows, Giver(row.giver), adult=adult):
            agreements.withdraw(tx, core, row.agreement_id, agent.agent_id, at)
            continue
        ends = _expiry(tx, core, row, birth)
        same = table.c.agreement_id == row.agreement_id
        tx.execute(update(table).where(same).values(expires_at=ends))
        minors.owe_again(tx, core, row.agreement_id, birth, at)
    tx.forget(standing.AGREEMENTS)
    agreements.expire(tx, core, at)
    _representatives(tx, person_id, birth)


def _may_give(core: Core, types: tuple[str, ...], giver: Giver, *, adult: bool) -> bool:
    """Whether somebody may have agreed to any of these messages, at that age.

    The gate asks it of each one, as of an agreement that was always under the right day of birth.
    """
    checks = (c for _, flow in core.registry.flows() if flow.type in types for c in flow.checks)
    asked = [one for one in checks if isinstance(one, Agreement)]
    if giver is Giver.BOTH:
        return not adult
    return not asked or any(giver is (one.adult if adult else one.minor) for one in asked)


def _expiry(tx: Tx, core: Core, row: Row[Any], birth: date) -> datetime:
    recipients = tables.agreement_recipients
    mine = select(recipients.c.convention_id).where(recipients.c.agreement_id == row.agreement_id)
    signed = (core.directory.conventions.get(one) for one in tx.execute(mine).scalars().all())
    ends = [one.ends_on for one in signed if one is not None and one.ends_on is not None]
    return expiry(
        day_of(row.given_at),
        birth=birth,
        giver=Giver(row.giver),
        convention_ends_on=min(ends, default=None),
    )


def _representatives(tx: Tx, person_id: str, birth: date) -> None:
    """Whoever represents the person does so until their true majority, at their page too."""
    codes, persons = person_tables.codes, person_tables.code_persons
    theirs = select(persons.c.code_id).where(persons.c.person_id == person_id)
    held = codes.c.code_id.in_(theirs) & codes.c.minor_until.is_not(None)
    until = midnight(birthday(birth, minors.MAJORITY_AGE))
    tx.execute(update(codes).where(held).values(minor_until=until))
    tx.execute(update(codes).where(held & (codes.c.expires_at > until)).values(expires_at=until))
