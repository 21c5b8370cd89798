"""Routes on rights that persons exercise: recorded, identity checked, passed on, answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis import rights, rights_views
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.person.copying import copy_for, file_of
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.rights import AnswerBody, CheckBody, RightsBody
from services.chassis.tokens import Right


def router(node: Node) -> APIRouter:
    """Routes under ``/api/v1/requests``."""
    routes = APIRouter(prefix="/api/v1/requests")

    @routes.post("", status_code=201)
    async def receive(request: Request) -> Response:
        """Record that a person exercises a right; its month runs from now."""
        agent = await admitted(node, request, Right.WITHDRAW)
        body = read_body(RightsBody, await request.body())
        request_id = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            rights.received(tx, node.core, body, request_id, agent, node.clock.now())
            return {
                "request_id": request_id,
                "state": "to_check" if body.means is None else "to_send",
            }

        return await write_once(node, request, agent, unit)

    @routes.get("")
    async def held(request: Request) -> Response:
        """Requests with their clocks, those that wait first."""
        agent_of(node, request, Right.REVIEW)
        at = node.clock.now()
        return JSONResponse(await node.database.read(lambda c: rights_views.listed(c, at)))

    @routes.get("/{request_id}")
    async def one(request: Request, request_id: str) -> Response:
        """A request, and what each partner answered."""
        agent_of(node, request, Right.REVIEW)
        at = node.clock.now()
        return JSONResponse(
            await node.database.read(lambda c: rights_views.read(c, request_id, at))
        )

    @routes.get("/{request_id}/copy")
    async def copy(request: Request, request_id: str) -> Response:
        """All that is held about who asks, to hand over; nobody else's data (GDPR 15.3, 20)."""
        agent = await admitted(node, request, Right.REVIEW)
        found = await node.database.write(
            lambda tx: copy_for(tx, node.core, request_id, agent, node.clock.now())
        )
        return file_of(found)

    _acts(routes, node)
    return routes


def _acts(routes: APIRouter, node: Node) -> None:
    @routes.post("/{request_id}/check")
    async def check(request: Request, request_id: str) -> Response:
        """Record that an agent knows who asks, and how."""
        agent = await admitted(node, request, Right.WITHDRAW)
        body = read_body(CheckBody, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            rights.check(tx, node.core, request_id, body, agent, node.clock.now())
            return {"request_id": request_id, "state": "to_send"}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/{request_id}/sending")
    async def sending(request: Request, request_id: str) -> Response:
        """Pass a request on to every partner of the person's cases, and do at once what is due."""
        agent = await admitted(node, request, Right.REVIEW)

        def unit(tx: Tx) -> dict[str, Any]:
            told = rights.send(tx, node.core, request_id, agent, node.clock.now())
            return {"request_id": request_id, "state": "to_answer", "told": told}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/{request_id}/extension")
    async def extension(request: Request, request_id: str) -> Response:
        """Take two months more, once, where the request asks for it (GDPR 12.3)."""
        agent = await admitted(node, request, Right.REVIEW)

        def unit(tx: Tx) -> dict[str, Any]:
            until = rights.extend(tx, node.core, request_id, agent, node.clock.now())
            row = rights.open_request(tx, request_id)
            return {
                "request_id": request_id,
                "state": rights_views.state_of(row),
                "due_at": until.isoformat(),
            }

        return await write_once(node, request, agent, unit, HTTPStatus.OK)

    @routes.post("/{request_id}/answer")
    async def answer(request: Request, request_id: str) -> Response:
        """Close a request with its answer; what is refused or kept names its article."""
        agent = await admitted(node, request, Right.REVIEW)
        body = read_body(AnswerBody, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            rights.close(tx, node.core, request_id, body, agent, node.clock.now())
            return {"request_id": request_id, "state": "closed"}

        return await write_once(node, request, agent, unit, HTTPStatus.OK)
