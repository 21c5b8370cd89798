"""Acting without agreement, from pages: asked, confirmed by a second person, told, reviewed."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from sqlalchemy import Row
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import UnknownName
from contracts.kernel.words import COMMON
from services.chassis import derogations, standing
from services.chassis.acts import require_case
from services.chassis.database import Tx
from services.chassis.derogations import DerogationBody, DerogationReview, TellingBody
from services.chassis.node import Node
from services.chassis.pages.asking import KEY, Question, asked
from services.chassis.pages.cases import PLACE, CaseView, case_view
from services.chassis.pages.content import name_of
from services.chassis.pages.forms import NOTHING_TYPED, fields_of
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.refusals import Refusal, refused
from services.chassis.pages.rendering import ROOT, day_in_words, instant_in_words, render
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, NotPermitted, Right
from services.chassis.views import PAGE
from services.chassis.words import message

LIST: Final = f"{ROOT}/without-agreement"
_BY_CASE: Final = ("case_id", "type", "to")


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """The decisions of this node, and the forms of each step."""
    pages = _Pages(node, api)
    both = ["GET", "POST"]
    return [
        Route("/situations/{case_id}/without-agreement/{type}", pages.ask, methods=both),
        Route("/without-agreement", pages.decisions),
        Route("/without-agreement/{id}/confirmation", pages.confirm, methods=["POST"]),
        Route("/without-agreement/{id}/telling", pages.telling, methods=both),
        Route("/without-agreement/{id}/review", pages.review, methods=both),
    ]


class _Pages:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api

    async def ask(self, request: Request) -> Response:
        """Ask to send one message without agreement."""
        session = await at_desk(self._node, request, Right.REGISTER)
        case_id, type_ = request.path_params["case_id"], request.path_params["type"]
        at, core = self._node.clock.now(), self._node.core

        def unit(tx: Tx) -> tuple[CaseView, str]:
            require_case(tx, core, case_id, session.agent, at)
            row = tx.get(standing.CASES, case_id)
            to = "" if row is None else row.partner
            return case_view(tx, core, case_id, session.agent, at), to

        case, to = await self._node.database.write(unit)
        named = {"case_id": case_id, "type": type_, "to": to}
        question = Question(
            template="without_agreement_ask.html",
            title="Demander à envoyer sans accord",
            fields=fields_of(DerogationBody, COMMON.__getitem__, leave_out=_BY_CASE),
            path="/derogations",
            body=lambda content: {**content, **named},
            done=lambda _: f"{LIST}?asked=1",
            place=PLACE,
            submit="Demander la confirmation d'une seconde personne",
            shown={"case": case, "label": message(type_, core.registry)},
        )
        return await asked(self._node, self._api, request, session, question)

    async def decisions(self, request: Request) -> Response:
        """Decisions of this organisation and of its partners: all, for those who review them.

        Anybody else sees those about cases that they may open.
        """
        session = await at_desk(self._node, request, Right.CASES)
        return await self._list(session)

    async def _list(self, session: Session, refusal: Refusal | None = None) -> Response:
        every = await self._node.database.read(lambda c: derogations.held(c, PAGE))
        found = await self._node.database.write(lambda tx: self._open_to(tx, session, every))
        page = render(
            "without_agreement.html",
            org=self._node.settings.name,
            session=session,
            place=PLACE,
            decisions=[self._shown(one) for one in found],
            refusal=refusal,
            key=self._node.given.new_id(),
            rights={right.value for right in RIGHTS[session.agent.role]},
        )
        status = HTTPStatus.OK if refusal is None else HTTPStatus.UNPROCESSABLE_ENTITY
        return HTMLResponse(page, status)

    def _open_to(
        self, tx: Tx, session: Session, every: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        if Right.REVIEW in RIGHTS[session.agent.role]:
            return every
        at, found = self._node.clock.now(), []
        for one in every:
            with suppress(NotPermitted, UnknownName):
                require_case(tx, self._node.core, one["case_id"], session.agent, at)
                found.append(one)
        return found

    def _shown(self, held: dict[str, Any]) -> dict[str, Any]:
        core = self._node.core
        instants = ("asked_at", "confirmed_at", "expires_at")
        return {
            **held,
            **{name: _instant(held.get(name)) for name in instants},
            "sealed_until": _day(held["sealed_until"]),
            "label": message(held["type"], core.registry),
            "sender": name_of(core, held["from"]),
            "receiver": name_of(core, held["to"]),
            "ours": held["from"] == core.org,
        }

    async def confirm(self, request: Request) -> Response:
        """Confirm what another person asked."""
        session = await at_desk(self._node, request, Right.CONFIRM)
        key = (await form_of(request, session)).get(KEY)
        path = f"/derogations/{request.path_params['id']}/confirmation"
        answer = await self._api.call(session.agent, "POST", path, {}, key)
        if answer.done:
            return RedirectResponse(LIST, HTTPStatus.SEE_OTHER)
        return await self._list(session, refused(answer, (), NOTHING_TYPED)[0])

    async def telling(self, request: Request) -> Response:
        """Record that the family was told."""
        session = await at_desk(self._node, request, Right.REGISTER)
        title = "La famille a été informée"
        return await self._step(request, session, "telling", TellingBody, title)

    async def review(self, request: Request) -> Response:
        """Close the review of a decision."""
        session = await at_desk(self._node, request, Right.REVIEW)
        title = "Revoir une décision d'agir sans accord"
        return await self._step(request, session, "review", DerogationReview, title)

    async def _step(
        self, request: Request, session: Session, step: str, body: type[BaseModel], title: str
    ) -> Response:
        name, core, at = request.path_params["id"], self._node.core, self._node.clock.now()
        row, _ = await self._node.database.write(
            lambda tx: derogations.ours(tx, core, name, session.agent, at)
        )
        question = Question(
            template="without_agreement_step.html",
            title=title,
            fields=fields_of(body, COMMON.__getitem__),
            path=f"/derogations/{name}/{step}",
            body=lambda content: content,
            done=lambda _: LIST,
            place=PLACE,
            submit="Enregistrer",
            shown={"decision": self._decided(row)},
        )
        return await asked(self._node, self._api, request, session, question)

    def _decided(self, row: Row[Any]) -> dict[str, Any]:
        """What somebody who answers for a decision must know of it before they write."""
        core = self._node.core
        return {
            "case_id": row.case_id,
            "label": message(row.type, core.registry),
            "receiver": name_of(core, row.receiver),
            "ground": COMMON[row.ground],
            "asked_at": instant_in_words(row.asked_at),
            "asked_by": row.asked_by,
            "confirmed_at": row.confirmed_at and instant_in_words(row.confirmed_at),
            "confirmed_by": row.confirmed_by,
            "sealed_until": row.sealed_until and day_in_words(row.sealed_until),
            "told_on": row.told_on and day_in_words(row.told_on),
        }


def _day(text: str | None) -> str | None:
    return None if text is None else day_in_words(date.fromisoformat(text))


def _instant(text: str | None) -> str:
    return "" if text is None else instant_in_words(datetime.fromisoformat(text))
