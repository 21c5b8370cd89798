"""Routes of daily work beside messages: what is due, acts about a case, notices, read receipts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from services.chassis import deadlines, standing, unfiled
from services.chassis.acts import (
    NoticeBody,
    Reach,
    find_act,
    instrument_of,
    perform,
    read_message,
    record_notice,
)
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.recognition import Recognition, recognise
from services.chassis.requests import admitted, agent_of, read_body, write_once
from services.chassis.tokens import RIGHTS, Agent, Right
from services.chassis.views import PAGE

_LOOKED_AT: Final = 1000
"""Deadlines looked at for one answer, so that many that are others' do not make it slow."""


def router(node: Node) -> APIRouter:
    """Routes of one node, under ``/api/v1``."""
    routes = APIRouter(prefix="/api/v1")

    @routes.get("/deadlines")
    async def due(request: Request) -> Response:
        """What runs and what is late, soonest first: of cases, of those that the agent may open."""
        agent, at = agent_of(node, request, Right.READ), node.clock.now()
        return JSONResponse(await node.database.write(lambda tx: _waiting(tx, node, agent, at)))

    @routes.post("/notices", status_code=201)
    async def notice(request: Request) -> Response:
        """Record that a person was informed of what the law asks (GDPR 13)."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(NoticeBody, await request.body())
        notice_id = node.given.new_id()

        def unit(tx: Tx) -> dict[str, Any]:
            record_notice(tx, node.core, body, notice_id, agent.agent_id, node.clock.now())
            return {"notice_id": notice_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/cases/{case_id}/acts/{act}", status_code=201)
    async def act(request: Request, case_id: str, act: str) -> Response:
        """Record an act about a case: 403 with its articles where a convention refuses it."""
        agent = await admitted(node, request, Right.SEND)
        instrument = await node.database.read(lambda c: instrument_of(c, case_id))
        known = find_act(node.core, instrument, act, agent)
        content = read_body(known.payload, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            at = node.clock.now()
            perform(tx, node.core, (act, known), case_id, content, agent, at)
            return {"act": act, "case_id": case_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/cases/{case_id}/recognition", status_code=201)
    async def recognition(request: Request, case_id: str) -> Response:
        """Say of each of the register who resembles whom a partner named whether it is they."""
        agent = await admitted(node, request, Right.REGISTER)
        body = read_body(Recognition, await request.body())

        def unit(tx: Tx) -> dict[str, Any]:
            recognise(tx, node.core, case_id, body, agent, node.clock.now())
            return {"case_id": case_id}

        return await write_once(node, request, agent, unit)

    @routes.post("/received/{message_id}/reading", status_code=201)
    async def reading(request: Request, message_id: str) -> Response:
        """Tell the sender that a person has seen this message (A-3.15)."""
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> dict[str, Any]:
            read_message(tx, node.core, message_id, agent, node.clock.now())
            return {"message_id": message_id, "status": "read"}

        return await write_once(node, request, agent, unit)

    _unfiled(routes, node)
    return routes


def _unfiled(routes: APIRouter, node: Node) -> None:
    @routes.post("/received/{message_id}/view", status_code=202)
    async def ask(request: Request, message_id: str) -> Response:
        """Ask the sender to show again what is kept nowhere here (C-5.1); see the answer with GET.

        403 with its article once the time to look is over; 409 where the content is held here.
        """
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> dict[str, Any]:
            until = unfiled.ask(tx, node.core, message_id, agent, node.clock.now())
            return {"message_id": message_id, "state": "asked", "until": until.isoformat()}

        return await write_once(node, request, agent, unit, 202)

    @routes.get("/received/{message_id}/view")
    async def look(request: Request, message_id: str) -> Response:
        """See it, from memory alone: 409 until the sender has answered, 404 once it is forgotten.

        It is never to be cached, and both sides' journals say that it was seen.
        """
        agent = await admitted(node, request, Right.CASES)

        def unit(tx: Tx) -> dict[str, Any]:
            return unfiled.look(tx, node.core, message_id, agent, node.clock.now())

        shown = await node.database.write(unit)
        return JSONResponse(shown, headers={"Cache-Control": "no-store"})


def _waiting(tx: Tx, node: Node, agent: Agent, at: datetime) -> list[dict[str, Any]]:
    rows = deadlines.waiting(tx, _LOOKED_AT)
    if Right.JOURNAL not in RIGHTS[agent.role]:
        reach = Reach(tx, node.core, agent, at)
        tx.preload(standing.CASES, [row.case_id for row in rows if row.case_id is not None])
        rows = [row for row in rows if row.case_id is None or reach.hidden(row.case_id) is None]
    return [deadlines.shown(row, node.core.clocks, RIGHTS[agent.role]) for row in rows[:PAGE]]
