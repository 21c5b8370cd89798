"""Register of the department's own: agents designated to hear of the training obligation."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete

from contracts.kernel.fields import Day, ShortText
from services.chassis.call import Call
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import agent_of, read_body, write_once
from services.chassis.tokens import AgentId, Right
from services.department.models import designations


class Designation(BaseModel):
    """Body of ``POST /designations`` (R114-7): agents are designated one by one.

    Recorded again for the same first day, a designation takes the former's place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    agent_id: AgentId = Field(title="Agent (son identifiant ici)")
    first_day: Day = Field(title="Premier jour")
    last_day: Day | None = Field(default=None, title="Dernier jour")
    decision: ShortText = Field(title="Décision")


CALLS: Final = {
    ("POST", "/designations"): Call(
        right=Right.CONVENTIONS, body=Designation, label="Désigner un agent", article="R114-7"
    ),
}


def router(node: Node) -> APIRouter:
    """Routes of the department's node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")

    @routes.post("/designations", status_code=201)
    async def designate(request: Request) -> Response:
        """Record that an agent is designated to receive what the law lets be told."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Designation, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            table = designations
            same = (table.c.agent_id == body.agent_id) & (table.c.first_day == body.first_day)
            tx.execute(delete(table).where(same))
            tx.execute(table.insert().values(**body.model_dump()))
            at = node.clock.now()
            node.journal.note(tx, "agent.designated", agent.agent_id, at, articles=("R114-7",))
            return {"agent_id": body.agent_id}

        return await write_once(node, request, agent, unit)

    return routes
