"""Routes of an agent about a person's page: a code to hand over."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.person.codes import CodeBody, give
from services.chassis.requests import admitted, read_body
from services.chassis.tokens import Right

NOT_KEPT = {"Cache-Control": "no-store"}
"""A code is told once: no cache keeps it, and no Idempotency-Key gives it again."""


def router(node: Node) -> APIRouter:
    """Routes under ``/api/v1/persons``."""
    routes = APIRouter(prefix="/api/v1/persons")

    @routes.post("/{person_id}/codes", status_code=201)
    async def code(request: Request, person_id: str) -> Response:
        """Draw a code that opens the person's page once, within half an hour.

        It is told in this answer alone: repeated, the call draws another one.
        """
        agent = await admitted(node, request, Right.CASES)
        body = read_body(CodeBody, await request.body())
        code_id, key = node.given.new_id(), node.secret.person_code_key

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            given = give(tx, node.core, key, person_id, body, code_id, agent, at)
            return {
                "code_id": given.code_id,
                "code": given.code,
                "holder": given.holder,
                "expires_at": given.expires_at.isoformat(),
            }

        answer = await node.database.write(unit)
        return JSONResponse(answer, status_code=201, headers=NOT_KEPT)

    return routes
