"""The page of one case, live, and what is done there beside sending: acts, readings, erasure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import UnknownName
from services.chassis.acts import find_act, instrument_of, require_case
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages import recognising, without_agreement
from services.chassis.pages.asking import KEY, Question, asked
from services.chassis.pages.cases import PLACE, CaseView, case_view
from services.chassis.pages.choosing import agents, choices
from services.chassis.pages.content import Telling
from services.chassis.pages.forms import NOTHING_TYPED, fields_of, with_agents
from services.chassis.pages.own_api import Answer, OwnApi
from services.chassis.pages.refusals import Refusal, refused
from services.chassis.pages.rendering import render
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, NotPermitted, Right

_SAID: Final = {
    "sent": "Le message est parti. Son état se lit ci-dessous.",
    "done": "C'est enregistré.",
    "read": "L'émetteur sait que l'alerte a été lue.",
    "erasure": "L'effacement est fait ici et demandé au partenaire.",
}
"""What a page says after what was done, by the name under which it is led to."""


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """A case, its live part, its acts and its end."""
    pages = _Pages(node, api)
    both = ["GET", "POST"]
    return [
        Route("/situations/{case_id}", pages.case),
        Route("/situations/{case_id}/live", pages.live),
        Route("/situations/{case_id}/acts/{act}", pages.act, methods=both),
        Route("/situations/{case_id}/reading/{message_id}", pages.reading, methods=["POST"]),
        Route("/situations/{case_id}/view/{message_id}", pages.view, methods=both),
        Route("/situations/{case_id}/erasure", pages.erasure, methods=both),
        *without_agreement.routes(node, api),
        *recognising.routes(node, api),
    ]


class _Pages:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api

    async def _view(self, request: Request, session: Session) -> CaseView:
        case_id, at, core = request.path_params["case_id"], self._node.clock.now(), self._node.core

        def unit(tx: Tx) -> CaseView:
            require_case(tx, core, case_id, session.agent, at)
            return case_view(tx, core, case_id, session.agent, at)

        return await self._node.database.write(unit)

    async def case(self, request: Request) -> Response:
        """The whole page."""
        session = await at_desk(self._node, request, Right.CASES)
        try:
            case = await self._view(request, session)
        except NotPermitted:
            if "done" not in request.query_params:
                raise
            return RedirectResponse(f"{PLACE}?handed=1", HTTPStatus.SEE_OTHER)
        return self._page(case, session, request)

    def _page(
        self,
        case: CaseView,
        session: Session,
        request: Request,
        refusal: Refusal | None = None,
    ) -> Response:
        said = next((_SAID[one] for one in request.query_params if one in _SAID), "")
        page = render(
            "case.html",
            org=self._node.settings.name,
            session=session,
            place=PLACE,
            case=case,
            version=_version(case),
            said=said,
            refusal=refusal,
            key=self._node.given.new_id(),
            erases=Right.ERASE in RIGHTS[session.agent.role],
        )
        status = HTTPStatus.OK if refusal is None else HTTPStatus.UNPROCESSABLE_ENTITY
        return HTMLResponse(page, status)

    async def live(self, request: Request) -> Response:
        """What changes by itself, asked for again by the page: 204 where nothing did."""
        session = await at_desk(self._node, request, Right.CASES, somebody=False)
        case = await self._view(request, session)
        version = _version(case)
        if request.query_params.get("version") == version:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        page = render(
            "case_live.html",
            case=case,
            version=version,
            key=self._node.given.new_id(),
            session=session,
        )
        return HTMLResponse(page)

    async def act(self, request: Request) -> Response:
        """The form of an act about a case."""
        session = await at_desk(self._node, request, Right.SEND)
        case = await self._view(request, session)
        name = request.path_params["act"]
        core, at = self._node.core, self._node.clock.now()
        instrument = await self._node.database.read(lambda c: instrument_of(c, case.case_id))
        act, code = find_act(core, instrument, name, session.agent), self._code(instrument)
        chosen, known = await self._node.database.write(
            lambda tx: (choices(tx, core, code, name, case.case_id, at), agents(tx, at))
        )
        fields = fields_of(act.payload, partial(core.registry.word, code), choices=chosen)
        question = Question(
            template="act.html",
            title=act.label,
            fields=with_agents(fields, known),
            path=f"/cases/{case.case_id}/acts/{name}",
            body=lambda content: content,
            done=lambda _: f"{PLACE}/{case.case_id}?done=1",
            place=PLACE,
            submit="Enregistrer",
            person_id=case.person_id,
            shown={"case": case, "article": act.article},
        )
        return await asked(self._node, self._api, request, session, question)

    def _code(self, instrument: str) -> str:
        signed = self._node.core.directory.conventions.get(instrument)
        return instrument if signed is None else signed.convention.code

    async def reading(self, request: Request) -> Response:
        """Tell the sender that somebody has read its alert."""
        session = await at_desk(self._node, request, Right.CASES)
        message_id = request.path_params["message_id"]
        return await self._done(request, session, f"/received/{message_id}/reading", "read")

    async def _done(self, request: Request, session: Session, path: str, said: str) -> Response:
        """One call of the API by a button of the page."""
        key = (await form_of(request, session)).get(KEY)
        answer = await self._api.call(session.agent, "POST", path, {}, key)
        case = await self._view(request, session)
        if not answer.done:
            return self._page(case, session, request, refused(answer, (), NOTHING_TYPED)[0])
        return RedirectResponse(f"{PLACE}/{case.case_id}?{said}=1", HTTPStatus.SEE_OTHER)

    async def view(self, request: Request) -> Response:
        """Ask for a content that is kept nowhere here, then look at it (C-5.1)."""
        session = await at_desk(self._node, request, Right.CASES)
        case = await self._view(request, session)
        message_id = request.path_params["message_id"]
        path = f"/received/{message_id}/view"
        here = f"{PLACE}/{case.case_id}/view/{message_id}"
        if request.method == "POST":
            key = (await form_of(request, session)).get(KEY)
            answer = await self._api.call(session.agent, "POST", path, {}, key)
            if answer.done:
                return RedirectResponse(here, HTTPStatus.SEE_OTHER)
            return self._page(case, session, request, refused(answer, (), NOTHING_TYPED)[0])
        answer = await self._api.call(session.agent, "GET", path)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.CONFLICT}:
            return self._page(case, session, request, refused(answer, (), NOTHING_TYPED)[0])
        return self._glimpse(case, session, answer, here)

    def _glimpse(self, case: CaseView, session: Session, answer: Answer, here: str) -> Response:
        content: Mapping[str, Any] = answer.content if answer.done else {}
        telling = Telling(self._node.core, self._code(case.convention_id))
        page = render(
            "glimpse.html",
            org=self._node.settings.name,
            session=session,
            place=PLACE,
            case=case,
            waits=not answer.done,
            told=telling.told(content.get("data", {})),
            here=here,
        )
        return HTMLResponse(page)

    async def erasure(self, request: Request) -> Response:
        """Destroy a case here, and ask the partner to (GDPR 17): said first, then done."""
        session = await at_desk(self._node, request, Right.ERASE)
        case = await self._view(request, session)
        if not case.state or case.state == "Détruite":
            raise UnknownName("Cette situation est déjà détruite.", code="unknown_case")
        question = Question(
            template="erasure.html",
            title="Effacer cette situation",
            fields=(),
            path=f"/cases/{case.case_id}/erasure",
            body=lambda _: {},
            done=lambda _: f"{PLACE}/{case.case_id}?erasure=1",
            place=PLACE,
            submit="Effacer ici, et le demander au partenaire",
            shown={"case": case},
        )
        return await asked(self._node, self._api, request, session, question)


def _version(case: CaseView) -> str:
    """Name of what a page shows: another as soon as anything of it changes."""
    return sha256(to_json(asdict(case))).hexdigest()[:16]
