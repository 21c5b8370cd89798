"""An agent reads a convention, and says so, before anything under it opens to them."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import RelaisError, UnknownName
from services.chassis.acquaintance import ConventionUnread
from services.chassis.core import Core
from services.chassis.governance import own_convention
from services.chassis.node import Node
from services.chassis.pages import texts
from services.chassis.pages.asking import KEY
from services.chassis.pages.conventions import PLACE
from services.chassis.pages.forms import NOTHING_TYPED
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.refusals import refused
from services.chassis.pages.rendering import render
from services.chassis.sign_in.desk import at_desk, form_of, own_path
from services.chassis.tokens import Right

BACK: Final = "back"
"""Field and parameter: the page that an agent was about to open."""


def address(convention_id: str) -> str:
    """The page on which an agent reads a convention."""
    return f"{PLACE}/{convention_id}/reading"


def to_read(core: Core, refused: Iterable[RelaisError]) -> tuple[tuple[str, str], ...]:
    """Texts for want of which a list leaves cases out: the page that shows each, and its title."""
    named = {one.convention_id: one for one in refused if isinstance(one, ConventionUnread)}
    held = core.directory.conventions
    return tuple((address(name), held[name].convention.title) for name in sorted(named))


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """The page of one convention: what it asks, and the form by which an agent knows it."""

    async def reading(request: Request) -> Response:
        session, core = await at_desk(node, request, Right.READ), node.core
        signed = own_convention(core, request.path_params["convention_id"])
        asked = core.side(signed.id).acquaintance
        if asked is None:
            raise UnknownName("Cette convention ne demande rien de tel.", code="unknown_convention")
        back, refusal = own_path(request.query_params.get(BACK, "")), None
        applies = signed.version_at(node.clock.now())
        version = applies or signed.versions[0].terms.version  # read beforehand, too
        if request.method == "POST":
            form = await form_of(request, session)
            back = own_path(form.get(BACK, ""))
            body = {"convention_id": signed.id, "version": version}
            answer = await api.call(session.agent, "POST", asked.path, body, form.get(KEY))
            if answer.done:
                return RedirectResponse(back, HTTPStatus.SEE_OTHER)
            refusal, _ = refused(answer, (), NOTHING_TYPED)
        page = render(
            "convention_reading.html",
            org=node.settings.name,
            place=PLACE,
            session=session,
            signed=signed,
            text=signed.convention,
            article=asked.article,
            partners=texts.partners(core, signed),
            articles=texts.articles(signed.convention),
            version=version,
            back=back,
            refusal=refusal,
            key=node.given.new_id(),
        )
        return HTMLResponse(page, HTTPStatus.OK if refusal is None else answer.status)

    return [Route("/conventions/{convention_id}/reading", reading, methods=["GET", "POST"])]
