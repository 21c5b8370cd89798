"""Routes on a dispute: what it keeps from destruction, until it is settled (A-12.1)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis.database import Tx
from services.chassis.governance import own_convention
from services.chassis.holds import Hold, holds_of, place_hold, release_hold
from services.chassis.node import Node
from services.chassis.requests import agent_of, read_body, write_once
from services.chassis.tokens import Right


def router(node: Node) -> APIRouter:
    """Routes of a convention's holds, under ``/api/v1/conventions``."""
    routes = APIRouter(prefix="/api/v1/conventions/{convention_id}/holds")

    @routes.post("", status_code=201)
    async def place(request: Request, convention_id: str) -> Response:
        """Keep all cases of a convention, or one, from destruction."""
        agent = agent_of(node, request, Right.CONVENTIONS)
        body = read_body(Hold, await request.body())
        hold_id = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            place_hold(tx, node.core, convention_id, body, hold_id, agent.agent_id, at)
            return {"hold_id": hold_id, "convention_id": convention_id}

        return await write_once(node, request, agent, unit)

    @routes.get("")
    async def placed(request: Request, convention_id: str) -> Response:
        """Holds of a convention, those released included, for whoever answers for it."""
        agent_of(node, request, Right.REVIEW)
        own_convention(node.core, convention_id)
        return JSONResponse(await node.database.read(lambda c: holds_of(c, convention_id)))

    @routes.post("/{hold_id}/release")
    async def release(request: Request, convention_id: str, hold_id: str) -> Response:
        """Let retention run again."""
        agent = agent_of(node, request, Right.CONVENTIONS)

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            release_hold(tx, node.core, convention_id, hold_id, agent.agent_id, at)
            return {"hold_id": hold_id, "convention_id": convention_id}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    return routes
