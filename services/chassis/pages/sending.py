"""Sending from a page: who will receive what, why and until when, then the message's own fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from contracts.export import BASES
from contracts.kernel.binding import Binding
from contracts.kernel.errors import UnknownName
from contracts.kernel.fields import caller_model, node_fields
from contracts.kernel.instrument import Cardinality, Flow, LegalDuty
from services.chassis import derogations, standing
from services.chassis.acquaintance import require_acquaintance
from services.chassis.acts import require_case
from services.chassis.core import Core
from services.chassis.database import Tx
from services.chassis.node import Node
from services.chassis.pages.alone import alone, version_of
from services.chassis.pages.alone import routes as alone_routes
from services.chassis.pages.asking import Question, asked
from services.chassis.pages.cases import (
    PLACE,
    agreement_in_words,
    kept_by_partner,
)
from services.chassis.pages.choosing import choices, numbered
from services.chassis.pages.content import name_of
from services.chassis.pages.forms import Field, Option, Shape, fields_of
from services.chassis.pages.offering import within
from services.chassis.pages.own_api import OwnApi
from services.chassis.pages.persons import name_in_words, person_in_words
from services.chassis.pages.rendering import instant_in_words, render
from services.chassis.sign_in.desk import at_desk
from services.chassis.tokens import Agent, Right
from services.chassis.words import kept

_SAID: Final = "Le message est parti. Son état se lit ci-dessous."
_NOT_NAMED: Final = "la personne de cette situation, que rien ne nomme ici"
_UNDER: Final = "without_agreement"
"""Field in which a decision to act without agreement is named, where one stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a form says before anything leaves. added: what the node fills by itself."""

    sender: str
    receiver: str
    purpose: str
    article: str
    person: str
    agreement: str
    basis: str
    kept: str
    kept_article: str
    added: str
    back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A message about to be asked for: its flow, to whom, in which case or on whose agreement.

    choices: by field that takes a number. decisions: to send it without agreement.
    """

    flow: Flow
    code: str
    binding_id: str
    to: str
    about: About
    named: dict[str, str]
    person_id: str | None
    choices: Mapping[str, Sequence[Option]]
    decisions: tuple[Option, ...] = ()


def routes(node: Node, api: OwnApi) -> list[BaseRoute]:
    """A message in a case, and the messages that open one or stand alone."""

    async def send(request: Request) -> Response:
        session = await at_desk(node, request, Right.SEND)
        at, way = node.clock.now(), (request.path_params["case_id"], request.path_params["type"])
        begun = request.method == "POST"
        found = await node.database.write(
            lambda tx: _in_case(tx, node.core, way, session.agent, at, begun=begun)
        )
        return await asked(node, api, request, session, _question(node.core, found))

    async def offered(request: Request) -> Response:
        session = await at_desk(node, request, Right.SEND)
        given = request.query_params.get("agreement"), request.query_params.get("notice")
        if any(given):  # names a person
            session.agent.require(Right.CASES)
        at = node.clock.now()
        messages = await node.database.write(lambda tx: _openers(tx, node.core, *given, at))
        last = await node.database.write(lambda tx: [] if any(given) else alone(tx, node.core))
        page = render(
            "first_messages.html",
            org=node.settings.name,
            session=session,
            place=PLACE,
            messages=messages,
            given=any(given),
            said=_SAID if "sent" in request.query_params else "",
            sent=last,
            version=version_of(last),
        )
        return HTMLResponse(page)

    async def first(request: Request) -> Response:
        session = await at_desk(node, request, Right.SEND)
        params = request.path_params
        way = params["to"], params["binding"], params["type"]
        given = request.query_params.get("agreement"), request.query_params.get("notice")
        if any(given):  # names a person
            session.agent.require(Right.CASES)
        at = node.clock.now()
        found = await node.database.write(
            lambda tx: _first(tx, node.core, way, session.agent, *given, at)
        )
        return await asked(node, api, request, session, _question(node.core, found))

    both = ["GET", "POST"]
    return [
        Route("/situations/new", offered),
        *alone_routes(node),
        Route("/situations/new/{to}/{binding}/{type}", first, methods=both),
        Route("/situations/{case_id}/send/{type}", send, methods=both),
    ]


def _question(core: Core, found: _Asked) -> Question:
    word = partial(core.registry.word, found.code)
    fields = fields_of(caller_model(found.flow.payload), word, choices=found.choices)

    def body(content: dict[str, Any]) -> dict[str, Any]:
        decision = content.pop(_UNDER, None)
        under = {} if decision is None else {"derogation_id": decision}
        return {
            "type": found.flow.type,
            "to": found.to,
            "convention_id": found.binding_id,
            "data": numbered(core, content),
            **found.named,
            **under,
        }

    def done(answer: Any) -> str:  # noqa: ANN401 -- the API's JSON
        case_id = answer.get("case_id")
        return f"{PLACE}/{case_id}?sent=1" if case_id else f"{PLACE}/new?sent=1"

    return Question(
        template="send.html",
        title=found.flow.label[:1].upper() + found.flow.label[1:],
        fields=(*fields, *_under(found.decisions)),
        path="/messages",
        body=body,
        done=done,
        place=PLACE,
        submit=f"Envoyer à {found.about.receiver}",
        person_id=found.person_id,
        shown={"about": found.about},
    )


def _under(decisions: tuple[Option, ...]) -> Iterator[Field]:
    if decisions:
        yield Field(
            name=_UNDER,
            label="Sans accord, sur une décision confirmée",
            hint="À ne choisir que si l'accord manque ou est suspendu : elle ne sert qu'une fois.",
            source="RGPD 6.1.d",
            shape=Shape.CHOICE,
            required=False,
            options=decisions,
        )


# --- in a case


def _in_case(
    tx: Tx, core: Core, way: tuple[str, str], agent: Agent, at: datetime, *, begun: bool
) -> _Asked:
    """A message in a case. way: the case, and its type. begun: its form was shown already."""
    case_id, type_ = way
    require_case(tx, core, case_id, agent, at)
    row = tx.get(standing.CASES, case_id)
    text = None if row is None else core.text(row.instrument)
    flows = () if row is None else within(core, row, text, any_state=begun)
    flow = next((one for one in flows if one.type == type_), None)
    if row is None or text is None or flow is None:
        raise UnknownName("Ce message ne s'envoie pas, ou plus, dans cette situation.")
    known = standing.of_case(tx, case_id, core.org)
    return _Asked(
        flow=flow,
        code=text.code,
        binding_id=row.instrument,
        to=row.partner,
        about=_about(
            core,
            flow,
            text.code,
            row.partner,
            person=person_in_words(tx, core, row.case_id) or _NOT_NAMED,
            agreement=agreement_in_words(known, at) or kept_by_partner(core, row, text),
            back=f"{PLACE}/{case_id}",
        ),
        named={"case_id": case_id},
        person_id=known.person_id if known.agreement_id is not None else None,
        choices=choices(tx, core, text.code, type_, case_id, at),
        decisions=tuple(_decisions(tx, core, case_id, flow, at)),
    )


def _decisions(tx: Tx, core: Core, case_id: str, flow: Flow, at: datetime) -> Iterator[Option]:
    """Decisions to send this very message without agreement that stand now."""
    for row in derogations.standing_of(tx, case_id, flow.type, core.org, at):
        until = instant_in_words(row.expires_at)
        yield Option(code=row.derogation_id, word=f"Décision confirmée, valable jusqu'au {until}")


def _about(
    core: Core,
    flow: Flow,
    code: str,
    to: str,
    *,
    person: str,
    agreement: str,
    back: str,
) -> About:
    names = [flow.payload.model_fields[name].title or name for name in node_fields(flow.payload)]
    return About(
        sender=name_of(core, core.org),
        receiver=name_of(core, to),
        purpose=core.registry.word(code, flow.purpose),
        article=flow.article,
        person=person,
        agreement=agreement,
        basis=BASES[flow.legal_basis],
        kept=kept(core.registry, code, flow.retention),
        kept_article=flow.retention.article,
        added=", ".join(names),
        back=back,
    )


# --- the first of a case, or one that stands alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """A message that may be sent first. group: the text under which, and to whom."""

    group: str
    label: str
    article: str
    path: str


def _given(
    tx: Tx, core: Core, agreement_id: str | None, notice_id: str | None, to: str
) -> standing.Standing:
    if agreement_id is not None:
        return standing.of_agreement(tx, agreement_id, core.org, to)
    return standing.NOTHING if notice_id is None else standing.of_notice(tx, notice_id)


def _openers(
    tx: Tx, core: Core, agreement_id: str | None, notice_id: str | None, at: datetime
) -> list[Opener]:
    """Messages that the conventions in force let us send first, on what was given; else alone."""
    found = None if agreement_id is None else tx.get(standing.AGREEMENTS, agreement_id)
    given = {"agreement": agreement_id, "notice": notice_id}
    query = "&".join(f"{name}={value}" for name, value in given.items() if value)
    messages: list[Opener] = []
    for to in sorted(core.directory.entries):
        for binding in core.bindings(to) if to != core.org else ():
            named = found is not None and to in found.references
            duty = isinstance(binding.instrument, LegalDuty)
            for flow in _first_flows(core, binding, to) if binding.open_at(at) else ():
                alone = flow.case is Cardinality.NONE
                covered = named and found is not None and flow.type in found.row.flows
                wanted = covered or (notice_id is not None and duty and not alone)
                if wanted or (alone and not query):
                    messages.append(
                        Opener(
                            group=f"À {name_of(core, to)} ({binding.instrument.title})",
                            label=flow.label,
                            article=flow.article,
                            path=f"{PLACE}/new/{to}/{binding.id}/{flow.type}?{query}".rstrip("?"),
                        )
                    )
    return messages


def _first_flows(core: Core, binding: Binding, to: str) -> Iterator[Flow]:
    ends = (core.kind, binding.kind_of(to))
    for flow in binding.instrument.flows:
        if (flow.sender, flow.receiver) == ends and flow.case is not Cardinality.WITHIN:
            yield flow


def _first(
    tx: Tx,
    core: Core,
    way: tuple[str, str, str],
    agent: Agent,
    agreement_id: str | None,
    notice_id: str | None,
    at: datetime,
) -> _Asked:
    to, binding_id, type_ = way
    binding = core.binding(to, binding_id) if to in core.directory.entries else None
    flows = () if binding is None else _first_flows(core, binding, to)
    flow = next((one for one in flows if one.type == type_), None)
    if binding is None or flow is None:
        raise UnknownName("Ce message ne s'envoie pas d'ici à cet organisme.")
    require_acquaintance(tx, core, binding_id, agent, at)
    known = _given(tx, core, agreement_id, notice_id, to)
    person = standing.person_of(tx, core, known)
    named = {"agreement_id": agreement_id, "notice_id": notice_id}
    return _Asked(
        flow=flow,
        code=binding.instrument.code,
        binding_id=binding_id,
        to=to,
        about=_about(
            core,
            flow,
            binding.instrument.code,
            to,
            person="" if person is None else name_in_words(person),
            agreement=agreement_in_words(known, at),
            back=f"{PLACE}/new",
        ),
        named={name: value for name, value in named.items() if value},
        person_id=known.person_id,
        choices=choices(tx, core, binding.instrument.code, type_, None, at),
    )
