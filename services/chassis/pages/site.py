"""The pages of a node under ``/pages``: what they may load, what they say when they cannot answer.

Whoever asks shows a token, as for the API; style sheets are for everybody. An error is a page for
whoever reads pages, and a problem for a program.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.kernel.errors import RelaisError
from services.chassis.acquaintance import ConventionUnread
from services.chassis.node import Node
from services.chassis.pages import (
    acquaintance,
    agreements,
    amending,
    conventions,
    copying,
    journal,
    operation,
    procedures,
    registers,
    reports,
    requests,
    reviews,
    situations,
    today,
)
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.rendering import ROOM, ROOT, STATIC, render
from services.chassis.problems import TITLES, answer
from services.chassis.sign_in import pages as sign_in
from services.chassis.sign_in.desk import HOME, CharterAwaited, seated
from services.chassis.tokens import NotIdentified

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'{provider}; base-uri 'none'; frame-ancestors 'none'"
)
"""Own style sheets and own script files alone: none in a tag, no other site, in no frame.

provider: where a form may lead beside this node, since leaving ends at the sign-in provider.
"""

_HEADERS: Final = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGE: Final = "text/html"
_DOORS: Final = (NotIdentified, CharterAwaited, ConventionUnread)
"""What a page answers by leading elsewhere first."""
_KEPT: Final = "public, max-age=3600"
"""Style sheets: asked for again after an hour, and sent again only where they changed."""


class Guarded:
    """Every answer of the pages with what browsers must know of it, as plain ASGI."""

    def __init__(self, app: ASGIApp, provider: str = "") -> None:
        self._app = app
        self._headers = {"Content-Security-Policy": POLICY.format(provider=provider), **_HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, and put the headers on its answer."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                static = scope["path"].startswith(f"{STATIC}/") and message["status"] < 400  # noqa: PLR2004 -- an error is not kept
                headers["Cache-Control"] = _KEPT if static else "no-store"
            await send(message)

        await self._app(scope, receive, guarded)


def site(node: Node, app: ASGIApp) -> Starlette:
    """The pages of a node: those of every node, and those that its conventions add.

    app: the node's application, whose API does what the pages ask for.
    """
    api = OwnApi(node, app)
    routes: list[BaseRoute] = [
        Mount(STATIC.removeprefix(ROOT), StaticFiles(packages=[(ROOM, "static")])),
        *sign_in.routes(node),
        *today.routes(node),
        *situations.routes(node, api),
        *agreements.routes(node, api),
        *procedures.routes(node, api),
        *conventions.routes(node, api),
        *amending.routes(node, api),
        *acquaintance.routes(node, api),
        *reports.routes(node, api),
        *reviews.routes(node),
        *requests.routes(node, api),
        *registers.routes(node),
        *copying.routes(node),
        *journal.routes(node, api),
        *operation.routes(node, api),
    ]
    for side in node.given.partner.sides.values():
        if side.pages is not None:
            routes += side.pages(node)
    name = node.settings.name

    async def failed(request: Request, error: Exception) -> Response:
        if "hx-request" in request.headers and isinstance(error, _DOORS):
            reload = await answer(request, error)
            reload.headers["HX-Refresh"] = "true"  # the page itself then leads to the door
            return reload
        if _PAGE not in request.headers.get("accept", ""):
            return await answer(request, error)
        door = _door(node, request, error)
        if door is not None:
            return RedirectResponse(door, HTTPStatus.SEE_OTHER)
        status, sentence, articles = said(error)
        title = TITLES.get(status, "Erreur")
        home = None if node.settings.sign_in is None else HOME
        page = render(
            "error.html",
            org=name,
            session=seated(request),
            title=title,
            sentence=sentence,
            articles=articles,
            home=home,
        )
        return HTMLResponse(page, status)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guarded, provider=_provider(node))],
        exception_handlers={RelaisError: failed, HTTPException: failed, Exception: failed},
    )


def _provider(node: Node) -> str:
    settings = node.settings.sign_in
    if settings is None:
        return ""
    parts = urlsplit(settings.issuer)
    return f" {parts.scheme}://{parts.netloc}"


def _door(node: Node, request: Request, error: Exception) -> str | None:
    """Where to send whoever only has to identify himself, or to read something first."""
    if isinstance(error, CharterAwaited):
        return f"{ROOT}/charter"
    if isinstance(error, ConventionUnread) and node.settings.sign_in is not None:
        url = request.url
        here = f"{url.path}?{url.query}" if url.query else url.path
        back = urlencode({"back": here if request.method == "GET" else HOME})
        return f"{acquaintance.address(error.convention_id)}?{back}"
    if isinstance(error, NotIdentified) and node.settings.sign_in is not None:
        back = request.url.path if request.method == "GET" else HOME
        return f"{ROOT}/sign-in?{urlencode({'back': back})}"
    return None


def said(error: Exception) -> tuple[int, str, tuple[str, ...]]:
    """Status, sentence and articles of an error; of a defect its kind alone."""
    if isinstance(error, RelaisError):
        return error.status, error.sentence, error.articles
    if isinstance(error, HTTPException):
        return error.status_code, "Cette adresse ne mène à aucune page.", ()
    sentence = f"Erreur interne ({type(error).__name__}), signalée aux journaux."
    return HTTPStatus.INTERNAL_SERVER_ERROR, sentence, ()
