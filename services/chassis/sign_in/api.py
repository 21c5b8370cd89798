"""Routes on authorisations: given, listed, ended by a manager."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.requests import agent_of, read_body, write_once
from services.chassis.sign_in import authorisations
from services.chassis.sign_in.authorisations import Authorisation
from services.chassis.tokens import Right


def router(node: Node) -> APIRouter:
    """Routes under ``/api/v1/authorisations``."""
    routes = APIRouter(prefix="/api/v1/authorisations")

    @routes.post("", status_code=201)
    async def give(request: Request) -> Response:
        """Authorise a person of the sign-in provider's to work here, in one role."""
        agent = agent_of(node, request, Right.AUTHORISE)
        body = read_body(Authorisation, await request.body())
        name = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            authorisations.authorise(tx, node.core, body, name, agent.agent_id, at)
            return {"authorisation_id": name}

        return await write_once(node, request, agent, unit)

    @routes.get("")
    async def given(request: Request) -> Response:
        """Who may do what here, those ended included."""
        agent_of(node, request, Right.AUTHORISE)
        return JSONResponse(await node.database.read(authorisations.held))

    @routes.post("/{authorisation_id}/end")
    async def end(request: Request, authorisation_id: str) -> Response:
        """End an authorisation at once, with the sessions that rest on it."""
        agent = agent_of(node, request, Right.AUTHORISE)

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            authorisations.end(tx, node.core, authorisation_id, agent.agent_id, at)
            return {"authorisation_id": authorisation_id}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    return routes
