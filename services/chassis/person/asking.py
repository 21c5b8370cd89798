"""Rights asked for at a person's own page: the agent who handed the code over knew who it is."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any, Final, cast

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from contracts.kernel.paris import day_of
from services.chassis import rights, rights_views
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.content import name_of
from services.chassis.pages.rendering import by_in_words, day_in_words, render
from services.chassis.person import words
from services.chassis.person.copy_words import in_words
from services.chassis.person.copying import copy_at_page, file_of
from services.chassis.person.door import ROOT, form_of, visit_of
from services.chassis.person.visits import Visit
from services.chassis.rights import Asked, Exercised, RequestState

_NOTHING_CHOSEN: Final = "Cochez au moins une chose à corriger."


class Asking:
    """Handlers of one node's pages on which a person exercises a right."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def ask(self, request: Request) -> Response:
        """Say what follows, then record the request; its month runs from then on."""
        visit = await visit_of(self._node, request)
        right = request.path_params["right"]
        if right not in words.RIGHTS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        if request.method == "GET":
            return self._page(visit, right)
        form = await form_of(request, visit)
        about = tuple(one for one in words.ABOUT if one in form.getlist("about"))
        if right == "rectification" and not about:
            return self._page(visit, right, _NOTHING_CHOSEN, HTTPStatus.UNPROCESSABLE_ENTITY)
        asked = Asked(
            person_ids=visit.person_ids,
            right=cast("Exercised", right),
            about=about,
            raised_by=visit.holder,
            channel="page",
            checked_by=visit.given_by,
            checked_at=visit.given_at,
            means=visit.means,
        )
        request_id = self._node.given.new_id()
        core, at = self._node.core, self._node.clock.now()

        def unit(tx: Tx) -> None:
            waits = rights_views.of_persons(tx.connection, visit.person_ids, at)
            if any(_waits(one, right) for one in waits):
                raise RequestState("Vous l'avez déjà demandé : la réponse doit venir.")
            rights.ask(tx, core, asked, request_id, None, at)

        try:
            await self._node.database.write(unit)
        except RequestState as error:
            return self._page(visit, right, error.sentence, error.status)
        return RedirectResponse(f"{ROOT}/#requests", HTTPStatus.SEE_OTHER)

    async def copy(self, request: Request) -> Response:
        """What is held, in words, to print: of one's own request, once it is granted."""
        visit, core = await visit_of(self._node, request), self._node.core
        request_id, at = request.path_params["request_id"], self._node.clock.now()

        def unit(tx: Tx) -> dict[str, Any]:
            return in_words(tx, core, visit, copy_at_page(tx, core, visit, request_id, at))

        told = await self._node.database.write(unit)
        whom = "cette personne" if visit.representative else "vous"
        org = self._node.settings.name
        page = render("person_copy.html", org=org, visit=visit, whom=whom, **told)
        return HTMLResponse(page)

    async def data(self, request: Request) -> Response:
        """The same for a machine."""
        visit, core = await visit_of(self._node, request), self._node.core
        request_id, at = request.path_params["request_id"], self._node.clock.now()
        return file_of(
            await self._node.database.write(
                lambda tx: copy_at_page(tx, core, visit, request_id, at)
            )
        )

    def _page(
        self, visit: Visit, right: str, problem: str = "", status: int = HTTPStatus.OK
    ) -> Response:
        page = render(
            "person_request.html",
            org=self._node.settings.name,
            visit=visit,
            right=right,
            what=words.RIGHTS[right],
            told=words.FOLLOWS[right],
            about=words.ABOUT if right == "rectification" else {},
            problem=problem,
        )
        return HTMLResponse(page, status)


def requests_of(tx: Tx, core: Core, visit: Visit, at: datetime) -> list[dict[str, Any]]:
    """What whoever looks asked for here, in words, and what was corrected without being asked.

    Each sees their own requests alone.
    """
    found = rights_views.of_persons(tx.connection, visit.person_ids, at)
    return [_seen(core, one) for one in found if rights_views.seen_by(one, visit.holder)]


def _waits(one: dict[str, Any], right: str) -> bool:
    """Whether somebody asked for the same and still has no answer."""
    same = one["right"] == right and one["raised_by"] != rights.ORGANISATION
    return bool(same and one["state"] != "closed")


def _granted(one: dict[str, Any]) -> bool:
    """Whether a copy is there to take."""
    return one["right"] == "access" and one["outcome"] in {"done", "partly"}


def _seen(core: Core, one: dict[str, Any]) -> dict[str, Any]:
    answered, unasked = one["state"] == "closed", one["raised_by"] == rights.ORGANISATION
    return {
        "what": words.CORRECTED if unasked else words.RIGHTS[one["right"]],
        "unasked": unasked,
        "asked_on": day_in_words(day_of(datetime.fromisoformat(one["asked_at"]))),
        "due_on": by_in_words(datetime.fromisoformat(one["due_at"])),
        "extended": one["extended_at"] is not None,
        "answer": words.ANSWERS[one["outcome"]] if answered else None,
        "article": one["article"],
        "copy_of": one["request_id"] if _granted(one) else "",
        "late": one["late"],
        "partners": [
            (
                name_of(core, told["org"]),
                words.ANSWERS.get(told["outcome"], words.UNANSWERED),
            )
            for told in one["answers"]
        ],
    }
