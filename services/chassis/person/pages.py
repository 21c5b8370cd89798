"""Pages of the person: the door, what is said of them, and how an agreement ends."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contracts.kernel.paris import day_of
from services.chassis import standing
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.rendering import day_in_words, render
from services.chassis.person import agreed, visits, words
from services.chassis.person.asking import requests_of
from services.chassis.person.codes import TooManyTries
from services.chassis.person.door import (
    ROOT,
    NoVisit,
    cookie_name,
    drop_cookie,
    form_of,
    set_cookie,
    typed,
    visit_of,
)
from services.chassis.person.sentences import AgreementSeen, Sentence, agreement_seen, sentence
from services.chassis.person.uses import uses_of
from services.chassis.person.visits import Visit

_SHOWN: Final = 40
"""Entries of one page."""
_DIGITS: Final = 6

NO_SUCH_CODE: Final = (
    "Ce code n'ouvre rien : il est mal recopié, déjà utilisé ou trop vieux. Vérifiez-le, ou "
    "demandez-en un autre à la personne qui vous l'a remis."
)


class Pages:
    """Handlers of one node's pages for persons."""

    def __init__(self, node: Node) -> None:
        self._node = node

    # -- the door ------------------------------------------------------------------------------

    async def code(self, request: Request) -> Response:
        """Open a visit with a code that was handed over."""
        form, at = await typed(request), self._node.clock.now()
        core, key = self._node.core, self._node.secret.person_code_key
        code = form.get("code", "")
        try:
            cookie = await self._node.database.write(
                lambda tx: visits.begin(tx, core, key, code, at)
            )
        except TooManyTries as error:
            return self._door(error.sentence, error.status)
        if cookie is None:
            return self._door(NO_SUCH_CODE, HTTPStatus.FORBIDDEN)
        response = RedirectResponse(f"{ROOT}/", HTTPStatus.SEE_OTHER)
        set_cookie(response, self._node, cookie)
        return response

    async def leave(self, request: Request) -> Response:
        """End the visit: nobody who takes the seat sees the page."""
        visit = await visit_of(self._node, request)
        await form_of(request, visit)
        await self._node.database.write(lambda tx: visits.leave(tx, visit))
        response = RedirectResponse(f"{ROOT}/", HTTPStatus.SEE_OTHER)
        drop_cookie(response, self._node)
        return response

    def _door(self, problem: str = "", status: int = HTTPStatus.OK) -> Response:
        return self._page("person_door.html", status=status, problem=problem)

    # -- the page ------------------------------------------------------------------------------

    async def overview(self, request: Request) -> Response:
        """The door; behind it, agreements first, then all that happened, the latest first."""
        if cookie_name(self._node) not in request.cookies:
            return self._door()
        try:
            visit = await visit_of(self._node, request)
        except NoVisit as over:
            response = self._door(over.sentence)
            drop_cookie(response, self._node)
            return response
        first, at = _number(request.query_params.get("from", "")), self._node.clock.now()
        core = self._node.core

        def unit(tx: Tx) -> dict[str, Any]:
            found = uses_of(tx, core, visit, at)
            agreements = agreed.agreements_of(tx, core, visit, at)
            shown = [sentence(core, visit, one) for one in found[first : first + _SHOWN]]
            return {
                "days": _by_day(shown),
                "first": first,
                "following": first + _SHOWN if len(found) > first + _SHOWN else None,
                "agreements": [agreement_seen(core, visit, one) for one in agreements],
                "whose": _whose(tx, core, visit),
                "requests": requests_of(tx, core, visit, at),
            }

        found = await self._node.database.write(unit)
        return self._page("person.html", visit=visit, rights=words.RIGHTS, **found)

    # -- an agreement --------------------------------------------------------------------------

    async def agreement(self, request: Request) -> Response:
        """An agreement, and who was told that it ended; what each answers comes by itself."""
        visit = await visit_of(self._node, request)
        one = await self._agreement(request, visit)
        return self._page("person_agreement.html", visit=visit, one=one, version=_version(one))

    async def answers(self, request: Request) -> Response:
        """The part of that page that refreshes itself; 204 while nothing changed."""
        visit = await visit_of(self._node, request, somebody=False)
        one = await self._agreement(request, visit)
        if request.query_params.get("version") == _version(one):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return self._page("person_answers.html", one=one, version=_version(one))

    async def withdrawal(self, request: Request) -> Response:
        """Say once what stops and who is told; then do it."""
        return await self._end(request, "person_withdrawal.html", agreed.withdraw)

    async def objection(self, request: Request) -> Response:
        """Say once what is put to rest and who is told; then do it."""
        return await self._end(request, "person_objection.html", agreed.objected)

    async def _end(self, request: Request, template: str, act: Any) -> Response:  # noqa: ANN401 -- either act
        visit = await visit_of(self._node, request)
        one = await self._agreement(request, visit)
        address = f"{ROOT}/agreements/{one.id}"
        if request.method == "GET":
            if not (one.may_withdraw if act is agreed.withdraw else one.may_object):
                return RedirectResponse(address, HTTPStatus.SEE_OTHER)
            return self._page(template, visit=visit, one=one)
        await form_of(request, visit)
        core, at = self._node.core, self._node.clock.now()
        await self._node.database.write(lambda tx: act(tx, core, visit, one.id, at))
        return RedirectResponse(address, HTTPStatus.SEE_OTHER)

    async def _agreement(self, request: Request, visit: Visit) -> AgreementSeen:
        core, at = self._node.core, self._node.clock.now()
        wanted = request.path_params["agreement_id"]
        found = await self._node.database.write(
            lambda tx: agreed.agreement_of(tx, core, visit, wanted, at)
        )
        return agreement_seen(core, visit, found)

    def _page(self, template: str, *, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:  # noqa: ANN401 -- template's values
        page = render(template, org=self._node.settings.name, **values)
        return HTMLResponse(page, status)


def _number(text: str) -> int:
    """A place in the list; its beginning for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else 0


def _by_day(shown: Sequence[Sentence]) -> list[tuple[str, list[Sentence]]]:
    days = groupby(shown, key=lambda one: day_of(one.at))
    return [(day_in_words(day), list(ones)) for day, ones in days]


def _whose(tx: Tx, core: Core, visit: Visit) -> str:
    """First name of the person, so that whoever looks sees whose page it is."""
    for person_id in visit.person_ids:
        row = tx.get(standing.PERSONS, person_id)
        if row is not None:
            return standing.opened_person(tx, core, row.scope, row.sealed).identity.first_name or ""
    return ""


def _version(one: AgreementSeen) -> str:
    return sha256(f"{one.state} {one.told}".encode()).hexdigest()[:16]
