"""Registers of the city's own: hosts under agreement, agents designated by the mayor."""

from __future__ import annotations

from datetime import date
from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select

from contracts.kernel.fields import Day, ShortText
from services.chassis.call import Call
from services.chassis.node import Node
from services.chassis.requests import agent_of, read_body
from services.chassis.tokens import AgentId, Right
from services.city.models import designations, hosts


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Host(_Closed):
    """Body of ``POST /hosts`` (A-6.2): an association has an agreement, a service needs none."""

    name: ShortText = Field(title="Nom")
    nature: Literal["service", "association"] = Field(title="Nature")
    agreement: ShortText | None = Field(default=None, title="Convention d'accueil")
    first_day: Day = Field(title="Premier jour")
    last_day: Day = Field(title="Dernier jour")

    @model_validator(mode="after")
    def _under_agreement(self) -> Host:
        if self.nature == "association" and self.agreement is None:
            raise PydanticCustomError("agreement", "an association receives under an agreement")
        return self


class Designation(_Closed):
    """Body of ``POST /designations`` (R131-10-1): the mayor designates agents one by one."""

    agent_id: AgentId = Field(title="Agent (son identifiant ici)")
    first_day: Day = Field(title="Premier jour")
    last_day: Day | None = Field(default=None, title="Dernier jour")
    decision: ShortText = Field(title="Décision")


CALLS: Final = {
    ("POST", "/hosts"): Call(
        right=Right.CONVENTIONS,
        body=Host,
        label="Enregistrer une structure d'accueil",
        article="A-6.2",
    ),
    ("GET", "/hosts"): Call(right=Right.READ, label="Structures d'accueil", article="A-6.2"),
    ("POST", "/designations"): Call(
        right=Right.CONVENTIONS, body=Designation, label="Désigner un agent", article="R131-10-1"
    ),
}


def router(node: Node) -> APIRouter:
    """Routes of the city's node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/hosts", status_code=201)
    async def add_host(request: Request) -> Response:
        """Register a host (A-6.2)."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Host, await request.body())
        host_id = node.given.new_id()
        row = {"host_id": host_id, **body.model_dump()}
        await node.database.write(lambda tx: tx.insert(hosts, row))
        await _journal(node, "host.registered", agent.agent_id)
        return JSONResponse({"host_id": host_id}, status_code=201)

    @routes.get("/hosts")
    async def list_hosts(request: Request) -> Response:
        """Hosts, and from when to when."""
        agent_of(node, request, Right.READ)
        rows = await node.database.read(lambda c: c.execute(select(hosts)).mappings().all())
        return JSONResponse([_plain(row) for row in rows])

    @routes.post("/designations", status_code=201)
    async def designate(request: Request) -> Response:
        """Record that the mayor designated an agent."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Designation, await request.body())
        await node.database.write(lambda tx: tx.insert(designations, body.model_dump()))
        await _journal(node, "agent.designated", agent.agent_id)
        return JSONResponse({"agent_id": body.agent_id}, status_code=201)

    return routes


def _plain(row: Any) -> dict[str, Any]:  # noqa: ANN401 -- a row as a mapping
    return {name: str(value) if isinstance(value, date) else value for name, value in row.items()}


async def _journal(node: Node, event: str, agent_id: str) -> None:
    at = node.clock.now()
    await node.database.write(lambda tx: node.journal.note(tx, event, agent_id, at))
