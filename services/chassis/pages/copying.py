"""The copy of what is held about whoever asks for it (GDPR 15): printed, or for a machine."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.part import asked_id
from services.chassis.pages.rendering import ROOT, render
from services.chassis.person.copy_words import in_words
from services.chassis.person.copying import copy_for, file_of, granted, visit_for
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import Right


def routes(node: Node) -> list[BaseRoute]:
    """Both forms of the copy, of a request of access that was granted."""

    async def shown(request: Request) -> Response:
        session = await at_desk(node, request, Right.REVIEW)
        request_id, core, at = asked_id(request, "request_id"), node.core, node.clock.now()

        def unit(tx: Tx) -> dict[str, Any]:
            copy = copy_for(tx, core, request_id, session.agent, at)
            visit = visit_for(tx, granted(tx, request_id, at), session.agent.agent_id)
            return in_words(tx, core, visit, copy)

        page = render(
            "request_copy.html",
            org=node.settings.name,
            place=f"{ROOT}/requests",
            session=session,
            request_id=request_id,
            **await node.database.write(unit),
        )
        return HTMLResponse(page)

    async def data(request: Request) -> Response:
        session = await at_desk(node, request, Right.REVIEW)
        request_id, at = asked_id(request, "request_id"), node.clock.now()
        copy = await node.database.write(
            lambda tx: copy_for(tx, node.core, request_id, session.agent, at)
        )
        return file_of(copy)

    return [
        Route("/requests/{request_id}/copy", shown),
        Route("/requests/{request_id}/copy.json", data),
    ]
