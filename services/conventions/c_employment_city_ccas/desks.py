"""Desks: which of one's own agents deals with what, so that each axis has one way in.

At the agency a desk belongs to a local agency: one alone for employers (C-3.1), one alone for the
zero-unemployment territory (C-3e.1), a referent of the clauses in each agency of a priority
district (C-3d.3). At the city there are human resources, for the CCAS too (C-3.2), and the referent
of the clauses (C-3d.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, get_args

from pydantic import Field
from sqlalchemy import Connection, delete, func, select

from contracts.conventions.c_employment_city_ccas.messages import Agency
from contracts.kernel.checks import Side
from contracts.kernel.errors import InvalidPayload, Refused
from contracts.kernel.organisation import Kind
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.partner import Question
from services.chassis.tokens import AgentId
from services.conventions.c_employment_city_ccas.territory_models import desks
from services.conventions.c_employment_city_ccas.territory_store import Body

Task = Literal["employer", "human_resources", "social_clauses", "zero_unemployment"]
"""What a desk deals with, under the names that the published referents bear too."""

LEADS: Final[Mapping[Task, tuple[Agency, str]]] = {
    "employer": ("beauvoisine", "C-3.1"),
    "zero_unemployment": ("saint_sever", "C-3e.1"),
}
"""The one agency of an axis, by the text, and its article; the clauses have one in each."""

OF_CITY: Final[Mapping[Task, str]] = {"human_resources": "C-3.2", "social_clauses": "C-3d.4"}
"""Desks of the city, each on its article."""

_NO_AGENCY: Final = ""


class Desk(Body):
    """Body of ``POST /desks`` and of ``POST /desks/closed``: an agent takes, or leaves, a task.

    agency: the local agency at the employment agency; nothing at the city.
    """

    task: Task = Field(title="Tâche")
    agency: Agency | None = Field(default=None, title="Agence")
    agent_id: AgentId = Field(title="Agent (son identifiant ici)")


def open_desk(tx: Tx, core: Core, body: Desk, agent_id: str, at: datetime) -> None:
    """Give a task to an agent; twice is once.

    Raises Refused where another agency leads the axis, InvalidPayload where no such desk is here.
    """
    _check(core, body)
    if _since(tx, body.task, body.agent_id, body.agency) is None:
        tx.execute(desks.insert().values(since=at, **_key(body)))
    core.journal.note(tx, "desk.opened", agent_id, at, articles=(_article(core.kind, body.task),))


def close_desk(tx: Tx, core: Core, body: Desk, agent_id: str, at: datetime) -> None:
    """Take a task back: from now on the agent sends nothing of it. Raises what `open_desk` does."""
    _check(core, body)
    key = _key(body)
    tx.execute(delete(desks).where(*(desks.c[name] == value for name, value in key.items())))
    core.journal.note(tx, "desk.closed", agent_id, at, articles=(_article(core.kind, body.task),))


def _key(body: Desk) -> dict[str, str]:
    return {**body.model_dump(), "agency": body.agency or _NO_AGENCY}


def _article(kind: Kind, task: Task) -> str:
    if kind is Kind.CITY:
        return OF_CITY[task]
    return LEADS[task][1] if task in LEADS else "C-3d.3"


def _check(core: Core, body: Desk) -> None:
    if core.kind is not Kind.EMPLOYMENT_AGENCY:
        if body.task not in OF_CITY or body.agency is not None or core.kind is not Kind.CITY:
            raise InvalidPayload(
                "La Ville désigne ses ressources humaines et son référent des clauses ; les autres "
                "agents sont ceux de France Travail.",
                fields=(("task", "no_such_desk"),),
            )
        return
    if body.task == "human_resources":
        raise InvalidPayload(
            "Les ressources humaines sont celles de la Ville.", fields=(("task", "no_such_desk"),)
        )
    if body.agency is None:
        raise InvalidPayload("Dire de quelle agence.", fields=(("agency", "missing"),))
    lead, article = LEADS.get(body.task, (body.agency, ""))
    if body.agency != lead:
        raise Refused("Une autre agence est l'interlocutrice unique.", articles=(article,))


def _since(
    tx: Tx, task: Task, agent_id: str | None = None, agency: str | None = None
) -> datetime | None:
    """Since when somebody, or this agent, deals with a task; None where nobody does."""
    where = [desks.c.task == task]
    if agent_id is not None:
        where.append(desks.c.agent_id == agent_id)
    if agency is not None:
        where.append(desks.c.agency == agency)
    found: datetime | None = tx.execute(select(func.min(desks.c.since)).where(*where)).scalar()
    return found


def has(tx: Tx, task: Task, agent_id: str, at: datetime) -> bool:
    """Whether an agent of one's own deals with a task at an instant."""
    since = _since(tx, task, agent_id)
    return since is not None and since <= at


def require(tx: Tx, task: Task, agent_id: str, at: datetime) -> None:
    """Refuse, with its article, whoever does not deal with a task of the city."""
    if not has(tx, task, agent_id, at):
        raise Refused("Ce poste n'est pas le vôtre.", articles=(OF_CITY[task],))


_DESK_FACTS: Final[Mapping[Kind, Mapping[str, Task]]] = {
    Kind.EMPLOYMENT_AGENCY: {
        "agency_referent": "social_clauses",
        "employer_agency": "employer",
        "territory_agency": "zero_unemployment",
    },
    Kind.CITY: {"city_referent": "social_clauses", "hr_desk": "human_resources"},
}
"""Facts about desks, each known by one party about itself alone."""


def facts(tx: Tx, core: Core, asked: Question) -> Mapping[str, datetime]:
    """Who sends must have the desk; of what is received somebody must."""
    sends = asked.side is Side.SENDER
    if sends and asked.agent_id is None:
        return {}
    found = {}
    for name, task in _DESK_FACTS.get(core.kind, {}).items():
        since = _since(tx, task, asked.agent_id if sends else None)
        if since is not None:
            found[name] = since
    return found


def shown(connection: Connection) -> dict[str, Any]:
    """Desks by task, and the agencies without a referent of the clauses (C-0.2, C-3d.3)."""
    rows = connection.execute(select(desks).order_by(desks.c.task, desks.c.agency)).all()
    known = {row.agency for row in rows if row.task == "social_clauses"}
    return {
        "desks": [
            {
                "task": row.task,
                "agency": row.agency or None,
                "agent_id": row.agent_id,
                "since": row.since.isoformat(),
            }
            for row in rows
        ],
        "without_clause_referent": [one for one in get_args(Agency) if one not in known],
    }
