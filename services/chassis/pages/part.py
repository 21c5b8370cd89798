"""What the pages of one part share: their place in the menu, the node's API, ids from addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contracts.kernel.errors import UnknownName
from services.chassis.node import Node
from services.chassis.pages.own_api import Answer, OwnApi
from services.chassis.pages.rendering import ROOT, render
from services.chassis.sign_in.sessions import Session

PEOPLE: Final = f"{ROOT}/people"
"""Path under which each person of the register has a page."""
AGREEMENTS: Final = f"{ROOT}/agreements"
"""Path of this part, and under it of each agreement."""

_ID: Final = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a node's pages. place: path of its entry in the menu."""

    node: Node
    api: OwnApi
    place: str

    def page(
        self,
        template: str,
        session: Session,
        status: int = HTTPStatus.OK,
        **values: Any,  # noqa: ANN401 -- whatever the template names
    ) -> HTMLResponse:
        """A page of this part, as an agent sees it."""
        org = self.node.settings.name
        text = render(template, org=org, place=self.place, session=session, **values)
        return HTMLResponse(text, status)

    def part(self, template: str, **values: Any) -> HTMLResponse:  # noqa: ANN401 -- as `page`
        """A part of a page that refreshes itself."""
        return HTMLResponse(render(template, **values))

    def fresh_key(self) -> str:
        """A key of a form, under which sending it twice counts once."""
        return self.node.given.new_id()

    async def post(
        self, session: Session, path: str, body: dict[str, Any] | None, key: str | None
    ) -> Answer:
        """Do at the API what a form asks for, as the agent who sent it."""
        return await self.api.call(session.agent, "POST", path, body, key)


def asked_id(request: Request, name: str) -> str:
    """An id in an address. Raises UnknownName for what is none."""
    found: str = request.path_params[name]
    if _ID.fullmatch(found) is None:
        raise UnknownName("Cette adresse ne mène à rien de connu ici.")
    return found


def onward(path: str) -> Response:
    """Go on to a page after something was done, so that a reload does it no more."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
