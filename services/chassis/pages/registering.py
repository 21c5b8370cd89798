"""Registering a person once: the form, and whoever is there already and resembles.

Whether two are one person, the agent says, of each who resembles; until then nothing is registered.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from contracts.kernel.errors import InvalidPayload
from contracts.kernel.fields import Payload, said
from contracts.kernel.messages import Channel, Identity, Representative
from contracts.kernel.paris import day_of
from services.chassis import idempotency, resemblance
from services.chassis.pages.content import readable
from services.chassis.pages.forms import (
    NOTHING_TYPED,
    Field,
    Typed,
    content_of,
    fields_of,
    filled,
)
from services.chassis.pages.own_api import Answer
from services.chassis.pages.part import PEOPLE, Part, asked_id, onward
from services.chassis.pages.refusals import Refusal, refused
from services.chassis.pages.rendering import day_in_words
from services.chassis.requests import read_body
from services.chassis.resemblance import Registered
from services.chassis.sign_in.desk import at_desk, form_of
from services.chassis.sign_in.sessions import Session
from services.chassis.standing import KnownPerson, Person
from services.chassis.tokens import Right

NEW: Final = f"{PEOPLE}/new"


class Registration(Payload):
    """Form of a new person: who, and up to two representatives."""

    identity: Identity = said(
        "La personne", why="Ce qu'il faut pour la reconnaître, et rien de plus.", source="A-4.3"
    )
    first: Representative | None = said(
        "Représentant légal",
        why="Pour un mineur : qui est associé à chaque étape. À laisser vide pour un majeur.",
        source="A-2.12",
    )
    second: Representative | None = said(
        "Autre représentant légal", why="S'il y en a un autre.", source="A-2.12"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One fact of two persons side by side."""

    label: str
    new: str
    known: str

    @property
    def same(self) -> bool:
        """Whether both say the same, capitals apart."""
        return self.new.casefold() == self.known.casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Near:
    """Somebody of the register who resembles. key: of the form that says it is the same."""

    person_id: str
    since: date
    facts: Sequence[Compared]
    key: str


class Registering:
    """Pages on which a person is registered."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._node = part.node
        self._fields = fields_of(Registration, lambda code: self._node.core.registry.word("", code))

    @property
    def routes(self) -> list[Route]:
        """Under ``/pages``."""
        return [
            Route("/people/new", self.new, methods=["GET", "POST"]),
            Route("/people/{person_id}/same", self.same, methods=["POST"]),
        ]

    async def new(self, request: Request) -> Response:
        """The form, then whoever resembles, then the new person's page."""
        session = await at_desk(self._node, request, Right.REGISTER)
        if request.method == "GET":
            return self._form(session, filled(self._fields, NOTHING_TYPED), NOTHING_TYPED)
        typed = await form_of(request, session)
        if "again" in typed:
            return self._form(session, filled(self._fields, typed), typed)
        content = content_of(self._fields, typed)
        body, others = _body(content), typed.getlist("others")
        near = [one for one in await self._near(body) if one.person_id not in others]
        if near and not await self._sent_before(session, typed.get("key", "")):
            return self._compare(session, typed, _person(body), near)
        asked = body | {"others": others}
        answer = await self._part.post(session, "/persons", asked, typed.get("key"))
        if answer.done:
            return onward(f"{PEOPLE}/{answer.content['person_id']}")
        refusal, fields = refused(_in_the_form_s_names(answer, content), self._fields, typed)
        return self._form(session, fields, typed, refusal)

    async def same(self, request: Request) -> Response:
        """Somebody who was about to be registered is this person, says the agent."""
        session = await at_desk(self._node, request, Right.REGISTER)
        typed = await form_of(request, session)
        person_id = asked_id(request, "person_id")
        path = f"/persons/{person_id}/recognition"
        answer = await self._part.post(session, path, None, typed.get("key"))
        if not answer.done:
            refusal, fields = refused(answer, self._fields, typed)
            return self._form(session, fields, typed, refusal)
        return onward(f"{PEOPLE}/{person_id}")

    async def _near(self, body: Mapping[str, Any]) -> list[Registered]:
        """Whoever resembles; nobody does to what the API will refuse for its form."""
        person = _person(body)
        if person is None:
            return []
        who, core = person.identity, self._node.core
        return await self._node.database.read(
            lambda c: resemblance.resembling(
                c, core, who.family_name, who.first_name, who.birth_date
            )
        )

    async def _sent_before(self, session: Session, key: str) -> bool:
        """Whether this very form was answered already: whom it registered resembles it."""
        slot = idempotency.slot(session.agent.agent_id, key)
        found = await self._node.database.read(lambda c: idempotency.ANSWERS.fetch(c, (slot,)))
        return slot in found

    def _form(
        self,
        session: Session,
        fields: Sequence[Field],
        typed: Typed,
        refusal: Refusal | None = None,
    ) -> Response:
        return self._part.page(
            "people_new.html",
            session,
            422 if refusal else 200,
            fields=fields,
            others=typed.getlist("others"),
            refusal=refusal,
            key=self._part.fresh_key(),
        )

    def _compare(
        self, session: Session, typed: Typed, new: Person | None, near: Sequence[Registered]
    ) -> Response:
        typed_again = [one for one in typed.multi_items() if one[0] not in {"key", "again"}]
        return self._part.page(
            "people_same.html",
            session,
            near=[
                Near(
                    person_id=one.person_id,
                    since=day_of(one.registered_at),
                    facts=list(side_by_side(new, one.person)),
                    key=self._part.fresh_key(),
                )
                for one in near
            ],
            typed=typed_again,
            key=self._part.fresh_key(),
        )


def _body(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says, as the API takes it."""
    representatives = [content[name] for name in ("first", "second") if content.get(name)]
    return {"identity": content.get("identity", {}), "representatives": representatives}


def _person(body: Mapping[str, Any]) -> Person | None:
    try:
        return read_body(Person, json.dumps(body).encode())
    except InvalidPayload:
        return None


def _in_the_form_s_names(answer: Answer, content: Mapping[str, Any]) -> Answer:
    """The API's answer, its faults under the names that the form's fields have."""
    if not isinstance(answer.content, dict):
        return answer
    there = [name for name in ("first", "second") if content.get(name)]
    faults = []
    for one in answer.content.get("fields", ()):
        path = one["path"]
        for number, name in enumerate(there):
            path = path.replace(f"representatives.{number}", name, 1)
        faults.append({**one, "path": path})
    return Answer(answer.status, {**answer.content, "fields": faults})


def side_by_side(new: KnownPerson | None, known: KnownPerson) -> Iterator[Compared]:
    """What is known of two, fact by fact."""
    if new is None:
        return
    pairs = zip(_facts(new), _facts(known), strict=True)
    for (label, ours), (_, theirs) in pairs:
        yield Compared(label=label, new=ours, known=theirs)


def _facts(one: KnownPerson) -> list[tuple[str, str]]:
    who = one.identity
    birth = "" if who.birth_date is None else day_in_words(who.birth_date)
    return [
        ("Nom de famille", who.family_name or ""),
        ("Prénom", who.first_name or ""),
        ("Date de naissance", birth),
        ("Contact", contact_of(who.channel)),
        ("Représentants légaux", ", ".join(map(full_name, one.representatives))),
    ]


def full_name(one: Representative) -> str:
    """First and family name."""
    return f"{one.first_name} {one.family_name}"


def contact_of(channel: Channel | None) -> str:
    """How to reach somebody, as it is dialled or written; empty where nothing is known."""
    return "" if channel is None else readable(channel.value)
