"""What either side records of convention D beside any case: its foundations, the yearly sheet."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.fields import LegalDay
from contracts.kernel.paris import day_of
from services.chassis.call import Call
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import admitted, agent_of, read_body, read_query, write_once
from services.chassis.tokens import NotPermitted, Right, Role
from services.conventions.d_department_mission_locale import yearly
from services.conventions.d_department_mission_locale.models import foundations

LOCAL, DPIA = "local_implementation", "dpia"
"""The two foundations, under the names that the checks ask for."""

_ARTICLES: Final = {LOCAL: "D-5.1", DPIA: "D-8.1"}


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Foundation(_Closed):
    """Body of ``POST /local-implementations`` (D-5.1) and ``POST /impact-assessments`` (D-8.1).

    decided_on: the day of the decision. evidence: SHA-256 of the paper, in hexadecimal.
    """

    convention_id: Annotated[str, Field(max_length=64)] = Field(title="Convention")
    decided_on: LegalDay = Field(title="Décidé le")
    evidence: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = Field(
        title="Empreinte SHA-256 du document"
    )


class YearlySheet(_Closed):
    """Body of ``POST /yearly-indicators`` (D-5.7a): which year is counted and told."""

    convention_id: Annotated[str, Field(max_length=64)] = Field(title="Convention")
    year: Annotated[int, Field(ge=2000, le=2100)] = Field(title="Année")


class Wanted(_Closed):
    """Query of ``GET /yearly-indicators``: of which convention."""

    convention_id: Annotated[str, Field(max_length=64)]


CALLS: Final = {
    ("POST", "/local-implementations"): Call(
        right=Right.CONVENTIONS,
        body=Foundation,
        label="Enregistrer la déclinaison locale",
        article="D-5.1",
    ),
    ("POST", "/impact-assessments"): Call(
        right=Right.READ, body=Foundation, label="Enregistrer l'analyse d'impact", article="D-8.1"
    ),
    ("POST", "/yearly-indicators"): Call(
        right=Right.SEND,
        body=YearlySheet,
        label="Compter une année et la transmettre",
        article="D-5.7a",
    ),
    ("GET", "/yearly-indicators"): Call(right=Right.READ, query=Wanted),
}


def router(node: Node) -> APIRouter:
    """Routes of convention D, under ``/api/v1``, the same at both sides."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/local-implementations", status_code=201)
    async def local(request: Request) -> Response:
        """Record the local implementation, without which nothing opens (D-5.1)."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Foundation, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            found(tx, node.core, LOCAL, body, agent.agent_id, node.clock.now())
            return {"decided_on": body.decided_on.isoformat()}

        return await write_once(node, request, agent, unit)

    @routes.post("/impact-assessments", status_code=201)
    async def dpia(request: Request) -> Response:
        """Record the impact assessment: the data protection officer alone does (D-8.1)."""
        agent = agent_of(node, request, Right.READ)
        if agent.role is not Role.DPO:
            raise NotPermitted(
                "Le délégué à la protection des données enregistre l'analyse d'impact.",
                articles=(_ARTICLES[DPIA],),
            )
        body = read_body(Foundation, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            found(tx, node.core, DPIA, body, agent.agent_id, node.clock.now())
            return {"decided_on": body.decided_on.isoformat()}

        return await write_once(node, request, agent, unit)

    @routes.post("/yearly-indicators", status_code=201)
    async def count(request: Request) -> Response:
        """Count a year that is over, and tell the other side (D-5.7a)."""
        agent = await admitted(node, request, Right.SEND)
        body = read_body(YearlySheet, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            who = agent.agent_id, agent.role.value
            at = node.clock.now()
            sent = yearly.send(tx, node.core, body.convention_id, body.year, who, at)
            return {"message_id": sent}

        return await write_once(node, request, agent, unit)

    @routes.get("/yearly-indicators")
    async def together(request: Request) -> Response:
        """The six counts of each year, both sides' together; nobody is in them (D-5.4)."""
        agent_of(node, request, Right.READ)
        wanted = read_query(Wanted, request).convention_id
        yearly.own(node.core, wanted)
        return JSONResponse(await node.database.read(lambda c: yearly.joined(c, wanted)))

    return routes


def found(tx: Tx, core: Core, what: str, body: Foundation, agent_id: str, at: datetime) -> None:
    """Record one of the two foundations of a convention; twice is once.

    Raises UnknownName for a convention of another text, InvalidPayload for a day to come.
    """
    yearly.own(core, body.convention_id)
    if body.decided_on > day_of(at):
        raise InvalidPayload(
            "Une décision ne peut pas être datée du futur.",
            fields=(("decided_on", "in_the_future"),),
        )
    table = foundations
    key = {"convention_id": body.convention_id, "what": what, "decided_on": body.decided_on}
    same = [table.c[name] == value for name, value in key.items()]
    tx.execute(delete(table).where(*same))
    tx.execute(table.insert().values(**key, evidence=body.evidence, agent_id=agent_id))
    core.journal.note(tx, f"{what}.recorded", agent_id, at, articles=(_ARTICLES[what],))
