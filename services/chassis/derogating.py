"""Routes on acting without agreement: asked, confirmed by a second person, told, reviewed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis import derogations
from services.chassis.database import Tx
from services.chassis.derogations import DerogationBody, DerogationReview, TellingBody
from services.chassis.node import Node
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.tokens import Right
from services.chassis.views import PAGE


def router(node: Node) -> APIRouter:
    """Routes of decisions to act without agreement, under ``/api/v1/derogations``."""
    routes = APIRouter(prefix="/api/v1/derogations")

    @routes.post("", status_code=201)
    async def ask(request: Request) -> Response:
        """Ask to send one message without agreement: 403 where its flow has no such road."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(DerogationBody, await request.body())
        derogation_id = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            derogations.ask(tx, node.core, body, derogation_id, agent, node.clock.now())
            return {"derogation_id": derogation_id, "expires_at": None}

        return await write_once(node, request, agent, unit)

    @routes.get("")
    async def held(request: Request) -> Response:
        """Decisions to act without agreement, ours and those of partners, newest first."""
        agent_of(node, request, Right.REVIEW)
        return JSONResponse(await node.database.read(lambda c: derogations.held(c, PAGE)))

    @routes.post("/{derogation_id}/confirmation")
    async def confirm(request: Request, derogation_id: str) -> Response:
        """Confirm what another person asked; it serves from now, for hours, for one message."""
        agent = await admitted(node, request, Right.CONFIRM)

        def unit(tx: Tx) -> dict[str, Any]:
            until = derogations.confirm(tx, node.core, derogation_id, agent, node.clock.now())
            return {"derogation_id": derogation_id, "expires_at": until.isoformat()}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/{derogation_id}/telling")
    async def telling(request: Request, derogation_id: str) -> Response:
        """Record that the family was told of the message that was sent without its agreement."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(TellingBody, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            derogations.tell(tx, node.core, derogation_id, body, agent, node.clock.now())
            return {"derogation_id": derogation_id}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/{derogation_id}/review")
    async def review(request: Request, derogation_id: str) -> Response:
        """Close the review, by neither of the two who decided."""
        agent = await admitted(node, request, Right.REVIEW)
        body = read_body(DerogationReview, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            derogations.review(tx, node.core, derogation_id, body, agent, node.clock.now())
            return {"derogation_id": derogation_id}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    return routes
