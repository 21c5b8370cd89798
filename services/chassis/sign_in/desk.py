"""The person behind a page's request: the session of its cookie, its rights and its charter."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response

from contracts.kernel.errors import RelaisError
from services.chassis import standing
from services.chassis.node import Node
from services.chassis.requests import agent_of
from services.chassis.settings import SignInSettings
from services.chassis.sign_in import sessions
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import NotIdentified, Right

FORM_TOKEN: Final = "token"  # noqa: S105 -- the name of a field
"""Field of every form, with the token of its session."""

_OWN: Final = re.compile(r"/pages(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*(\?[A-Za-z0-9=&._-]*)?")
_LONGEST_BACK: Final = 200

HOME: Final = "/pages/today"
"""Where an agent arrives."""


class ForeignForm(RelaisError):
    """A form that no page of this session sent."""

    code = "foreign_form"
    status = 403


class CharterAwaited(RelaisError):
    """The agent has not accepted the present charter, which comes before anything else (A-5.2)."""

    code = "charter_not_accepted"
    status = 403


def cookie_name(settings: SignInSettings) -> str:
    """Name of the session's cookie; over TLS with the prefix that browsers hold to."""
    return "__Host-relais" if settings.secure else "relais"


def set_cookie(response: Response, settings: SignInSettings, cookie: str) -> None:
    """Give a browser its session."""
    response.set_cookie(
        cookie_name(settings),
        cookie,
        httponly=True,
        secure=settings.secure,
        samesite="lax",
        path="/",
    )


def own_path(path: str) -> str:
    """A path to go back to, if it is one of our pages; else the first of them."""
    good = len(path) <= _LONGEST_BACK and _OWN.fullmatch(path) is not None
    return path if good else HOME


async def at_desk(
    node: Node, request: Request, right: Right, *, charter: bool = True, somebody: bool = True
) -> Session:
    """The session behind a request, if its role includes the right.

    charter: whether the present one must have been accepted. somebody: whether a person asks; not
    so where a page refreshes itself, which keeps no session from resting. Raises NotIdentified,
    NotPermitted, CharterAwaited.
    """
    settings = node.settings.sign_in
    cookie = None if settings is None else request.cookies.get(cookie_name(settings))
    at = node.clock.now()
    session = None
    if cookie:
        session = await node.database.read(lambda c: sessions.of_cookie(c, cookie, at))
    if session is None:
        raise NotIdentified("Identifiez-vous pour ouvrir cette page.")
    request.state.desk = session
    session.agent.require(right)
    if charter and not await _accepted(node, session.agent.agent_id):
        raise CharterAwaited("Acceptez d'abord la charte de confidentialité.", articles=("A-5.2",))
    if somebody and sessions.unseen(session, at):
        await node.database.write(partial(sessions.touch, session=session, at=at))
    return session


async def reader(node: Node, request: Request, right: Right) -> Session | None:
    """Who looks at a page: the session of a desk, or none where a program shows its token.

    Raises NotIdentified, NotPermitted, CharterAwaited.
    """
    if "authorization" in request.headers or node.settings.sign_in is None:
        agent_of(node, request, right)
        return None
    return await at_desk(node, request, right)


async def _accepted(node: Node, agent_id: str) -> bool:
    wanted = (agent_id, node.core.policy.charter)
    if wanted not in node.core.charters:
        found = await node.database.read(lambda c: standing.CHARTERS.fetch(c, (wanted,)))
        if wanted not in found:
            return False
        node.core.charters[wanted] = found[wanted]
    return True


def seated(request: Request) -> Session | None:
    """Whoever `at_desk` found behind a request, also where it was then refused."""
    return getattr(request.state, "desk", None)


async def form_of(request: Request, session: Session) -> ImmutableMultiDict[str, str]:
    """Fields of a form of this session, of which one name may come several times.

    Raises ForeignForm for one that comes from elsewhere.
    """
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignForm("Ce formulaire ne vient pas de cette page : rouvrez-la.")
    async with request.form(max_files=0, max_fields=256) as form:
        fields = [(name, one) for name, one in form.multi_items() if isinstance(one, str)]
    if not sessions.same_form(session, dict(fields).get(FORM_TOKEN, "")):
        raise ForeignForm("Ce formulaire ne vient pas de cette page : rouvrez-la.")
    return ImmutableMultiDict([one for one in fields if one[0] != FORM_TOKEN])
