"""Authorisations: who may do what here, in which role, from when to when (habilitations).

Given by a manager of the organisation, ended by one; the provider only says who a person is. Rights
are those of the one role in which a person signed in, and end with the authorisation, at once.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, Row, select, update

from contracts.kernel.errors import InvalidPayload, UnknownName
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import day_of
from services.chassis import sign_in_tables
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.tokens import AgentId, Role


class Authorisation(BaseModel):
    """Body of ``POST /authorisations``: a person of the provider's, and the agent he is here.

    subject: as the provider's sign-in page shows it to whoever is not authorised yet. first_day,
    last_day: both included; without a last day, until it is ended.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: str = Field(pattern=r"^[0-9a-f]{64}$")
    agent_id: AgentId
    role: Role
    first_day: LegalDay
    last_day: LegalDay | None = None


def authorise(
    tx: Tx, core: Core, given: Authorisation, authorisation_id: str, agent_id: str, at: datetime
) -> None:
    """Record an authorisation. Raises InvalidPayload for one that ends before it begins."""
    if given.last_day is not None and given.last_day < given.first_day:
        raise InvalidPayload(
            "Une habilitation finit après son premier jour.", fields=(("last_day", "order"),)
        )
    row = {
        "authorisation_id": authorisation_id,
        "subject": given.subject,
        "agent_id": given.agent_id,
        "role": given.role.value,
        "first_day": given.first_day,
        "last_day": given.last_day,
        "given_by": agent_id,
        "given_at": at,
    }
    tx.insert(sign_in_tables.authorisations, row)
    core.journal.note(tx, "authorisation.given", agent_id, at, articles=("RGPD 29",))


def end(tx: Tx, core: Core, authorisation_id: str, agent_id: str, at: datetime) -> None:
    """End an authorisation at once, and every session that rests on it; twice is once.

    Raises UnknownName.
    """
    table = sign_in_tables.authorisations
    mine = table.c.authorisation_id == authorisation_id
    row = tx.execute(select(table.c.ended_at).where(mine)).first()
    if row is None:
        raise UnknownName("Aucune habilitation ne porte ce numéro.", code="unknown_authorisation")
    if row.ended_at is None:
        tx.execute(update(table).where(mine).values(ended_at=at))
        core.journal.note(tx, "authorisation.ended", agent_id, at, articles=("RGPD 29",))


def valid(at: datetime) -> ColumnElement[bool]:
    """Condition: the authorisation holds at an instant."""
    table, today = sign_in_tables.authorisations, day_of(at)
    begun = (table.c.first_day <= today) & (table.c.ended_at.is_(None) | (table.c.ended_at > at))
    return begun & (table.c.last_day.is_(None) | (table.c.last_day >= today))


def of_subject(connection: Connection, subject: str, at: datetime) -> list[Row[Any]]:
    """Authorisations of a person that hold now, one of which he signs in under."""
    table = sign_in_tables.authorisations
    query = select(table).where((table.c.subject == subject) & valid(at))
    return list(connection.execute(query.order_by(table.c.role, table.c.agent_id)))


def held(connection: Connection) -> list[dict[str, Any]]:
    """All of them, newest first."""
    table = sign_in_tables.authorisations
    rows = connection.execute(select(table).order_by(table.c.given_at.desc()))
    return [
        {
            "authorisation_id": row.authorisation_id,
            "agent_id": row.agent_id,
            "role": row.role,
            "first_day": row.first_day.isoformat(),
            "last_day": _iso(row.last_day),
            "ended_at": _iso(row.ended_at),
        }
        for row in rows
    ]


def _iso(value: date | datetime | None) -> str | None:
    return None if value is None else value.isoformat()
