"""A person's name or day of birth corrected, asked for or seen to be wrong (GDPR 16, 5.1.d)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.chassis import standing
from services.chassis.database import Tx
from services.chassis.pages import requests
from services.chassis.pages.forms import NOTHING_TYPED, Option, content_of, fields_of, filled
from services.chassis.pages.part import PEOPLE, Part, asked_id, onward
from services.chassis.pages.refusals import refused
from services.chassis.person.codes import opened
from services.chassis.rectifying import Correction, requests_about
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.tokens import RIGHTS, Right

_SEEN: Final = (
    Option(code="document", word="une pièce d'identité"),
    Option(code="file", word="le dossier de l'organisme, pour un nom"),
)
_ASKED: Final = fields_of(Correction, leave_out=["request_id", "found_on"])
_FOUND: Final = tuple(
    replace(one, required=True) if one.name == "found_on" else one
    for one in fields_of(Correction, leave_out=["request_id"], choices={"found_on": _SEEN})
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held of a person's identity, and the requests to correct it, oldest first."""

    person_id: str
    registered: bool
    family_name: str
    first_name: str
    birth: date | None
    requests: list[str]


class Rectifying:
    """The page on which an identity is corrected."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [Route("/people/{person_id}/identity", self.identity, methods=["GET", "POST"])]

    async def identity(self, request: Request) -> Response:
        """What is held beside what is right; then the correction, and who is told."""
        session = await at_desk(self._node, request, Right.REGISTER)
        held = await self._held(session, asked_id(request, "person_id"))
        asks = _ASKED if held.requests else _FOUND
        refusal, fields = None, filled(asks, NOTHING_TYPED)
        if request.method == "POST":
            typed = await form_of(request, session)
            body = {**content_of(asks, typed), "request_id": next(iter(held.requests), None)}
            path = f"/persons/{held.person_id}/rectification"
            answer = await self._part.post(session, path, body, typed.get("key"))
            if answer.done:
                return onward(_after(session, held))
            refusal, fields = refused(answer, asks, typed)
        return self._part.page(
            "identity.html",
            session,
            HTTPStatus.UNPROCESSABLE_ENTITY if refusal else HTTPStatus.OK,
            held=held,
            fields=fields,
            refusal=refusal,
            key=self._part.fresh_key(),
        )

    async def _held(self, session: Session, person_id: str) -> Held:
        core, at = self._node.core, self._node.clock.now()

        def unit(tx: Tx) -> Held:
            who = opened(tx, core, person_id, session.agent, at).identity
            row = tx.get(standing.PERSONS, person_id)
            return Held(
                person_id=person_id,
                registered=row is not None and row.registered_at is not None,
                family_name=who.family_name or "",
                first_name=who.first_name or "",
                birth=who.birth_date,
                requests=requests_about(tx, person_id),
            )

        return await self._node.database.write(unit)


def _after(session: Session, held: Held) -> str:
    """The person's page; of one whom a partner named, the request, for who answers it."""
    if held.registered:
        return f"{PEOPLE}/{held.person_id}"
    if held.requests and Right.REVIEW in RIGHTS[session.agent.role]:
        return f"{requests.PLACE}/{held.requests[0]}"
    return "/pages/today"
