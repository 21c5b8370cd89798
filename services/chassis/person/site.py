"""The person's site, a room of its own under ``/person``: a door, one page, what ends an agreement.

Nothing of the agents' desk opens it, and it opens nothing of the desk: own cookie, own visits. What
is done here is done by the person, without an agent and without the API's tokens, in one
transaction with its line of the journal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from contracts.kernel.errors import RelaisError
from services.chassis.node import Node
from services.chassis.pages.rendering import render
from services.chassis.pages.site import Guarded, said
from services.chassis.person import usage
from services.chassis.person.asking import Asking
from services.chassis.person.door import ROOT, NoVisit, drop_cookie
from services.chassis.person.pages import Pages
from services.chassis.problems import TITLES, answer

_PAGE = "text/html"


def person_site(node: Node) -> Starlette:
    """The site of a node's persons, for whoever typed a code."""
    pages, asking = Pages(node), Asking(node)
    both = ["GET", "POST"]
    agreement = "/agreements/{agreement_id}"
    return Starlette(
        routes=[
            Route("/", pages.overview),
            Route("/code", pages.code, methods=["POST"]),
            Route("/leave", pages.leave, methods=["POST"]),
            Route(agreement, pages.agreement),
            Route(f"{agreement}/answers", pages.answers),
            Route(f"{agreement}/withdrawal", pages.withdrawal, methods=both),
            Route(f"{agreement}/objection", pages.objection, methods=both),
            Route("/requests/{right}", asking.ask, methods=both),
            Route("/copies/{request_id}", asking.copy),
            Route("/copies/{request_id}/data.json", asking.data),
            *usage.visit_routes(node),
        ],
        middleware=[Middleware(Guarded)],
        exception_handlers=dict.fromkeys((RelaisError, HTTPException, Exception), _failed(node)),
    )


def _failed(node: Node) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def failed(request: Request, error: Exception) -> Response:
        if _PAGE not in request.headers.get("accept", ""):
            return await answer(request, error)
        if isinstance(error, NoVisit):
            door = RedirectResponse(f"{ROOT}/", HTTPStatus.SEE_OTHER)
            drop_cookie(door, node)
            return door
        status, sentence, articles = said(error)
        page = render(
            "person_error.html",
            org=node.settings.name,
            title=TITLES.get(status, "Erreur"),
            sentence=sentence,
            articles=articles,
        )
        return HTMLResponse(page, status)

    return failed
