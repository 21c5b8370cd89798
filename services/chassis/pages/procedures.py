"""*Démarches*: what a convention asks an organisation to record beside its cases, and its lists.

Each is a call of the API that its side declares with a label: a form from its body, or a list from
its answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.kernel.errors import UnknownName
from services.chassis import standing, tables
from services.chassis.call import Call
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.asking import Question, asked
from services.chassis.pages.choosing import agents
from services.chassis.pages.content import Telling, Told
from services.chassis.pages.forms import NOTHING_TYPED, Field, Option, Shape, fields_of, with_agents
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.persons import name_in_words
from services.chassis.pages.refusals import refused
from services.chassis.pages.rendering import ROOT, instant_in_words, render
from services.chassis.pages.texts import partners
from services.chassis.requests import known_text
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import RIGHTS, Agent, Right

PLACE: Final = f"{ROOT}/procedures"
_PERSON: Final = "person_id"
_CONVENTION: Final = "convention_id"
_ABOUT: Final = "message_id"
_RECENT: Final = 50
"""Messages that a form offers to speak of, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One call as agents meet it. name: in its page's address. code: of its instrument."""

    name: str
    code: str
    title: str
    method: str
    path: str
    call: Call


_NONE_SENT: Final = (
    "Aucune n'a encore été convoquée d'ici : la convocation est un premier message, à Situations."
)


def procedures(core: Core, agent: Agent) -> Iterator[Procedure]:
    """What this organisation's sides offer to an agent's role."""
    for code, side in core.partner.sides.items():
        text = core.registry.conventions.get(code) or core.registry.duties.get(code)
        for (method, path), call in side.calls.items():
            if call.label and call.right in RIGHTS[agent.role] and text is not None:
                parts = (part for part in path.split("/") if part and "{" not in part)
                yield Procedure(
                    name="-".join((code, method.lower(), *parts)),
                    code=code,
                    title=text.title,
                    method=method,
                    path=path,
                    call=call,
                )


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """The list of procedures, and the page of each."""
    if node.settings.sign_in is None:
        return []

    async def listing(request: Request) -> Response:
        session = await at_desk(node, request, Right.READ)
        page = render(
            "procedures.html",
            org=node.settings.name,
            session=session,
            place=PLACE,
            said="C'est enregistré." if "done" in request.query_params else "",
            procedures=list(procedures(node.core, session.agent)),
        )
        return HTMLResponse(page)

    async def one(request: Request) -> Response:
        session = await at_desk(node, request, Right.READ)
        name = request.path_params["name"]
        known = procedures(node.core, session.agent)
        found = next((it for it in known if it.name == name), None)
        if found is None:
            raise UnknownName("Cette démarche n'est pas offerte dans votre rôle.")
        await known_text(node, session.agent, found.code, found.method, found.path)
        if found.method == "GET":
            answer = await api.call(session.agent, "GET", found.path)
            refusal = None if answer.done else refused(answer, (), NOTHING_TYPED)[0]
            page = render(
                "procedure_list.html",
                org=node.settings.name,
                session=session,
                place=PLACE,
                found=found,
                refusal=refusal,
                items=_items(node.core, found, answer.content) if answer.done else (),
            )
            return HTMLResponse(page, HTTPStatus.OK if answer.done else answer.status)
        person_id = request.query_params.get("person")
        if person_id is not None:  # the page names that person
            session.agent.require(Right.CASES)
        asks = await node.database.write(
            lambda tx: _question(tx, node.core, found, person_id, node.clock.now())
        )
        return await asked(node, api, request, session, asks)

    return [
        Route("/procedures", listing),
        Route("/procedures/{name}", one, methods=["GET", "POST"]),
    ]


def _items(core: Core, found: Procedure, content: Any) -> list[tuple[Told, ...]]:  # noqa: ANN401 -- JSON
    telling = Telling(core, found.code)
    rows = content if isinstance(content, list) else [content]
    return [telling.told(one if isinstance(one, dict) else {"what": one}) for one in rows]


def _question(
    tx: Tx, core: Core, found: Procedure, person_id: str | None, at: datetime
) -> Question:
    """The form of a call; whom it is about comes from that person's page, never from a list."""
    body = found.call.body
    if body is None:
        raise UnknownName("Cette démarche n'a pas de formulaire.")
    named = body.model_fields
    choices = {_CONVENTION: _conventions(core, found.code)} if _CONVENTION in named else {}
    fields: list[Field] = []
    if found.call.about:
        fields.append(_about(tx, found))
    word = partial(core.registry.word, found.code)
    fields += fields_of(body, word, choices=choices, leave_out=[_PERSON])
    asks_person = _PERSON in named
    person = _person(tx, core, person_id) if asks_person else ""

    def content(typed: dict[str, Any]) -> dict[str, Any]:
        return {**typed, _PERSON: person_id} if asks_person else typed

    return Question(
        template="procedure.html",
        title=found.call.label,
        fields=with_agents(fields, agents(tx, at)),
        path=found.path,
        body=content,
        done=lambda _: f"{PLACE}?done=1",
        place=PLACE,
        submit="Enregistrer",
        person_id=person_id,
        shown={"found": found, "asks_person": asks_person, "person": person},
    )


def _person(tx: Tx, core: Core, person_id: str | None) -> str:
    row = None if person_id is None else tx.get(standing.PERSONS, person_id)
    if row is None:
        return ""
    return name_in_words(standing.opened_person(tx, core, row.scope, row.sealed))


def _conventions(core: Core, code: str) -> tuple[Option, ...]:
    held = core.directory.conventions.values()
    return tuple(
        Option(code=one.id, word=f"{one.convention.title}, avec {partners(core, one)}")
        for one in held
        if one.convention.code == code and core.org in one.orgs
    )


def _about(tx: Tx, found: Procedure) -> Field:
    """Which of the messages sent a record is about."""
    outbox = tables.outbox
    query = (
        select(outbox.c.message_id, outbox.c.created_at)
        .where(outbox.c.type == found.call.about)
        .order_by(outbox.c.created_at.desc())
        .limit(_RECENT)
    )
    options = tuple(
        Option(code=row.message_id, word=f"Du {instant_in_words(row.created_at)}")
        for row in tx.execute(query)
    )
    return Field(
        name=_ABOUT,
        label="Réunion",
        hint="Celle que vous avez convoquée." if options else _NONE_SENT,
        source=found.call.article,
        shape=Shape.CHOICE,
        required=True,
        options=options,
    )
