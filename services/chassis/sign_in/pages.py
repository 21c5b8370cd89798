"""Pages on which an agent signs in, takes a role, accepts the charter, and leaves."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import Unavailable, UnknownName
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.rendering import ROLES, render
from services.chassis.register import accept_charter
from services.chassis.settings import SignInSettings
from services.chassis.sign_in import authorisations, sessions
from services.chassis.sign_in.desk import HOME, at_desk, cookie_name, form_of, own_path, set_cookie
from services.chassis.sign_in.relying_party import (
    NotSignedIn,
    RelyingParty,
    SignedIn,
)
from services.chassis.tokens import Right, Role

_AWAY: Final = "relais-departure"
_PATH: Final = "/pages/sign-in"


def routes(node: Node) -> list[BaseRoute]:
    """Pages of signing in; none where the node has no provider."""
    settings = node.settings.sign_in
    if settings is None:
        return []
    doors = _Doors(node, settings, RelyingParty(settings))
    return [
        Route("/sign-in", doors.entry),
        Route("/sign-in/departure", doors.departure),
        Route("/sign-in/return", doors.arrival),
        Route("/role", doors.role, methods=["GET", "POST"]),
        Route("/charter", doors.charter, methods=["GET", "POST"]),
        Route("/sign-out", doors.sign_out, methods=["POST"]),
    ]


class _Doors:
    def __init__(self, node: Node, settings: SignInSettings, provider: RelyingParty) -> None:
        self._node = node
        self._settings = settings
        self._provider = provider

    async def entry(self, request: Request) -> Response:
        """Where whoever is not signed in arrives."""
        back = own_path(request.query_params.get("back", ""))
        return self._page("sign_in.html", back=back)

    async def departure(self, request: Request) -> Response:
        """Send the browser to the provider, and keep what only its return may bring back."""
        back = own_path(request.query_params.get("back", ""))
        left = await self._provider.depart()
        at = self._node.clock.now()
        browser = await self._node.database.write(lambda tx: sessions.leave(tx, left, back, at))
        response = RedirectResponse(left.url, HTTPStatus.SEE_OTHER)
        response.set_cookie(
            _AWAY,
            browser,
            max_age=int(sessions.AWAY.total_seconds()),
            httponly=True,
            secure=self._settings.secure,
            samesite="lax",
            path=_PATH,
        )
        return response

    async def arrival(self, request: Request) -> Response:
        """Take whom the provider signed in to the page he wanted, under a new session."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        browser, at = request.cookies.get(_AWAY, ""), self._node.clock.now()
        kept = await self._node.database.write(
            lambda tx: sessions.come_back(tx, state, browser, at)
        )
        if kept is None or not code:
            raise NotSignedIn("Ce retour n'est celui d'aucun départ d'ici : recommencez.")
        signed_in = await self._provider.arrive(code, kept.nonce, kept.verifier)
        found = await self._node.database.read(
            lambda c: authorisations.of_subject(c, signed_in.subject, at)
        )
        if not found:
            page = self._page("not_authorised.html", subject=signed_in.subject)
            page.status_code = HTTPStatus.FORBIDDEN
            page.delete_cookie(_AWAY, path=_PATH)
            return page
        response = await self._begin(
            signed_in, found[0], kept.back if len(found) == 1 else "/pages/role"
        )
        response.delete_cookie(_AWAY, path=_PATH)
        return response

    async def _begin(self, signed_in: SignedIn, authorisation: Any, to: str) -> Response:  # noqa: ANN401 -- a row
        at = self._node.clock.now()

        def unit(tx: Tx) -> str:
            return sessions.begin(tx, self._node.core, signed_in, authorisation, at)

        response = RedirectResponse(to, HTTPStatus.SEE_OTHER)
        set_cookie(response, self._settings, await self._node.database.write(unit))
        return response

    async def role(self, request: Request) -> Response:
        """Take one role at a time, out of those one is authorised for: rights never add up."""
        session = await at_desk(self._node, request, Right.READ, charter=False)
        at = self._node.clock.now()
        mine = await self._node.database.read(lambda c: sessions.offered(c, session, at))
        if request.method == "GET":
            offered = [(one.authorisation_id, ROLES[Role(one.role)], one.agent_id) for one in mine]
            return self._page("role.html", session=session, offered=offered)
        wanted = (await form_of(request, session)).get("authorisation")
        chosen = next((one for one in mine if one.authorisation_id == wanted), None)
        if chosen is None:
            raise UnknownName("Cette habilitation n'est pas, ou plus, la vôtre.")

        def unit(tx: Tx) -> str:
            return sessions.change(tx, self._node.core, session, chosen, at)

        response = RedirectResponse(HOME, HTTPStatus.SEE_OTHER)
        set_cookie(response, self._settings, await self._node.database.write(unit))
        return response

    async def charter(self, request: Request) -> Response:
        """Read the charter, and accept it in its present version (A-5.2)."""
        session = await at_desk(self._node, request, Right.READ, charter=False)
        version = self._node.core.policy.charter
        if request.method == "GET":
            return self._page("charter.html", session=session, version=version)
        await form_of(request, session)
        agent_id, at = session.agent.agent_id, self._node.clock.now()
        await self._node.database.write(
            lambda tx: accept_charter(tx, self._node.core, agent_id, version, at)
        )
        return RedirectResponse(HOME, HTTPStatus.SEE_OTHER)

    async def sign_out(self, request: Request) -> Response:
        """End the session here, then at the provider."""
        session = await at_desk(self._node, request, Right.READ, charter=False)
        await form_of(request, session)
        at = self._node.clock.now()
        token = await self._node.database.write(
            lambda tx: sessions.leave_desk(tx, self._node.core, session, at)
        )
        farewell = None
        with suppress(Unavailable):  # the session is over here, whether or not the provider hears
            farewell = None if token is None else await self._provider.farewell(token)
        response = RedirectResponse(farewell or _PATH, HTTPStatus.SEE_OTHER)
        response.delete_cookie(cookie_name(self._settings), path="/")
        return response

    def _page(self, template: str, **values: Any) -> HTMLResponse:  # noqa: ANN401 -- template's values
        return HTMLResponse(render(template, org=self._node.settings.name, **values))
