"""Volunteers of the zero-unemployment territory: their own initiative, seen and not kept (C-3e.5).

The agency says nothing of anybody who did not ask for it, and each request serves once. Its own
support goes on unchanged, so nothing here touches its register (C-3e.6).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from pydantic import Field
from sqlalchemy import delete, select

from contracts.kernel.checks import Side
from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Instant, Payload, said
from services.chassis import standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.deadlines import Clock, Due, arm, move
from services.chassis.erasure import ask_erasure
from services.chassis.partner import UNTIL_ERASED, Doing, LocalAct, Question
from services.conventions.c_employment_city_ccas import seekers
from services.conventions.c_employment_city_ccas.territory_models import (
    skill_offers,
    volunteers,
)
from services.conventions.c_employment_city_ccas.territory_store import (
    Apply,
    Body,
    Told,
    counted,
    forget_case,
)

OFFERED, FORGET = "volunteer.skills_offered", "volunteer.forget"

KNOWN: Final = timedelta(days=30)
"""Time within which the project answers a volunteer, after which both forget: as long as the letter
itself lives."""

PersonId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Volunteer(Body):
    """Body of ``POST /volunteers`` (C-3e.5): the person asked to make own skills known."""

    person_id: PersonId = Field(title="Personne")
    asked_at: Instant = Field(title="Demandé le")


def volunteer(tx: Tx, core: Core, body: Volunteer, agent_id: str, at: datetime) -> None:
    """Record a person's own request (C-3e.5). Raises UnknownName, InvalidPayload."""
    _known(tx, body.person_id, future=body.asked_at > at)
    tx.execute(delete(volunteers).where(volunteers.c.person_id == body.person_id))
    tx.execute(volunteers.insert().values(agent_id=agent_id, **body.model_dump()))
    core.journal.note(tx, "volunteer.asked", agent_id, at, articles=("C-3e.5",))


def _known(tx: Tx, person_id: str, *, future: bool) -> None:
    if tx.get(standing.PERSONS, person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if future:
        raise InvalidPayload("Une déclaration ne peut pas être datée du futur.")


def facts(tx: Tx, asked: Question) -> Mapping[str, datetime]:
    """What the agency knows of the person that a message is about, by its own register."""
    if asked.type != OFFERED or asked.side is not Side.SENDER or asked.person_id is None:
        return {}
    found = {}
    if (resident := seekers.facts_of(tx, asked.person_id).get("resident")) is not None:
        found["resident"] = resident
    table = volunteers
    mine = select(table.c.asked_at).where(table.c.person_id == asked.person_id)
    if (asked_at := tx.execute(mine).scalar()) is not None:
        found["volunteered"] = asked_at
    return found


def _offered(tx: Tx, core: Core, told: Told) -> None:
    """That a volunteer is to be answered; neither the name nor the skills are written (C-5.1)."""
    if told.case_id is None:
        raise TypeError(told.message_id)
    until = told.said_at + KNOWN
    counted(tx, core, told, "volunteer", "offered")
    row = {"case_id": told.case_id, "partner": told.partner, "offered_here": told.leaves}
    tx.execute(skill_offers.insert().values(at=told.said_at, forget_at=until, **row))
    due = Due(kind=FORGET, subject=told.case_id, case_id=told.case_id, due_at=until)
    arm(tx, core, due, told.at)
    if told.person_id is not None:
        tx.execute(delete(volunteers).where(volunteers.c.person_id == told.person_id))


APPLY: Final[Mapping[str, Apply]] = {OFFERED: _offered}


def _forget(tx: Tx, core: Core, due: Due, at: datetime) -> None:
    forget_case(tx, core, due.subject, at)


CLOCKS: Final = {
    FORGET: Clock(
        kind=FORGET,
        article="C-5.1",
        label="Oublier la proposition du volontaire",
        missed=_forget,
        automatic=True,
    )
}


class VolunteerAnswered(Payload):
    """The project answered the volunteer; what was said stays between them (C-3e.5)."""

    at: Instant = said("Date", why="Met fin à ce qui en est connu.", source="C-5.1")


def answered(tx: Tx, core: Core, doing: Doing) -> None:
    """Destroy what is known of it, here and opposite (C-5.1). Raises UnknownName, OnHold."""
    offer = tx.execute(select(skill_offers).where(skill_offers.c.case_id == doing.case_id)).first()
    case = tx.get(standing.CASES, doing.case_id)
    if offer is None or case is None:
        raise UnknownName("Aucun volontaire n'attend ici de réponse.", code="unknown_case")
    ask_erasure(tx, core, case, core.new_id(), doing.at)


ACTS: Final = {
    "volunteer_answered": LocalAct(
        article="C-5.1",
        label="Réponse donnée au volontaire",
        payload=VolunteerAnswered,
        do=answered,
        states=UNTIL_ERASED,
    ),
}


def stopped(tx: Tx, core: Core, case_id: str, at: datetime) -> None:
    """The volunteer withdrew: the next look of the node forgets it."""
    offer = tx.execute(select(skill_offers).where(skill_offers.c.case_id == case_id)).first()
    if offer is not None:
        move(tx, core, Due(kind=FORGET, subject=case_id, case_id=case_id, due_at=at), at)


def view(tx: Tx, case_id: str) -> dict[str, Any]:
    """That a volunteer waits for an answer; nobody's name."""
    row = tx.execute(select(skill_offers).where(skill_offers.c.case_id == case_id)).first()
    if row is None:
        return {}
    said_at, until = row.at.isoformat(), row.forget_at.isoformat()
    return {"volunteer": {"offered_here": row.offered_here, "at": said_at, "forget_at": until}}
