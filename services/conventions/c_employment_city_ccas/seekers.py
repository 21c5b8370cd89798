"""What the agency alone knows of a job seeker, as facts without reasons, and who the counsellor is.

None of it leaves: the city never gets a category, a diagnosis or a reason (C-3a.3, C-3a.15).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select

from contracts.kernel.errors import UnknownName
from services.chassis import standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Question
from services.chassis.tokens import AgentId
from services.conventions.c_employment_city_ccas.models import seeker_facts, seekers

Fact = Literal["resident", "eligible", "explained", "questioning"]

COMMUNE: Final = "76540"
"""INSEE code of Rouen, where the job seekers of this convention live (C-2.1)."""

_ARTICLES: Final[dict[str, str]] = {
    "resident": "C-2.1",
    "eligible": "C-3a.3",
    "explained": "C-3a.16",
    "questioning": "C-3b.2",
}


class Seeker(BaseModel):
    """Body of ``POST /job-seekers``: what the counsellor's own file says, as yes or no.

    commune: INSEE code of the job seeker's town. eligible: what the diagnosis concludes, beyond any
    category. explained: interest and commitments were set out to the person. questioning: the
    person wonders about a trade, or moves to another.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] = Field(title="Personne")
    counsellor: AgentId = Field(title="Conseiller (son identifiant ici)")
    commune: Annotated[str, Field(pattern=r"^[0-9][0-9AB][0-9]{3}$")] = Field(
        title="Commune (code INSEE)"
    )
    eligible: bool = Field(default=False, title="Éligible selon le diagnostic")
    explained: bool = Field(default=False, title="Intérêt et engagements exposés")
    questioning: bool = Field(default=False, title="S'interroge sur un métier, ou en change")


def record(tx: Tx, core: Core, body: Seeker, agent_id: str, at: datetime) -> None:
    """Record a job seeker's facts, in the place of former ones; what holds on keeps its date.

    Raises UnknownName.
    """
    if tx.get(standing.PERSONS, body.person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    holds = {
        "resident": body.commune == COMMUNE,
        "eligible": body.eligible,
        "explained": body.explained,
        "questioning": body.questioning,
    }
    before = facts_of(tx, body.person_id)
    tx.execute(delete(seekers).where(seekers.c.person_id == body.person_id))
    tx.execute(delete(seeker_facts).where(seeker_facts.c.person_id == body.person_id))
    values = {"person_id": body.person_id, "counsellor": body.counsellor, "since": at}
    tx.execute(seekers.insert().values(**values))
    for fact in (name for name, held in holds.items() if held):
        row = {"person_id": body.person_id, "fact": fact, "since": before.get(fact, at)}
        tx.execute(seeker_facts.insert().values(agent_id=agent_id, **row))
    core.journal.note(tx, "seeker.recorded", agent_id, at, articles=tuple(_ARTICLES.values()))


def facts_of(tx: Tx, person_id: str) -> dict[str, datetime]:
    """What holds of a person, and since when."""
    table = seeker_facts
    rows = tx.execute(select(table).where(table.c.person_id == person_id)).all()
    return {row.fact: row.since for row in rows}


def counsellor_of(tx: Tx, person_id: str | None) -> tuple[str, datetime] | None:
    """A person's counsellor, and since when."""
    row = tx.execute(select(seekers).where(seekers.c.person_id == person_id)).first()
    return None if row is None else (row.counsellor, row.since)


def known(tx: Tx, asked: Question) -> dict[str, datetime]:
    """What the sender's gate is told of the person: own facts, and whether the counsellor asks."""
    if asked.person_id is None:
        return {}
    found = facts_of(tx, asked.person_id)
    counsellor = counsellor_of(tx, asked.person_id)
    if counsellor is not None and counsellor[0] == asked.agent_id:
        found["by_counsellor"] = counsellor[1]
    return found


def birth_of(tx: Tx, core: Core, person_id: str | None) -> date | None:
    """Birth date in one's own register; None where nobody is known."""
    row = None if person_id is None else tx.get(standing.PERSONS, person_id)
    if row is None or row.sealed is None:
        return None
    return standing.opened_person(tx, core, row.scope, row.sealed).identity.birth_date
