"""What whoever holds parental authority over a minor was told, where a text asks that (GDPR 13)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, delete

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import Instant, NoticeVersion
from services.chassis import standing
from services.chassis.database import Tx


class ParentInformed(BaseModel):
    """That somebody who answers for a minor was told: which notice, how, in what language, when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    person_id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] = Field(title="Personne")
    version: NoticeVersion = Field(title="Version")
    channel: Literal["meeting", "letter", "phone", "email"] = Field(title="Moyen")
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = Field(title="Langue (deux lettres)")
    given_at: Instant = Field(title="Date et heure")


def record_informed(
    tx: Tx, table: Table, body: ParentInformed, agent_id: str, at: datetime
) -> None:
    """Record it, once for an instant. Raises UnknownName, InvalidPayload.

    table: of the text that asks it, which keeps what the body says and who recorded it.
    """
    if tx.get(standing.PERSONS, body.person_id) is None:
        raise UnknownName("Cette personne n'est pas dans le registre.", code="unknown_person")
    if body.given_at > at:
        raise InvalidPayload("Une information ne peut pas être datée du futur.")
    same = (table.c.person_id == body.person_id) & (table.c.given_at == body.given_at)
    tx.execute(delete(table).where(same))
    tx.execute(table.insert().values(agent_id=agent_id, **body.model_dump()))
