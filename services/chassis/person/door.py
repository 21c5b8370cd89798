"""Who stands behind a request to a person's page: the visit of its cookie, and its forms."""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response

from contracts.kernel.errors import RelaisError
from services.chassis.node import Node
from services.chassis.person import visits
from services.chassis.person.visits import Visit
from services.chassis.sign_in.desk import ForeignForm

ROOT: Final = "/person"
"""Path under which a node serves a person's page."""
FORM_TOKEN: Final = "token"  # noqa: S105 -- the name of a field

_FOREIGN: Final = "Ce formulaire ne vient pas de cette page : rouvrez-la."


class NoVisit(RelaisError):
    """Nobody is at the page: no code was typed, or the visit is over."""

    code = "no_visit"
    status = 401


def cookie_name(node: Node) -> str:
    """Name of the visit's cookie; over TLS with the prefix that browsers hold to."""
    return "__Host-relais-person" if _secure(node) else "relais-person"


def _secure(node: Node) -> bool:
    settings = node.settings.sign_in
    return settings is not None and settings.secure


def set_cookie(response: Response, node: Node, cookie: str) -> None:
    """Give a browser its visit: it goes to no other site, and to no script."""
    response.set_cookie(
        cookie_name(node),
        cookie,
        max_age=int(visits.LONGEST.total_seconds()),
        httponly=True,
        secure=_secure(node),
        samesite="strict",
        path="/",
    )


def drop_cookie(response: Response, node: Node) -> None:
    """Take the visit back from a browser."""
    response.delete_cookie(
        cookie_name(node), path="/", secure=_secure(node), httponly=True, samesite="strict"
    )


async def visit_of(node: Node, request: Request, *, somebody: bool = True) -> Visit:
    """The visit behind a request. Raises NoVisit.

    somebody: whether a person asks; not so where a page refreshes itself.
    """
    cookie, at = request.cookies.get(cookie_name(node)), node.clock.now()
    visit = None
    if cookie:
        visit = await node.database.read(lambda c: visits.of_cookie(c, cookie, at))
    if visit is None:
        raise NoVisit("Cette page est fermée : demandez un code pour la rouvrir.")
    if somebody and visits.unseen(visit, at):
        await node.database.write(partial(visits.touch, visit=visit, at=at))
    return visit


async def typed(request: Request) -> ImmutableMultiDict[str, str]:
    """Fields of a form of this site. Raises ForeignForm for one that another site sends."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForeignForm(_FOREIGN)
    async with request.form(max_files=0, max_fields=32) as form:
        return ImmutableMultiDict([(k, v) for k, v in form.multi_items() if isinstance(v, str)])


async def form_of(request: Request, visit: Visit) -> ImmutableMultiDict[str, str]:
    """Fields of a form of this visit. Raises ForeignForm for one that comes from elsewhere."""
    form = await typed(request)
    if not visits.same_form(visit, form.get(FORM_TOKEN, "")):
        raise ForeignForm(_FOREIGN)
    return form
