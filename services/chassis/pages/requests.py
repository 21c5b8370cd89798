"""*Demandes*: rights that persons exercise, their clocks, what each partner answered, and acts.

Beside it what an agent does for a person at the desk: hand over the code of their page, on a slip
that prints, and record a right that they exercise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import UnknownName
from contracts.kernel.paris import PARIS, day_of
from services.chassis import rights_views
from services.chassis.node import Node
from services.chassis.pages.content import name_of
from services.chassis.pages.own_api import Answer, OwnApi
from services.chassis.pages.rendering import ROOT, by_in_words, day_in_words, render
from services.chassis.person.codes import opened
from services.chassis.rectifying import IDENTITY
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, Right

PLACE: Final = f"{ROOT}/requests"

RIGHT_LABELS: Final = {
    "access": "accès",
    "rectification": "rectification",
    "erasure": "effacement",
    "objection": "opposition",
}
STATE_LABELS: Final = {
    "to_check": "identité à vérifier",
    "to_send": "à transmettre",
    "to_answer": "réponse à donner",
    "closed": "répondue",
}
HOLDER_LABELS: Final = {
    "young_person": "le jeune",
    "representative": "un représentant légal",
}
RAISED_LABELS: Final = {**HOLDER_LABELS, "organisation": "personne : cet organisme l'a constaté"}
MEANS_LABELS: Final = {
    "in_person": "je l'ai devant moi et je sais qui c'est",
    "known": "je connais cette personne par son suivi",
    "document": "j'ai vu une pièce d'identité",
    "partner": "vérifiée par le partenaire qui transmet",
    "file": "vue sur le dossier de l'organisme",
}
ANSWER_LABELS: Final = {
    "deleted": "détruit, certificat reçu",
    "kept": "conservé",
    "unknown": "rien n'y est tenu",
    "done": "fait",
    "partly": "fait en partie",
    "refused": "refusé",
}
ABOUT_LABELS: Final = {
    "identity": "l'identité",
    "contact": "le contact",
    "representative": "le représentant légal",
    "content": "la situation",
}
CHANNEL_LABELS: Final = {
    "page": "à sa page",
    "meeting": "de vive voix",
    "letter": "par courrier",
    "phone": "par téléphone",
    "email": "par courriel",
    "partner": "par un partenaire",
    "organisation": "au guichet ou sur le dossier",
}

_ID: Final = re.compile(r"[0-9a-f]{32}")
_WORDS: Final = {
    "right_labels": RIGHT_LABELS,
    "state_labels": STATE_LABELS,
    "holder_labels": HOLDER_LABELS,
    "raised_labels": RAISED_LABELS,
    "means_labels": MEANS_LABELS,
    "answer_labels": ANSWER_LABELS,
    "about_labels": ABOUT_LABELS,
    "channel_labels": CHANNEL_LABELS,
}
_UNCONFIRMED: Final = Answer(
    HTTPStatus.UNPROCESSABLE_ENTITY,
    {
        "detail": "Confirmez d'abord : un effacement ne se défait pas.",
        "articles": ["RGPD 17"],
        "fields": [{"path": "confirmed", "code": "missing"}],
    },
)
_ACTS: Final[Mapping[str, tuple[str, ...]]] = {
    "check": ("means",),
    "sending": (),
    "extension": (),
    "answer": ("outcome", "article", "channel"),
}
"""Acts on a request, and the fields of each one's form."""


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """Pages of this part."""
    desk = _Desk(node, api)
    both = ["GET", "POST"]
    return [
        Route("/requests", desk.listed),
        Route("/requests/{request_id}", desk.one),
        Route("/requests/{request_id}/{act}", desk.act, methods=["POST"]),
        Route("/people/{person_id}/code", desk.code, methods=both),
        Route("/people/{person_id}/request", desk.record, methods=both),
    ]


class _Desk:
    def __init__(self, node: Node, api: OwnApi) -> None:
        self._node = node
        self._api = api

    # -- requests ------------------------------------------------------------------------------

    async def listed(self, request: Request) -> Response:
        """Requests with their clocks, those that wait first."""
        session, at = await at_desk(self._node, request, Right.REVIEW), self._node.clock.now()
        found = await self._node.database.read(lambda c: rights_views.listed(c, at))
        shown = [self._told(one, at) for one in found]
        return self._page("requests.html", session, rows=shown)

    async def one(self, request: Request) -> Response:
        """One request: who asks, its clock, what each partner answered, what can be done."""
        session = await at_desk(self._node, request, Right.REVIEW)
        return await self._one(session, _id(request, "request_id"))

    async def act(self, request: Request) -> Response:
        """Do what a form of that page says, by the API."""
        session = await at_desk(self._node, request, Right.REVIEW)
        request_id, act = _id(request, "request_id"), request.path_params["act"]
        if act not in _ACTS:
            raise UnknownName("Cet acte n'existe pas.", code="unknown_act")
        form = await form_of(request, session)
        body = {name: form[name].strip() for name in _ACTS[act] if form.get(name, "").strip()}
        if form.get("confirm") and not form.get("confirmed"):
            return await self._one(session, request_id, _UNCONFIRMED, form)
        path = f"/requests/{request_id}/{act}"
        answer = await self._api.call(session.agent, "POST", path, body, form.get("key"))
        if answer.done:
            return RedirectResponse(f"{PLACE}/{request_id}", HTTPStatus.SEE_OTHER)
        return await self._one(session, request_id, answer, form)

    async def _one(
        self,
        session: Session,
        request_id: str,
        refused: Answer | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        at = self._node.clock.now()
        found = await self._node.database.read(lambda c: rights_views.read(c, request_id, at))
        who = await self._node.database.read(lambda c: rights_views.persons_of(c, request_id))
        answers = [
            {
                "org": name_of(self._node.core, told["org"]),
                "case": told["case_id"][:8],
                "said": ANSWER_LABELS.get(told["outcome"] or "", "pas encore de réponse"),
                "article": told["article"],
                "on": _day(told["done_at"] or told["told_at"]),
            }
            for told in found["answers"]
        ]
        return self._page(
            "request.html",
            session,
            status=HTTPStatus.OK if refused is None else HTTPStatus(refused.status),
            one=self._told(found, at),
            answers=answers,
            may=_may(session, found),
            to_correct=who if _corrects(session, found) else (),
            typed=typed or {},
            problem=None if refused is None else refused.content,
            request_id=request_id,
        )

    def _told(self, one: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        due_at = datetime.fromisoformat(one["due_at"])
        left = (day_of(due_at) - day_of(at)).days
        origin = one["origin"]
        return {
            **one,
            "asked_on": _day(one["asked_at"]),
            "due_on": by_in_words(due_at),
            "checked_on": _day(one["checked_at"]),
            "sent_on": _day(one["sent_at"]),
            "closed_on": _day(one["closed_at"]),
            "left": _left(left, late=one["late"]),
            "from": None if origin is None else name_of(self._node.core, origin),
        }

    # -- for a person at the desk --------------------------------------------------------------

    async def code(self, request: Request) -> Response:
        """Choose for whom a code is, then show it once, to print and hand over."""
        session = await at_desk(self._node, request, Right.CASES)
        person_id = await self._person(request, session)
        if request.method == "GET":
            return self._page("code.html", session, person_id=person_id, problem=None, typed={})
        form = await form_of(request, session)
        body = {name: form.get(name, "") for name in ("holder", "means")}
        answer = await self._api.call(session.agent, "POST", f"/persons/{person_id}/codes", body)
        if not answer.done:
            return self._page(
                "code.html",
                session,
                status=HTTPStatus(answer.status),
                person_id=person_id,
                problem=answer.content,
                typed=form,
            )
        until = datetime.fromisoformat(answer.content["expires_at"]).astimezone(PARIS)
        return self._page(
            "code_slip.html",
            session,
            code=answer.content["code"],
            holder=answer.content["holder"],
            until=f"{until.hour} h {until.minute:02}",
            address=self._address(),
        )

    async def _person(self, request: Request, session: Session) -> str:
        """Whom an address names. Raises UnknownName, NotPermitted."""
        person_id, at = _id(request, "person_id"), self._node.clock.now()
        await self._node.database.write(
            lambda tx: opened(tx, self._node.core, person_id, session.agent, at)
        )
        return person_id

    def _address(self) -> str:
        settings = self._node.settings.sign_in
        return "/person/" if settings is None else f"{settings.public_url}/person/"

    async def record(self, request: Request) -> Response:
        """Record a right that a person exercises at the desk."""
        session = await at_desk(self._node, request, Right.WITHDRAW)
        person_id = await self._person(request, session)
        if request.method == "GET":
            return self._record(session, person_id)
        form = await form_of(request, session)
        body: dict[str, Any] = {
            name: form.get(name, "") for name in ("right", "raised_by", "channel")
        }
        body |= {"person_id": person_id, "means": form.get("means") or None}
        body["about"] = form.getlist("about") if body["right"] == "rectification" else []
        answer = await self._api.call(session.agent, "POST", "/requests", body, form.get("key"))
        if not answer.done:
            return self._record(session, person_id, answer, form)
        if Right.REVIEW in RIGHTS[session.agent.role]:
            address = f"{PLACE}/{answer.content['request_id']}"
            return RedirectResponse(address, HTTPStatus.SEE_OTHER)
        return self._page("request_kept.html", session, state=answer.content["state"])

    def _record(
        self,
        session: Session,
        person_id: str,
        refused: Answer | None = None,
        typed: ImmutableMultiDict[str, str] | None = None,
    ) -> Response:
        return self._page(
            "request_new.html",
            session,
            status=HTTPStatus.OK if refused is None else HTTPStatus(refused.status),
            person_id=person_id,
            problem=None if refused is None else refused.content,
            typed=typed or {},
            chosen=[] if typed is None else typed.getlist("about"),
        )

    def _page(
        self,
        template: str,
        session: Session,
        *,
        status: int = HTTPStatus.OK,
        **values: Any,  # noqa: ANN401 -- template's values
    ) -> HTMLResponse:
        page = render(
            template,
            place=PLACE,
            org=self._node.settings.name,
            session=session,
            key=self._node.given.new_id(),
            **_WORDS,
            **values,
        )
        return HTMLResponse(page, status)


def _id(request: Request, name: str) -> str:
    """An id of the address; whatever else it may be is known nowhere. Raises UnknownName."""
    found: str = request.path_params[name]
    if _ID.fullmatch(found) is None:
        raise UnknownName("Rien ici ne porte ce numéro.")
    return found


def _day(instant: str | None) -> str:
    return "" if instant is None else day_in_words(day_of(datetime.fromisoformat(instant)))


def _left(days: int, *, late: bool) -> str:
    if late:
        return "en retard" if days == 0 else f"en retard de {-days} jour{'s' if days < -1 else ''}"
    return "dernier jour" if days <= 1 else f"reste {days} jours"


def _corrects(session: Session, found: Mapping[str, Any]) -> bool:
    """Whether this agent may correct an identity as the request asks."""
    waits = found["checked_at"] is not None and found["state"] != "closed"
    return waits and IDENTITY in found["about"] and Right.REGISTER in RIGHTS[session.agent.role]


def _may(session: Session, found: Mapping[str, Any]) -> set[str]:
    """Acts that the state of a request and the agent's role leave open."""
    rights, state = RIGHTS[session.agent.role], found["state"]
    if state == "closed":
        return set()
    may = {"answer"} if found["right"] != "objection" or Right.CONVENTIONS in rights else set()
    if state == "to_check" and Right.WITHDRAW in rights:
        may.add("check")
    if state == "to_send" and (found["right"] != "erasure" or Right.ERASE in rights):
        may.add("sending")
    if found["origin"] is None and found["extended_at"] is None and not found["late"]:
        may.add("extension")
    return may
