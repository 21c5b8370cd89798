"""Whom a partner's message named may be somebody of one's own register: an agent says whether.

Nothing is joined by itself, nor by the answer: each case keeps its own person, who goes with it.
The agent learns whose page to open, and the journal keeps what was answered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import func, select

from contracts.kernel.errors import InvalidPayload
from services.chassis import standing
from services.chassis.acts import require_case
from services.chassis.answers import Answer
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.journal import Entry
from services.chassis.resemblance import Registered, resembling
from services.chassis.schema import journal
from services.chassis.scopes import case_scope
from services.chassis.standing import ERASED, KnownPerson
from services.chassis.tokens import Agent

COMPARED = "person.compared"
"""Event of the journal."""

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Recognition(BaseModel):
    """Body of ``POST /cases/{id}/recognition``: of each who resembles, whether it is the person.

    same: who it is, of the register; null for none of them. others: those who are not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    same: _Id | None = None
    others: tuple[_Id, ...] = Field(default=(), max_length=50)


class Recognised(Answer):
    """The case of which it was said."""

    case_id: str


def named(tx: Tx, core: Core, case_id: str) -> KnownPerson | None:
    """Whom a partner's message named in a case; None of one's own register, or if none is kept."""
    case = tx.get(standing.CASES, case_id)
    row = None if case is None or not case.person_id else tx.get(standing.PERSONS, case.person_id)
    if case is None or case.state == ERASED or row is None or row.registered_at is not None:
        return None
    return standing.opened_person(tx, core, row.scope, row.sealed)


def unanswered(tx: Tx, core: Core, case_id: str) -> list[Registered]:
    """Those of the register who resemble whom a case is about, and of whom nobody has said yet."""
    person = named(tx, core, case_id)
    who = None if person is None else person.identity
    if who is None or who.birth_date is None:
        return []
    near = resembling(
        tx.connection, core, who.family_name or "", who.first_name or "", who.birth_date
    )
    mine = (journal.c.scope == case_scope(case_id)) & (journal.c.event == COMPARED)
    last = tx.execute(select(func.max(journal.c.at)).where(mine)).scalar()
    return [one for one in near if last is None or one.registered_at > last]


def recognise(
    tx: Tx, core: Core, case_id: str, said: Recognition, agent: Agent, at: datetime
) -> None:
    """Journal what an agent says of each who resembles the person of a case.

    Raises UnknownName, NotPermitted for the case; InvalidPayload unless each of them is answered.
    """
    require_case(tx, core, case_id, agent, at)
    near = {one.person_id for one in unanswered(tx, core, case_id)}
    answers = {**dict.fromkeys(said.others, "other"), **({said.same: "same"} if said.same else {})}
    if not near or answers.keys() != near or said.same in said.others:
        raise InvalidPayload(
            "Dites de chaque personne qui ressemble si c'est la même ou une autre.",
            fields=(("others", "incomplete"),),
            articles=("RGPD 5.1.d",),
        )
    for _, outcome in sorted(answers.items()):
        core.journal.append(
            tx,
            Entry(
                at=at,
                event=COMPARED,
                outcome=outcome,
                articles=("RGPD 5.1.d",),
                scope=case_scope(case_id),
                case_id=case_id,
                agent_id=agent.agent_id,
            ),
        )
