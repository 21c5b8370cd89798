"""*Conventions*: where each stands, what it asks, who may tell whom what, and acting on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.binding import Binding
from contracts.kernel.errors import UnknownName
from contracts.kernel.signed import SignedConvention, State
from services.chassis.governance import own_convention
from services.chassis.node import Node
from services.chassis.pages import texts
from services.chassis.pages.convention_forms import FORMS, Form, offered
from services.chassis.pages.matrix import directions
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.rendering import ROOT, render
from services.chassis.pages.wording import Faults, faults_of
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, Right
from services.chassis.working import partners

PLACE: Final = f"{ROOT}/conventions"

_KEY: Final = "key"
_SIGNED: Final = "Votre signature est enregistrée."
_ID: Final = re.compile(r"[0-9a-f]{32}")


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of the conventions."""
    if node.settings.sign_in is None:
        return []
    pages = _Pages(node, api)
    return [
        Route("/conventions", pages.every),
        Route("/conventions/{convention_id}", pages.one),
        Route("/conventions/{binding_id}/flows", pages.flows),
        Route("/conventions/{convention_id}/acting", pages.acting),
        Route("/conventions/{convention_id}/acting/{form}", pages.act, methods=["POST"]),
        Route("/conventions/{convention_id}/holds/{hold_id}", pages.release, methods=["POST"]),
    ]


def _done(request: Request) -> str:
    """What was just done, if a form says so."""
    name = request.query_params.get("done", "")
    form = FORMS.get(name)
    return form.done if form is not None else _SIGNED if name == "signature" else ""


class _Pages:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api

    async def every(self, request: Request) -> Response:
        """All conventions of this organisation, and the duties of the law beside them."""
        session = await at_desk(self._node, request, Right.READ)
        found = texts.held(self._node.core, self._node.clock.now())
        return self._page("conventions.html", session, held=found, duties=self._duties())

    async def one(self, request: Request) -> Response:
        """One convention."""
        session = await at_desk(self._node, request, Right.READ)
        signed = own_convention(self._node.core, request.path_params["convention_id"])
        return await self._shown(session, signed, done=_done(request))

    async def flows(self, request: Request) -> Response:
        """Who may tell whom what under one text, a convention or a duty of the law."""
        session = await at_desk(self._node, request, Right.READ)
        core, at = self._node.core, self._node.clock.now()
        binding = self._binding(request.path_params["binding_id"])
        signed = binding if isinstance(binding, SignedConvention) else None
        return self._page(
            "convention_flows.html",
            session,
            binding_id=binding.id,
            title=binding.instrument.title,
            directions=directions(core, binding),
            signed=signed is not None,
            standing=None if signed is None else texts.standing(core, signed, at),
            passes=binding.open_at(at),
        )

    async def acting(self, request: Request) -> Response:
        """What a manager may do about a convention."""
        session = await at_desk(self._node, request, Right.CONVENTIONS)
        signed = own_convention(self._node.core, request.path_params["convention_id"])
        return self._forms(session, signed)

    async def act(self, request: Request) -> Response:
        """Do one of these, through the API."""
        session = await at_desk(self._node, request, Right.CONVENTIONS)
        fields = dict(await form_of(request, session))
        signed = own_convention(self._node.core, request.path_params["convention_id"])
        form = FORMS.get(request.path_params["form"])
        if form is None or form not in self._offered(signed):
            raise UnknownName("Cette convention n'a pas, ou plus, ce formulaire.")
        faults = form.missing(fields)
        if faults is not None:
            return self._forms(session, signed, form, fields, faults)
        path = f"/conventions/{signed.id}/{form.path}"
        answer = await self._api.call(
            session.agent, "POST", path, form.body(fields), fields.get(_KEY)
        )
        if not answer.done:
            return self._forms(session, signed, form, fields, faults_of(answer), answer.status)
        return RedirectResponse(f"{PLACE}/{signed.id}?done={form.name}", HTTPStatus.SEE_OTHER)

    async def release(self, request: Request) -> Response:
        """A dispute is settled."""
        session = await at_desk(self._node, request, Right.CONVENTIONS)
        fields = await form_of(request, session)
        signed = own_convention(self._node.core, request.path_params["convention_id"])
        hold_id = request.path_params["hold_id"]
        path = f"/conventions/{signed.id}/holds/{hold_id if _ID.fullmatch(hold_id) else 'none'}"
        answer = await self._api.call(
            session.agent, "POST", f"{path}/release", key=fields.get(_KEY)
        )
        if answer.done:
            return RedirectResponse(f"{PLACE}/{signed.id}", HTTPStatus.SEE_OTHER)
        page = await self._shown(session, signed, faults=faults_of(answer))
        page.status_code = answer.status
        return page

    async def _shown(
        self,
        session: Session,
        signed: SignedConvention,
        *,
        done: str = "",
        faults: Faults | None = None,
    ) -> HTMLResponse:
        core, at, role = self._node.core, self._node.clock.now(), session.agent.role

        def look(connection: Connection) -> dict[str, Any]:
            return {
                "due": texts.due(connection, core, signed, at),
                "holds": texts.holds(connection, signed.id),
                "certificate": texts.certificate(connection, signed),
            }

        return self._page(
            "convention.html",
            session,
            **await self._node.database.read(look),
            signed=signed,
            text=signed.convention,
            partners=texts.partners(core, signed),
            standing=texts.standing(core, signed, at),
            invented=texts.invented(signed),
            parties=texts.parties(core, signed),
            articles=texts.articles(signed.convention),
            versions=list(texts.versions(core, signed)),
            acts=texts.acts(core, signed),
            applies=signed.version_at(at),
            linked=core.partner.side(signed.convention.code).linked,
            manages=Right.CONVENTIONS in RIGHTS[role],
            sees_holds=Right.REVIEW in RIGHTS[role],
            purged=signed.state(at) is State.PURGED,
            key=self._node.given.new_id,
            done=done,
            faults=faults,
        )

    def _offered(self, signed: SignedConvention) -> list[Form]:
        at = self._node.clock.now()
        ours = texts.suspended_by_us(self._node.core, signed, at)
        return offered(signed, at, suspended_by_us=ours)

    def _forms(
        self,
        session: Session,
        signed: SignedConvention,
        tried: Form | None = None,
        fields: Mapping[str, str] | None = None,
        faults: Faults | None = None,
        status: int = HTTPStatus.UNPROCESSABLE_ENTITY,
    ) -> HTMLResponse:
        page = self._page(
            "convention_acting.html",
            session,
            convention_id=signed.id,
            title=signed.convention.title,
            partners=texts.partners(self._node.core, signed),
            forms=[
                (one, one.article(signed.convention), fields if one is tried else {})
                for one in self._offered(signed)
            ],
            tried=tried,
            faults=faults,
            key=self._node.given.new_id,
        )
        page.status_code = HTTPStatus.OK if faults is None else status
        return page

    def _bindings(self) -> list[Binding]:
        core = self._node.core
        found = {one.id: one for org in partners(core) for one in core.bindings(org)}
        return list(found.values())

    def _binding(self, name: str) -> Binding:
        """A convention we signed, or a duty that joins us to somebody. Raises UnknownName."""
        for one in self._bindings():
            if one.id == name:
                return one
        return own_convention(self._node.core, name)

    def _duties(self) -> list[tuple[str, str, str]]:
        """Code, title and article of each duty of the law that joins us to somebody."""
        return sorted(
            (one.id, one.instrument.title, one.duty.article)
            for one in self._bindings()
            if not isinstance(one, SignedConvention)
        )

    def _page(self, template: str, session: Session, **values: Any) -> HTMLResponse:  # noqa: ANN401 -- template's values
        org = self._node.settings.name
        return HTMLResponse(render(template, place=PLACE, org=org, session=session, **values))
